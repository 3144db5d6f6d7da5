"""The citizen's report, verified: who looked at what, when, why, by which law, in every node."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from federation.contract.delegation import Delegation
from federation.contract.entries import Entry, EntryKind
from federation.contract.errors import CroceviaError
from federation.contract.evidence import digest_of_leaves
from federation.contract.members import MemberList
from federation.contract.receipts import Receipt
from federation.ledger.leaf import Leaf
from federation.ledger.note import Ed25519Verifier
from federation.ledger.proof import verify_receipt

REPORT_PURPOSE = "access-report"
ACCESS_REPORT = """query AccessReport($citizen: ID!) {
  accessReport(citizen: $citizen) { accesses { member leaf receipt personal } gaps }
}"""


@dataclass(frozen=True, slots=True)
class Access:
    """One entry about the citizen. `proved` says that the member's signed checkpoint holds exactly these bytes.

    `delegation` says who asked in the citizen's place, of a report that a delegate asked for.
    """

    member: str
    entry: Entry
    leaf: bytes
    proved: bool
    delegation: Delegation | None = None


@dataclass(frozen=True, slots=True)
class AccessReport:
    """The entries of all nodes, newest first.

    `gaps` are the members with a ledger that did not answer; `incomplete` those whose answer is not the one that they
    recorded: somebody on the way left an entry out or put one in. `sealed` are the activities whose accesses show
    only after so many days, by consumer and purpose: the same for everybody, whether there were any or not.
    """

    accesses: tuple[Access, ...]
    gaps: tuple[str, ...]
    incomplete: tuple[str, ...] = ()
    sealed: Mapping[tuple[str, str], int] = field(default_factory=dict)

    @property
    def whole(self) -> bool:
        """Whether every entry is proved and none was left out by whoever passed them on."""
        return not self.incomplete and all(access.proved for access in self.accesses)


def read_report(answer: Mapping[str, Any], members: MemberList, request_digest: str) -> AccessReport:
    """Read and verify a report; what it says is taken from the leaves that the proofs are about, from nothing else.

    A node answers with the entry of this very question first, which commits to the entries it shows. So neither the
    list of gaps nor the number of entries is believed: a member whose own entry is missing is a gap.

    Raises:
        LedgerCorruptError: a leaf is not an entry.
    """
    report = (answer.get("data") or {}).get("accessReport") or {}
    accesses = [_access(each, members) for each in report.get("accesses") or ()]
    shown: dict[str, list[Access]] = {}
    asked: dict[str, Access] = {}
    for access in accesses:
        entry = access.entry
        if entry.kind is EntryKind.REPORT and entry.request_digest == request_digest and access.proved:
            asked[access.member] = access
        else:
            shown.setdefault(access.member, []).append(access)
    nodes = [member.id for member in members.members if member.ledger]
    newest_first = sorted(accesses, key=lambda access: (access.entry.at, access.member), reverse=True)
    return AccessReport(
        accesses=tuple(newest_first),
        gaps=tuple(sorted(member for member in nodes if member not in asked)),
        incomplete=tuple(
            sorted(
                member
                for member, own in asked.items()
                if digest_of_leaves(each.leaf for each in shown.get(member, ())) != own.entry.answer
            )
        ),
        sealed=members.sealed_activities(),
    )


_LEFT = frozenset({EntryKind.DISCLOSURE, EntryKind.WRITE, EntryKind.SIGNAL})
"""Entries about which something left: a write is told back, a change is told of."""


def disclosures(report: AccessReport) -> Iterable[Access]:
    """Yield the accesses in which data left a node; the citizen's own questions are entries too."""
    return (access for access in report.accesses if access.entry.kind in _LEFT)


def _access(given: Mapping[str, Any], members: MemberList) -> Access:
    leaf = given["leaf"].encode()
    entry = Entry.parse(Leaf.parse(leaf).entry)
    personal = given.get("personal") or ""
    delegation = Delegation.parse(personal.encode()) if personal else None
    return Access(given["member"], entry, leaf, _is_proved(given, leaf, entry, members), delegation)


def _is_proved(given: Mapping[str, Any], leaf: bytes, entry: Entry, members: MemberList) -> bool:
    try:
        ledger = members.member(given["member"]).ledger
        receipt = msgspec.json.decode(given["receipt"], type=Receipt)
        verify_receipt(receipt, Ed25519Verifier.parse(ledger or ""), leaf)
    except (CroceviaError, ValueError):
        return False
    return bool(entry.writer == given["member"])
