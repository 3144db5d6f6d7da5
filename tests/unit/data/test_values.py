"""What the mapping's expressions give, written as a register writes and read as the vocabulary says."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from sqlalchemy import column, null, select, table

from node.data.dialects import SQLITE
from node.data.expressions import (
    Age,
    Coalesce,
    Coded,
    Column,
    Concat,
    Constant,
    DateFormat,
    Day,
    Expression,
    Joined,
    JsonAt,
    Moment,
    MomentFormat,
    PlainType,
    Trimmed,
    Truth,
    Typed,
)
from node.data.statements import Statement
from node.data.values import Values
from tests.support.data import MemoryDatabase

TODAY = date(2026, 11, 22)
A, B = Column("a"), Column("b")
CODES = (("1", "male"), ("2", "female"))

CASES: dict[str, tuple[Expression, Any, Any]] = {
    "plain": (A, "x", "x"),
    "constant": (Constant("IT"), None, "IT"),
    "trimmed": (Trimmed(A), "  Anna ", "Anna"),
    "blank trimmed": (Trimmed(A), "   ", None),
    "code": (Coded(A, CODES, None), "2", "female"),
    "code as a number": (Coded(A, CODES, None), 2, "female"),
    "code not listed": (Coded(A, CODES, None), "3", None),
    "code not listed, otherwise": (Coded(A, CODES, "unknown"), "3", "unknown"),
    "no code": (Coded(A, CODES, "unknown"), None, None),
    "digits": (Day(A, DateFormat.YYYYMMDD), "19800512", "1980-05-12"),
    "digits as a number": (Day(A, DateFormat.YYYYMMDD), 19800512, "1980-05-12"),
    "month unknown": (Day(A, DateFormat.YYYYMMDD), "19800000", "1980"),
    "day unknown": (Day(A, DateFormat.YYYYMMDD), "19800500", "1980-05"),
    "day without month": (Day(A, DateFormat.YYYYMMDD), "19800012", None),
    "month 13": (Day(A, DateFormat.YYYYMMDD), "19801301", None),
    "too long": (Day(A, DateFormat.YYYYMMDD), "198005120", None),
    "day first": (Day(A, DateFormat.DAY_FIRST), "12/05/1980", "1980-05-12"),
    "day first, other": (Day(A, DateFormat.DAY_FIRST), "1980-05-12", None),
    "iso": (Day(A, DateFormat.ISO), "1980-05-12", "1980-05-12"),
    "iso month": (Day(A, DateFormat.ISO), "1980-05", "1980-05"),
    "iso year": (Day(A, DateFormat.ISO), "1980", "1980"),
    "year": (Day(A, DateFormat.YEAR), 1980, "1980"),
    "year and month": (Day(A, DateFormat.YYYYMM), "198005", "1980-05"),
    "year and no month": (Day(A, DateFormat.YYYYMM), "198000", "1980"),
    "moment": (Moment(A, MomentFormat.ISO, "+01:00"), "2026-01-31 10:15:00", "2026-01-31T10:15:00+01:00"),
    "moment with T": (Moment(A, MomentFormat.ISO, "Z"), "2026-01-31T10:15:00", "2026-01-31T10:15:00Z"),
    "moment of digits": (Moment(A, MomentFormat.DIGITS, "Z"), "20260131101500", "2026-01-31T10:15:00Z"),
    "moment of seconds": (Moment(A, MomentFormat.EPOCH, "Z"), 0, "1970-01-01T00:00:00Z"),
    "no moment": (Moment(A, MomentFormat.ISO, "Z"), "yesterday", None),
    "true": (Truth(A, ("S",), ("N",)), "S", 1),
    "false": (Truth(A, ("S",), ("N",)), "N", 0),
    "neither": (Truth(A, ("S",), ("N",)), "?", None),
    "anything else is false": (Truth(A, ("S",), ()), "?", 0),
    "nothing is not false": (Truth(A, ("S",), ()), None, None),
    "text attribute": (Typed(A, PlainType.STR), "x", "x"),
    "number is no text": (Typed(A, PlainType.STR), 1, None),
    "number attribute": (Typed(A, PlainType.INT), 7, 7),
    "text is no number": (Typed(A, PlainType.INT), "7", None),
    "truth attribute": (Typed(A, PlainType.BOOL), 1, 1),
    "two is no truth": (Typed(A, PlainType.BOOL), 2, None),
    "age before the birthday": (Age(Day(A, DateFormat.ISO)), "1980-11-23", 45),
    "age on the birthday": (Age(Day(A, DateFormat.ISO)), "1980-11-22", 46),
    "age of a partial date": (Age(Day(A, DateFormat.ISO)), "1980", None),
    "age of the unborn": (Age(Day(A, DateFormat.ISO)), "2027-01-01", None),
    "json": (JsonAt(A, ("note", 0, "text")), '{"note": [{"text": "ciao"}]}', "ciao"),
    "json number": (JsonAt(A, ("n",)), '{"n": 12}', "12"),
    "json true": (JsonAt(A, ("n",)), '{"n": true}', "true"),
    "json object": (JsonAt(A, ("n",)), '{"n": {}}', None),
    "json absent": (JsonAt(A, ("m",)), '{"n": 1}', None),
    "no json": (JsonAt(A, ("m",)), "{n", None),
    "joined": (Joined((A, B, Constant("Borgoverde")), ", "), "Via Tigli", "Via Tigli, b, Borgoverde"),
    "joined without one": (Joined((A, B), ", "), None, "b"),
    "joined with an empty one": (Joined((A, B), ", "), "", "b"),
    "joined without any column": (Joined((A, Constant("Borgoverde")), ", "), None, None),
    "concatenated": (Concat((A, Constant("/"), B)), "1", "1/b"),
    "concatenated with null": (Concat((A, Constant("/"), B)), None, None),
    "coalesced": (Coalesce((A, B)), None, "b"),
}


@pytest.mark.parametrize(("expression", "stored", "expected"), CASES.values(), ids=CASES.keys())
def test_an_expression_gives(expression: Expression, stored: Any, expected: Any) -> None:
    database = MemoryDatabase.of("CREATE TABLE t (a, b)")
    database.connection.execute("INSERT INTO t VALUES (?, 'b')", [stored])
    values = Values(SQLITE, TODAY, column, lambda _name: null())
    statement = Statement.of(select(values.value(expression)).select_from(table("t", column("a"), column("b"))), SQLITE)
    [[found]] = database.connection.execute(statement.sql, statement.bound).fetchall()
    assert found == expected
