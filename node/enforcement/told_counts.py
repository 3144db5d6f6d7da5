"""The counts that each consumer was told, so that the next ones can be held against them (policy R26); durable."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import Enum, auto
from hashlib import sha256
from typing import Final, Protocol, Self

import msgspec

from federation.contract.errors import CountsOverlapError
from federation.shared.place import SharedPlace
from federation.shared.store import Shared, Synchronous
from node.enforcement.overlap import Counted, counted, parts_leave_a_few, tell_apart

REMEMBERED: Final = timedelta(days=365)
"""How long a consumer is taken to know a count."""

_LAYOUT = """
CREATE TABLE IF NOT EXISTS told (
  asker TEXT NOT NULL, question BLOB NOT NULL, counts BLOB NOT NULL, day TEXT NOT NULL, PRIMARY KEY (asker, question)
) WITHOUT ROWID;
"""
_BEFORE = "SELECT counts FROM told WHERE asker = ? AND question <> ? AND day >= ?"
_TELL = (
    "INSERT INTO told VALUES (?, ?, ?, ?) "
    "ON CONFLICT (asker, question) DO UPDATE SET counts = excluded.counts, day = excluded.day"
)
_FORGET = "DELETE FROM told WHERE day < ?"


class AskedCounts(Protocol):
    """One question for counts, and the counts that would be told."""

    @property
    def type_name(self) -> str:
        """Of what type the rows are."""
        ...

    @property
    def by(self) -> tuple[str, ...]:
        """The fields that make the groups."""
        ...

    @property
    def where(self) -> str:
        """The filter as JSON with sorted keys."""
        ...

    @property
    def counts(self) -> Mapping[tuple[Hashable, ...], int]:
        """The rows of each group that would be told, by the values of `by`."""
        ...


class _Verdict(Enum):
    TOLD = auto()
    APART = auto()
    CUT_OTHERWISE = auto()


@dataclass(slots=True)
class ToldCounts:
    """One memory for all worker processes."""

    _shared: Shared = field(repr=False)

    @classmethod
    def open(cls, place: SharedPlace) -> Self:
        """Open the node's memory, or make it.

        Raises:
            UnavailableError: it cannot be opened.
        """
        return cls(place.open("told-counts", _LAYOUT, Synchronous.FULL))

    def tell(self, consumer: str, asked: AskedCounts, day: date, least: int, populations: int = 1) -> None:
        """Remember that a consumer is told these counts, over all its purposes.

        Args:
            consumer: who is told.
            asked: the question and its counts; the same question is told again whatever was told before.
            day: today.
            least: counts of sets of which one may lie within the other do not differ by fewer, unless they are equal;
                nor does a set from others that fill it.
            populations: how many filters, equalities left out, may have cut the counts that are told of one type.

        Raises:
            CountsOverlapError: beside counts told before, these would tell of fewer than `least` persons.
            UnavailableError: it cannot be remembered, so it cannot be told.
        """
        told = counted(asked.by, asked.where, asked.counts)
        found = self._told(f"{consumer} {asked.type_name}", asked, told, day, (least, populations))
        if found is _Verdict.APART:
            raise CountsOverlapError(
                f"these counts of `{asked.type_name}` differ from counts told before by fewer than {least} persons; "
                f"group and filter as before, or more coarsely",
                least=least,
            )
        if found is _Verdict.CUT_OTHERWISE:
            raise CountsOverlapError(
                f"counts of `{asked.type_name}` were told before of {populations} other filters; filter as before, by "
                f"equalities alone if there was no other filter, and group by what tells the rest apart",
                populations=populations,
            )

    def close(self) -> None:
        """Let go of it."""
        self._shared.close()

    def _told(self, asker: str, asked: AskedCounts, told: Counted, day: date, limits: tuple[int, int]) -> _Verdict:
        least, populations = limits
        question = sha256(msgspec.json.encode([asked.by, asked.where])).digest()
        since = (day - REMEMBERED).isoformat()

        def remembered() -> _Verdict:
            self._shared.run(_FORGET, since)
            found = self._shared.run(_BEFORE, asker, question, since)
            before = [msgspec.json.decode(each, type=Counted) for (each,) in found]
            together = [told, *(each for each in before if each.rest == told.rest)]
            if any(tell_apart(told, each, least) for each in before) or parts_leave_a_few(together, least):
                return _Verdict.APART
            if len({told.rest, *(each.rest for each in before)}) > populations:
                return _Verdict.CUT_OTHERWISE
            self._shared.run(_TELL, asker, question, msgspec.json.encode(told), day.isoformat())
            return _Verdict.TOLD

        return self._shared.alone(remembered)  # two workers must not each tell one of two
