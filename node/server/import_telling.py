"""What an import changed, told like any other change: that an object of which citizen came to be, with which fields.

The import's transaction says up to which line the file came, and up to which line this was told. What is owed after an
interruption is told again under the same keys, by which the outbox takes each row once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from sqlalchemy import select, tuple_

from federation.contract.canonical import sha256_digest
from federation.contract.clock import Clock, day_in_rome, rfc3339
from federation.contract.errors import BadInputError
from node.data.database import Database, open_database
from node.data.expressions import columns_in
from node.data.held_files import is_pseudonym_of
from node.data.mapping import Mapping as NodeMapping
from node.data.mapping import Source
from node.data.operation import Prepared
from node.data.rows import Reading, Row
from node.data.statements import Statement
from node.importing.run import Rows, Tell
from node.own.database import OwnDatabase, open_own
from node.own.writes import TOLD, Write, Writes
from node.server.planes import member_mapping, require_own_tables
from node.server.settings import NodeSettings
from node.writing.kinds import Event

_AT_ONCE: Final = 500
"""People who are looked for in one statement."""


@dataclass(frozen=True, slots=True)
class _Told:
    """A type whose objects stand in the table's rows: its fields with their columns, and how its citizen is found.

    `here` are the row's columns that lead to the citizen: their pseudonym, or, with an `owner`, what its `there` equal.
    """

    source: Source
    fields: Mapping[str, frozenset[str]]
    here: tuple[str, ...]
    there: tuple[str, ...] = ()
    owner: Source | None = None
    row: Source | None = None
    """The source of the whole row, if not each of its rows exists for the federation."""
    key: tuple[str, ...] = ()
    """The columns by which such a row is found again."""
    present: tuple[frozenset[str], ...] = ()
    """Of each of these something is filled, or the part of the row has nothing to say."""


@dataclass(frozen=True, slots=True)
class ImportTelling:
    """Tells of rows of one table with these columns."""

    prepared: Prepared
    database: Database
    own: OwnDatabase
    clock: Clock
    columns: tuple[str, ...]
    told: tuple[_Told, ...]

    async def tell(self, rows: Rows, run: str) -> None:
        """Put an event for each object of each row into the outbox, once.

        Raises:
            DatabaseUnavailableError: the register or the own tables do not answer.
        """
        at, today = rfc3339(self.clock.now()), day_in_rome(self.clock.now())
        writes: list[Write] = []
        for told in self.told:
            places = [self.columns.index(name) for name in told.here]
            leads = {line: tuple(values[place] for place in places) for line, values in rows}
            citizens = await self._citizens(told, set(leads.values()), today)
            for line, values in await self._existing(told, rows, today):
                citizen = citizens.get(_text(leads[line]))
                fields = self._fields(told, values)
                if citizen is not None and fields:
                    writes.append(self._write(told, citizen, fields, f"import-{run}-{line}-{told.source.name}", at))
        await Writes(self.own).carry_out(writes)

    async def _citizens(self, told: _Told, leads: set[tuple[Any, ...]], today: date) -> dict[tuple[str, ...], str]:
        """Return the citizen to whom each lead leads, for the federation and on this day."""
        known = [each for each in leads if None not in each]
        if told.owner is None:
            return {_text(lead): str(lead[0]) for lead in known if self._is_own(str(lead[0]))}
        row = Row.of(Reading(self.prepared.mapping, self.prepared.dialect, today, self.prepared.tables), told.owner)
        there: list[Any] = [row.column(name) for name in told.there]
        subject: Any = row.subject()
        found: dict[tuple[str, ...], str] = {}
        for start in range(0, len(known), _AT_ONCE):
            wanted = tuple_(*there).in_(known[start : start + _AT_ONCE])
            query = select(*there, subject).select_from(row.tables).where(*row.counts(), wanted)
            for values in await self.database.rows(Statement.of(query, self.prepared.dialect), {}):
                if self._is_own(str(values[-1])):
                    found[_text(values[:-1])] = str(values[-1])
        return found

    async def _existing(self, told: _Told, rows: Rows, today: date) -> Rows:
        """Return the rows that exist for the federation on this day: of others nobody hears (policy R16)."""
        if told.row is None:
            return rows
        places = [self.columns.index(name) for name in told.key]
        keys = {line: tuple(values[place] for place in places) for line, values in rows}
        known = [each for each in keys.values() if None not in each]
        row = Row.of(Reading(self.prepared.mapping, self.prepared.dialect, today, self.prepared.tables), told.row)
        key: list[Any] = [row.column(name) for name in told.key]
        found: set[tuple[str, ...]] = set()
        for start in range(0, len(known), _AT_ONCE):
            wanted = tuple_(*key).in_(known[start : start + _AT_ONCE])
            query = select(*key).select_from(row.tables).where(*row.counts(), wanted)
            statement = Statement.of(query, self.prepared.dialect)
            found |= {_text(values) for values in await self.database.rows(statement, {})}
        return [(line, values) for line, values in rows if _text(keys[line]) in found]

    def _is_own(self, text: str) -> bool:
        return is_pseudonym_of(text, self.prepared.mapping.member)

    def _fields(self, told: _Told, values: Sequence[Any]) -> tuple[str, ...]:
        filled = {name for name, value in zip(self.columns, values, strict=True) if value not in {None, ""}}
        if not all(columns & filled for columns in told.present):
            return ()
        return tuple(name for name, columns in told.fields.items() if columns & filled)

    def _write(self, told: _Told, citizen: str, fields: tuple[str, ...], key: str, at: str) -> Write:
        return Write(
            mutation=TOLD,
            consumer=self.prepared.mapping.member,
            idempotency_key=key,
            input_digest=sha256_digest(key.encode()),
            subject=citizen,
            type_name=told.source.type_name,
            event=Event.CREATED.value,
            record={},
            at=at,
            fields=fields,
        )


def _text(lead: Sequence[Any]) -> tuple[str, ...]:
    """Return a lead as both files and databases write it."""
    return tuple(str(each) for each in lead)


@contextmanager
def telling(settings: NodeSettings, table: str, columns: tuple[str, ...], clock: Clock) -> Iterator[Tell]:
    """Open what telling of rows of a table needs; types that cannot be followed to a citizen are left out.

    So are types of which not every row counts (`only`, `valid`) if the key that finds a row again is not given.

    Raises:
        BadInputError: no type of the mapping can be told of from these columns.
        ConfigurationError, MappingError, DatabaseUnavailableError: mapping or databases cannot be used.
    """
    mapping = member_mapping(settings)
    told = tuple(_told(mapping, table, columns))
    if not told:
        raise BadInputError(
            f"no type of the mapping can be told of from these columns of `{table}`: it needs the pseudonym of the "
            "citizen, or the columns that lead to the owner, and the key of a type with `only` or `valid`; "
            "import without --settings, and use `crocevia changed`"
        )
    with asyncio.Runner() as runner:
        runner.run(require_own_tables(settings))
        database, own = open_database(mapping.database, settings.mapping.parent), open_own(settings.own_url)
        prepared = Prepared.of(mapping, database.dialect)
        here = ImportTelling(prepared, database, own, clock, columns, told)
        try:
            yield lambda rows, run: runner.run(here.tell(rows, run))
        finally:
            runner.run(database.close())
            runner.run(own.close())


def _told(mapping: NodeMapping, table: str, columns: tuple[str, ...]) -> Iterator[_Told]:
    """Yield the types that have a field in these columns of a table, and a way from there to the citizen."""
    given = {name.lower(): name for name in columns}
    for source in mapping.sources.values():
        if source.table is None or source.table.lower() != table.lower():
            continue
        owner = None if source.owner is None else mapping.sources[source.owner.source]
        pairs = source.owner.join if source.owner else ()
        leads = [source.subject] if source.subject else [here for here, _ in pairs]
        if not leads or not all(lead.lower() in given for lead in leads):
            continue
        is_partial = bool(source.only or source.valid)
        names = source.key.columns if source.key else ()
        key = tuple(given[name.lower()] for name in names if name.lower() in given)
        if is_partial and not len(key) == len(names) > 0:
            continue
        here, there = tuple(given[lead.lower()] for lead in leads), tuple(there for _, there in pairs)
        for part, present in ((source, ()), *_embedded(source, mapping)):
            fields = {
                name: frozenset(given[each.lower()] for each in columns_in(expression) if each.lower() in given)
                for name, expression in part.fields.items()
            }
            yield _Told(
                part,
                {name: found for name, found in fields.items() if found},
                here,
                there,
                owner,
                source if is_partial else None,
                key,
                tuple(frozenset(given[each.lower()] for each in some if each.lower() in given) for some in present),
            )


def _embedded(
    source: Source, mapping: NodeMapping, present: tuple[tuple[str, ...], ...] = ()
) -> Iterator[tuple[Source, tuple[tuple[str, ...], ...]]]:
    """Yield the sources that describe parts of this source's rows, each with the `present` on the way to it."""
    for relation in source.relations.values():
        part = mapping.sources[relation.to]
        if part.table is None:
            way = (*present, part.present) if part.present else present
            yield part, way
            yield from _embedded(part, mapping, way)
