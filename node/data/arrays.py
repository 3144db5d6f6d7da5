"""The back-end that fetches values: a row arrives as a JSON array, and Python writes the object.

It is used wherever Python must touch a value: a mask that needs the node's key, a scalar whose values the node looks
at, or a person below whose data is in the object.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, assert_never

from graphql import GraphQLEnumType, GraphQLScalarType
from sqlalchemy import Boolean, literal_column
from sqlalchemy.sql.selectable import Subquery
from typing_extensions import override

from node.data.dialects import Dialect, Sql
from node.data.parts import Custom, Fixed, Keyed, Made, Nested, Value, Writer
from node.data.shapes import Constant, Convert, CustomLeaf, KeyedLeaf, Leaf, Many, ObjectShape, One, Part, converter


@dataclass(frozen=True, slots=True)
class ArrayWriter(Writer):
    """Writes an object's values as an array; `shape` says what stands where."""

    dialect: Dialect
    values: tuple[Sql, ...]
    shape: ObjectShape

    @override
    def columns(self) -> Sequence[Sql]:
        # An object of which nothing is fetched still is a row.
        named = [value.label(f"v{number}") for number, value in enumerate(self.values)]
        return named or [literal_column("0").label("v")]

    @override
    def of(self, rows: Subquery) -> Sql:
        return self.dialect.array(*list(rows.c)[: len(self.values)])

    @override
    def inline(self) -> Sql:
        return self.dialect.array(*self.values)


def array_writer(made: Made, dialect: Dialect) -> ArrayWriter:
    """Lay an object out as an array."""
    values: list[Sql] = [] if made.subject is None else [made.subject]
    parts: list[Part] = []
    for part in made.parts:
        at = len(values)
        match part:
            case Fixed(key, value):
                parts.append(Constant(key, value))
            case Value(key, sql, scalar, _, _):
                values.append(sql)
                parts.append(Leaf(key, at, _convert(scalar)))
            case Keyed(key, sql, which, forms, type_name, field, scalar):
                values += [sql, which]
                parts.append(KeyedLeaf(key, at, at + 1, forms, type_name, field, _convert(scalar)))
            case Custom(cell, which, needs):
                values += [which, *(sql for _, sql in needs)]
                places = tuple((name, at + 1 + index, _as_python(sql)) for index, (name, sql) in enumerate(needs))
                parts.append(CustomLeaf(cell, at, places))
            case Nested(key, below, around, is_list):
                inner = array_writer(below, dialect)
                values.append(around(inner))
                parts.append((Many if is_list else One)(key, at, inner.shape))
            case _:
                assert_never(part)
    return ArrayWriter(dialect, tuple(values), ObjectShape(tuple(parts), None if made.subject is None else 0))


def _as_python(sql: Sql) -> Convert:
    """SQLite has no Booleans."""
    return bool if isinstance(sql.type, Boolean) else _as_it_is


def _as_it_is(value: Any) -> Any:
    return value


def _convert(scalar: GraphQLScalarType | GraphQLEnumType) -> Convert:
    return bool if scalar.name == "Boolean" else converter(scalar)
