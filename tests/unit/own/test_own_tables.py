"""The own tables on both databases: their versions, writing once, the order of events, what is forgotten."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, select, text

from federation.contract.errors import (
    ChangesGoneError,
    ConfigurationError,
    DatabaseUnavailableError,
    IdempotencyError,
)
from node.own.copying import put_rows, rows_of
from node.own.database import OwnDatabase, PostgreSQLOwnDatabase, SqliteOwnDatabase
from node.own.numbering import Place
from node.own.outbox import events_after, take_by_member, taken_by_member
from node.own.retention import Retention, forget
from node.own.subscriptions import OLDEST, Looked, Subscriber, Subscriptions
from node.own.tables import CONSENT, METADATA
from node.own.upgrading import Standing, require_current, upgrade, version_of
from node.own.writes import Write, Writes
from tests.support.postgres import Server

ROOT = Path(__file__).parents[3]
FIXTURES = ROOT / "tests" / "fixtures" / "own"
VERSIONS = sorted(path.stem.split("_")[0] for path in (ROOT / "node" / "own" / "migrations" / "versions").glob("v*.py"))

WRITE = Write(
    mutation="giveFeedback",
    consumer="coop_ponte",
    idempotency_key="feedback-2",
    input_digest="sha256:1",
    subject="v1.siv.c_m999.aaaa",
    type_name="Feedback",
    event="created",
    record={"rating": 4, "service": "S1"},
    at="2026-11-28T10:00:00.000Z",
)


@pytest.fixture(scope="module")
def apart(postgres: Server) -> Server:
    """A database of the module's own."""
    return postgres.database("own")


@pytest.fixture
def opened(database: Server | None, tmp_path: Path, request: pytest.FixtureRequest) -> OwnDatabase:
    """A database without tables, on each of the two."""
    if database is None:
        return SqliteOwnDatabase(tmp_path / "own.db")
    return PostgreSQLOwnDatabase(request.getfixturevalue("apart").url)


@pytest.fixture
async def empty(opened: OwnDatabase, database: Server | None) -> AsyncIterator[OwnDatabase]:
    """The same, left as it was."""
    yield opened
    if database is not None:
        await opened.run(lambda connection: connection.execute(text("DROP SCHEMA crocevia CASCADE")))
    await opened.close()


@pytest.fixture
async def own(empty: OwnDatabase) -> OwnDatabase:
    """Tables of the newest version."""
    await empty.run(require_current)
    return empty


async def test_new_tables_are_current(empty: OwnDatabase) -> None:
    assert (await empty.run(version_of)).standing is Standing.EMPTY
    await empty.run(require_current)
    assert (await empty.run(version_of)).standing is Standing.CURRENT
    assert await empty.run(_differences) == []
    assert (await empty.run(upgrade)).standing is Standing.CURRENT


async def test_what_is_written_once_stays_once(own: OwnDatabase) -> None:
    writes = Writes(own)
    await asyncio.gather(*(writes.carry_out([WRITE]) for _ in range(5)))
    assert await writes.earlier([WRITE, replace(WRITE, idempotency_key="feedback-3")]) == (WRITE.record, None)
    with pytest.raises(IdempotencyError):
        await writes.earlier([replace(WRITE, input_digest="sha256:2")])
    events = await own.run(lambda connection: events_after(connection, 0, 10))
    assert [event["record"] for event in events] == [WRITE.record]


async def test_several_writes_are_one(own: OwnDatabase) -> None:
    writes = Writes(own)
    await writes.carry_out([WRITE])
    new, clashing = replace(WRITE, idempotency_key="feedback-9"), replace(WRITE, input_digest="sha256:2")
    with pytest.raises(IdempotencyError):
        await writes.carry_out([new, clashing])
    assert await writes.earlier([new]) == (None,)


async def test_events_come_in_the_order_of_their_numbers(own: OwnDatabase) -> None:
    many = [replace(WRITE, idempotency_key=f"many-{number:04}") for number in range(20)]
    await asyncio.gather(*(Writes(own).carry_out([each]) for each in many))
    events = await own.run(lambda connection: events_after(connection, 0, 100))
    numbers = [event["seq"] for event in events]
    assert numbers == sorted(numbers)
    later = await own.run(lambda connection: events_after(connection, numbers[-3], 100))
    assert [event["seq"] for event in later] == numbers[-2:]


COOP = Subscriber("coop_ponte", "acc-2026-005", "social-support")


