"""A file's row as a table's: each value of its column's type, or the reason why the row is left out.

A reason names column and rule. A value is never repeated: the file holds it, on the line that the report names.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from federation.contract.errors import BadInputError
from node.data.catalogue import ColumnFacts, Family, TableFacts
from node.importing.files import FileRow
from node.policy.errors import nearest

_WHOLE: Final = re.compile(r"[+-]?[0-9]{1,18}")
_TRUE: Final = frozenset({"true", "t", "1", "yes", "s", "si"})
_FALSE: Final = frozenset({"false", "f", "0", "no", "n"})


class UnfitError(ValueError):
    """A value does not fit its column."""


@dataclass(frozen=True, slots=True)
class Fitting:
    """The columns that rows fill, in order; `typed` says that the database wants Python's own types (PostgreSQL)."""

    columns: tuple[ColumnFacts, ...]
    typed: bool

    @classmethod
    def of(cls, table: TableFacts, names: Mapping[str, Any], *, typed: bool) -> Fitting:
        """Return how a file with these columns fills a table.

        Raises:
            BadInputError: the table lacks a column of the file, or the file a column that must have a value.
        """
        known = {column.name.lower(): column for column in table.columns.values()}
        for name in names:
            if name.lower() not in known:
                hint = nearest(name.lower(), known)
                raise BadInputError(f"the file has a column `{name}`, which `{table.name}` does not have{hint}")
        return cls(tuple(known[name.lower()] for name in names), typed)

    def fit(self, row: FileRow) -> tuple[Any, ...]:
        """Return the values of a row.

        Raises:
            UnfitError: one does not fit; or the line is no row at all.
        """
        if row.fault is not None:
            raise UnfitError(f"line {row.fault}")
        found = {name.lower(): value for name, value in row.values.items()}
        if found.keys() - {column.name.lower() for column in self.columns}:
            raise UnfitError("line has a column that the first row does not have")
        return tuple(self._value(column, found.get(column.name.lower())) for column in self.columns)

    def _value(self, column: ColumnFacts, given: Any) -> Any:
        empty = given is None or (given == "" and column.family is not Family.TEXT)
        if empty:
            if column.nullable:
                return None
            raise UnfitError(f"`{column.name}` must have a value")
        try:
            value = _converted(column.family, given)
        except (ValueError, InvalidOperation) as error:
            raise UnfitError(f"`{column.name}` is no {column.family}") from error
        longest = re.search(r"\((\d+)\)", column.type)
        if isinstance(value, str) and longest and len(value) > int(longest[1]):
            raise UnfitError(f"`{column.name}` is longer than {longest[1]} characters")
        return value if self.typed else _plain(value)


def _converted(family: Family, given: Any) -> Any:
    text = given.strip() if isinstance(given, str) else given
    match family:
        case Family.INTEGER:
            if isinstance(text, bool) or not _WHOLE.fullmatch(str(text)):
                raise ValueError(family)
            return int(text)
        case Family.NUMBER:
            number = Decimal(str(text))
            if not number.is_finite():
                raise ValueError(family)
            return number
        case Family.BOOLEAN:
            word = str(text).lower()
            if word not in _TRUE | _FALSE:
                raise ValueError(family)
            return word in _TRUE
        case Family.DATE:
            return text if isinstance(text, date) else date.fromisoformat(str(text))
        case Family.TIMESTAMP:
            return text if isinstance(text, datetime) else datetime.fromisoformat(str(text))
        case _ if isinstance(given, (dict, list)):
            return json.dumps(given, ensure_ascii=False)
        case _:
            return given if isinstance(given, str) else str(given)


def _plain(value: Any) -> Any:
    """SQLite knows texts and numbers only."""
    match value:
        case datetime() | date():
            return value.isoformat()
        case Decimal():
            return float(value)
        case bool():
            return int(value)
        case _:
            return value
