"""The mapping held against the live database: what would fail, what would be slow, what cannot be read.

What a finding can say is in `node.data.diagnoses`; the rows themselves are tried by `node.data.trials`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final, TypeAlias

from federation.contract.identifiers import PERSON
from node.data.catalogue import MOMENT_OF_ANY_ZONE, Catalogue, ColumnFacts, Family, TableFacts, read_catalogue
from node.data.database import Database
from node.data.diagnoses import Code, Finding, Severity, error, warning
from node.data.dialects import POSTGRESQL
from node.data.expressions import (
    Age,
    Coded,
    Column,
    DateFormat,
    Day,
    Expression,
    JsonAt,
    Moment,
    PlainType,
    Trimmed,
    Truth,
    Typed,
    ValueSet,
    columns_in,
)
from node.data.mapping import Mapping as NodeMapping
from node.data.mapping import Source
from node.data.rows import Reading, tables_of
from node.data.trials import Trial
from node.policy.errors import nearest

_LONGEST_INDEX: Final = 63
"""Letters that PostgreSQL keeps of a name."""


async def doctor(mapping: NodeMapping, database: Database, today: date) -> tuple[Finding, ...]:
    """Check a mapping against its database; findings stand in the order of the mapping's lines.

    What is missing hides what would be asked about it: values are tried only where all columns are there.

    Raises:
        DatabaseUnavailableError: the database does not answer at all.
    """
    names = await missing_names(mapping, database)
    if names:
        return names
    catalogue = await read_catalogue(database, mapping.database.schema)
    findings = [
        *_misfits(mapping, catalogue, postgres=database.dialect is POSTGRESQL),
        *_slow_ways(mapping, catalogue, postgres=database.dialect is POSTGRESQL),
        *_wide_rights(mapping, catalogue),
    ]
    if not any(found.severity is Severity.ERROR for found in findings):
        reading = Reading(mapping, database.dialect, today, tables_of(mapping))
        for source in mapping.sources.values():
            if source.table:
                table = _facts(catalogue, source.table)
                findings += [found async for found in Trial(reading, database, source, table).findings()]
    return tuple(sorted({*findings, *_nobodies(mapping)}))


async def missing_names(mapping: NodeMapping, database: Database) -> tuple[Finding, ...]:
    """Return the tables and columns that a mapping reads and its database does not have.

    Raises:
        DatabaseUnavailableError: the database does not answer at all.
    """
    return tuple(sorted(_missing_names(mapping, await read_catalogue(database, mapping.database.schema))))


# --- names ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, order=True)
class _Use:
    """A column that the mapping reads, and why."""

    line: int
    table: str
    column: str
    what: str


def _missing_names(mapping: NodeMapping, catalogue: Catalogue) -> Iterator[Finding]:
    told: set[str] = set()
    for use in _uses(mapping):
        table = catalogue.table(use.table)
        if table is None:
            if use.table not in told:
                told.add(use.table)
                known = [facts.name for facts in catalogue.tables.values()]
                message = f"table `{use.table}` is not in the database, or this role may not read it"
                yield error(use.line, Code.TABLE_MISSING, message + nearest(use.table, known))
        elif catalogue.column(table, use.column) is None:
            known = [facts.name for facts in table.columns.values()]
            message = f"{use.what} reads column `{use.column}`, which `{table.name}` does not have"
            yield error(use.line, Code.COLUMN_MISSING, message + nearest(use.column, known))


def _uses(mapping: NodeMapping) -> Iterator[_Use]:
    """Yield every column that the mapping reads."""
    for source in mapping.sources.values():
        for table in physical_tables(mapping, source):
            yield from _uses_of_row(source, table)
        yield from _uses_elsewhere(mapping, source)
    consent = mapping.consent
    if consent:
        line = mapping.sources[consent.of].line
        days = [day for day in (consent.given, consent.withdrawn, consent.expires) if day]
        columns = [there for _, there in consent.join] + ([consent.consumer] if consent.consumer else [])
        columns += [name for expression in (consent.purpose, *days) for name in columns_in(expression)]
        yield from (_Use(line, consent.table, name, "`consent`") for name in columns)


def _uses_of_row(source: Source, table: str) -> Iterator[_Use]:
    own = [("key", source.key.columns if source.key else ()), ("present", source.present)]
    own += [("subject", (source.subject,) if source.subject else ()), ("lookups", tuple(source.lookups.values()))]
    own += [("only", tuple(test.column for test in source.only))]
    own += [
        ("valid", tuple(columns_in(day))) for day in ((source.valid.start, source.valid.end) if source.valid else ())
    ]
    own += [("owner", tuple(here for here, _ in source.owner.join) if source.owner else ())]
    for what, columns in own:
        yield from (_Use(source.line, table, name, f"`{source.name}.{what}`") for name in columns)
    for word, expression in (*source.fields.items(), *source.attributes.items()):
        line = source.lines[word]
        yield from (_Use(line, table, name, f"`{source.name}.{word}`") for name in columns_in(expression))
    for word, relation in source.relations.items():
        yield from (_Use(relation.line, table, here, f"`{source.name}.{word}`") for here, _ in relation.join)


def _uses_elsewhere(mapping: NodeMapping, source: Source) -> Iterator[_Use]:
    """Yield the columns of other tables that a source's joins and sets read."""
    for word, expression in source.attributes.items():
        if isinstance(expression, ValueSet):
            for name in (expression.column, *(there for _, there in expression.join)):
                yield _Use(source.lines[word], expression.table, name, f"`{source.name}.{word}`")
    if source.owner:
        table = mapping.sources[source.owner.source].table or ""
        yield from (_Use(source.line, table, there, f"`{source.name}.owner`") for _, there in source.owner.join)
    for word, relation in source.relations.items():
        target, what = mapping.sources[relation.to].table or "", f"`{source.name}.{word}`"
        first = relation.through.table if relation.through else target
        yield from (_Use(relation.line, first, there, what) for _, there in relation.join)
        if relation.through:
            yield from (_Use(relation.line, first, here, what) for here, _ in relation.through.then)
            yield from (_Use(relation.line, target, there, what) for _, there in relation.through.then)


