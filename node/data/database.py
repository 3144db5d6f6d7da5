"""The member's database: read only, one statement at a time, never a value in an error (policy R28)."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Protocol

from federation.contract.errors import DatabaseUnavailableError, QueryTooComplexError
from node.data.dialects import SQLITE, Dialect
from node.data.mapping import DatabaseSettings
from node.data.statements import Statement

_THREADS: Final = 4
_STEPS_BETWEEN_CHECKS: Final = 20_000
_QUICK: Final = 0.002
"""Seconds of processor time that one statement may take from the event loop."""
_LONGEST_AT_ONCE: Final = 0.01
"""Seconds after which it is given up there, whatever it waits for, and begun anew in a thread."""
_STEPS_AT_ONCE: Final = 5_000
_MOST_KNOWN: Final = 2_000
_TOO_DEEP: Final = "parser stack overflow"
_SQLITE_PREFIX: Final = "sqlite:///"


class Database(Protocol):
    """What statements run on."""

    @property
    def dialect(self) -> Dialect:
        """The dialect in which statements are to be written."""
        ...

    async def rows(self, statement: Statement, values: Mapping[str, Any]) -> Sequence[Sequence[Any]]:
        """Run a statement and return its rows.

        Raises:
            DatabaseUnavailableError: the database does not answer, or not in time.
        """
        ...

    async def close(self) -> None:
        """Give up all connections."""
        ...


@dataclass(slots=True)
class _Reader:
    """One read-only connection to a SQLite file. `patience` is how long it waits for a lock, in seconds."""

    file: Path
    patience: float
    _connection: sqlite3.Connection | None = field(init=False, default=None)

    def run(self, sql: str, values: Mapping[str, Any], seconds: float, steps: int) -> Sequence[Sequence[Any]]:
        """Run a statement, given up after some seconds; the time is looked at every so many steps.

        Raises:
            sqlite3.Error: it cannot be answered, or not in time.
        """
        if self._connection is None:
            self._connection = sqlite3.connect(
                f"{self.file.absolute().as_uri()}?mode=ro", uri=True, check_same_thread=False, timeout=self.patience
            )
            self._connection.execute("PRAGMA query_only = ON")
        deadline = time.monotonic() + seconds
        self._connection.set_progress_handler(lambda: time.monotonic() > deadline, steps)
        return self._connection.execute(sql, values).fetchall()

    def close(self) -> None:
        """Give up the connection; the next statement opens another."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


class SQLiteDatabase:
    """A SQLite file.

    * A statement that was quick is run at once, in the event loop: a thread would cost it more than its own time.
    * Any other runs in a thread, each with a connection of its own, so that a slow one keeps nobody waiting. So does a
      quick one that turns out slow, or finds the file locked.
    """

    def __init__(self, file: Path, timeout: int) -> None:
        """Name a file; `timeout` is in seconds per statement.

        Raises:
            DatabaseUnavailableError: there is no such file, or it is no database.
        """
        self.dialect: Final = SQLITE
        self._file = file
        self._timeout = timeout
        self._own = threading.local()
        self._readers: list[_Reader] = []
        self._at_once = _Reader(file, patience=0)
        self._quick: dict[str, bool] = {}
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="sqlite")
        if not file.is_file():
            raise DatabaseUnavailableError(f"database `{file}` does not exist; check `database.url` in node.yaml")
        self._in_thread("SELECT count(*) FROM sqlite_master", {})

    async def rows(self, statement: Statement, values: Mapping[str, Any]) -> Sequence[Sequence[Any]]:
        """Run a statement."""
        bound = statement.with_values(values)
        if self._quick.get(statement.sql):
            try:
                return self._at_once.run(statement.sql, bound, _LONGEST_AT_ONCE, _STEPS_AT_ONCE)
            except sqlite3.Error:
                # Slow, locked or wrong: a thread finds out which.
                self._at_once.close()
        loop = asyncio.get_running_loop()
        found, taken = await loop.run_in_executor(self._threads, self._in_thread, statement.sql, bound)
        if len(self._quick) >= _MOST_KNOWN:
            self._quick.clear()
        self._quick[statement.sql] = taken < _QUICK
        return found

    async def close(self) -> None:
        """Give up all connections."""
        self._threads.shutdown()
        for reader in (*self._readers, self._at_once):
            reader.close()
        self._readers.clear()

    def _in_thread(self, sql: str, values: Mapping[str, Any]) -> tuple[Sequence[Sequence[Any]], float]:
        """Return a statement's rows, and the seconds of processor time that they took."""
        reader, start = self._reader(), time.thread_time()
        try:
            return reader.run(sql, values, self._timeout, _STEPS_BETWEEN_CHECKS), time.thread_time() - start
        except sqlite3.Error as error:
            reader.close()  # a file that was replaced is opened anew
            if _TOO_DEEP in str(error):
                raise QueryTooComplexError("operation is nested too deeply for this node's database") from error
            # The message of the driver may hold names and values: the kind of error is all that is told.
            raise DatabaseUnavailableError(f"the database did not answer ({type(error).__name__})") from error

    def _reader(self) -> _Reader:
        found: _Reader | None = getattr(self._own, "reader", None)
        if found is None:
            found = self._own.reader = _Reader(self._file, patience=self._timeout)
            self._readers.append(found)
        return found


def open_database(settings: DatabaseSettings, base: Path) -> Database:
    """Open the database that a mapping names.

    Args:
        settings: from the mapping.
        base: the folder from which the path of a SQLite file is read.

    Raises:
        DatabaseUnavailableError: it cannot be opened.
    """
    if settings.is_postgres:
        from node.data.postgres import PostgreSQLDatabase  # noqa: PLC0415  # asyncpg is an optional extra

        return PostgreSQLDatabase(settings)
    return SQLiteDatabase(base / settings.url.removeprefix(_SQLITE_PREFIX), settings.statement_timeout)
