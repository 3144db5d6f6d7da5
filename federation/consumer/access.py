"""The citizen's report, verified: who looked at what, when, why, by which law, in every node."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from federation.contract.entries import Entry, EntryKind
from federation.contract.errors import CroceviaError
from federation.contract.members import MemberList
from federation.contract.receipts import Receipt
from federation.ledger.leaf import Leaf
from federation.ledger.note import Ed25519Verifier
from federation.ledger.proof import verify_receipt

ACCESS_REPORT = """query AccessReport($citizen: ID!) {
  accessReport(citizen: $citizen) { accesses { member leaf receipt } gaps }
}"""


@dataclass(frozen=True, slots=True)
class Access:
    """One entry about the citizen. `proved` says that the member's signed checkpoint holds exactly these bytes."""

    member: str
    entry: Entry
    proved: bool


@dataclass(frozen=True, slots=True)
class AccessReport:
    """The entries of all nodes, newest first, and the members that did not answer."""

    accesses: tuple[Access, ...]
    gaps: tuple[str, ...]


def read_report(answer: Mapping[str, Any], members: MemberList) -> AccessReport:
    """Read and verify a report; what it says is taken from the leaves that the proofs are about, from nothing else.

    Raises:
        LedgerCorruptError: a leaf is not an entry.
    """
    report = (answer.get("data") or {}).get("accessReport") or {}
    accesses = [_access(each, members) for each in report.get("accesses") or ()]
    newest_first = sorted(accesses, key=lambda access: (access.entry.at, access.member), reverse=True)
    return AccessReport(tuple(newest_first), tuple(report.get("gaps") or ()))


def disclosures(report: AccessReport) -> Iterable[Access]:
    """Yield the accesses in which data left a node; the citizen's own questions are entries too."""
    return (access for access in report.accesses if access.entry.kind is EntryKind.DISCLOSURE)


def _access(given: Mapping[str, Any], members: MemberList) -> Access:
    leaf = given["leaf"].encode()
    entry = Entry.parse(Leaf.parse(leaf).entry)
    return Access(given["member"], entry, _is_proved(given, leaf, members))


def _is_proved(given: Mapping[str, Any], leaf: bytes, members: MemberList) -> bool:
    try:
        ledger = members.member(given["member"]).ledger
        receipt = msgspec.json.decode(given["receipt"], type=Receipt)
        verify_receipt(receipt, Ed25519Verifier.parse(ledger or ""), leaf)
    except (CroceviaError, ValueError):
        return False
    return True
