"""A row of a source inside a statement: its columns, attributes, owner, consents, and whether it counts at all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    FromClause,
    TableClause,
    Text,
    and_,
    bindparam,
    case,
    cast,
    column,
    exists,
    false,
    func,
    literal,
    null,
    or_,
    table,
    true,
)
from sqlalchemy.types import TypeEngine

from node.data.dialects import Dialect, Sql, negated
from node.data.expressions import Column, Day, Expression, PlainType, ValueSet, columns_in
from node.data.mapping import ConsentTable, Join, Mapping, RowTest, Source, Validity
from node.data.values import Values

CONSUMER: Final = "consumer"
"""The name of the parameter that holds the asking member."""
CONSENTS: Final = "consents"
"""The name of the parameter that holds consents of which the register does not know: given and valid, or withdrawn."""
GIVEN: Final = "given"
WITHDRAWN: Final = "withdrawn"
NO_CONSENTS: Final = "[]"
"""That parameter where there are none."""
_SAID: Final = (PlainType.STR, PlainType.STR, PlainType.STR, PlainType.STR)  # person, purpose, what, day

_DAY_LENGTH: Final = 10


@dataclass(slots=True)
class Reading:
    """What all rows of one statement share: mapping, dialect, day; and names for the tables it reads."""

    mapping: Mapping
    dialect: Dialect
    today: date
    tables: dict[str, TableClause]
    _aliases: int = 0

    def alias(self, name: str) -> FromClause:
        """Return a table under a name of its own."""
        self._aliases += 1
        return self.tables[name].alias(f"t{self._aliases}")


@dataclass(slots=True)
class Page:
    """A query that cuts a list to one page, read by another: it has the columns that were asked for and no others."""

    table: TableClause = field(default_factory=lambda: table("page"))
    drawn: dict[str, Sql] = field(default_factory=dict)

    def draw(self, name: str, inside: Sql) -> Sql:
        """Return a column of the page for an expression inside of it."""
        self.drawn.setdefault(name, inside)
        return self.column(name, inside.type)

    def column(self, name: str, kind: TypeEngine[Any]) -> Sql:
        """Return a column of the page by its name."""
        return column(name, kind, _selectable=self.table)


@dataclass(slots=True)
class Row:
    """One row. A source without a table shares the columns of `container`; `owner` is the person's row, once known.

    `inside` is the same row within `page`, where it is read through one.
    """

    reading: Reading
    source: Source
    at: FromClause
    container: Row | None = None
    owner: Row | None = None
    joined: list[tuple[FromClause, Sql]] = field(default_factory=list)
    page: Page | None = None
    inside: Row | None = None

    @classmethod
    def of(cls, reading: Reading, source: Source) -> Row:
        """Begin with any row of a source; its owner, if it has one, is joined."""
        assert source.table is not None  # the mapping admits no root or joined relation to a source without one
        row = cls(reading, source, reading.alias(source.table))
        if source.owner:
            owner = cls.of(reading, reading.mapping.sources[source.owner.source])
            row.owner = owner
            row.joined = [(owner.at, and_(row.meets(source.owner.join, owner.at), *owner.counts())), *owner.joined]
        return row

    @classmethod
    def below(cls, parent: Row, source: Source, join: Join) -> Row:
        """Begin with a row that a relation leads to: the owner's own children need not look for their owner."""
        reading = parent.reading
        physical = parent.physical
        assert source.table is not None
        if (
            source.owner
            and source.owner.source == physical.source.name
            and {(there, here) for here, there in join} == set(source.owner.join)
        ):
            return cls(reading, source, reading.alias(source.table), owner=physical)
        return cls.of(reading, source)

    def through(self, page: Page) -> Row:
        """Return this row and its owner as another query sees them through a page."""
        owner = None if self.owner is None else self.owner.through(page)
        return Row(self.reading, self.source, page.table, owner=owner, page=page, inside=self)

    def embedded(self, source: Source) -> Row:
        """Return the part of this row that another source describes."""
        return Row(self.reading, source, self.at, container=self)

    @property
    def physical(self) -> Row:
        """The row that has the table."""
        return self if self.container is None else self.container.physical

    @property
    def tables(self) -> FromClause:
        """The row's table with what was joined to it. A row about a person who does not count does not count."""
        found: FromClause = self.at  # what is read through a page was joined inside
        for other, condition in self.joined:
            found = found.join(other, condition)
        return found

    def column(self, name: str) -> Sql:
        """Return a raw column."""
        if self.container is not None:
            return self.container.column(name)
        if self.page is None or self.inside is None:
            return self.at.c[name]
        return self.page.draw(f"{self.inside.at.description}_{name}", self.inside.column(name))

    def value(self, expression: Expression) -> Sql:
        """Return the value of an expression about this row."""
        return self._values().value(expression)

    def _values(self) -> Values:
        return Values(self.reading.dialect, self.reading.today, self.column, self._owners_attribute)

    def _owners_attribute(self, name: str) -> Sql:
        if self.container is not None:
            return self.container.attribute(name, None)
        return null() if self.owner is None else self.owner.attribute(name, None)

    def attribute(self, name: str, kind: PlainType | None) -> Sql:
        """Return a row attribute as policies read it, NULL if the mapping does not give it."""
        expression = self.source.attributes.get(name)
        if expression is None or isinstance(expression, ValueSet):
            return cast(null(), {PlainType.BOOL: Boolean, PlainType.INT: BigInteger}.get(kind or PlainType.STR, Text))
        return self.value(expression)

    def set_attribute(self, name: str) -> tuple[FromClause, Sql, Sql] | None:
        """Return a set's table, the condition that ties it to the row, and the column of its values."""
        expression = self.source.attributes.get(name)
        if not isinstance(expression, ValueSet):
            return None
        other = self.reading.alias(expression.table)
        values = self.reading.dialect.text(other.c[expression.column])
        return other, and_(self.meets(expression.join, other), values.is_not(None)), values

    def meets(self, join: Join, other: FromClause) -> Sql:
        """Return the condition that ties this row to another by pairs of columns here and there."""
        return and_(*(self.column(here) == other.c[there] for here, there in join))

    def counts(self) -> Iterator[Sql]:
        """Yield the conditions under which the row exists for the federation, whoever asks."""
        for test in self.source.only:
            yield passes(test, self.column(test.column))
        if self.source.valid:
            yield from self._is_valid(self.source.valid)

    def is_present(self) -> Sql | None:
        """Return whether an embedded source has anything to say; None if always."""
        if not self.source.present:
            return None
        return or_(*(self.column(name).is_not(None) for name in self.source.present))

    def _is_valid(self, valid: Validity) -> Iterator[Sql]:
        today = self.reading.today.isoformat()
        for day, inside in ((valid.start, lambda value: value <= today), (valid.end, lambda value: value >= today)):
            yield or_(self.is_open(day), self.day_holds(day, inside))

    def is_open(self, day: Day) -> Sql:
        """Return whether a day is not said at all."""
        return and_(*(self.column(name).is_(None) for name in columns_in(day)))

    def day_holds(self, day: Day, inside: Any) -> Sql:
        """Return whether a day is one that `inside` accepts; a day that is not known whole is none."""
        value = self.value(day)
        return and_(func.length(value) == _DAY_LENGTH, inside(value))

    def whole_day(self, day: Day) -> Sql:
        """Return a day as ISO 8601, NULL where it is open or not known whole."""
        value = self.value(day)
        return case((func.length(value) == _DAY_LENGTH, value))

    # --- the person -------------------------------------------------------------------------------------------------

    @property
    def person(self) -> Row | None:
        """The row of the person whom this row is about."""
        if self.source.subject:
            return self
        return self.owner if self.container is None else self.container.person

    def subject(self) -> Sql | None:
        """Return the pseudonym of the person whom the row is about; None if it is about nobody."""
        person = self.person
        if person is None or person.source.subject is None:
            return None
        return self.reading.dialect.text(person.column(person.source.subject))

    def key(self) -> Sql:
        """Return the key field's value: the columns of the key, joined."""
        key = self.source.key
        assert key is not None
        parts = [self.reading.dialect.text(self.column(name)) for name in key.columns]
        found = parts[0]
        for part in parts[1:]:
            found = found.concat(key.separator).concat(part)
        return found

    def consents(self, purpose: str) -> Sql:
        """Return whether the person gave the asking member a consent for a purpose that is valid today (policy R8).

        It is unknown where the mapping does not say how to find the person's consents.
        """
        recorded = self.reading.mapping.consent
        person = self.person
        if recorded is None or person is None or person.source.name != recorded.of:
            return cast(null(), Boolean)
        record, conditions = self._consent_record(recorded, person, purpose)
        if person.source.subject:
            conditions.append(
                negated(record.is_withdrawn(person.column(person.source.subject), purpose, recorded.given))
            )
        today = self.reading.today.isoformat()
        conditions.append(record.day_holds(recorded.given, lambda value: value <= today))
        if recorded.withdrawn:
            withdrawn = record.day_holds(recorded.withdrawn, lambda value: value > today)
            conditions.append(or_(record.is_open(recorded.withdrawn), withdrawn))
        if recorded.expires:
            expires = record.day_holds(recorded.expires, lambda value: value >= today)
            conditions.append(or_(record.is_open(recorded.expires), expires))
        known = exists(literal(1)).where(*conditions).select_from(record.at).correlate_except(record.at)
        if not person.source.subject:
            return known
        given = self._is_said(
            person.column(person.source.subject),
            purpose,
            GIVEN,
            lambda day: negated(self._register_withdrew(recorded, person, purpose, day)),
        )
        return or_(known, given)

    def _consent_record(self, recorded: ConsentTable, person: Row, purpose: str) -> tuple[Row, list[Sql]]:
        """Return a record of the register, and that it is of this person's consent to the asking member."""
        record = Row(self.reading, _consent_source(recorded), self.reading.alias(recorded.table))
        conditions = [person.meets(recorded.join, record.at), record.value(recorded.purpose) == purpose]
        if recorded.consumer:
            consumer = record.column(recorded.consumer)
            conditions.append(or_(consumer.is_(None), consumer == bindparam(CONSUMER, None, type_=Text)))
        return record, conditions

    def _register_withdrew(self, recorded: ConsentTable, person: Row, purpose: str, given: Sql) -> Sql:
        """Return whether a consent that was given elsewhere was withdrawn in the register, that day or later."""
        if not recorded.withdrawn:
            return false()
        record, conditions = self._consent_record(recorded, person, purpose)
        today = self.reading.today.isoformat()
        ended = record.day_holds(recorded.withdrawn, lambda value: and_(value >= given, value <= today))
        return exists(literal(1)).where(*conditions, ended).select_from(record.at).correlate_except(record.at)

    def is_withdrawn(self, subject: Sql, purpose: str, given: Day) -> Sql:
        """Return whether this record's consent was withdrawn elsewhere, on the day that it was given or later."""
        return self._is_said(subject, purpose, WITHDRAWN, lambda day: self.day_holds(given, lambda value: value <= day))

    def _is_said(self, subject: Sql, purpose: str, what: str, meant: Callable[[Sql], Sql]) -> Sql:
        """Return whether a consent of the person was given or withdrawn elsewhere, on a day that is meant."""
        known = self.reading.dialect.given_keys(CONSENTS, len(_SAID), _SAID)
        whose, to, said, day = known.selected_columns
        conditions = (whose == self.reading.dialect.text(subject), to == purpose, said == what, meant(day))
        return exists(known.where(*conditions)).correlate_except(*known.get_final_froms())