async def test_subscribers_are_told_in_order_what_they_have_not_taken_in(own: OwnDatabase) -> None:
    await Writes(own).carry_out([replace(WRITE, idempotency_key="before-01")])
    begun = await _look(own)
    assert begun.events == ()
    many = [replace(WRITE, idempotency_key=f"many-{number:04}") for number in range(20)]
    await asyncio.gather(*(Writes(own).carry_out([each]) for each in many))
    first = await _look(own, most=5)
    again = await _look(own, most=5)
    assert again == first
    rest = await _look(own, first.end)
    numbers = [event.place.seq for event in (*first.events, *rest.events)]
    assert numbers == sorted(set(numbers))
    assert len(numbers) == 20
    assert (await _look(own)) == rest  # what was before `first.end` was taken in
    await _look(own, begun.end)
    assert (await _look(own)) == rest  # who asks after an earlier place moves nothing back


async def test_a_place_of_a_lost_state_counts_as_none(own: OwnDatabase) -> None:
    await _look(own)
    await Writes(own).carry_out([WRITE])
    found = await _look(own)
    assert await _look(own, Place(found.end.seq, "2026-11-28T09:00:00.000Z")) == found
    assert await _look(own, Place(99, WRITE.at)) == found


DAY = timedelta(days=1)
KEPT = Retention(settled=30, longest=365)
WRITTEN_AT = datetime(2026, 11, 28, 10, tzinfo=UTC)


async def test_what_everybody_took_in_is_forgotten_when_its_keys_are_old(own: OwnDatabase) -> None:
    await _look(own)
    await _written(own, 3)
    [_, second, third] = (await _look(own)).events
    await own.run(lambda connection: take_by_member(connection, 3, WRITE.at))
    await _look(own, second.place)
    assert await _forget(own, 29) == 0  # a writer may still send the same again
    assert await _forget(own, 31) == 2
    assert await Writes(own).earlier([replace(WRITE, idempotency_key="many-0001")]) == (None,)
    assert (await _look(own)).events == (third,)
    assert await _look(own, second.place) == await _look(own)  # it has seen all that went
    await _look(own, third.place)
    assert await _forget(own, 31) == 1
    assert (await _look(own)).events == ()


async def test_a_record_waits_for_the_members_own_system(own: OwnDatabase) -> None:
    await _written(own, 2)
    assert await _forget(own, 31) == 0
    await asyncio.gather(*(own.run(lambda connection: take_by_member(connection, 1, WRITE.at)) for _ in range(2)))
    await own.run(lambda connection: take_by_member(connection, 0, WRITE.at))
    assert await own.run(taken_by_member) == 1
    assert await _forget(own, 31) == 1
    assert [event["seq"] for event in await own.run(lambda connection: events_after(connection, 1, 9))] == [2]
    with pytest.raises(ChangesGoneError, match="ask `--after 1`"):
        await own.run(lambda connection: events_after(connection, 0, 9))


async def test_who_comes_back_too_late_is_told_to_begin_anew(own: OwnDatabase) -> None:
    begun = await _look(own)
    await _written(own, 3)
    first = await _look(own, most=1)
    assert await _forget(own, 364) == 0
    assert await _forget(own, 366) == 3
    await Writes(own).carry_out([replace(WRITE, idempotency_key="later-001")])
    for place in (None, begun.end, first.end):
        with pytest.raises(ChangesGoneError, match="read the data anew"):
            await _look(own, place)
    [later] = (await _look(own, OLDEST)).events
    assert later.place.seq == 4  # no number is used twice, though the table was empty
    assert (await _look(own)).events == (later,)
    await _look(own, later.place)
    assert (await _look(own)).events == ()


async def _written(own: OwnDatabase, count: int) -> None:
    await Writes(own).carry_out([replace(WRITE, idempotency_key=f"many-{number:04}") for number in range(1, count + 1)])


async def _forget(own: OwnDatabase, days: int) -> int:
    return await own.run(lambda connection: forget(connection, KEPT, WRITTEN_AT + days * DAY))


async def test_new_subscribers_may_come_at_once(own: OwnDatabase) -> None:
    assert {each.events for each in await asyncio.gather(*(_look(own) for _ in range(5)))} == {()}


async def _look(own: OwnDatabase, after: Place | None = None, most: int = 100) -> Looked:
    return await Subscriptions(own).look(COOP, after, most, WRITE.at)


def _differences(connection: Connection) -> list[object]:
    """Return what the migrations made otherwise than the tables in code."""
    return list(compare_metadata(MigrationContext.configure(connection), METADATA))


@pytest.fixture(params=VERSIONS)
def released(request: pytest.FixtureRequest, database: Server | None, tmp_path: Path) -> OwnDatabase:
    """Tables as each release left them, on each of the two databases."""
    return _released(request.param, database, tmp_path)


