"""A small SQLite file that all worker processes of one party share: counts, names that were used, what was told."""

from __future__ import annotations

import sqlite3
from enum import StrEnum
from pathlib import Path

from federation.contract.errors import UnavailableError

_SECONDS = 2
"""How long one worker waits for another's transaction."""


class Synchronous(StrEnum):
    """What a power cut may take; a killed process loses nothing either way."""

    FULL = "FULL"
    """Nothing that was committed."""
    NORMAL = "NORMAL"
    """The last instants."""


def open_shared(path: Path, schema: str, synchronous: Synchronous) -> sqlite3.Connection:
    """Open the file, or make it with `schema`; each statement is a transaction of its own unless one is begun.

    Raises:
        UnavailableError: it cannot be opened.
    """
    try:
        connection = sqlite3.connect(path, timeout=_SECONDS, isolation_level=None, check_same_thread=False)
    except sqlite3.Error as error:
        raise UnavailableError(f"`{path.name}` cannot be opened; look at its folder's owner and space") from error
    try:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute(f"PRAGMA synchronous={synchronous}")
        connection.executescript(schema)
    except sqlite3.Error as error:
        connection.close()
        raise UnavailableError(f"`{path.name}` cannot be used; look at its owner and space, or restore it") from error
    return connection
