"""Where imported rows go: batches, each in one transaction with how far the file has come."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Final, Protocol

from federation.contract.errors import DatabaseUnavailableError

PROGRESS: Final = "crocevia_import"
"""The table that says how far each file has come; it may be dropped when an import is done."""
Refused = list[tuple[int, str]]
"""Numbers of rows in their batch, each with the reason."""
Report = Callable[[Refused], None]
"""Told what is refused, before it is final: what was reported may come again, and is never missing."""
_MAKE: Final = f"CREATE TABLE IF NOT EXISTS {PROGRESS} (file TEXT PRIMARY KEY, line INTEGER NOT NULL)"


class Target(Protocol):
    """A table of a register, open for writing."""

    def reached(self, file: str) -> int:
        """Return the last line of a file that was dealt with, 0 for a new one."""
        ...

    def add(self, rows: Sequence[Sequence[Any]], file: str, line: int, report: Report) -> int:
        """Add rows and remember the line, in one transaction, and return how many were added.

        `report` is told of those refused before the transaction ends.
        """
        ...

    def close(self) -> None:
        """Let go of the database."""
        ...


class SqliteTarget:
    """A table in a SQLite file."""

    def __init__(self, file: Path, table: str, columns: Sequence[str]) -> None:
        """Open the file and make the table of progress.

        Raises:
            DatabaseUnavailableError: it cannot be written.
        """
        marks, names = ", ".join("?" * len(columns)), ", ".join(_quoted(each) for each in columns)
        self._insert: Final = f"INSERT INTO {_quoted(table)} ({names}) VALUES ({marks})"  # noqa: S608  # names are quoted
        try:
            self._connection: Final = sqlite3.connect(f"{file.absolute().as_uri()}?mode=rw", uri=True)
            self._connection.execute(_MAKE)
        except sqlite3.Error as error:
            raise DatabaseUnavailableError(f"the database cannot be written ({type(error).__name__})") from error

    def reached(self, file: str) -> int:
        """Return the last line that was dealt with."""
        found = self._connection.execute(f"SELECT line FROM {PROGRESS} WHERE file = ?", (file,)).fetchone()  # noqa: S608  # a constant
        return int(found[0]) if found else 0

    def add(self, rows: Sequence[Sequence[Any]], file: str, line: int, report: Report) -> int:
        """Add rows; where one breaks a rule of the table, the batch is added row by row."""
        with self._connection:
            refused: Refused = []
            self._connection.execute("SAVEPOINT batch")
            try:
                self._connection.executemany(self._insert, rows)
            except sqlite3.IntegrityError:
                self._connection.execute("ROLLBACK TO batch")
                refused = [
                    (number, reason) for number, row in enumerate(rows) if (reason := self._one(row)) is not None
                ]
            self._connection.execute(f"INSERT OR REPLACE INTO {PROGRESS} VALUES (?, ?)", (file, line))  # noqa: S608  # a constant
            report(refused)
        return len(rows) - len(refused)

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def _one(self, row: Sequence[Any]) -> str | None:
        try:
            self._connection.execute(self._insert, row)
        except sqlite3.IntegrityError as error:
            return f"breaks a rule of the table ({error.sqlite_errorname})"
        return None


class PostgreSQLTarget:
    """A table in PostgreSQL, filled by COPY."""

    def __init__(self, url: str, schema: str | None, table: str, columns: Sequence[str]) -> None:
        """Open the database and make the table of progress.

        Raises:
            DatabaseUnavailableError: it cannot be written.
        """
        self._runner: Final = asyncio.Runner()
        self._schema, self._table, self._columns = schema, table, list(columns)
        try:
            self._connection: Any = self._runner.run(_connect(url, schema))
        except Exception as error:
            self._runner.close()
            raise DatabaseUnavailableError(f"the database cannot be written ({type(error).__name__})") from error

    def reached(self, file: str) -> int:
        """Return the last line that was dealt with."""
        query = f"SELECT line FROM {PROGRESS} WHERE file = $1"  # noqa: S608  # a constant
        found = self._runner.run(self._connection.fetchval(query, file))
        return int(found or 0)

    def add(self, rows: Sequence[Sequence[Any]], file: str, line: int, report: Report) -> int:
        """Add rows; where one breaks a rule of the table, the batch is added row by row."""
        return self._runner.run(self._add(rows, file, line, report))

    def close(self) -> None:
        """Let go of the connection."""
        with closing(self._runner):
            self._runner.run(self._connection.close())

    async def _add(self, rows: Sequence[Sequence[Any]], file: str, line: int, report: Report) -> int:
        import asyncpg  # noqa: PLC0415  # the optional extra `postgres`

        refused: Refused = []
        async with self._connection.transaction():
            try:
                async with self._connection.transaction():
                    await self._copy(rows)
            except (asyncpg.IntegrityConstraintViolationError, asyncpg.DataError):
                for number, row in enumerate(rows):
                    try:
                        async with self._connection.transaction():
                            await self._copy([row])
                    except (asyncpg.IntegrityConstraintViolationError, asyncpg.DataError) as error:
                        refused.append((number, f"breaks a rule of the table ({error.sqlstate})"))
            upsert = f"INSERT INTO {PROGRESS} VALUES ($1, $2) ON CONFLICT (file) DO UPDATE SET line = $2"  # noqa: S608  # a constant
            await self._connection.execute(upsert, file, line)
            report(refused)
        return len(rows) - len(refused)

    async def _copy(self, rows: Sequence[Sequence[Any]]) -> None:
        await self._connection.copy_records_to_table(
            self._table, schema_name=self._schema, columns=self._columns, records=rows
        )


async def _connect(url: str, schema: str | None) -> Any:
    import asyncpg  # noqa: PLC0415  # the optional extra `postgres`

    settings = {"search_path": schema} if schema else {}
    connection = await asyncpg.connect(url, server_settings=settings)
    await connection.execute(_MAKE)
    return connection


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
