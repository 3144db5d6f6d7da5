"""The member's database: read only, one statement at a time, never a value in an error (policy R28)."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final, Protocol

from federation.contract.errors import DatabaseUnavailableError, QueryTooComplexError
from node.data.dialects import SQLITE, Dialect
from node.data.mapping import DatabaseSettings
from node.data.statements import Statement

_THREADS: Final = 4
_STEPS_BETWEEN_CHECKS: Final = 20_000
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


class SQLiteDatabase:
    """A SQLite file: a connection per thread, opened when first needed."""

    def __init__(self, file: Path, timeout: int) -> None:
        """Name a file; `timeout` is in seconds per statement.

        Raises:
            DatabaseUnavailableError: there is no such file, or it is no database.
        """
        self.dialect: Final = SQLITE
        self._file = file
        self._timeout = timeout
        self._own = threading.local()
        self._open: list[sqlite3.Connection] = []
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="sqlite")
        if not file.is_file():
            raise DatabaseUnavailableError(f"database `{file}` does not exist; check `database.url` in node.yaml")
        self._run("SELECT count(*) FROM sqlite_master", {})

    async def rows(self, statement: Statement, values: Mapping[str, Any]) -> Sequence[Sequence[Any]]:
        """Run a statement in a thread of its own, so that a slow one keeps nobody waiting."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self._run, statement.sql, statement.with_values(values))

    async def close(self) -> None:
        """Give up all connections."""
        self._threads.shutdown()
        for connection in self._open:
            connection.close()
        self._open.clear()

    def _run(self, sql: str, values: Mapping[str, Any]) -> Sequence[Sequence[Any]]:
        deadline = time.monotonic() + self._timeout
        try:
            connection = self._connection()
            connection.set_progress_handler(lambda: time.monotonic() > deadline, _STEPS_BETWEEN_CHECKS)
            return connection.execute(sql, values).fetchall()
        except sqlite3.Error as error:
            if _TOO_DEEP in str(error):
                raise QueryTooComplexError("operation is nested too deeply for this node's database") from error
            # The message of the driver may hold names and values: the kind of error is all that is told.
            raise DatabaseUnavailableError(f"the database did not answer ({type(error).__name__})") from error

    def _connection(self) -> sqlite3.Connection:
        found: sqlite3.Connection | None = getattr(self._own, "connection", None)
        if found is None:
            found = sqlite3.connect(f"{self._file.absolute().as_uri()}?mode=ro", uri=True, check_same_thread=False)
            found.execute("PRAGMA query_only = ON")
            self._own.connection = found
            self._open.append(found)
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
