"""How a value is made from columns: the closed set of expressions that a mapping may write."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias, assert_never


class DateFormat(StrEnum):
    """How a register writes a day; the value is always the ISO text, shorter where month or day are `00`."""

    YYYYMMDD = "yyyymmdd"
    DAY_FIRST = "dd/mm/yyyy"
    ISO = "iso"
    YEAR = "year"
    YYYYMM = "yyyymm"


class MomentFormat(StrEnum):
    """How a register writes an instant; the value is RFC 3339 text."""

    ISO = "iso"
    EPOCH = "epoch"
    DIGITS = "yyyymmddhhmmss"


class PlainType(StrEnum):
    """The types of row attributes, as policies name them."""

    STR = "str"
    INT = "int"
    BOOL = "bool"


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the source's table."""

    name: str


@dataclass(frozen=True, slots=True)
class Constant:
    """The same value in every row."""

    value: str | int | bool


@dataclass(frozen=True, slots=True)
class Concat:
    """Parts one after the other; null if one of them is null."""

    parts: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Joined:
    """Parts with a separator between; null and empty parts are skipped, null if no column has a value."""

    parts: tuple[Expression, ...]
    separator: str


@dataclass(frozen=True, slots=True)
class Coalesce:
    """The first part that is not null."""

    parts: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Trimmed:
    """Text without the blanks around it; text of blanks alone is null."""

    of: Expression


@dataclass(frozen=True, slots=True)
class JsonAt:
    """The scalar at a path of a JSON column, as text."""

    of: Expression
    path: tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Coded:
    """The word of a code; `otherwise` for codes that the list does not have."""

    of: Expression
    words: tuple[tuple[str, str], ...]
    otherwise: str | None


@dataclass(frozen=True, slots=True)
class Day:
    """A day as ISO text; text that is not of the format is null."""

    of: Expression
    format: DateFormat


@dataclass(frozen=True, slots=True)
class Moment:
    """An instant as RFC 3339 text; `offset` is what the register's clock shows."""

    of: Expression
    format: MomentFormat
    offset: str


@dataclass(frozen=True, slots=True)
class Truth:
    """A Boolean from texts; with `false` empty, every other text is false, else it is null."""

    of: Expression
    true: tuple[str, ...]
    false: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Typed:
    """A column read as an attribute of a type; a value of another type is null."""

    of: Expression
    type: PlainType


@dataclass(frozen=True, slots=True)
class Age:
    """Whole years between a day and the request's day; null if the day is partial or to come."""

    of: Expression


@dataclass(frozen=True, slots=True)
class OwnerAttribute:
    """An attribute of the row's owner, or of the row that an embedded source is part of."""

    name: str


@dataclass(frozen=True, slots=True)
class ValueSet:
    """The values of a column of another table, as a set; empty, never unknown, if there are none."""

    table: str
    join: tuple[tuple[str, str], ...]
    column: str


Expression: TypeAlias = (
    Column
    | Constant
    | Concat
    | Joined
    | Coalesce
    | Trimmed
    | JsonAt
    | Coded
    | Day
    | Moment
    | Truth
    | Typed
    | Age
    | OwnerAttribute
    | ValueSet
)


def columns_in(expression: Expression) -> Iterator[str]:
    """Yield every column of the source's own table that an expression reads."""
    match expression:
        case Column(name):
            yield name
        case Constant() | OwnerAttribute():
            return
        case ValueSet(_, join, _):
            yield from (here for here, _ in join)
        case Concat(parts) | Joined(parts, _) | Coalesce(parts):
            for part in parts:
                yield from columns_in(part)
        case (
            Trimmed(of)
            | JsonAt(of, _)
            | Coded(of, _, _)
            | Day(of, _)
            | Moment(of, _, _)
            | Truth(of, _, _)
            | Typed(of, _)
            | Age(of)
        ):
            yield from columns_in(of)
        case _:
            assert_never(expression)
