"""On whom the member holds a file: the persons of the register whom the directory is told of, page by page."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from sqlalchemy import bindparam, case, func, literal, select
from sqlalchemy.types import Text

from federation.contract.errors import BadInputError
from federation.contract.identifiers import Pseudonym
from node.data.database import Database
from node.data.expressions import Day
from node.data.mapping import HeldFiles
from node.data.operation import Prepared
from node.data.rows import Reading, Row
from node.data.statements import Statement

_PAGE: Final = 5_000
_AFTER: Final = "after"
_log = logging.getLogger("crocevia.node.directory")
_FIRST, _LAST = date.min.isoformat(), date.max.isoformat()


@dataclass(frozen=True, slots=True)
class Held:
    """A file: the person's pseudonym at this member, and its first and last day."""

    citizen: str
    since: date
    until: date | None


async def held_files(
    prepared: Prepared, told: HeldFiles, database: Database, today: date
) -> AsyncIterator[Sequence[Held]]:
    """Yield the files of all persons who exist for the federation, each person once, in pages.

    Rows whose pseudonym is not this member's are left out: one of them would keep the whole message back.

    Raises:
        DatabaseUnavailableError: the database does not answer.
    """
    statement = Statement.of(_query(prepared, told, today), prepared.dialect)
    after, left_out = "", 0
    while rows := await database.rows(statement, {_AFTER: after}):
        after = rows[-1][0]
        page = [_held(*row) for row in rows if is_pseudonym_of(row[0], prepared.mapping.member)]
        left_out += len(rows) - len(page)
        yield page
    if left_out:
        _log.warning("directory: %d persons left out, whose pseudonym in the register is not this member's", left_out)


def is_pseudonym_of(text: str, member: str) -> bool:
    """Return whether a register's value is a pseudonym, and one of this member's citizens."""
    try:
        return Pseudonym.parse(text).member == member
    except BadInputError:
        return False


def _query(prepared: Prepared, told: HeldFiles, today: date) -> Any:
    """One row for each person: several rows of one, of several periods, are one file from first to last."""
    source = prepared.mapping.sources[told.of]
    assert source.subject is not None  # the mapping insists
    row = Row.of(Reading(prepared.mapping, prepared.dialect, today, prepared.tables), source)
    citizen = row.column(source.subject)
    since, until = _bound(row, told.since, _FIRST), _bound(row, told.until, _LAST)
    last = func.max(until)
    return (
        select(prepared.dialect.text(citizen), func.min(since), case((last != _LAST, last)))
        .select_from(row.tables)
        .where(*row.counts(), citizen > bindparam(_AFTER, None, type_=Text))
        .group_by(citizen)
        .order_by(citizen)
        .limit(_PAGE)
    )


def _bound(row: Row, day: Day | None, otherwise: str) -> Any:
    return literal(otherwise) if day is None else func.coalesce(row.whole_day(day), otherwise)


def _held(citizen: str, since: str, until: str | None) -> Held:
    first, last = _day(since), None if until is None else _day(until)
    # One that ends before it begins is the register's mistake: it counts as of a day, and keeps no other back.
    return Held(citizen, first or date.min, last if last is None or first is None else max(first, last))


def _day(text: str) -> date | None:
    """Return a day, None for what is none: such a file was always there, or is open."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