def passes(test: RowTest, found: Sql) -> Sql:
    """Return whether a raw column meets a test of a mapping's `only`."""
    known = [found == value for value in test.values if value is not None]
    hit = or_(*known, *([found.is_(None)] if None in test.values else []))
    return hit.is_not(true()) if test.negated else hit


def _consent_source(consent: ConsentTable) -> Source:
    """Describe a consent record as a row, so that its expressions can be read."""
    return Source(
        name="consent",
        type_name="consent",
        table=consent.table,
        key=None,
        subject=None,
        owner=None,
        only=(),
        valid=None,
        present=(),
        lookups={},
        attributes={},
        fields={},
        relations={},
        line=0,
        lines={},
    )


def tables_of(mapping: Mapping) -> dict[str, TableClause]:
    """Return every table that a mapping reads, with the columns it reads."""
    found: dict[str, set[str]] = {}
    for source in mapping.sources.values():
        for name, word in _read_by(source, mapping):
            found.setdefault(name, set()).add(word)
    if mapping.consent:
        for name, word in _read_by_consent(mapping.consent, mapping):
            found.setdefault(name, set()).add(word)
    for name, word in _read_by_directory(mapping):
        found.setdefault(name, set()).add(word)
    schema = mapping.database.schema
    return {
        name: table(name, *(column(word) for word in sorted(words)), schema=schema) for name, words in found.items()
    }