async def test_every_released_version_comes_to_the_newest_with_its_rows(released: OwnDatabase) -> None:
    assert (await released.run(upgrade)).found is not None
    assert (await released.run(version_of)).standing is Standing.CURRENT
    assert await released.run(_differences) == []
    await Writes(released).carry_out([WRITE])  # numbers go on
    events = await released.run(lambda connection: events_after(connection, 0, 10))
    assert [(event["seq"], event["record"]["rating"]) for event in events] == [(1, 4), (2, 4)]
    await released.close()


@pytest.fixture(params=VERSIONS)
def backed_up(request: pytest.FixtureRequest, postgres: Server, tmp_path: Path) -> OwnDatabase:
    """Tables as each release left them in PostgreSQL; in files, a backup is a copy."""
    return _released(request.param, postgres, tmp_path)


def _released(version: str, database: Server | None, folder: Path) -> OwnDatabase:
    """Return the tables as a release left them, one event in them."""
    if database is None:
        with closing(sqlite3.connect(folder / "own.db")) as connection:
            connection.executescript((FIXTURES / f"{version}.sql").read_text(encoding="utf-8"))
        return SqliteOwnDatabase(folder / "own.db")
    server = database.database(f"own_{folder.name}".replace("-", "_")[:60])
    server.run((FIXTURES / "postgresql" / f"{version}.sql").read_text(encoding="utf-8"))
    return PostgreSQLOwnDatabase(server.url)


@pytest.mark.integration
@pytest.mark.postgres
async def test_the_rows_of_a_backup_come_back_as_they_were_and_are_upgraded_then(backed_up: OwnDatabase) -> None:
    """A backup comes before an upgrade, and what the upgrade makes of consents, it makes of restored ones too."""
    own = backed_up
    await own.run(lambda connection: connection.execute(text(_WITHDRAWN)))
    rows = await own.run(rows_of)
    found = (await own.run(version_of)).found or ""
    with pytest.raises(ConfigurationError, match="hold rows"):
        await own.run(lambda connection: put_rows(connection, rows, found))
    await own.run(lambda connection: connection.execute(text("DROP SCHEMA crocevia CASCADE")))
    await own.run(lambda connection: put_rows(connection, rows, found))
    assert await own.run(rows_of) == rows
    await own.run(upgrade)
    assert await own.run(_differences) == []
    if found < "0004":
        [consent] = await own.run(lambda connection: list(connection.execute(select(CONSENT))))
        assert (consent.subject, consent.given) == ("v1.siv.c_m999.bbbb", False)
    await Writes(own).carry_out([WRITE])
    [first, second] = await own.run(lambda connection: events_after(connection, 0, 10))
    assert second["seq"] == first["seq"] + 1
    await own.close()


_WITHDRAWN = """
INSERT INTO written (mutation, consumer, idempotency_key, input_digest, subject, record, at)
VALUES ('recordConsent', 'coop_ponte', 'consent-1', 'sha256:2', 'v1.siv.c_m999.bbbb',
        '{"given": false, "purpose": "social-support", "at": "2026-11-28T10:00:00.000Z"}', '2026-11-28T10:00:00.000Z')
"""


@pytest.mark.integration
@pytest.mark.postgres
async def test_rows_go_into_tables_of_their_own_version_alone(apart: Server) -> None:
    own = PostgreSQLOwnDatabase(apart.url)
    assert await own.run(rows_of) == b""
    await own.run(require_current)
    with pytest.raises(ConfigurationError, match="drop the schema"):
        await own.run(lambda connection: put_rows(connection, b"", VERSIONS[0].removeprefix("v")))
    with pytest.raises(ConfigurationError, match="later release"):
        await own.run(lambda connection: put_rows(connection, b"", "9999"))
    await own.run(lambda connection: connection.execute(text("DROP SCHEMA crocevia CASCADE")))
    await own.close()


async def test_tables_of_a_later_release_are_not_touched(own: OwnDatabase) -> None:
    await own.run(lambda connection: connection.execute(text("UPDATE alembic_version SET version_num = '9999'")))
    with pytest.raises(ConfigurationError, match="version 9999, which this release does not know"):
        await own.run(require_current)


async def test_a_database_that_cannot_be_opened_says_so_without_its_words(tmp_path: Path) -> None:
    own = SqliteOwnDatabase(tmp_path / "nowhere" / "own.db")
    with pytest.raises(DatabaseUnavailableError, match=r"did not answer \(OperationalError\)"):
        await own.run(version_of)
    await own.close()
