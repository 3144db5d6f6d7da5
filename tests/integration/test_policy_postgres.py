"""Generated conditions mean in PostgreSQL what the policy's oracle means, nulls included (policy section 8)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import date
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import false, select, true

from node.data.conditions import condition_sql
from node.data.dialects import SQLITE
from node.data.mapping import Mapping as NodeMapping
from node.data.rows import CONSENTS, CONSUMER, Reading, Row, tables_of
from node.data.statements import Statement
from node.policy.conditions import Condition, Consent, evaluate
from node.policy.residuals import residual
from tests.support.data import THING_MAPPING, THING_TABLES, MemoryDatabase
from tests.support.policies import CONDITIONS, ENVIRONMENTS
from tests.support.postgres import CountingDatabase, Server

pytestmark = [pytest.mark.integration, pytest.mark.postgres]
EXAMPLES = int(os.environ.get("CROCEVIA_ORACLE_EXAMPLES", "60"))
TABLES = """
CREATE TABLE things (n bigint PRIMARY KEY, pid text, flag boolean, age bigint, place text);
CREATE TABLE tags (thing bigint, tag text);
CREATE TABLE consents (thing bigint, purpose text, consumer text, given date, withdrawn date, expires date);
"""


@pytest.fixture(scope="module")
def server(postgres: Server) -> Server:
    found = postgres.database("policies")
    found.run(TABLES)
    return found


@pytest.fixture(scope="module")
def database(server: Server) -> Iterator[CountingDatabase]:
    opened = server.open()
    yield opened
    server.runner.run(opened.close())


@given(CONDITIONS, ENVIRONMENTS, st.booleans())
@settings(max_examples=EXAMPLES, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_condition_means_the_same_in_postgresql(
    server: Server,
    database: CountingDatabase,
    condition: Condition,
    names: dict[str, Any],
    consented: bool,  # noqa: FBT001  # drawn
) -> None:
    consents = frozenset({"statistics"} if consented else ())
    row = names | {"row.tags": names["row.tags"] or frozenset()}  # a set of another table's values is never unknown
    known = {name: value for name, value in names.items() if not name.startswith("row.")}
    left = residual(condition, known, Consent("statistics"))
    server.run("TRUNCATE things, tags, consents")
    server.fill("things", [(1, None, *(row[f"row.{name}"] for name in ("flag", "age", "place")))])
    server.fill("tags", [(1, tag) for tag in row["row.tags"]])
    server.fill("consents", [(1, purpose, None, date(2025, 1, 1), None, None) for purpose in consents])
    mapping = NodeMapping.parse(THING_MAPPING)
    reading = Row.of(Reading(mapping, database.dialect, date(2026, 5, 1), tables_of(mapping)), mapping.sources["Thing"])
    written = condition_sql(left, reading)
    asked = select(*[written, written.is_(true()), written.is_(false()), written.is_not(false())])
    statement = Statement.of(asked.select_from(reading.tables), database.dialect)
    [found] = server.runner.run(database.rows(statement, {}))
    # Decisions ask whether a condition is true, is false, or is not false: an unknown prohibition denies.
    meant = evaluate(left, row, consents)
    assert list(found) == [meant, meant is True, meant is False, meant is not False]


WITHDRAWALS = {
    "nothing withdrawn": ([], True),
    "withdrawn later": ([["v1.x.c.aaaa", "statistics", "withdrawn", "2026-01-01"]], False),
    "withdrawn on the day it was given": ([["v1.x.c.aaaa", "statistics", "withdrawn", "2025-01-01"]], False),
    "withdrawn before it was given again": ([["v1.x.c.aaaa", "statistics", "withdrawn", "2024-12-31"]], True),
    "for another purpose": ([["v1.x.c.aaaa", "emergency-care", "withdrawn", "2026-01-01"]], True),
    "of somebody else": ([["v1.x.c.bbbb", "statistics", "withdrawn", "2026-01-01"]], True),
}


GIVEN = {
    "given": ([["v1.x.c.bbbb", "statistics", "given", "2026-01-01"]], True),
    "for another purpose": ([["v1.x.c.bbbb", "emergency-care", "given", "2026-01-01"]], False),
    "by somebody else": ([["v1.x.c.aaaa", "statistics", "given", "2026-01-01"]], False),
}


@pytest.mark.parametrize(("given", "counts"), GIVEN.values(), ids=GIVEN.keys())
def test_r8_a_consent_that_the_register_does_not_know_counts_on_both_databases(
    server: Server,
    database: CountingDatabase,
    given: list[list[str]],
    counts: bool,  # noqa: FBT001  # a case
) -> None:
    assert _consented(server, database, "v1.x.c.bbbb", given) == [counts, counts]


@pytest.mark.parametrize(("withdrawn", "counts"), WITHDRAWALS.values(), ids=WITHDRAWALS.keys())
def test_r8_a_withdrawal_that_the_register_does_not_know_counts_on_both_databases(
    server: Server,
    database: CountingDatabase,
    withdrawn: list[list[str]],
    counts: bool,  # noqa: FBT001  # a case
) -> None:
    assert _consented(server, database, "v1.x.c.aaaa", withdrawn) == [counts, counts]


def _consented(server: Server, database: CountingDatabase, whose: str, said: list[list[str]]) -> list[bool]:
    """Return, on both databases, whether one of two people consented; the register has a record of the first alone."""
    server.run("TRUNCATE things, tags, consents")
    server.fill("things", [(1, "v1.x.c.aaaa", True, 1, "x"), (2, "v1.x.c.bbbb", True, 1, "x")])
    server.fill("consents", [(1, "statistics", None, date(2025, 1, 1), None, None)])
    lite = MemoryDatabase.of(THING_TABLES)
    lite.connection.execute("INSERT INTO things (n, pid) VALUES (1, 'v1.x.c.aaaa'), (2, 'v1.x.c.bbbb')")
    lite.connection.execute("INSERT INTO consents VALUES (1, 'statistics', NULL, '2025-01-01', NULL, NULL)")
    values = {CONSUMER: "ustat", CONSENTS: msgspec.json.encode(said).decode()}
    found: list[bool] = []
    for dialect, rows in ((database.dialect, database.rows), (SQLITE, lite.rows)):
        mapping = NodeMapping.parse(THING_MAPPING)
        row = Row.of(Reading(mapping, dialect, date(2026, 5, 1), tables_of(mapping)), mapping.sources["Thing"])
        is_they = row.column("pid") == whose
        query = select(condition_sql(Consent("statistics"), row)).select_from(row.tables).where(is_they)
        [[one]] = server.runner.run(rows(Statement.of(query, dialect), values))
        found.append(bool(one))
    return found