def _read_by(source: Source, mapping: Mapping) -> Iterator[tuple[str, str]]:
    """Yield table and column of everything that a source reads; one without a table reads where it is embedded."""
    tables = list(_physical(source, mapping))
    own = [
        *source.present,
        *source.lookups.values(),
        *(test.column for test in source.only),
        *(source.key.columns if source.key else ()),
        *((source.subject,) if source.subject else ()),
        *(here for here, _ in (source.owner.join if source.owner else ())),
        *(here for relation in source.relations.values() for here, _ in relation.join),
        *(word for each in (*source.attributes.values(), *source.fields.values()) for word in columns_in(each)),
        *(word for day in ((source.valid.start, source.valid.end) if source.valid else ()) for word in columns_in(day)),
    ]
    yield from ((name, word) for name in tables for word in own)
    for each in source.attributes.values():
        if isinstance(each, ValueSet):
            yield each.table, each.column
            yield from ((each.table, there) for _, there in each.join)
    if source.owner:
        owner = mapping.sources[source.owner.source].table
        assert owner is not None
        yield from ((owner, there) for _, there in source.owner.join)
    for relation in source.relations.values():
        target = mapping.sources[relation.to].table
        if relation.through:
            yield from ((relation.through.table, there) for _, there in relation.join)
            yield from ((relation.through.table, here) for here, _ in relation.through.then)
            assert target is not None
            yield from ((target, there) for _, there in relation.through.then)
        elif target:
            yield from ((target, there) for _, there in relation.join)


def _physical(source: Source, mapping: Mapping) -> Iterator[str]:
    """Yield the tables whose rows a source describes: its own, or those of the sources it is part of."""
    if source.table:
        yield source.table
        return
    for other in mapping.sources.values():
        if any(relation.to == source.name for relation in other.relations.values()):
            yield from _physical(other, mapping)


def _read_by_consent(consent: ConsentTable, mapping: Mapping) -> Iterator[tuple[str, str]]:
    of = mapping.sources[consent.of].table
    assert of is not None
    yield from ((of, here) for here, _ in consent.join)
    yield from ((consent.table, there) for _, there in consent.join)
    days = [day for day in (consent.given, consent.withdrawn, consent.expires) if day]
    for expression in (consent.purpose, *days, *([Column(consent.consumer)] if consent.consumer else [])):
        yield from ((consent.table, word) for word in columns_in(expression))


def _read_by_directory(mapping: Mapping) -> Iterator[tuple[str, str]]:
    told = mapping.directory
    of = None if told is None else mapping.sources[told.of].table
    if told is not None and of is not None:
        yield from ((of, word) for day in (told.since, told.until) if day for word in columns_in(day))
