"""The citizen's report, verified: who looked at what, when, why, by which law, in every node."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any

import msgspec

from federation.consumer.client import Answer
from federation.contract.delegation import Delegation
from federation.contract.entries import Entry, EntryKind
from federation.contract.errors import CroceviaError, UnavailableError
from federation.contract.evidence import digest_of_page
from federation.contract.members import MemberList
from federation.contract.receipts import Receipt
from federation.ledger.leaf import Leaf
from federation.ledger.note import Ed25519Verifier
from federation.ledger.proof import verify_receipt

REPORT_PURPOSE = "access-report"
ACCESS_REPORT = """query AccessReport($citizen: ID!, $before: [EntryPosition!]) {
  accessReport(citizen: $citizen, before: $before) { accesses { member leaf receipt personal } gaps }
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
    index: int = 0


@dataclass(frozen=True, slots=True)
class AccessReport:
    """The entries of all nodes, newest first.

    `gaps` are the members with a ledger that did not answer; `incomplete` those whose answer is not the one that they
    recorded: somebody on the way left an entry out or put one in. `sealed` are the activities whose accesses show
    only after so many days, by consumer and purpose: the same for everybody, whether there were any or not. `older` are
    the members that have older entries than one answer holds, with the position below which they are.
    """

    accesses: tuple[Access, ...]
    gaps: tuple[str, ...]
    incomplete: tuple[str, ...] = ()
    sealed: Mapping[tuple[str, str], int] = field(default_factory=dict)
    older: Mapping[str, int] = field(default_factory=dict)

    @property
    def whole(self) -> bool:
        """Whether every entry is proved and none was left out by whoever passed them on."""
        return not self.incomplete and all(access.proved for access in self.accesses)


AskForReport = Callable[[dict[str, Any]], Awaitable[Answer]]
"""Asks `ACCESS_REPORT` for `REPORT_PURPOSE` with these variables, as whoever may."""


def positions(before: Mapping[str, int]) -> list[dict[str, Any]]:
    """Return positions as the variable `before` has them."""
    return [{"member": member, "entry": entry} for member, entry in sorted(before.items())]


async def whole_report(ask: AskForReport, citizen: str, members: MemberList) -> AccessReport:
    """Ask about a citizen, by pseudonym, until no node has older entries; return what all answers say together.

    Each answer is asked for, recorded and verified by itself: the next one begins where the last one is known to end.

    Raises:
        UnavailableError: the report was not given.
        LedgerCorruptError: a leaf is not an entry.
    """
    report = _given(await ask({"citizen": citizen}), members)
    while report.older:
        answer = await ask({"citizen": citizen, "before": positions(report.older)})
        report = _continued(report, _given(answer, members, report.older))
    return report


def _given(answer: Answer, members: MemberList, before: Mapping[str, int] | None = None) -> AccessReport:
    if answer.content.get("data") is None:
        raise UnavailableError(f"the report was not given: {answer.refusal}")
    return read_report(answer.content, members, answer.request.digest(), before)


def _continued(report: AccessReport, older: AccessReport) -> AccessReport:
    return AccessReport(
        accesses=_newest_first((*report.accesses, *older.accesses)),
        gaps=tuple(sorted({*report.gaps, *older.gaps})),
        incomplete=tuple(sorted({*report.incomplete, *older.incomplete})),
        sealed=report.sealed,
        older=older.older,
    )


def read_report(
    answer: Mapping[str, Any], members: MemberList, request_digest: str, before: Mapping[str, int] | None = None
) -> AccessReport:
    """Read and verify one answer; what it says is taken from the leaves that the proofs are about, from nothing else.

    A node answers with the entry of this very question first, which commits to the entries it shows and to whether it
    has older ones. So neither the list of gaps nor the number of entries is believed: a member whose own entry is
    missing is a gap. `before` is what the question said.

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
    nodes = before or [member.id for member in members.members if member.ledger]
    ends = {
        member: _end(own.entry.answer, shown.get(member, []), (before or {}).get(member))
        for member, own in asked.items()
    }
    return AccessReport(
        accesses=_newest_first(accesses),
        gaps=tuple(sorted(member for member in nodes if member not in asked)),
        incomplete=tuple(sorted(member for member, end in ends.items() if end is _End.BROKEN)),
        sealed=members.sealed_activities(),
        older={member: min(each.index for each in shown[member]) for member, end in ends.items() if end is _End.MORE},
    )


class _End(Enum):
    """How a node's part of an answer ends, as the node recorded it."""

    LAST = auto()
    MORE = auto()
    BROKEN = auto()


def _end(recorded: str, shown: Sequence[Access], before: int | None) -> _End:
    leaves = [each.leaf for each in shown]
    if before is not None and any(each.index >= before for each in shown):
        return _End.BROKEN  # asking on from there would never end
    if recorded == digest_of_page(leaves, before, more=False):
        return _End.LAST
    return _End.MORE if shown and recorded == digest_of_page(leaves, before, more=True) else _End.BROKEN


def _newest_first(accesses: Iterable[Access]) -> tuple[Access, ...]:
    return tuple(sorted(accesses, key=lambda access: (access.entry.at, access.member), reverse=True))


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
    index = _proved_index(given, leaf, entry, members)
    return Access(given["member"], entry, leaf, index is not None, delegation, index or 0)


def _proved_index(given: Mapping[str, Any], leaf: bytes, entry: Entry, members: MemberList) -> int | None:
    """Return where in the member's ledger the entry is proved to stand, None where it is not."""
    try:
        ledger = members.member(given["member"]).ledger
        receipt = msgspec.json.decode(given["receipt"], type=Receipt)
        verify_receipt(receipt, Ed25519Verifier.parse(ledger or ""), leaf)
    except (CroceviaError, ValueError):
        return None
    return receipt.index if entry.writer == given["member"] else None