def physical_tables(mapping: NodeMapping, source: Source) -> Iterator[str]:
    """Yield the tables whose rows a source describes: its own, or those of the sources it is part of."""
    if source.table:
        yield source.table
        return
    for other in mapping.sources.values():
        if any(relation.to == source.name for relation in other.relations.values()):
            yield from physical_tables(mapping, other)


# --- types ------------------------------------------------------------------------------------------------------------


def _misfits(mapping: NodeMapping, catalogue: Catalogue, *, postgres: bool) -> Iterator[Finding]:
    for source in mapping.sources.values():
        for table in physical_tables(mapping, source):
            facts = _facts(catalogue, table)
            for word, expression in (*source.fields.items(), *source.attributes.items()):
                yield from _misfit(
                    source.lines[word], f"`{source.name}.{word}`", expression, facts, catalogue, postgres=postgres
                )
        # SQLite compares and converts as it goes; PostgreSQL refuses the statement.
        if postgres:
            yield from _strict_misfits(mapping, source, catalogue)


def _misfit(
    line: int, what: str, expression: Expression, table: TableFacts, catalogue: Catalogue, *, postgres: bool
) -> Iterator[Finding]:
    read = _read(expression, table, catalogue)
    family = None if read is None else read.family
    match expression:
        case Day(_, written_as) if (
            family in {Family.DATE, Family.TIMESTAMP} and written_as is not DateFormat.ISO and postgres
        ):
            yield error(line, Code.TYPE_MISFIT, f"{what} reads a column of type {family}; write `date: iso`")
        case Day() if read is not None and read.type == MOMENT_OF_ANY_ZONE:
            message = f"{what} reads the day of a moment, which depends on the zone; give a view that says in which"
            yield error(line, Code.TYPE_MISFIT, message)
        case Day() if family is Family.BOOLEAN:
            yield error(line, Code.TYPE_MISFIT, f"{what} reads a Boolean column as a day")
        case Truth(_, true, _) if postgres and family is Family.BOOLEAN and "true" not in true:
            message = f'{what} reads a Boolean column; write `true_values: ["true"]`, or `type: bool` in an attribute'
            yield error(line, Code.TYPE_MISFIT, message)
        case Typed(_, PlainType.INT) if family in {Family.TEXT, Family.DATE, Family.TIMESTAMP, Family.BOOLEAN}:
            message = f"{what} is of type int and its column of type {family}; what is no whole number is unknown"
            yield warning(line, Code.TYPE_MISFIT, message)
        case Typed(_, PlainType.BOOL) if family in {Family.TEXT, Family.NUMBER, Family.DATE, Family.TIMESTAMP}:
            message = (
                f"{what} is of type bool and its column of type {family}; say which texts mean true: `true_values`"
            )
            yield warning(line, Code.TYPE_MISFIT, message)
        case JsonAt() if postgres and family not in {Family.JSON, None}:
            message = f"{what} reads JSON from a column of type {family}; text that is not JSON stops the statement"
            yield warning(line, Code.TYPE_MISFIT, message)
        case _:
            pass
    inner = _inner(expression)
    if inner is not None:
        yield from _misfit(line, what, inner, table, catalogue, postgres=postgres)


