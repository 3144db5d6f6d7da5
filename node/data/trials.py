"""A mapping tried on the rows themselves: are keys unique, and are values what the mapping takes them for?

Values are counted, never shown.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias, assert_never

from sqlalchemy import and_, case, false, func, literal, or_, select

from federation.contract.errors import DatabaseUnavailableError
from node.data.catalogue import TableFacts
from node.data.database import Database
from node.data.diagnoses import Code, Finding, error, warning
from node.data.dialects import Sql
from node.data.expressions import Age, Coded, Day, Expression, Moment, Truth, columns_in
from node.data.mapping import Mapping as NodeMapping
from node.data.mapping import Source
from node.data.own_vocabulary import OwnEnum, OwnObject
from node.data.rows import Reading, Row
from node.data.statements import Statement

_SAMPLE: Final = 2_000
"""Rows whose values are tried."""

_Findings: TypeAlias = AsyncIterator[Finding]


# --- values -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Trial:
    """Tries the rows of one source."""

    reading: Reading
    database: Database
    source: Source
    facts: TableFacts

    async def findings(self) -> _Findings:
        """Yield what the rows show."""
        try:
            async for found in self._key():
                yield found
            async for found in self._values():
                yield found
        except DatabaseUnavailableError:
            message = f"the rows of `{self.source.name}` could not be tried in time"
            yield warning(self.source.line, Code.CHECK_TIMED_OUT, message)

    async def _key(self) -> _Findings:
        key = self.source.key
        if key is None or self.facts.is_unique(key.columns):
            return
        row = Row.of(self.reading, self.source)
        columns = [row.column(name) for name in key.columns]
        names = ", ".join(key.columns)
        absent = select(literal(1)).select_from(row.tables).where(*row.counts(), or_(*(c.is_(None) for c in columns)))
        if await self._finds(absent.limit(1)):
            message = f"`{self.source.name}.key` ({names}) is null in some rows; leave them out with `only`"
            yield error(self.source.line, Code.KEY_IS_NULL, message)
        double = select(literal(1)).select_from(row.tables).where(*row.counts()).group_by(*columns)
        if await self._finds(double.having(func.count() > 1).limit(1)):
            message = f"`{self.source.name}.key` ({names}) is not unique; add a column to it, or `only` rows that count"
            yield error(self.source.line, Code.KEY_NOT_UNIQUE, message)

    async def _values(self) -> _Findings:
        """Count the sampled values of every expression that does not understand its column."""
        row = Row.of(self.reading, self.source)
        names = sorted(self.reading.tables[self.table_name].c.keys())
        sample = (
            select(*(row.column(name).label(name) for name in names))
            .select_from(row.tables)
            .where(*row.counts())
            .limit(_SAMPLE)
            .subquery()
        )
        sampled = Row(self.reading, self.source, sample)
        tried = [
            (source, word, lost, why)
            for source in described(self.reading.mapping, self.source)
            for word, expression in (*source.fields.items(), *source.attributes.items())
            for lost, why in self._losses(sampled, source, word, expression)
        ]
        if not tried:
            return
        sums = [func.coalesce(func.sum(case((lost, 1), else_=0)), 0) for _, _, lost, _ in tried]
        [counts] = await self._rows(select(func.count(), *sums).select_from(sample))
        for (source, word, _, why), count in zip(tried, counts[1:], strict=True):
            if count:
                message = f"`{source.name}.{word}`: {count} of {counts[0]} rows {why}; they are answered null"
                yield warning(source.lines[word], Code.VALUES_UNREADABLE, message)

    def _losses(self, row: Row, source: Source, word: str, expression: Expression) -> Iterator[tuple[Sql, str]]:
        """Yield whether a row holds something that reads as nothing, and what is wrong with it then."""
        reader = _reader(expression)
        if reader is not None:
            held = or_(false(), *(row.column(name).is_not(None) for name in columns_in(reader)))
            yield and_(held, row.value(reader).is_(None)), _why(reader)
        values = _own_values(self.reading.mapping, source.type_name, word)
        if values:
            value = self.reading.dialect.by_code_point(self.reading.dialect.text(row.value(expression)))
            yield value.not_in(values), "hold none of the enumeration's values"

    @property
    def table_name(self) -> str:
        """The table as the mapping writes it."""
        assert self.source.table is not None
        return self.source.table

    async def _finds(self, query: Any) -> bool:
        return bool(await self._rows(query))

    async def _rows(self, query: Any) -> Sequence[Sequence[Any]]:
        return await self.database.rows(Statement.of(query, self.reading.dialect), {})


def described(mapping: NodeMapping, source: Source) -> Iterator[Source]:
    """Yield a source and every other that describes a part of the same row."""
    yield source
    for relation in source.relations.values():
        target = mapping.sources[relation.to]
        if target.table is None:
            yield from described(mapping, target)


def _own_values(mapping: NodeMapping, type_name: str, word: str) -> tuple[str, ...]:
    """Return the values of a field that is of an enumeration of the member's own."""
    of = mapping.own.get(type_name)
    named = {field.name: field.type_name for field in of.fields} if isinstance(of, OwnObject) else {}
    found = mapping.own.get(named.get(word, ""))
    return found.values if isinstance(found, OwnEnum) else ()


def _reader(expression: Expression) -> Day | Moment | Coded | Truth | None:
    """Return the part of an expression that may not understand its column."""
    match expression:
        case Day() | Moment() | Coded() | Truth():
            return expression
        case Age(of):
            return _reader(of)
        case _:
            return None


def _why(reader: Day | Moment | Coded | Truth) -> str:
    match reader:
        case Day(_, written_as) | Moment(_, written_as, _):
            return f"are not of the format `{written_as}`"
        case Coded():
            return "hold a code that the list does not have"
        case Truth():
            return "hold none of the words for true and false"
        case _:
            assert_never(reader)
