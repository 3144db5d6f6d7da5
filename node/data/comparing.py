"""Masked values as they are compared: in filters, orders and groups, and with those of other persons."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, Numeric, Text, cast, false, func, literal, or_

from node.data.dialects import Dialect, Sql
from node.data.masks import Kind


@dataclass(frozen=True, slots=True)
class Comparable:
    """A masked value that can be compared, ordered and grouped by."""

    sql: Sql
    kind: Kind
    dialect: Dialect

    @property
    def ordered(self) -> Sql:
        """The value as it orders: texts by code point, numbers as numbers."""
        match self.kind:
            case Kind.TEXT | Kind.DAY:
                return self.dialect.by_code_point(self.dialect.text(self.sql))
            case Kind.NUMBER:
                return self.dialect.numeric(self.sql)
            case _:
                return self.sql

    @property
    def bound_type(self) -> type[Text | BigInteger | Numeric[Any]]:
        """The type of a parameter that is compared with it."""
        match self.kind:
            case Kind.TEXT | Kind.DAY:
                return Text
            case Kind.NUMBER:
                return Numeric
            case _:
                return BigInteger

    def test(self, operator: str, wanted: Any) -> Sql:
        """Return one comparison of the client's."""
        value = self.ordered
        match operator:
            case "eq":
                return value == self._bound(wanted)
            case "in":
                return or_(false(), *(value == self._bound(each) for each in wanted))
            case "gt":
                return value > self._bound(wanted)
            case "gte":
                return value >= self._bound(wanted)
            case "lt":
                return value < self._bound(wanted)
            case "lte":
                return value <= self._bound(wanted)
            case _:
                return func.substr(value, 1, len(wanted), type_=Text) == literal(wanted)

    def _bound(self, value: Any) -> Sql:
        return cast(literal(str(value)), Numeric) if self.kind is Kind.NUMBER else literal(value)
