"""How often something was done today: durable counts that all processes of one party share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Protocol, Self, TypeVar

from federation.shared.place import SharedPlace
from federation.shared.store import Shared, Synchronous

_Result = TypeVar("_Result")

_KEPT_DAYS = 7

_LAYOUT = """
CREATE TABLE IF NOT EXISTS counted (
  name TEXT NOT NULL, day TEXT NOT NULL, used INTEGER NOT NULL, PRIMARY KEY (name, day)
) WITHOUT ROWID;
"""
_ADD = (
    "INSERT INTO counted VALUES (?, ?, 1) "
    "ON CONFLICT (name, day) DO UPDATE SET used = counted.used + 1 WHERE counted.used < ? RETURNING used"
)


class Counters(Protocol):
    """Counts by name and calendar day."""

    def add(self, name: str, day: date, limit: int) -> int | None:
        """Count one more use and return how many there are now; None when `limit` was reached, and nothing changes.

        Raises:
            UnavailableError: it cannot be counted, so it cannot be allowed.
        """
        ...

    def used(self, name: str, day: date) -> int:
        """Return how many uses were counted."""
        ...

    def together(self, work: Callable[[], _Result]) -> _Result:
        """Run several counts; see `Shared.together`."""
        ...


@dataclass(slots=True)
class MemoryCounters:
    """For one process that may forget at a restart: tests and tools."""

    _counted: dict[tuple[str, date], int] = field(default_factory=dict, repr=False)

    def add(self, name: str, day: date, limit: int) -> int | None:
        """Count one more use; see `Counters.add`."""
        used = self.used(name, day)
        if used >= limit:
            return None
        self._counted[name, day] = used + 1
        return used + 1

    def used(self, name: str, day: date) -> int:
        """Return how many uses were counted."""
        return self._counted.get((name, day), 0)

    def together(self, work: Callable[[], _Result]) -> _Result:
        """Run several counts."""
        return work()


@dataclass(slots=True)
class SharedCounters:
    """One count for all worker processes; the statement that counts is the test, so two cannot both be last."""

    _shared: Shared = field(repr=False)
    _swept: date | None = None

    @classmethod
    def open(cls, place: SharedPlace) -> Self:
        """Open the party's counters, or make them.

        Raises:
            UnavailableError: they cannot be opened.
        """
        return cls(place.open("counters", _LAYOUT, Synchronous.NORMAL))

    def add(self, name: str, day: date, limit: int) -> int | None:
        """Count one more use; see `Counters.add`."""
        if limit < 1:
            return None
        self._sweep(day)
        rows = self._shared.run(_ADD, name, day.isoformat(), limit)
        return int(rows[0][0]) if rows else None

    def used(self, name: str, day: date) -> int:
        """Return how many uses were counted.

        Raises:
            UnavailableError: it cannot be told.
        """
        rows = self._shared.run("SELECT used FROM counted WHERE name = ? AND day = ?", name, day.isoformat())
        return int(rows[0][0]) if rows else 0

    def together(self, work: Callable[[], _Result]) -> _Result:
        """Run several counts; see `Shared.together`."""
        return self._shared.together(work)

    def close(self) -> None:
        """Let go of them."""
        self._shared.close()

    def _sweep(self, day: date) -> None:
        """Forget old days, once a day."""
        if self._swept != day:
            oldest = date.fromordinal(day.toordinal() - _KEPT_DAYS).isoformat()
            self._shared.run("DELETE FROM counted WHERE day < ?", oldest)
            self._swept = day
