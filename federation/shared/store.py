"""What all worker processes of one party share: counts, names that were used, what was told.

On one host it is a small SQLite file beside the ledger. Where several hosts serve one party, it is a schema of a
PostgreSQL database (`database.py`). The stores write one SQL for both: `?` for a value, `ON CONFLICT` with its
columns, and a layout of TEXT, BLOB and INTEGER (docs/adr/0030).
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, Protocol, TypeVar

from federation.contract.errors import UnavailableError

SECONDS: Final = 2.0
"""How long a call may take, one worker waits for another's transaction, and a transaction may stand still."""

_Result = TypeVar("_Result")


class Synchronous(StrEnum):
    """What a power cut may take; a killed process loses nothing either way."""

    FULL = "FULL"
    """Nothing that was committed."""
    NORMAL = "NORMAL"
    """The last instants."""


class Shared(Protocol):
    """Rows that several processes read and write. One object serves one process, from any of its threads.

    Whatever fails is an `UnavailableError`: what cannot be remembered cannot be allowed.
    """

    def run(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """Run one statement, a transaction of its own outside `alone`, and return its rows.

        Raises:
            UnavailableError: it did not happen, or nobody knows whether it did.
        """
        ...

    def alone(self, work: Callable[[], _Result]) -> _Result:
        """Run what `work` runs as one transaction, while no other process is in one of this store.

        Raises:
            UnavailableError: none of it happened, or nobody knows whether it did.
        """
        ...

    def together(self, work: Callable[[], _Result]) -> _Result:
        """Run what `work` runs with as few commits as the place is better off with; what it returns counts only then.

        Each statement is its own test as under `run`: what a caught refusal of one leaves behind stays.

        Raises:
            UnavailableError: nobody knows what of it happened.
        """
        ...

    def close(self) -> None:
        """Let go of it."""
        ...


@dataclass(slots=True)
class SharedFile:
    """An SQLite file."""

    _name: str
    _connection: sqlite3.Connection = field(repr=False)
    _lock: threading.RLock = field(default_factory=threading.RLock, repr=False)

    @classmethod
    def open(cls, path: Path, layout: str, synchronous: Synchronous) -> SharedFile:
        """Open the file, or make it with `layout`.

        Raises:
            UnavailableError: it cannot be opened.
        """
        try:
            connection = sqlite3.connect(path, timeout=SECONDS, isolation_level=None, check_same_thread=False)
        except sqlite3.Error as error:
            raise UnavailableError(f"`{path.name}` cannot be opened; look at its folder's owner and space") from error
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute(f"PRAGMA synchronous={synchronous}")
            connection.executescript(layout)
        except sqlite3.Error as error:
            connection.close()
            raise _unusable(path.name) from error
        return cls(path.name, connection)

    def run(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """Run one statement; see `Shared.run`."""
        with self._lock:
            try:
                return self._connection.execute(statement, values).fetchall()
            except sqlite3.Error as error:
                raise _unusable(self._name) from error

    def alone(self, work: Callable[[], _Result]) -> _Result:
        """Run a transaction; see `Shared.alone`."""
        with self._lock:
            try:
                self._connection.execute("BEGIN IMMEDIATE")
                try:
                    done = work()
                    self._connection.execute("COMMIT")
                finally:
                    if self._connection.in_transaction:
                        self._connection.rollback()
            except sqlite3.Error as error:
                raise _unusable(self._name) from error
        return done

    def together(self, work: Callable[[], _Result]) -> _Result:
        """Run all with one commit, which costs a file more than the statements; see `Shared.together`."""
        return self.alone(work)

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._connection.close()


def _unusable(name: str) -> UnavailableError:
    return UnavailableError(
        f"`{name}` cannot be used, so nothing that it must remember is allowed; look at its owner and space"
    )
