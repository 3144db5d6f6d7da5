"""The own tables on SQLite: their versions, writing once, the order of events."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import select, text

from federation.contract.errors import ConfigurationError, DatabaseUnavailableError
from node.own.database import SqliteOwnDatabase
from node.own.tables import WRITTEN
from node.own.upgrading import Standing, require_current, upgrade, version_of
from tests.support import own as shared

FIXTURES = Path(__file__).parents[2] / "fixtures" / "own"


@pytest.fixture
async def empty(tmp_path: Path) -> AsyncIterator[SqliteOwnDatabase]:
    found = SqliteOwnDatabase(tmp_path / "own.db")
    yield found
    await found.close()


@pytest.fixture
async def own(empty: SqliteOwnDatabase) -> SqliteOwnDatabase:
    await empty.run(require_current)
    return empty


async def test_new_tables_are_current(empty: SqliteOwnDatabase) -> None:
    await shared.new_tables_are_current(empty)


async def test_what_is_written_once_stays_once(own: SqliteOwnDatabase) -> None:
    await shared.what_is_written_once_stays_once(own)


async def test_several_writes_are_one(own: SqliteOwnDatabase) -> None:
    await shared.several_writes_are_one(own)


async def test_events_come_in_the_order_of_their_numbers(own: SqliteOwnDatabase) -> None:
    await shared.events_come_in_the_order_of_their_numbers(own)


async def test_subscribers_are_told_in_order_what_they_have_not_taken_in(own: SqliteOwnDatabase) -> None:
    await shared.subscribers_are_told_in_order_what_they_have_not_taken_in(own)


async def test_a_place_of_a_lost_state_counts_as_none(own: SqliteOwnDatabase) -> None:
    await shared.a_place_of_a_lost_state_counts_as_none(own)


async def test_what_everybody_took_in_is_forgotten_when_its_keys_are_old(own: SqliteOwnDatabase) -> None:
    await shared.what_everybody_took_in_is_forgotten_when_its_keys_are_old(own)


async def test_a_record_waits_for_the_members_own_system(own: SqliteOwnDatabase) -> None:
    await shared.a_record_waits_for_the_members_own_system(own)


async def test_who_comes_back_too_late_is_told_to_begin_anew(own: SqliteOwnDatabase) -> None:
    await shared.who_comes_back_too_late_is_told_to_begin_anew(own)


async def test_new_subscribers_may_come_at_once(own: SqliteOwnDatabase) -> None:
    await shared.new_subscribers_may_come_at_once(own)


@pytest.mark.parametrize("released", sorted(FIXTURES.glob("*.sql")), ids=lambda path: path.stem)
async def test_every_released_version_comes_to_the_newest_with_its_rows(released: Path, tmp_path: Path) -> None:
    _load(released, tmp_path / "own.db")
    own = SqliteOwnDatabase(tmp_path / "own.db")
    await own.run(upgrade)
    assert (await own.run(version_of)).standing is Standing.CURRENT
    assert await own.run(shared.differences) == []
    [row] = await own.run(lambda connection: list(connection.execute(select(WRITTEN))))
    assert row.record["rating"] == 4
    await own.close()


def _load(script: Path, database: Path) -> None:
    with closing(sqlite3.connect(database)) as connection:
        connection.executescript(script.read_text(encoding="utf-8"))


def test_every_version_has_a_fixture() -> None:
    versions = Path("node/own/migrations/versions")
    root = Path(__file__).parents[3] / versions
    assert {path.stem.split("_")[0] for path in root.glob("v*.py")} == {path.stem for path in FIXTURES.glob("*.sql")}


async def test_tables_of_a_later_release_are_not_touched(own: SqliteOwnDatabase) -> None:
    await own.run(lambda connection: connection.execute(text("UPDATE alembic_version SET version_num = '9999'")))
    with pytest.raises(ConfigurationError, match="version 9999, which this release does not know"):
        await own.run(require_current)


async def test_a_database_that_cannot_be_opened_says_so_without_its_words(tmp_path: Path) -> None:
    own = SqliteOwnDatabase(tmp_path / "nowhere" / "own.db")
    with pytest.raises(DatabaseUnavailableError, match=r"did not answer \(OperationalError\)"):
        await own.run(version_of)
    await own.close()
