"""The back-end that passes documents on: the database makes an object's JSON and the node hands over its bytes.

INVARIANT: every value in such a document is a value of its scalar, or null, by the statement itself (policy R19). What
SQL cannot promise, and what Python must do for another reason, is for `node.data.arrays`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, assert_never

from graphql import GraphQLEnumType
from sqlalchemy import case, func, literal_column, null
from sqlalchemy.sql.selectable import Subquery
from typing_extensions import override

from node.data.dialects import Dialect, Sql, name_text
from node.data.masks import Kind
from node.data.parts import Custom, Fixed, Keyed, Made, Nested, Part, Value, Writer
from node.policy.forms import FormName

_LARGEST: Final = 2**31 - 1
"""GraphQL's Int has 32 bits (section 3.5.1)."""
_DAY_LENGTH: Final = 10
_OF_THE_CALENDAR: Final = frozenset({FormName.CLEAR, FormName.YEAR, FormName.MONTH})
"""Forms under which a day stays a day, month or year."""
_NUMBERS: Final = frozenset({FormName.ROUND, FormName.TOP_CODE})
"""Forms that make a number of a text."""


@dataclass(frozen=True, slots=True)
class DocumentWriter(Writer):
    """Writes an object as the JSON of the answer."""

    dialect: Dialect
    keys: tuple[str, ...]
    values: tuple[Sql, ...]
    members: tuple[Sql, ...]

    @override
    def columns(self) -> Sequence[Sql]:
        return self.members

    @override
    def of(self, rows: Subquery) -> Sql:
        return self.dialect.object_of(rows)

    @override
    def inline(self) -> Sql:
        return self.dialect.object(self.keys, self.values)


def document_writer(made: Made, dialect: Dialect) -> DocumentWriter | None:
    """Write an object as a document; None if one of its values needs Python, or a key is too long for the database."""
    keys = tuple(part.key for part in made.parts)
    values = [_value(part, dialect) for part in made.parts]
    written = tuple(value for value in values if value is not None)
    if not keys or len(written) < len(values):
        return None
    members = dialect.members(keys, written)
    return None if members is None else DocumentWriter(dialect, keys, written, tuple(members))


def _value(part: Part, dialect: Dialect) -> Sql | None:
    match part:
        case Fixed(_, value):
            return null() if value is None else literal_column(f"'{name_text(value)}'")
        case Value():
            return _sure(part, dialect)
        case Keyed() | Custom():
            return None
        case Nested(_, below, around, _):
            # A person below must be counted among those whose data left: its pseudonym is a value for Python.
            inner = None if below.subject is not None else document_writer(below, dialect)
            return None if inner is None else around(inner)
        case _:
            assert_never(part)


def _sure(part: Value, dialect: Dialect) -> Sql | None:
    """Return a value that is of its scalar whatever the register holds; None if only Python can tell."""
    if isinstance(part.scalar, GraphQLEnumType):
        # By code point: a column's collation may take other spellings for the same value.
        return case((dialect.by_code_point(part.sql).in_(list(part.scalar.values)), part.sql))
    match part.scalar.name:
        case "String" | "ID" if not any(form.name in _NUMBERS for form in part.forms):
            return dialect.text(part.sql)
        case "Boolean":
            return part.sql
        case "Int":
            return case((part.sql.between(-_LARGEST - 1, _LARGEST), part.sql))
        case "PartialDate" if _is_of_the_calendar(part):
            return part.sql
        case "Date" if _is_of_the_calendar(part):
            return case((func.length(part.sql) == _DAY_LENGTH, part.sql))
        case _:
            return None


def _is_of_the_calendar(part: Value) -> bool:
    return part.kind is Kind.DAY and all(form.name in _OF_THE_CALENDAR for form in part.forms)
