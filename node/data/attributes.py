"""The row attributes of one person, for records about them that stand outside the register."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from sqlalchemy import bindparam, literal, select
from sqlalchemy.sql.selectable import Select
from sqlalchemy.types import Text

from federation.contract.identifiers import PERSON
from node.data.database import Database
from node.data.expressions import Expression, OwnerAttribute, PlainType, Truth, Typed, ValueSet
from node.data.operation import Prepared
from node.data.rows import Reading, Row
from node.data.statements import Statement

_SUBJECT: Final = "subject"


async def attributes_of(
    prepared: Prepared, database: Database, subject: str, today: date
) -> Mapping[str, object] | None:
    """Return what policies may test about a person, None if the register does not know that pseudonym.

    Sets are left out, and therefore unknown.

    Raises:
        DatabaseUnavailableError: the database does not answer.
    """
    source = prepared.mapping.entity_source(PERSON)
    if source is None or source.subject is None:
        return None
    row = Row.of(Reading(prepared.mapping, prepared.dialect, today, prepared.tables), source)
    known = {name: each for name, each in source.attributes.items() if not isinstance(each, ValueSet)}
    values: list[Any] = [row.value(each).label(f"a{number}") for number, each in enumerate(known.values())]
    columns: list[Any] = [literal(1), *values]
    is_they = prepared.dialect.text(row.column(source.subject)) == bindparam(_SUBJECT, None, type_=Text)
    query: Select[Any] = select(*columns).select_from(row.tables).where(*row.counts(), is_they)
    found = await database.rows(Statement.of(query, prepared.dialect), {_SUBJECT: subject})
    if len(found) != 1:
        return None
    return {name: _plain(each, value) for (name, each), value in zip(known.items(), found[0][1:], strict=True)}


def of_type(prepared: Prepared, type_name: str, persons: Mapping[str, object]) -> Mapping[str, object]:
    """Return a person's attributes as the rows of a type have them.

    A type that the register holds has those that its rows take from their owner; any other has them all.
    """
    sources = prepared.mapping.sources_of(type_name)
    if not sources or type_name == PERSON:
        return persons
    return {
        name: persons.get(each.name)
        for source in sources
        for name, each in source.attributes.items()
        if isinstance(each, OwnerAttribute)
    }


def _plain(expression: Expression, value: Any) -> object:
    """SQLite has no Booleans: what is one is known from the mapping."""
    is_truth = isinstance(expression, Truth) or (isinstance(expression, Typed) and expression.type is PlainType.BOOL)
    return bool(value) if is_truth and value is not None else value
