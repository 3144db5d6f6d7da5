"""How often something was done today: durable counts that all processes of one party share."""

from __future__ import annotations

import sqlite3
import threading
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Protocol, Self

from federation.contract.errors import UnavailableError
from federation.trust.shared_file import Synchronous, open_shared

_KEPT_DAYS = 7

_SCHEMA = """
CREATE TABLE IF NOT EXISTS counted (
  name TEXT NOT NULL, day TEXT NOT NULL, used INTEGER NOT NULL, PRIMARY KEY (name, day)
) WITHOUT ROWID;
"""
_ADD = "INSERT INTO counted VALUES (?, ?, 1) ON CONFLICT DO UPDATE SET used = used + 1 WHERE used < ? RETURNING used"


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


@dataclass(slots=True)
class SqliteCounters:
    """One file for all worker processes; the statement that counts is the test, so two workers cannot both be last."""

    _connection: sqlite3.Connection = field(repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _swept: date | None = None

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open the file, or make it.

        Raises:
            UnavailableError: it cannot be opened.
        """
        return cls(open_shared(path, _SCHEMA, Synchronous.NORMAL))

    def add(self, name: str, day: date, limit: int) -> int | None:
        """Count one more use; see `Counters.add`."""
        if limit < 1:
            return None
        with self._lock:
            try:
                self._sweep(day)
                row = self._connection.execute(_ADD, (name, day.isoformat(), limit)).fetchone()
            except sqlite3.Error as error:
                raise UnavailableError("counters cannot be written, so nothing can be allowed") from error
        return None if row is None else int(row[0])

    def used(self, name: str, day: date) -> int:
        """Return how many uses were counted."""
        with self._lock:
            row = self._connection.execute(
                "SELECT used FROM counted WHERE name = ? AND day = ?", (name, day.isoformat())
            ).fetchone()
        return 0 if row is None else int(row[0])

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._connection.close()

    def _sweep(self, day: date) -> None:
        """Forget old days, once a day."""
        if self._swept != day:
            oldest = date.fromordinal(day.toordinal() - _KEPT_DAYS).isoformat()
            self._connection.execute("DELETE FROM counted WHERE day < ?", (oldest,))
            self._swept = day
