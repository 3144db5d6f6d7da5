"""The citizen's report as a person thinks of it: one look for each question, whoever held the answer.

A question to several administrations is an entry in each of their ledgers; the digest of the consumer's signed request,
which every node records for itself, says that they belong together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from federation.consumer.access import Access, AccessReport
from federation.contract.entries import Entry, EntryKind


@dataclass(frozen=True, slots=True)
class Look:
    """One question about the citizen; `accesses` are its entries, by the administration that wrote them."""

    accesses: tuple[Access, ...]

    @property
    def entry(self) -> Entry:
        """The entry that says who asked, when and why: the same in all of them."""
        return self.accesses[0].entry

    @property
    def proved(self) -> bool:
        """Whether every one of its entries is proved."""
        return all(access.proved for access in self.accesses)

    def holders(self) -> dict[str, list[Access]]:
        """Return its entries by the administration whose data it was about."""
        found: dict[str, list[Access]] = {}
        for access in self.accesses:
            found.setdefault(access.member, []).append(access)
        return dict(sorted(found.items()))


@dataclass(frozen=True, slots=True)
class Looks:
    """Looks of others, a delegate's among them, and those of the citizen in person; newest first."""

    others: tuple[Look, ...]
    own: tuple[Look, ...]

    def counts(self) -> dict[str, dict[str, int]]:
        """Return how often who asked whom: by consumer, then by holder."""
        found: dict[str, dict[str, int]] = {}
        for look in self.others:
            asked = found.setdefault(look.entry.consumer, {})
            for holder in look.holders():
                asked[holder] = asked.get(holder, 0) + 1
        return found


def looks(report: AccessReport) -> Looks:
    """Return the report's entries as looks."""
    found: dict[tuple[str, ...], list[Access]] = {}
    for access in report.accesses:
        entry = access.entry
        alone = () if entry.request_digest else (access.member, str(len(found)))
        found.setdefault((entry.consumer, entry.kind.value, entry.request_digest, *alone), []).append(access)
    every = [Look(tuple(accesses)) for accesses in found.values()]
    return Looks(tuple(look for look in every if not _is_own(look)), tuple(look for look in every if _is_own(look)))


def _is_own(look: Look) -> bool:
    return look.entry.kind is EntryKind.REPORT and all(access.delegation is None for access in look.accesses)


def laws(accesses: Sequence[Access]) -> list[str]:
    """Return the laws on which disclosures rest, each once."""
    return list(dict.fromkeys(law for access in accesses for each in access.entry.decisions for law in each.law))
