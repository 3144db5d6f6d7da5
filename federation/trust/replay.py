"""What may be used once: ids of assertions and proofs, nonces of signed requests."""

from __future__ import annotations

import sqlite3
import threading
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Protocol, Self

from federation.contract.clock import Clock, epoch_seconds
from federation.contract.errors import UnavailableError
from federation.trust.shared_file import Synchronous, open_shared

_SWEEP_EVERY = 1_000
"""Uses between two sweeps of what has expired."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS used (name BLOB PRIMARY KEY, until INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS used_until ON used (until);
"""


class ReplayStore(Protocol):
    """Remembers what was used until it would be refused for its age anyway."""

    def first_time(self, namespace: str, name: str, until: int) -> bool:
        """Tell whether `name` is used for the first time, and remember it until `until` (seconds since 1970).

        INVARIANT: called only with names from verified messages, so that nobody burns another's.
        """
        ...


@dataclass(slots=True)
class MemoryReplayStore:
    """For one process that may forget at a restart: tests, and tools that verify files."""

    clock: Clock
    _used: dict[bytes, int] = field(default_factory=dict, repr=False)
    _uses: int = 0

    def first_time(self, namespace: str, name: str, until: int) -> bool:
        """Tell whether `name` is used for the first time."""
        self._uses += 1
        if self._uses % _SWEEP_EVERY == 0:
            now = epoch_seconds(self.clock)
            self._used = {key: end for key, end in self._used.items() if end >= now}
        key = _key(namespace, name)
        if key in self._used:
            return False
        self._used[key] = until
        return True


@dataclass(slots=True)
class SqliteReplayStore:
    """One file for all worker processes; what was used stays used over a restart.

    The insert itself is the test, so two workers cannot both be first. The write-ahead log is not synced at each use: a
    killed process loses nothing, a power cut may forget the last instants, whose proofs expire within two minutes.
    """

    clock: Clock
    _connection: sqlite3.Connection = field(repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _uses: int = 0

    @classmethod
    def open(cls, path: Path, clock: Clock) -> Self:
        """Open the file, or make it.

        Raises:
            UnavailableError: it cannot be opened.
        """
        return cls(clock, open_shared(path, _SCHEMA, Synchronous.NORMAL))

    def first_time(self, namespace: str, name: str, until: int) -> bool:
        """Tell whether `name` is used for the first time.

        Raises:
            UnavailableError: it cannot be remembered, so it cannot be accepted.
        """
        with self._lock:
            self._uses += 1
            try:
                if self._uses % _SWEEP_EVERY == 0:
                    self._connection.execute("DELETE FROM used WHERE until < ?", (epoch_seconds(self.clock),))
                done = self._connection.execute(
                    "INSERT INTO used VALUES (?, ?) ON CONFLICT DO NOTHING", (_key(namespace, name), until)
                )
            except sqlite3.Error as error:
                raise UnavailableError("replay store cannot be written, so nothing can be accepted") from error
            return done.rowcount == 1

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._connection.close()


def _key(namespace: str, name: str) -> bytes:
    """Return a fixed-length key, so that long names cost no more than short ones."""
    return sha256(f"{len(namespace)}:{namespace}{name}".encode()).digest()[:16]
