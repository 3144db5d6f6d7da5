"""What a consumer is told about its answer: who decided what under which policy, and where that is recorded."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any, Final

import msgspec

from federation.contract.decisions import CLEAR, DENY, FieldDecision
from federation.contract.identifiers import DIRECTORY, PERSON
from federation.contract.messages import NodeAnswerExtension
from federation.execution.compiled import Supplied

_ID: Final = f"{PERSON}.id"


def privacy_extension(
    answers: Iterable[NodeAnswerExtension],
    supplied: Sequence[Supplied],
    purpose: str,
    agreement: str,
    unavailable: Iterable[str],
) -> dict[str, Any]:
    """Return `extensions.privacy` of a response.

    `masked` and `denied` list where in the response (without list positions) which member answered a coordinate so;
    `duties` the retention that each grant imposes (policy R40); `members` the policy version and the receipt of each
    answer; `unavailable` those that did not answer.
    """
    heard = list(answers)
    outward = [(answer.member, decision) for answer in heard for decision in answer.decisions if not decision.join_key]
    return {
        "purpose": purpose,
        "agreement": agreement,
        "masked": _unique(
            {"path": path, "coordinate": decision.coordinate, "form": decision.form, "member": member}
            for member, decision in outward
            if decision.form not in (CLEAR, DENY)
            for path in _paths(supplied, member, decision)
        ),
        "denied": _unique(
            {"path": path, "coordinate": decision.coordinate, "member": member}
            for member, decision in outward
            if decision.form == DENY
            for path in _paths(supplied, member, decision)
        ),
        "duties": _unique(
            {"member": member, "grant": grant, "eraseAfter": decision.retain, "law": list(decision.law)}
            for member, decision in outward
            if decision.retain
            for grant in decision.grants
        ),
        "members": [
            {
                "member": answer.member,
                "policy": msgspec.to_builtins(answer.policy),
                "receipt": msgspec.to_builtins(answer.receipt),
            }
            for answer in heard
        ],
        "unavailable": sorted(set(unavailable)),
    }


def told_by(supplied: Sequence[Supplied], finders: Iterable[str]) -> Sequence[Supplied]:
    """Return the provenance in which the `id` of a citizen whom members found is theirs, not the directory's."""
    members = tuple(dict.fromkeys(finders))
    return [
        replace(each, members=members) if members and each.coordinate == _ID and each.members == (DIRECTORY,) else each
        for each in supplied
    ]


def evidence_extension(answers: Iterable[NodeAnswerExtension]) -> list[dict[str, Any]]:
    """Return what nodes gave to prove their answers, for the consumer that asked for it; nothing here is ours."""
    return [
        {
            "member": answer.member,
            "receipt": msgspec.to_builtins(answer.receipt),
            **msgspec.to_builtins(answer.evidence),
        }
        for answer in answers
        if answer.evidence is not None
    ]


def joined_decisions(answers: Iterable[NodeAnswerExtension]) -> tuple[FieldDecision, ...]:
    """Return every distinct decision of the answers, sorted, as the gateway's ledger records them."""
    found = {decision for answer in answers for decision in answer.decisions}
    return tuple(sorted(found, key=lambda decision: (decision.coordinate, decision.form, decision.grants)))


def _paths(supplied: Sequence[Supplied], member: str, decision: FieldDecision) -> Iterator[str]:
    """Yield where in the response a member's decision shows."""
    for field in supplied:
        if field.coordinate == decision.coordinate and member in field.members:
            yield ".".join(field.path)


def _unique(entries: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    found: dict[bytes, dict[str, Any]] = {}
    for entry in entries:
        found.setdefault(msgspec.json.encode(entry), entry)
    return list(found.values())
