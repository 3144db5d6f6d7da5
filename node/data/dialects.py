"""What SQLite and PostgreSQL say differently; everything else of the data plane is written once.

A dialect makes SQL expressions. Where a register holds something unexpected, an expression gives NULL, never an error:
an error could carry a value (policy R28).
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, Final, TypeAlias

from sqlalchemy import (
    BigInteger,
    Boolean,
    Integer,
    Numeric,
    Text,
    and_,
    bindparam,
    case,
    cast,
    column,
    false,
    func,
    literal,
    literal_column,
    not_,
    null,
    or_,
    select,
    true,
    type_coerce,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine.interfaces import Dialect as EngineDialect
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.selectable import Select
from typing_extensions import override

from node.data.expressions import PlainType

Sql: TypeAlias = ColumnElement[Any]

_MAX_INTEGER_DIGITS: Final = 18
_LONGEST_NUMBER: Final = 41
_MAX_NUMBER: Final = r"^-?[0-9]{1,40}(\.[0-9]{1,40})?$"


def at_most(count: int) -> Sql:
    """Return a limit as part of the text: with a parameter there, PostgreSQL would plan the statement at every run."""
    return literal_column(str(int(count)), Integer)


class Dialect(ABC):
    """The expressions that depend on the database system."""

    engine: EngineDialect

    @abstractmethod
    def array(self, *values: Sql) -> Sql:
        """Return a JSON array of values."""

    @abstractmethod
    def nested(self, made: Sql) -> Sql:
        """Return JSON that another query made, ready to stand in an array; NULL stays NULL."""

    @abstractmethod
    def gathered(self, made: Sql) -> Sql:
        """Return the JSON of all rows as one JSON array, in the order of the rows; empty without rows."""

    @abstractmethod
    def shaped(self, value: Sql, shape: str) -> Sql:
        """Return whether a text has a shape, in which `#` is a digit and all else stands for itself."""

    @abstractmethod
    def is_iso_day(self, value: Sql) -> Sql:
        """Return whether a text is a day as ISO writes it, with a month up to 12 and a day up to 31."""

    @abstractmethod
    def typed(self, value: Sql, kind: PlainType) -> Sql:
        """Return a column's value if it is of the type, else NULL."""

    @abstractmethod
    def number(self, value: Sql) -> Sql:
        """Return a value if it is a number or the text of one, else NULL."""

    @abstractmethod
    def numeric(self, value: Sql) -> Sql:
        """Return what `number` returned as a number that can be compared."""

    @abstractmethod
    def floored(self, value: Sql) -> Sql:
        """Return the greatest whole number not above a number."""

    @abstractmethod
    def position(self, value: Sql, part: str) -> Sql:
        """Return where a part begins in a text, from 1; 0 if it is not there."""

    @abstractmethod
    def json_at(self, value: Sql, path: Sequence[str | int]) -> Sql:
        """Return the scalar at a path of JSON, as text; NULL for objects, arrays and what is no JSON."""

    @abstractmethod
    def from_epoch(self, value: Sql) -> Sql:
        """Return seconds since 1970 as RFC 3339 text in UTC."""

    @abstractmethod
    def by_code_point(self, value: Sql) -> Sql:
        """Return a text that compares by code point."""

    @abstractmethod
    def given_keys(self, name: str, width: int, kinds: Sequence[PlainType]) -> Select[*tuple[Any, ...]]:
        """Return the keys of a run as rows of `width` columns, from one parameter: the JSON text `[[key, …], …]`."""

    @abstractmethod
    def integer(self, value: Sql) -> Sql:
        """Return a whole number, also from its text; else NULL."""

    def text(self, value: Sql) -> Sql:
        """Return a value as text."""
        return value if isinstance(value.type, Text) else cast(value, Text)