def _inner(expression: Expression) -> Expression | None:
    match expression:
        case Trimmed(of) | JsonAt(of, _) | Coded(of, _, _) | Day(of, _) | Moment(of, _, _) | Truth(of, _, _):
            return of
        case Typed(of, _) | Age(of):
            return of
        case _:
            return None


def _read(expression: Expression, table: TableFacts, catalogue: Catalogue) -> ColumnFacts | None:
    """Return the column that an expression reads, None if it reads another expression."""
    inner = _inner(expression)
    return catalogue.column(table, inner.name) if isinstance(inner, Column) else None


def _strict_misfits(mapping: NodeMapping, source: Source, catalogue: Catalogue) -> Iterator[Finding]:
    for name in physical_tables(mapping, source):
        yield from _strict_columns(source, _facts(catalogue, name), catalogue)
    for line, what, here, there, pairs in _joins(mapping, source):
        one, other = _facts(catalogue, here), _facts(catalogue, there)
        for left, right in pairs:
            first, second = _column(catalogue, one, left), _column(catalogue, other, right)
            families = {first.family, second.family}
            if len(families) > 1 and families != {Family.INTEGER, Family.NUMBER}:
                way = "join through a view that converts one"
                message = f"{what} joins `{left}` with `{right}`, of types {first.type} and {second.type}; {way}"
                yield error(line, Code.TYPE_MISFIT, message)


def _strict_columns(source: Source, table: TableFacts, catalogue: Catalogue) -> Iterator[Finding]:
    for name, kind in zip(source.key.columns, source.key.types, strict=True) if source.key else ():
        column = _column(catalogue, table, name)
        right = Family.INTEGER if kind is PlainType.INT else Family.TEXT
        if column.family is not right:
            way = "write `type: int`" if column.family is Family.INTEGER else "give a view whose key is text or int"
            message = f"`{source.name}.key` compares `{name}` of type {column.type} with {right}; {way}"
            yield error(source.line, Code.TYPE_MISFIT, message)
    for word, name in source.lookups.items():
        column = _column(catalogue, table, name)
        if column.family is not Family.TEXT:
            message = f"look-up `{source.name}.{word}` needs a column of text; `{name}` is of type {column.type}"
            yield error(source.line, Code.TYPE_MISFIT, message)
    for test in source.only:
        column = _column(catalogue, table, test.column)
        if not all(_holds(column.family, value) for value in test.values if value is not None):
            way = "write the value as that type has it"
            message = f"`{source.name}.only` compares `{test.column}` of type {column.type} with another type; {way}"
            yield error(source.line, Code.TYPE_MISFIT, message)


def _holds(family: Family, value: str | int | bool) -> bool:  # noqa: FBT001  # a value, not a switch
    match value:
        case bool():
            return family is Family.BOOLEAN
        case int():
            return family in {Family.INTEGER, Family.NUMBER}
        case _:
            return family is Family.TEXT


_Pairs: TypeAlias = Sequence[tuple[str, str]]


def _joins(mapping: NodeMapping, source: Source) -> Iterator[tuple[int, str, str, str, _Pairs]]:
    """Yield line, name, table here, table there and pairs of columns of every join that begins at a source."""
    for here in physical_tables(mapping, source):
        if source.owner:
            yield (
                source.line,
                f"`{source.name}.owner`",
                here,
                mapping.sources[source.owner.source].table or "",
                source.owner.join,
            )
        for word, relation in source.relations.items():
            target = mapping.sources[relation.to].table
            what = f"`{source.name}.{word}`"
            if relation.through:
                yield relation.line, what, here, relation.through.table, relation.join
                yield relation.line, what, relation.through.table, target or "", relation.through.then
            elif target:
                yield relation.line, what, here, target, relation.join
        for word, expression in source.attributes.items():
            if isinstance(expression, ValueSet):
                yield source.lines[word], f"`{source.name}.{word}`", here, expression.table, expression.join


