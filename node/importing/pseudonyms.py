"""The table in which a member keeps the pseudonyms of its people, beside the register's own table of them.

One row for each person: the key of the register's row, and the pseudonym. What is there is never asked for again, so
filling it may be interrupted at any moment. The register's own tables are only read.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Self, TypeVar

from sqlalchemy import (
    Column,
    Connection,
    MetaData,
    Select,
    String,
    Table,
    and_,
    create_engine,
    delete,
    func,
    insert,
    inspect,
    or_,
    select,
    tuple_,
)
from sqlalchemy.exc import NoSuchTableError, SQLAlchemyError

from federation.contract.errors import DatabaseUnavailableError, NotFoundError
from node.policy.errors import nearest

TRIAL: Final = "trial"
"""The suite of pseudonyms that are made up, for trying without a federation."""
_LONGEST: Final = 200
_SQLITE: Final = "sqlite:///"
_POSTGRESQL: Final = "postgresql://"

Key = tuple[Any, ...]
_Result = TypeVar("_Result")


@dataclass(frozen=True, slots=True)
class Person:
    """A row of the register without a pseudonym: its key, and the code by which the person is known everywhere."""

    key: Key
    code: str | None


@dataclass(frozen=True, slots=True)
class Names:
    """Tables, perhaps `schema.table`, and columns: where the people are, and where their pseudonyms go."""

    persons: str
    key: tuple[str, ...]
    code: str
    into: str
    pseudonym: str


class _Sqlite:
    """The database of the two tables in a file."""

    def __init__(self, file: Path) -> None:
        self._engine = create_engine(f"{_SQLITE}{file.absolute().as_uri()}?mode=rw&uri=true")

    def run(self, work: Callable[[Connection], _Result]) -> _Result:
        with _telling_no_value(), self._engine.begin() as connection:
            return work(connection)

    def close(self) -> None:
        self._engine.dispose()


class _PostgreSQL:
    """The same in PostgreSQL, over one connection, whose event loop is its own."""

    def __init__(self, url: str) -> None:
        from sqlalchemy.ext.asyncio import create_async_engine  # noqa: PLC0415  # needs the optional extra `postgres`

        self._runner = asyncio.Runner()
        self._engine = create_async_engine(url.replace(_POSTGRESQL, "postgresql+asyncpg://", 1), pool_size=1)

    def run(self, work: Callable[[Connection], _Result]) -> _Result:
        async def one() -> _Result:
            async with self._engine.begin() as connection:
                return await connection.run_sync(work)

        with _telling_no_value():
            return self._runner.run(one())

    def close(self) -> None:
        with closing(self._runner):
            self._runner.run(self._engine.dispose())


@contextmanager
def _telling_no_value() -> Iterator[None]:
    try:
        yield
    except (SQLAlchemyError, OSError, TimeoutError) as error:
        # The driver's message may hold values: the kind of error is all that is told (policy R28).
        raise DatabaseUnavailableError(f"the database of pseudonyms did not answer ({type(error).__name__})") from error


@dataclass(frozen=True, slots=True)
class PseudonymTable:
    """The two tables. Each method is one transaction, on SQLite or PostgreSQL; none may be called in an event loop."""

    database: _Sqlite | _PostgreSQL = field(repr=False)
    names: Names
    persons: Table = field(repr=False)
    into: Table = field(repr=False)

    @classmethod
    def open(cls, url: str, names: Names) -> Self:
        """Look at the tables, and make the one of pseudonyms if it is not there.

        Raises:
            NotFoundError: there is no such table or column; names the nearest.
            DatabaseUnavailableError: the database does not answer, or the table cannot be made.
        """
        is_file = url.startswith(_SQLITE)
        database = _Sqlite(Path(url.removeprefix(_SQLITE))) if is_file else _PostgreSQL(url)
        try:
            persons, into = database.run(lambda connection: _tables(connection, names))
        except BaseException:
            database.close()
            raise
        return cls(database, names, persons, into)

    def close(self) -> None:
        """Let go of the database."""
        self.database.close()

    def waiting(self) -> int:
        """Return how many people have no pseudonym, or one that was made up."""
        query = select(func.count()).select_from(self._joined()).where(self._lacks())
        return int(self.database.run(lambda connection: connection.execute(query).scalar_one()))

    def next_after(self, key: Key | None, most: int) -> list[Person]:
        """Return the next people without a pseudonym, in the order of their keys."""
        keys = [self.persons.c[name] for name in self.names.key]
        query: Select[Any] = (
            select(*keys, self.persons.c[self.names.code]).select_from(self._joined()).where(self._lacks())
        )
        if key is not None:
            query = query.where(tuple_(*keys) > tuple_(*key))
        rows = self.database.run(lambda connection: connection.execute(query.order_by(*keys).limit(most)).all())
        return [Person(tuple(row[:-1]), None if row[-1] is None else str(row[-1])) for row in rows]

    def put(self, found: Sequence[tuple[Key, str]]) -> list[Key]:
        """Keep pseudonyms; return the keys of those whose pseudonym is another person's already."""
        return list(self.database.run(lambda connection: self._put(connection, found)))

    def _put(self, connection: Connection, found: Sequence[tuple[Key, str]]) -> list[Key]:
        column = self.into.c[self.names.pseudonym]
        texts = [text for _, text in found]
        taken = set(connection.execute(select(column).where(column.in_(texts))).scalars())
        kept: dict[str, Key] = {}
        twice: list[Key] = []
        for key, text in found:
            if text in taken or text in kept:
                twice.append(key)
            else:
                kept[text] = key
        if kept:
            own = [self.into.c[name] for name in self.names.key]
            connection.execute(delete(self.into).where(tuple_(*own).in_(list(kept.values()))))  # made up before
            rows = [{**dict(zip(self.names.key, key, strict=True)), column.name: text} for text, key in kept.items()]
            connection.execute(insert(self.into), rows)
        return twice

    def _joined(self) -> Any:
        same = (self.persons.c[name] == self.into.c[name] for name in self.names.key)
        return self.persons.outerjoin(self.into, and_(*same))

    def _lacks(self) -> Any:
        column = self.into.c[self.names.pseudonym]
        return or_(column.is_(None), column.like(f"v1.{TRIAL}.%"))


def _tables(connection: Connection, names: Names) -> tuple[Table, Table]:
    schema, _, name = names.persons.rpartition(".")
    metadata = MetaData()
    try:
        persons = Table(name, metadata, schema=schema or None, autoload_with=connection, resolve_fks=False)
    except NoSuchTableError as error:
        near = nearest(name, inspect(connection).get_table_names(schema or None))
        raise NotFoundError(f"table `{names.persons}` is not in the database{near}") from error
    for column in (*names.key, names.code):
        if column not in persons.c:
            raise NotFoundError(
                f"table `{names.persons}` has no column `{column}`{nearest(column, list(persons.c.keys()))}"
            )
    schema, _, name = names.into.rpartition(".")
    into = Table(
        name,
        MetaData(),
        *(Column(each, persons.c[each].type, primary_key=True, autoincrement=False) for each in names.key),
        Column(names.pseudonym, String(_LONGEST), nullable=False, unique=True),
        schema=schema or None,
    )
    into.create(connection, checkfirst=True)
    return persons, into