class SQLiteDialect(Dialect):
    """SQLite 3.38 or newer, with its JSON functions."""

    engine = sqlite.dialect(paramstyle="named")

    @override
    def array(self, *values: Sql) -> Sql:
        return func.json_array(*values, type_=Text)

    @override
    def nested(self, made: Sql) -> Sql:
        return func.json(made, type_=Text)

    @override
    def gathered(self, made: Sql) -> Sql:
        # The rows are JSON already: put together as text they are not read again, which halves the statement's time.
        return literal("[").concat(func.coalesce(func.group_concat(made, ","), "", type_=Text)).concat("]")

    @override
    def shaped(self, value: Sql, shape: str) -> Sql:
        return self._like(value, shape.replace("#", "[0-9]"))

    @override
    def is_iso_day(self, value: Sql) -> Sql:
        month, day = func.substr(value, 6, 2, type_=Text), func.substr(value, 9, 2, type_=Text)
        return and_(self.shaped(value, "####-##-##"), month.between("01", "12"), day.between("01", "31"))

    @override
    def typed(self, value: Sql, kind: PlainType) -> Sql:
        stored = func.typeof(value)
        match kind:
            case PlainType.STR:
                return type_coerce(case((stored == "text", value)), Text)
            case PlainType.INT:
                return type_coerce(case((stored == "integer", value)), BigInteger)
            case PlainType.BOOL:
                return type_coerce(case((and_(stored == "integer", value.in_([0, 1])), value)), Boolean)

    @override
    def integer(self, value: Sql) -> Sql:
        text = cast(value, Text)
        begins = or_(self._like(text, "[0-9]*"), self._like(text, "-[0-9]*"))
        wrong = ("*[^0-9-]*", "?*-*")
        digits = and_(begins, *(self._unlike(text, each) for each in wrong), func.length(text) <= _MAX_INTEGER_DIGITS)
        return case((func.typeof(value) == "integer", value), (digits, cast(value, BigInteger)))

    @override
    def number(self, value: Sql) -> Sql:
        # SQLite's parser has a short stack: one flat list of patterns instead of cases within cases.
        begins = or_(self._like(value, "[0-9]*"), self._like(value, "-[0-9]*"))
        wrong = ("*[^0-9.-]*", "?*-*", "*.*.*", "*.")
        is_number = and_(begins, *(self._unlike(value, each) for each in wrong), func.length(value) <= _LONGEST_NUMBER)
        stored = func.typeof(value)
        # Beyond every double a REAL is infinite; such a number is an accident.
        finite = and_(stored == "real", value.between(-1e300, 1e300))
        return case((or_(stored == "integer", finite, and_(stored == "text", is_number)), value))

    @staticmethod
    def _like(value: Sql, pattern: str) -> Sql:
        return value.op("GLOB", is_comparison=True, return_type=Boolean())(pattern)

    @staticmethod
    def _unlike(value: Sql, pattern: str) -> Sql:
        return value.op("NOT GLOB", is_comparison=True, return_type=Boolean())(pattern)

    @override
    def numeric(self, value: Sql) -> Sql:
        return type_coerce(value.op("+")(literal(0)), Numeric)

    @override
    def floored(self, value: Sql) -> Sql:
        cut = cast(value, BigInteger)
        return cut - type_coerce(cut > value, Integer)

    @override
    def position(self, value: Sql, part: str) -> Sql:
        return func.instr(value, part, type_=Integer)

    @override
    def json_at(self, value: Sql, path: Sequence[str | int]) -> Sql:
        written = "$" + "".join(f"[{step}]" if isinstance(step, int) else f'."{step}"' for step in path)
        good = case((func.json_valid(value) == 1, value))
        kind = func.json_type(good, written)
        found = cast(func.json_extract(good, written), Text)
        return case((kind.in_(["true", "false"]), kind), (kind.in_(["text", "integer", "real"]), found))

    @override
    def from_epoch(self, value: Sql) -> Sql:
        moment = func.strftime("%Y-%m-%dT%H:%M:%SZ", value, "unixepoch", type_=Text)
        return case((func.typeof(value) == "integer", moment))

    @override
    def by_code_point(self, value: Sql) -> Sql:
        return value.collate("BINARY")

    @override
    def given_keys(self, name: str, width: int, kinds: Sequence[PlainType]) -> Select[*tuple[Any, ...]]:
        keys = func.json_each(bindparam(name, None, type_=Text)).table_valued("value").alias("given")
        return select(*(func.json_extract(keys.c.value, f"$[{index}]") for index in range(width)))


