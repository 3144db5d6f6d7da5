"""Where imported rows go: batches, each in one transaction with how far the file has come."""

from __future__ import annotations

import asyncio
import secrets
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

from federation.contract.errors import DatabaseUnavailableError

PROGRESS: Final = "crocevia_imports"
"""The table that says how far each file has come; it may be dropped when an import is done."""
_BEFORE: Final = "crocevia_import"
"""What the table was called before it had the columns `told` and `run`."""
_IS_OLD: Final = (
    f"the database has a table `{_BEFORE}` of an earlier version, and a file that was imported then would be imported "
    f"again: drop `{_BEFORE}` when no import is to go on"
)
_RUN_BYTES: Final = 8
Refused = list[tuple[int, str]]
"""Numbers of rows in their batch, each with the reason."""
Report = Callable[[Refused], None]
"""Told what is refused, before it is final: what was reported may come again, and is never missing."""
_MAKE: Final = (
    f"CREATE TABLE IF NOT EXISTS {PROGRESS}"
    " (file TEXT PRIMARY KEY, line INTEGER NOT NULL, told INTEGER NOT NULL, run TEXT NOT NULL)"
)


@dataclass(frozen=True, slots=True)
class Reached:
    """How far a file has come: the last line that was dealt with, and the last of which others were told.

    `run` names this import of the file, for good: the same file may be imported again once the progress is forgotten.
    """

    line: int
    told: int
    run: str


class Target(Protocol):
    """A table of a register, open for writing."""

    def reached(self, file: str) -> Reached:
        """Return how far a file has come; a new one begins before its first line."""
        ...

    def told(self, file: str, line: int) -> None:
        """Remember that others know of all rows up to a line."""
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
            self._connection.execute(f"SELECT file, line, told, run FROM {PROGRESS} LIMIT 0")  # noqa: S608  # a constant
            old = self._connection.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (_BEFORE,)).fetchone()
        except sqlite3.Error as error:
            raise DatabaseUnavailableError(f"the database cannot be written ({type(error).__name__})") from error
        if old:
            self._connection.close()
            raise DatabaseUnavailableError(_IS_OLD)

    def reached(self, file: str) -> Reached:
        """Return how far a file has come."""
        query = f"SELECT line, told, run FROM {PROGRESS} WHERE file = ?"  # noqa: S608  # a constant
        with self._connection:
            self._connection.execute(
                f"INSERT OR IGNORE INTO {PROGRESS} VALUES (?, 0, 0, ?)",  # noqa: S608  # a constant
                (file, secrets.token_hex(_RUN_BYTES)),
            )
            return Reached(*self._connection.execute(query, (file,)).fetchone())

    def told(self, file: str, line: int) -> None:
        """Remember that others know of all rows up to a line."""
        with self._connection:
            self._connection.execute(f"UPDATE {PROGRESS} SET told = ? WHERE file = ?", (line, file))  # noqa: S608  # a constant

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
            self._connection.execute(f"UPDATE {PROGRESS} SET line = ? WHERE file = ?", (line, file))  # noqa: S608  # a constant
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
        except DatabaseUnavailableError:
            self._runner.close()
            raise
        except Exception as error:
            self._runner.close()
            raise DatabaseUnavailableError(f"the database cannot be written ({type(error).__name__})") from error

    def reached(self, file: str) -> Reached:
        """Return how far a file has come."""
        begin = f"INSERT INTO {PROGRESS} VALUES ($1, 0, 0, $2) ON CONFLICT (file) DO NOTHING"  # noqa: S608  # a constant
        self._runner.run(self._connection.execute(begin, file, secrets.token_hex(_RUN_BYTES)))
        query = f"SELECT line, told, run FROM {PROGRESS} WHERE file = $1"  # noqa: S608  # a constant
        return Reached(*self._runner.run(self._connection.fetchrow(query, file)))

    def told(self, file: str, line: int) -> None:
        """Remember that others know of all rows up to a line."""
        update = f"UPDATE {PROGRESS} SET told = $2 WHERE file = $1"  # noqa: S608  # a constant
        self._runner.run(self._connection.execute(update, file, line))

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
            await self._connection.execute(f"UPDATE {PROGRESS} SET line = $2 WHERE file = $1", file, line)  # noqa: S608  # a constant
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
    await connection.execute(f"SELECT file, line, told, run FROM {PROGRESS} LIMIT 0")  # noqa: S608  # a constant
    if await connection.fetchval("SELECT to_regclass($1) IS NOT NULL", _BEFORE):
        await connection.close()
        raise DatabaseUnavailableError(_IS_OLD)
    return connection


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
