"""The own tables on PostgreSQL, in a schema of their own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
from sqlalchemy import text

from node.own.database import PostgreSQLOwnDatabase
from node.own.upgrading import require_current
from tests.support import own as shared
from tests.support.postgres import Server, running_server

pytestmark = [pytest.mark.integration, pytest.mark.postgres]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running_server(tmp_path_factory.mktemp("pg")) as found:
        yield found


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


async def test_events_come_in_the_order_of_their_numbers(own: PostgreSQLOwnDatabase) -> None:
    await shared.events_come_in_the_order_of_their_numbers(own)


async def test_subscribers_are_told_in_order_what_they_have_not_taken_in(own: PostgreSQLOwnDatabase) -> None:
    await shared.subscribers_are_told_in_order_what_they_have_not_taken_in(own)


async def test_a_place_of_a_lost_state_counts_as_none(own: PostgreSQLOwnDatabase) -> None:
    await shared.a_place_of_a_lost_state_counts_as_none(own)


async def test_new_subscribers_may_come_at_once(own: PostgreSQLOwnDatabase) -> None:
    await shared.new_subscribers_may_come_at_once(own)
