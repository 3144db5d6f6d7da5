"""The counts that each consumer was told, so that the next ones can be held against them (policy R26); durable."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from hashlib import sha256
from typing import Final, Protocol, Self

import msgspec

from federation.contract.errors import CountsOverlapError
from federation.trust.shared import Shared, Synchronous
from federation.trust.shared_place import SharedPlace
from node.enforcement.overlap import Counted, counted, tell_apart

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

    def tell(self, consumer: str, asked: AskedCounts, day: date, least: int) -> None:
        """Remember that a consumer is told these counts, over all its purposes.

        Args:
            consumer: who is told.
            asked: the question and its counts; the same question is told again whatever was told before.
            day: today.
            least: counts of sets of which one may lie within the other do not differ by fewer, unless they are equal.

        Raises:
            CountsOverlapError: beside counts told before, these would tell of fewer than `least` persons.
            UnavailableError: it cannot be remembered, so it cannot be told.
        """
        told = counted(asked.by, asked.where, asked.counts)
        if not self._told(f"{consumer} {asked.type_name}", asked, told, day, least):
            raise CountsOverlapError(
                f"these counts of `{asked.type_name}` differ from counts told before by fewer than {least} persons; "
                f"group and filter as before, or more coarsely",
                least=least,
            )

    def close(self) -> None:
        """Let go of it."""
        self._shared.close()

    def _told(self, asker: str, asked: AskedCounts, told: Counted, day: date, least: int) -> bool:
        question = sha256(msgspec.json.encode([asked.by, asked.where])).digest()
        since = (day - REMEMBERED).isoformat()

        def remembered() -> bool:
            self._shared.run(_FORGET, since)
            before = self._shared.run(_BEFORE, asker, question, since)
            apart = any(tell_apart(told, msgspec.json.decode(each, type=Counted), least) for (each,) in before)
            if not apart:
                self._shared.run(_TELL, asker, question, msgspec.json.encode(told), day.isoformat())
            return not apart

        return self._shared.alone(remembered)  # two workers must not each tell one of two
