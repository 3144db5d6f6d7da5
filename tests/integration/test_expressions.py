"""What the mapping's expressions give on both databases, written as a register writes, read as the vocabulary says."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from sqlalchemy import BigInteger, Boolean, column, null, select, table

from node.data.dialects import SQLITE, Dialect
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
from tests.support.postgres import CountingDatabase, Server

pytestmark = [pytest.mark.integration, pytest.mark.postgres]

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
    "day that no calendar has": (Day(A, DateFormat.YYYYMMDD), "19800230", None),
    "iso day that no calendar has": (Day(A, DateFormat.ISO), "1981-02-29", None),
    "leap day": (Day(A, DateFormat.ISO), "1980-02-29", "1980-02-29"),
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
    "moment with an offset of its own": (
        Moment(A, MomentFormat.ISO, "Z"),
        "2026-01-31T10:15:00+01:00",
        "2026-01-31T10:15:00+01:00",
    ),
    "moment with hours of its own": (
        Moment(A, MomentFormat.ISO, "Z"),
        "2026-01-31 10:15:00-05",
        "2026-01-31T10:15:00-05:00",
    ),
    "moment in UTC": (Moment(A, MomentFormat.ISO, "+01:00"), "2026-01-31T10:15:00Z", "2026-01-31T10:15:00Z"),
    "moment with a fraction": (Moment(A, MomentFormat.ISO, "Z"), "2026-01-31 10:15:00.25", "2026-01-31T10:15:00.25Z"),
    "moment with a fraction and hours": (
        Moment(A, MomentFormat.ISO, "Z"),
        "2026-01-31 10:15:00.250+02",
        "2026-01-31T10:15:00.250+02:00",
    ),
    "moment with nonsense behind": (Moment(A, MomentFormat.ISO, "Z"), "2026-01-31 10:15:00 CET", None),
    "day of a moment": (Day(A, DateFormat.ISO), "1980-05-12 10:15:00.5", "1980-05-12"),
    "day of a moment elsewhere": (Day(A, DateFormat.ISO), "1980-05-12 23:15:00+01", None),
    "day of no moment": (Day(A, DateFormat.ISO), "1980-02-30 10:15:00", None),
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


AS_TYPES: dict[str, tuple[Expression, str, Any]] = {
    "date": (Day(A, DateFormat.ISO), "date '1980-05-12'", "1980-05-12"),
    "date that is not known": (Day(A, DateFormat.ISO), "NULL::date", None),
    "timestamp": (
        Moment(A, MomentFormat.ISO, "+01:00"),
        "timestamp '2026-01-31 10:15:00'",
        "2026-01-31T10:15:00+01:00",
    ),
    "timestamp in part of a second": (
        Moment(A, MomentFormat.ISO, "Z"),
        "timestamp '2026-01-31 10:15:00.123456'",
        "2026-01-31T10:15:00.123456Z",
    ),
    # An instant is told in UTC, whatever the server's zone and the mapping's offset are.
    "timestamptz": (
        Moment(A, MomentFormat.ISO, "+01:00"),
        "timestamptz '2026-07-31 00:15:00 Europe/Rome'",
        "2026-07-30T22:15:00+00:00",
    ),
    "day of a timestamp": (Day(A, DateFormat.ISO), "timestamp '1980-05-12 23:15:00'", "1980-05-12"),
    "day of a timestamptz": (Day(A, DateFormat.ISO), "timestamptz '1980-05-12 23:15:00+01'", None),
    "json": (JsonAt(A, ("note", 0, "text")), """'{"note": [{"text": "ciao"}]}'::json""", "ciao"),
    "jsonb": (JsonAt(A, ("note", 0, "text")), """'{"note": [{"text": "ciao"}]}'::jsonb""", "ciao"),
    "char(3)": (Coded(A, (("1", "male"),), None), "'1'::char(3)", "male"),
    "number": (Coded(A, (("2", "female"),), None), "2::numeric", "female"),
    "boolean": (Truth(A, ("true",), ("false",)), "false", False),
    "whole number": (Day(A, DateFormat.YYYYMMDD), "19800512::integer", "1980-05-12"),
    "uuid": (A, "'5b6a4a4e-0f9c-4f7f-8b3f-0d1f5e5a7c11'::uuid", "5b6a4a4e-0f9c-4f7f-8b3f-0d1f5e5a7c11"),
}
ON_SQLITE_ONLY = {"number is no text", "text is no number", "two is no truth", "truth attribute", "no json"}
"""What a column of one type cannot hold; and text that is no JSON stops PostgreSQL, of which the doctor warns."""


def of(expression: Expression, dialect: Dialect) -> Statement:
    values = Values(dialect, TODAY, column, lambda _name: null())
    value = values.value(expression)
    told = value if isinstance(value.type, (Boolean, BigInteger)) else dialect.text(value)
    return Statement.of(select(told).select_from(table("t", column("a"), column("b"))), dialect)


@pytest.mark.parametrize(("expression", "stored", "expected"), CASES.values(), ids=CASES.keys())
def test_an_expression_gives_on_sqlite(expression: Expression, stored: Any, expected: Any) -> None:
    database = MemoryDatabase.of("CREATE TABLE t (a, b)")
    database.connection.execute("INSERT INTO t VALUES (?, 'b')", [stored])
    statement = of(expression, SQLITE)
    [[found]] = database.connection.execute(statement.sql, statement.bound).fetchall()
    assert found == expected


@pytest.fixture(scope="module")
def typed(postgres: Server) -> Iterator[tuple[Server, CountingDatabase]]:
    server = postgres.database("expressions")
    opened = server.open()
    yield server, opened
    server.runner.run(opened.close())


def on_postgres(typed: tuple[Server, CountingDatabase], expression: Expression, written: str) -> Any:
    server, database = typed
    server.run(f"DROP TABLE IF EXISTS t; CREATE TABLE t AS SELECT {written} AS a, 'b'::text AS b")
    [[found]] = server.runner.run(database.rows(of(expression, database.dialect), {}))
    return found


@pytest.mark.parametrize(
    ("expression", "stored", "expected"),
    [case for name, case in CASES.items() if name not in ON_SQLITE_ONLY],
    ids=[name for name in CASES if name not in ON_SQLITE_ONLY],
)
def test_an_expression_gives_on_postgresql(
    typed: tuple[Server, CountingDatabase], expression: Expression, stored: Any, expected: Any
) -> None:
    written = (
        "NULL::text" if stored is None else f"{stored}::bigint" if isinstance(stored, int) else f"'{stored}'::text"
    )
    assert on_postgres(typed, expression, written) == expected


@pytest.mark.parametrize(("expression", "written", "expected"), AS_TYPES.values(), ids=AS_TYPES.keys())
def test_a_column_of_a_type_gives(
    typed: tuple[Server, CountingDatabase], expression: Expression, written: str, expected: Any
) -> None:
    assert on_postgres(typed, expression, written) == expected


CALENDAR = [
    f"{year:04}-{month:02}-{day:02}"
    for year in (0, 1, 1582, 1900, 2000, 2023, 2024, 9999)
    for month in range(14)
    for day in range(33)
]


def test_a_day_is_one_of_the_calendar_on_both_databases(typed: tuple[Server, CountingDatabase]) -> None:
    server, database = typed
    expected = {text for text in CALENDAR if is_day(text)}
    script = f"CREATE TABLE t AS SELECT value AS a, 'b' AS b FROM json_each('{json.dumps(CALENDAR)}')"
    memory = MemoryDatabase.of(script)
    server.run(f"DROP TABLE IF EXISTS t; CREATE TABLE t AS SELECT unnest(ARRAY{CALENDAR}) AS a, 'b'::text AS b")
    statement = of(Day(A, DateFormat.ISO), SQLITE)
    on_sqlite = memory.connection.execute(statement.sql, statement.bound).fetchall()
    on_server = server.runner.run(database.rows(of(Day(A, DateFormat.ISO), database.dialect), {}))
    memory.connection.close()
    for rows in (on_sqlite, on_server):
        whole = {row[0] for row in rows if row[0] is not None and len(row[0]) == len("2026-01-01")}
        assert whole == expected


def is_day(text: str) -> bool:
    try:
        return bool(date.fromisoformat(text))
    except ValueError:
        return False
