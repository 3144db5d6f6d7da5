"""What some rows of each table look like: the shape of a column's values, and short lists of codes.

Values stay in the database. Of each only the beginning is read, and of columns that no text can be made of, nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Text, cast, column, func, literal_column, select, table
from sqlalchemy.sql.expression import quoted_name

from federation.contract.errors import DatabaseUnavailableError
from node.data.catalogue import Catalogue, ColumnFacts, Family, TableFacts
from node.data.database import Database
from node.data.dialects import POSTGRESQL, Sql
from node.data.statements import SMALLEST, Statement

_SAMPLE: Final = 500
_LONGEST: Final = 200
"""Characters of a value that are read: no document is carried over to see that it has none of the shapes."""
_MOST_CODES: Final = 12
_LONGEST_CODE: Final = 8
_LONGEST_LIST: Final = 30
_MOST: Final = 0.9  # of the values
_UNREAD: Final = frozenset({Family.JSON, Family.OTHER})

SHAPES: Final[Mapping[str, re.Pattern[str]]] = {
    "tax code": re.compile(r"[A-Z]{6}[0-9LMNPQRSTUV]{2}[A-EHLMPRST][0-9LMNPQRSTUV]{2}[A-Z][0-9LMNPQRSTUV]{3}[A-Z]"),
    "pseudonym": re.compile(r"v1\.[a-z0-9-]+\.[a-z0-9_]+\.[A-Za-z0-9_-]+"),
    "email": re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+"),
    "yyyymmdd": re.compile(r"(18|19|20)[0-9]{2}(0[0-9]|1[0-2])([0-2][0-9]|3[01])"),
    "yyyymm": re.compile(r"(18|19|20)[0-9]{2}(0[0-9]|1[0-2])"),
    "iso": re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}"),
    "dd/mm/yyyy": re.compile(r"[0-9]{2}/[0-9]{2}/[0-9]{4}"),
    "iso moment": re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9]{2}:[0-9]{2}:[0-9]{2}.*"),
    "yyyymmddhhmmss": re.compile(r"(19|20)[0-9]{12}"),
}


@dataclass(frozen=True, slots=True)
class Sampled:
    """What some values of a column look like: the shape most of them have, and the codes if they are few and short."""

    shape: str | None = None
    codes: tuple[str, ...] = ()

    @classmethod
    def of(cls, values: Sequence[Any]) -> Sampled:
        """Look at values."""
        texts = [str(value).strip() for value in values if value is not None and str(value).strip()]
        shape = next((n for n, p in SHAPES.items() if texts and _share(texts, p) >= _MOST), None)
        distinct = sorted(set(texts))
        short = all(len(text) <= _LONGEST_CODE for text in distinct)
        few = short and len(distinct) <= _MOST_CODES and len(texts) > len(distinct)
        return cls(shape, tuple(distinct) if few and shape is None else ())


_NOTHING: Final = Sampled()


def _share(texts: Sequence[str], pattern: re.Pattern[str]) -> float:
    return sum(pattern.fullmatch(text) is not None for text in texts) / len(texts)


@dataclass(frozen=True, slots=True)
class Samples:
    """What was seen of each table.

    `lists` are the tables that are nothing but a short list of codes, with what each code is called; `unread` are those
    whose rows could not be read, such as a view that divides by nothing or takes too long.
    """

    columns: Mapping[tuple[str, str], Sampled]
    lists: Mapping[str, Mapping[str, str]]
    unread: tuple[str, ...]

    def of(self, facts: TableFacts, found: ColumnFacts) -> Sampled:
        """Return what the values of a column look like."""
        return self.columns.get((facts.name, found.name), _NOTHING)


async def read_samples(database: Database, catalogue: Catalogue, schema: str | None) -> Samples:
    """Look at the first rows of every table that is not a part of another.

    Raises:
        DatabaseUnavailableError: the database does not answer at all.
    """
    columns: dict[tuple[str, str], Sampled] = {}
    lists: dict[str, Mapping[str, str]] = {}
    unread: list[str] = []
    for facts in catalogue.wholes():
        read = [found for found in facts.columns.values() if found.family not in _UNREAD]
        try:
            rows = await _first_rows(database, facts, read, schema) if read else []
        except DatabaseUnavailableError:
            await database.rows(SMALLEST, {})  # or the database itself is gone
            unread.append(facts.name)
            continue
        columns |= {(facts.name, found.name): Sampled.of([row[at] for row in rows]) for at, found in enumerate(read)}
        lists |= {facts.name: words} if (words := _code_list(facts, read, rows)) else {}
    return Samples(columns, lists, tuple(unread))


async def _first_rows(
    database: Database, facts: TableFacts, read: Sequence[ColumnFacts], schema: str | None
) -> Sequence[Sequence[Any]]:
    here = table(quoted_name(facts.name, quote=True), schema=quoted_name(schema, quote=True) if schema else None)
    values = [_beginning(found, as_text=database.dialect is POSTGRESQL) for found in read]
    rows: Any = select(*values).select_from(here)
    return await database.rows(Statement.of(rows.limit(literal_column(str(_SAMPLE))), database.dialect), {})


def _beginning(found: ColumnFacts, *, as_text: bool) -> Sql:
    value: Sql = column(quoted_name(found.name, quote=True))
    if found.family is Family.ENUMERATION:
        return cast(value, Text)
    if found.family is Family.TEXT:
        return func.substr(cast(value, Text) if as_text else value, literal_column("1"), literal_column(str(_LONGEST)))
    return value


def _code_list(facts: TableFacts, read: Sequence[ColumnFacts], rows: Sequence[Sequence[Any]]) -> Mapping[str, str]:
    """Return what codes are called, if a table is nothing but a short list of them: its key, and one text."""
    names = [each.name for each in read]
    called = [each.name for each in read if each.family is Family.TEXT and each.name not in facts.primary_key]
    if len(facts.columns) > 3 or len(facts.primary_key) != 1 or len(called) != 1 or not 0 < len(rows) <= _LONGEST_LIST:  # noqa: PLR2004  # key, text, order
        return {}
    if facts.primary_key[0] not in names:
        return {}
    code, word = names.index(facts.primary_key[0]), names.index(called[0])
    found = {str(row[code]).strip(): str(row[word]).strip() for row in rows if row[code] is not None}
    return found if all(len(each) <= _LONGEST_CODE for each in found) else {}
