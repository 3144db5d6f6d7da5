"""What may be used once: ids of assertions and proofs, nonces of signed requests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Protocol, Self, TypeVar

from federation.contract.clock import Clock, epoch_seconds
from federation.shared.place import SharedPlace
from federation.shared.store import Shared, Synchronous

_Result = TypeVar("_Result")

_SWEEP_EVERY = 1_000
"""Uses between two sweeps of what has expired."""

_KEPT_SECONDS = 3_600
"""What expired is kept this much longer: a clock that ran ahead and was set back makes no used name new."""

_LAYOUT = """
CREATE TABLE IF NOT EXISTS used (name BLOB PRIMARY KEY, until INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS used_until ON used (until);
"""
_USE = "INSERT INTO used VALUES (?, ?) ON CONFLICT DO NOTHING RETURNING 1"


class ReplayStore(Protocol):
    """Remembers what was used until it would be refused for its age anyway."""

    def first_time(self, namespace: str, name: str, until: int) -> bool:
        """Tell whether `name` is used for the first time, and remember it until `until` (seconds since 1970).

        INVARIANT: called only with names from verified messages, so that nobody burns another's.
        """
        ...

    def together(self, work: Callable[[], _Result]) -> _Result:
        """Run several uses; see `Shared.together`."""
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
            oldest = epoch_seconds(self.clock) - _KEPT_SECONDS
            self._used = {key: end for key, end in self._used.items() if end >= oldest}
        key = _key(namespace, name)
        if key in self._used:
            return False
        self._used[key] = until
        return True

    def together(self, work: Callable[[], _Result]) -> _Result:
        """Run several uses."""
        return work()


@dataclass(slots=True)
class SharedReplayStore:
    """One memory for all worker processes; what was used stays used over a restart.

    The insert itself is the test, so two workers cannot both be first. The log is not synced at each use: a killed
    process loses nothing, a power cut may forget the last instants, whose proofs expire within two minutes.
    """

    clock: Clock
    _shared: Shared = field(repr=False)
    _uses: int = 0

    @classmethod
    def open(cls, place: SharedPlace, clock: Clock) -> Self:
        """Open the party's store, or make it.

        Raises:
            UnavailableError: it cannot be opened.
        """
        return cls(clock, place.open("replay", _LAYOUT, Synchronous.NORMAL))

    def first_time(self, namespace: str, name: str, until: int) -> bool:
        """Tell whether `name` is used for the first time.

        Raises:
            UnavailableError: it cannot be remembered, so it cannot be accepted.
        """
        self._uses += 1
        if self._uses % _SWEEP_EVERY == 0:
            self._shared.run("DELETE FROM used WHERE until < ?", epoch_seconds(self.clock) - _KEPT_SECONDS)
        return bool(self._shared.run(_USE, _key(namespace, name), until))

    def together(self, work: Callable[[], _Result]) -> _Result:
        """Run several uses; see `Shared.together`."""
        return self._shared.together(work)

    def require_working(self) -> None:
        """Read once, for readiness.

        Raises:
            UnavailableError: it cannot be read.
        """
        self._shared.run("SELECT 1")

    def close(self) -> None:
        """Let go of it."""
        self._shared.close()


def _key(namespace: str, name: str) -> bytes:
    """Return a fixed-length key, so that long names cost no more than short ones."""
    return sha256(f"{len(namespace)}:{namespace}{name}".encode()).digest()[:16]
