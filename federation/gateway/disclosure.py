"""What a consumer is told about its answer: who decided what under which policy, and where that is recorded."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from federation.contract.decisions import FieldDecision
from federation.contract.messages import NodeAnswerExtension

DENY = "deny"
CLEAR = "clear"


def privacy_extension(
    answers: Iterable[NodeAnswerExtension], purpose: str, agreement: str, unavailable: Iterable[str]
) -> dict[str, Any]:
    """Return `extensions.privacy` of a response.

    `masked` and `denied` list coordinates with the deciding member; `duties` the retention that each grant imposes
    (policy R40); `members` the policy version and the receipt of each answer; `unavailable` those that did not answer.
    """
    heard = list(answers)
    return {
        "purpose": purpose,
        "agreement": agreement,
        "masked": _unique(
            {"coordinate": decision.coordinate, "form": decision.form, "member": answer.member}
            for answer, decision in _outward(heard)
            if decision.form not in (CLEAR, DENY)
        ),
        "denied": _unique(
            {"coordinate": decision.coordinate, "member": answer.member}
            for answer, decision in _outward(heard)
            if decision.form == DENY
        ),
        "duties": _unique(
            {"member": answer.member, "grant": grant, "eraseAfter": decision.retain, "law": list(decision.law)}
            for answer, decision in _outward(heard)
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


def joined_decisions(answers: Iterable[NodeAnswerExtension]) -> tuple[FieldDecision, ...]:
    """Return every distinct decision of the answers, sorted, as the gateway's ledger records them."""
    found = {decision for answer in answers for decision in answer.decisions}
    return tuple(sorted(found, key=lambda decision: (decision.coordinate, decision.form, decision.grants)))


def _outward(answers: list[NodeAnswerExtension]) -> Iterable[tuple[NodeAnswerExtension, FieldDecision]]:
    """Join keys concern gateway and nodes; the ledgers have them, the consumer does not need them."""
    return ((answer, decision) for answer in answers for decision in answer.decisions if not decision.join_key)


def _unique(entries: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    found: dict[bytes, dict[str, Any]] = {}
    for entry in entries:
        found.setdefault(msgspec.json.encode(entry), entry)
    return list(found.values())