class PostgreSQLDialect(Dialect):
    """PostgreSQL 14 or newer."""

    engine = postgresql.asyncpg.dialect()  # type: ignore[no-untyped-call]  # SQLAlchemy's own signature

    @override
    def array(self, *values: Sql) -> Sql:
        return func.json_build_array(*values)

    @override
    def nested(self, made: Sql) -> Sql:
        return made

    @override
    def gathered(self, made: Sql) -> Sql:
        return func.coalesce(func.json_agg(made), func.json_build_array())

    @override
    def shaped(self, value: Sql, shape: str) -> Sql:
        return value.op("~", is_comparison=True, return_type=Boolean())(
            "^" + "[0-9]".join(re.escape(part) for part in shape.split("#")) + "$"
        )

    @override
    def is_iso_day(self, value: Sql) -> Sql:
        return self._matches(value, r"^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$")

    @override
    def typed(self, value: Sql, kind: PlainType) -> Sql:
        as_text = cast(value, Text)
        match kind:
            case PlainType.STR:
                return as_text
            case PlainType.INT:
                return case((self._matches(as_text, r"^-?[0-9]{1,18}$"), cast(as_text, BigInteger)))
            case PlainType.BOOL:
                return case((as_text == "true", true()), (as_text == "false", false()), else_=null())

    @override
    def integer(self, value: Sql) -> Sql:
        return self.typed(value, PlainType.INT)

    @override
    def number(self, value: Sql) -> Sql:
        as_text = cast(value, Text)
        return case((self._matches(as_text, _MAX_NUMBER), as_text))

    @override
    def numeric(self, value: Sql) -> Sql:
        return cast(value, Numeric)

    @staticmethod
    def _matches(value: Sql, pattern: str) -> Sql:
        return value.op("~", is_comparison=True, return_type=Boolean())(pattern)

    @override
    def floored(self, value: Sql) -> Sql:
        return cast(func.floor(value), BigInteger)

    @override
    def position(self, value: Sql, part: str) -> Sql:
        return func.strpos(value, part, type_=Integer)

    @override
    def json_at(self, value: Sql, path: Sequence[str | int]) -> Sql:
        steps = cast(postgresql.array([str(step) for step in path]), postgresql.ARRAY(Text))
        found = cast(value, postgresql.JSONB)
        kind = func.jsonb_typeof(func.jsonb_extract_path(found, *(str(step) for step in path)))
        return case((not_(kind.in_(["object", "array", "null"])), found.op("#>>", return_type=Text())(steps)))

    @override
    def from_epoch(self, value: Sql) -> Sql:
        moment = func.timezone("UTC", func.to_timestamp(self.typed(value, PlainType.INT)))
        return func.to_char(moment, 'YYYY-MM-DD"T"HH24:MI:SS"Z"', type_=Text)

    @override
    def by_code_point(self, value: Sql) -> Sql:
        return value.collate("C")

    @override
    def given_keys(self, name: str, width: int, kinds: Sequence[PlainType]) -> Select[*tuple[Any, ...]]:
        rows = func.jsonb_array_elements(cast(bindparam(name, None, type_=Text), postgresql.JSONB)).table_valued(
            "value"
        )
        keys = rows.alias("given")
        found = column("value", postgresql.JSONB, _selectable=keys)
        values = [func.jsonb_extract_path_text(found, str(index), type_=Text) for index in range(width)]
        return select(
            *(
                cast(value, BigInteger) if kind is PlainType.INT else value
                for value, kind in zip(values, kinds, strict=True)
            )
        ).select_from(keys)


SQLITE: Final = SQLiteDialect()
POSTGRESQL: Final = PostgreSQLDialect()
