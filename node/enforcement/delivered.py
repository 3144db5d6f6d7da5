"""Which of the fields that a policy keeps apart each consumer learned of each citizen: durable, and without a value."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from hashlib import sha256
from typing import Final, Protocol, Self

from federation.shared.place import SharedPlace
from federation.shared.store import Shared, Synchronous

REMEMBERED: Final = timedelta(days=365)
"""How long a consumer is taken to know what it was told."""

_LAYOUT = """
CREATE TABLE IF NOT EXISTS delivered (
  consumer TEXT NOT NULL, combination TEXT NOT NULL, subject BLOB NOT NULL, field TEXT NOT NULL, day TEXT NOT NULL,
  PRIMARY KEY (consumer, combination, subject, field)
) WITHOUT ROWID;
"""
_FORGET = "DELETE FROM delivered WHERE day < ?"
_KNOWN = "SELECT field FROM delivered WHERE consumer = ? AND combination = ? AND subject = ? AND day >= ?"
_LEARN = (
    "INSERT INTO delivered VALUES (?, ?, ?, ?, ?) "
    "ON CONFLICT (consumer, combination, subject, field) DO UPDATE SET day = excluded.day"
)


@dataclass(frozen=True, slots=True)
class Apart:
    """A combination as it is kept: `name` is `Type.id`, `told` what an answer would tell, `all` what none may."""

    name: str
    told: frozenset[str]
    all: frozenset[str]


class Delivered(Protocol):
    """Remembers what was told."""

    def learn(self, consumer: str, subjects: Collection[str], apart: Iterable[Apart], day: date) -> Apart | None:
        """Remember what an answer would tell a consumer of these citizens; all of it, or nothing.

        Returns:
            The first combination that would become complete of one of them; then nothing is remembered.

        Raises:
            UnavailableError: it cannot be remembered, so it cannot be told.
        """
        ...


@dataclass(slots=True)
class MemoryDelivered:
    """For one process that may forget at a restart: tests and tools."""

    _known: dict[tuple[str, str, str], dict[str, date]] = field(default_factory=dict, repr=False)

    def learn(self, consumer: str, subjects: Collection[str], apart: Iterable[Apart], day: date) -> Apart | None:
        """Remember; see `Delivered.learn`."""
        wanted = tuple(apart)
        for each in wanted:
            for subject in subjects:
                known = self._known.get((consumer, each.name, subject), {})
                if {name for name, told in known.items() if told >= day - REMEMBERED} | each.told >= each.all:
                    return each
        for each in wanted:
            for subject in subjects:
                self._known.setdefault((consumer, each.name, subject), {}).update(dict.fromkeys(each.told, day))
        return None


@dataclass(slots=True)
class SharedDelivered:
    """One memory for all worker processes. A citizen stands in it as a digest of the node's own pseudonym."""

    _shared: Shared = field(repr=False)
    _swept: date | None = None

    @classmethod
    def open(cls, place: SharedPlace) -> Self:
        """Open the node's memory, or make it.

        Raises:
            UnavailableError: it cannot be opened.
        """
        return cls(place.open("delivered", _LAYOUT, Synchronous.FULL))

    def learn(self, consumer: str, subjects: Collection[str], apart: Iterable[Apart], day: date) -> Apart | None:
        """Remember; see `Delivered.learn`."""
        wanted, digests = tuple(apart), [sha256(subject.encode()).digest() for subject in subjects]

        def learned() -> Apart | None:
            self._sweep(day)
            complete = self._completed(consumer, digests, wanted, day)
            if complete is None:
                for each in wanted:
                    for digest in digests:
                        for name in each.told:
                            self._shared.run(_LEARN, consumer, each.name, digest, name, day.isoformat())
            return complete

        return self._shared.alone(learned)  # two workers must not each tell one half

    def close(self) -> None:
        """Let go of it."""
        self._shared.close()

    def _sweep(self, day: date) -> None:
        """Forget what is too old to count, once a day."""
        if self._swept != day:
            self._shared.run(_FORGET, (day - REMEMBERED).isoformat())
            self._swept = day

    def _completed(self, consumer: str, digests: Collection[bytes], apart: Iterable[Apart], day: date) -> Apart | None:
        since = (day - REMEMBERED).isoformat()
        for each in apart:
            for digest in digests:
                rows = self._shared.run(_KNOWN, consumer, each.name, digest, since)
                if each.told.union(name for (name,) in rows) >= each.all:
                    return each
        return None
