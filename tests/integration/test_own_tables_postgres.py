"""The own tables on PostgreSQL, in a schema of their own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import text

from federation.contract.errors import ConfigurationError
from node.own.copying import put_rows, rows_of
from node.own.database import PostgreSQLOwnDatabase
from node.own.outbox import events_after
from node.own.subscriptions import Subscriptions
from node.own.upgrading import require_current, upgrade
from node.own.writes import Writes
from tests.support import own as shared
from tests.support.postgres import Server

pytestmark = [pytest.mark.integration, pytest.mark.postgres]


FIXTURES = Path(__file__).parents[1] / "fixtures" / "own"


@pytest.fixture(scope="module")
def server(postgres: Server) -> Server:
    return postgres.database("own")


@pytest.fixture
async def empty(server: Server) -> AsyncIterator[PostgreSQLOwnDatabase]:
    own = PostgreSQLOwnDatabase(server.url)
    yield own
    await own.run(lambda connection: connection.execute(text("DROP SCHEMA crocevia CASCADE")))
    await own.close()


@pytest.fixture
async def own(empty: PostgreSQLOwnDatabase) -> PostgreSQLOwnDatabase:
    await empty.run(require_current)
    return empty


async def test_new_tables_are_current(empty: PostgreSQLOwnDatabase) -> None:
    await shared.new_tables_are_current(empty)


async def test_what_is_written_once_stays_once(own: PostgreSQLOwnDatabase) -> None:
    await shared.what_is_written_once_stays_once(own)


async def test_several_writes_are_one(own: PostgreSQLOwnDatabase) -> None:
    await shared.several_writes_are_one(own)


async def test_what_everybody_took_in_is_forgotten_when_its_keys_are_old(own: PostgreSQLOwnDatabase) -> None:
    await shared.what_everybody_took_in_is_forgotten_when_its_keys_are_old(own)


async def test_a_record_waits_for_the_members_own_system(own: PostgreSQLOwnDatabase) -> None:
    await shared.a_record_waits_for_the_members_own_system(own)


async def test_who_comes_back_too_late_is_told_to_begin_anew(own: PostgreSQLOwnDatabase) -> None:
    await shared.who_comes_back_too_late_is_told_to_begin_anew(own)


async def test_a_backups_rows_go_into_empty_tables_and_counting_goes_on(own: PostgreSQLOwnDatabase) -> None:
    writes = [replace(shared.WRITE, idempotency_key=f"before-{number}") for number in range(3)]
    await Subscriptions(own).look(shared.COOP, None, 1, shared.WRITE.at)
    await Writes(own).carry_out(writes)
    seen = await own.run(lambda connection: events_after(connection, 0, 10))
    rows = await own.run(rows_of)
    with pytest.raises(ConfigurationError, match="hold rows"):
        await own.run(lambda connection: put_rows(connection, rows))
    await own.run(
        lambda connection: connection.execute(
            text("TRUNCATE written, outbox, subscription, consent, forgotten RESTART IDENTITY")
        )
    )
    await own.run(lambda connection: put_rows(connection, rows))
    assert await own.run(rows_of) == rows
    assert await Writes(own).earlier(writes) == (shared.WRITE.record,) * 3
    await Writes(own).carry_out([replace(shared.WRITE, idempotency_key="after-01")])
    again = await own.run(lambda connection: events_after(connection, 0, 10))
    assert again[:3] == seen
    assert again[3]["seq"] == seen[2]["seq"] + 1
    assert len((await Subscriptions(own).look(shared.COOP, None, 9, shared.WRITE.at)).events) == 4


@pytest.mark.parametrize("released", sorted((FIXTURES / "postgresql").glob("*.sql")), ids=lambda path: path.stem)
def test_every_released_version_comes_to_the_newest_with_its_rows(postgres: Server, released: Path) -> None:
    server = postgres.database(f"own_{released.stem}")
    server.run(released.read_text(encoding="utf-8"))

    async def upgraded() -> None:
        own = PostgreSQLOwnDatabase(server.url)
        await own.run(upgrade)
        assert await own.run(shared.differences) == []
        [event] = await own.run(lambda connection: events_after(connection, 0, 10))
        assert (event["seq"], event["record"]["rating"]) == (1, 4)
        await Writes(own).carry_out([shared.WRITE])  # numbers go on
        await own.close()

    server.runner.run(upgraded())


def test_every_version_has_a_fixture_here_too() -> None:
    assert {path.name for path in FIXTURES.glob("*.sql")} == {path.name for path in (FIXTURES / "postgresql").glob("*")}


async def test_events_come_in_the_order_of_their_numbers(own: PostgreSQLOwnDatabase) -> None:
    await shared.events_come_in_the_order_of_their_numbers(own)


async def test_subscribers_are_told_in_order_what_they_have_not_taken_in(own: PostgreSQLOwnDatabase) -> None:
    await shared.subscribers_are_told_in_order_what_they_have_not_taken_in(own)


async def test_a_place_of_a_lost_state_counts_as_none(own: PostgreSQLOwnDatabase) -> None:
    await shared.a_place_of_a_lost_state_counts_as_none(own)


async def test_new_subscribers_may_come_at_once(own: PostgreSQLOwnDatabase) -> None:
    await shared.new_subscribers_may_come_at_once(own)