# --- speed and rights -------------------------------------------------------------------------------------------------


def _slow_ways(mapping: NodeMapping, catalogue: Catalogue, *, postgres: bool) -> Iterator[Finding]:
    schema = f"{_sql(mapping.database.schema, postgres=postgres)}." if postgres and mapping.database.schema else ""
    for line, what, table, columns in _ways(mapping):
        facts = _facts(catalogue, table)
        folded = [_column(catalogue, facts, name).name for name in columns]
        if not facts.is_view and not facts.is_indexed(folded):
            index = "_".join(re.sub(r"\W+", "_", name) for name in (facts.name, *folded)).lower()[:_LONGEST_INDEX]
            names = ", ".join(_sql(name, postgres=postgres) for name in folded)
            table_name = schema + _sql(facts.name, postgres=postgres)
            message = f"{what} would read all of `{facts.name}`; CREATE INDEX {index} ON {table_name} ({names})"
            yield warning(line, Code.INDEX_MISSING, message)


def _ways(mapping: NodeMapping) -> Iterator[tuple[int, str, str, tuple[str, ...]]]:
    """Yield line, name, table and columns of every way by which rows are found."""
    for source in mapping.sources.values():
        if source.table and source.key and source.key.field:
            yield source.line, f"`{source.name}.key`", source.table, source.key.columns
        for word, name in source.lookups.items() if source.table else ():
            yield source.line, f"look-up `{source.name}.{word}`", source.table or "", (name,)
        for line, what, _, there, pairs in _joins(mapping, source):
            yield line, what, there, tuple(right for _, right in pairs)
    for root in mapping.roots.values():
        source = mapping.sources[root.source]
        for word in dict.fromkeys((*root.filterable, *root.orderable)):
            expression = source.fields.get(word)
            if isinstance(expression, Column):  # an index on a column serves no expression made of it
                yield root.line, f"root `{root.name}` by `{word}`", source.table or "", (expression.name,)
    if mapping.consent:
        line = mapping.sources[mapping.consent.of].line
        yield line, "`consent`", mapping.consent.table, tuple(there for _, there in mapping.consent.join)


def _nobodies(mapping: NodeMapping) -> Iterator[Finding]:
    """A person's key travels through the federation: it must be a pseudonym, never the register's own number."""
    for source in mapping.sources_of(PERSON):
        if source.table and source.subject is None:
            message = (
                f"`{source.name}` has no `subject`: these people have no pseudonym by which to reach them; "
                "add a column of pseudonyms, and make it `key` and `subject`"
            )
            yield error(source.line, Code.SUBJECT_MISSING, message)


def _wide_rights(mapping: NodeMapping, catalogue: Catalogue) -> Iterator[Finding]:
    said: set[str] = set()
    for source in mapping.sources.values():
        for name in physical_tables(mapping, source):
            table = _facts(catalogue, name)
            if table.writable and table.name not in said:
                said.add(table.name)
                message = f"this role could change `{table.name}`; give the node a role with SELECT alone"
                yield warning(source.line, Code.RIGHTS_TOO_WIDE, message)


# --- small parts ------------------------------------------------------------------------------------------------------


def _sql(name: str, *, postgres: bool) -> str:
    """Return a name as it stands in a statement: quoted where the database would read another, or none."""
    plain = r"[a-z_][a-z0-9_]*" if postgres else r"[A-Za-z_][A-Za-z0-9_]*"
    return name if re.fullmatch(plain, name) else '"' + name.replace('"', '""') + '"'


def _facts(catalogue: Catalogue, name: str) -> TableFacts:
    found = catalogue.table(name)
    assert found is not None  # missing tables end the examination before
    return found


def _column(catalogue: Catalogue, table: TableFacts, name: str) -> ColumnFacts:
    found = catalogue.column(table, name)
    assert found is not None  # as above
    return found
