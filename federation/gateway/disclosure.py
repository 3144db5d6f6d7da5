"""What a consumer is told about its answer: who decided what under which policy, and where that is recorded."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from operator import attrgetter
from typing import Any, Final

import msgspec

from federation.contract.decisions import CLEAR, DENY, FieldDecision
from federation.contract.identifiers import DIRECTORY, PERSON
from federation.contract.messages import NodeAnswerExtension
from federation.execution.compiled import Supplied

_ID: Final = f"{PERSON}.id"
_IN_ORDER: Final = attrgetter("coordinate", "form", "grants")


class _Denied(msgspec.Struct, frozen=True):
    path: str
    coordinate: str
    member: str


class _Masked(msgspec.Struct, frozen=True):
    path: str
    coordinate: str
    form: str
    member: str


class _Duty(msgspec.Struct, frozen=True, rename="camel"):
    member: str
    grant: str
    erase_after: str
    law: tuple[str, ...]


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
    masked: dict[_Masked, None] = {}  # sets that keep their order
    denied: dict[_Denied, None] = {}
    duties: dict[_Duty, None] = {}
    for answer in heard:
        for decision in answer.decisions:
            if decision.join_key:
                continue
            coordinate, member = decision.coordinate, answer.member
            if decision.form == DENY:
                denied |= {_Denied(path, coordinate, member): None for path in _paths(supplied, member, decision)}
            elif decision.form != CLEAR:
                form = decision.form
                masked |= {_Masked(path, coordinate, form, member): None for path in _paths(supplied, member, decision)}
            if decision.retain:
                for grant in decision.grants:
                    duties[_Duty(member, grant, decision.retain, decision.law)] = None
    return {
        "purpose": purpose,
        "agreement": agreement,
        "masked": list(masked),
        "denied": list(denied),
        "duties": list(duties),
        "members": [{"member": answer.member, "policy": answer.policy, "receipt": answer.receipt} for answer in heard],
        "unavailable": sorted(set(unavailable)),
    }


def told_by(supplied: Sequence[Supplied], finders: Iterable[str]) -> Sequence[Supplied]:
    """Return the provenance in which the `id` of a citizen whom members found is theirs, not the directory's."""
    members = tuple(dict.fromkeys(finders))
    if not members:
        return supplied
    return [
        replace(each, members=members) if each.coordinate == _ID and each.members == (DIRECTORY,) else each
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
    return tuple(sorted(found, key=_IN_ORDER))


def _paths(supplied: Sequence[Supplied], member: str, decision: FieldDecision) -> Iterator[str]:
    """Yield where in the response a member's decision shows."""
    for field in supplied:
        if field.coordinate == decision.coordinate and member in field.members:
            yield ".".join(field.path)
