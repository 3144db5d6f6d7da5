"""The directory's SQLite file: its tables, how it is opened, and what files of earlier releases lack.

`held` are the rows. What else is there follows from them, and changes in the same transaction (`change.py`): `word`
numbers members and capacities and counts the rows that use them; `digest` has what a comparison asks for.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from contextlib import contextmanager
from datetime import date
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Final

from federation.contract.errors import DatabaseUnavailableError
from federation.contract.held_files import DIGEST_BYTES, BucketDigests

if TYPE_CHECKING:
    from collections.abc import Iterator

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS word (code INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE, used INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS held (
    subject BLOB NOT NULL,      -- token of the directory's pseudonym
    member INTEGER NOT NULL,    -- word
    capacity INTEGER NOT NULL,  -- word
    since INTEGER NOT NULL,     -- days since 0001-01-01
    until INTEGER,
    mark BLOB NOT NULL DEFAULT x'',     -- the member's secret name of the subject, empty for what was loaded
    bucket INTEGER NOT NULL DEFAULT 0,  -- of the mark
    PRIMARY KEY (subject, member, capacity, since)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS digest (
    member INTEGER NOT NULL, bucket INTEGER NOT NULL, sum BLOB NOT NULL, PRIMARY KEY (member, bucket)
) WITHOUT ROWID;
"""
_ADDED: Final = {
    "held": ("mark BLOB NOT NULL DEFAULT x''", "bucket INTEGER NOT NULL DEFAULT 0"),
    "word": ("used INTEGER NOT NULL DEFAULT 0",),
}
"""Columns that files of earlier releases lack."""
_INDEX: Final = "CREATE INDEX IF NOT EXISTS held_bucket ON held (member, bucket)"
_EVERYTHING: Final = (
    "SELECT member, bucket, capacity, text, mark, since, until"
    " FROM held INDEXED BY held_bucket CROSS JOIN word ON code = capacity ORDER BY member, bucket"
)
_VERSION: Final = 1
"""In the file's `user_version` once it lacks nothing."""
_WAITING: Final = 5.0
"""Seconds for another process's transaction."""
_UPGRADING: Final = 600.0
"""Seconds for another process that brings the file up to date: about seven for a million rows."""


def open_to_write(path: Path) -> sqlite3.Connection:
    """Open the file, or make it; of several processes, one brings it up to date.

    Raises:
        DatabaseUnavailableError: it cannot be opened.
    """
    connection = _connected(path, _UPGRADING)
    try:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")
        if not _is_up_to_date(connection):
            with transaction(connection):
                if not _is_up_to_date(connection):
                    _bring_up_to_date(connection)
        connection.execute(f"PRAGMA busy_timeout={int(_WAITING * 1_000)}")
    except BaseException as error:
        connection.close()
        if isinstance(error, sqlite3.Error):
            raise _unusable(path) from error
        raise
    return connection


def open_to_read(path: Path) -> sqlite3.Connection:
    """Open a file that is up to date for questions, which wait for no transaction of a writer.

    Raises:
        DatabaseUnavailableError: it cannot be opened.
    """
    connection = _connected(path, _WAITING)
    try:
        connection.execute("PRAGMA query_only=ON")
    except sqlite3.Error as error:
        connection.close()
        raise _unusable(path) from error
    return connection


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Do all that is within, or nothing."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.rollback()


def _connected(path: Path, timeout: float) -> sqlite3.Connection:
    try:
        return sqlite3.connect(path, timeout=timeout, isolation_level=None, check_same_thread=False)
    except sqlite3.Error as error:
        raise _unusable(path) from error


def _unusable(path: Path) -> DatabaseUnavailableError:
    return DatabaseUnavailableError(f"reference directory `{path.name}` cannot be opened")


def _is_up_to_date(connection: sqlite3.Connection) -> bool:
    return bool(connection.execute("PRAGMA user_version").fetchone()[0] >= _VERSION)


def _bring_up_to_date(connection: sqlite3.Connection) -> None:
    for statement in _SCHEMA.split(";\n"):
        connection.execute(statement)
    for table, columns in _ADDED.items():
        known = {row[1] for row in connection.execute(f"PRAGMA table_info({table})")}
        for column in columns:
            if column.split()[0] not in known:
                connection.execute(f"ALTER TABLE {table} ADD COLUMN {column}")
    connection.execute(_INDEX)
    used: Counter[int] = Counter()
    for (member, bucket), rows in groupby(connection.execute(_EVERYTHING), lambda row: (row[0], row[1])):
        digests = BucketDigests()
        for _, _, capacity, text, mark, since, until in rows:
            digests.add(mark, text, date.fromordinal(since), None if until is None else date.fromordinal(until))
            used.update((member, capacity))
        values = (member, bucket, digests.sums[bucket].to_bytes(DIGEST_BYTES))
        connection.execute("INSERT INTO digest (member, bucket, sum) VALUES (?, ?, ?)", values)
    connection.executemany("UPDATE word SET used = ? WHERE code = ?", [(count, code) for code, count in used.items()])
    connection.execute("DELETE FROM word WHERE used = 0")
    connection.execute(f"PRAGMA user_version={_VERSION}")
