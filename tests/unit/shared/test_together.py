"""Requests of one moment share their commits, and nothing else."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TypeVar

import pytest

from federation.contract.clock import FixedClock
from federation.contract.errors import ReplayError, UnavailableError
from federation.shared.place import SharedPlace
from federation.shared.together import Together
from federation.trust.counters import SharedCounters
from federation.trust.replay import SharedReplayStore

_Result = TypeVar("_Result")
CLOCK = FixedClock(datetime(2026, 11, 28, tzinfo=UTC))
DAY = date(2026, 11, 28)
UNTIL = 2**40


class Failing:
    """A store whose disk is full when it commits."""

    def together(self, work: Callable[[], _Result]) -> _Result:
        work()
        raise UnavailableError("disk is full")


class Defective:
    """A store that fails as no store should."""

    def together(self, work: Callable[[], _Result]) -> _Result:
        work()
        raise KeyError("defect")


class Watched:
    """A store that notes how much was judged by each commit."""

    def __init__(self) -> None:
        self.commits: list[object] = []

    def together(self, work: Callable[[], _Result]) -> _Result:
        done = work()
        self.commits.append(done)
        return done


async def all_of(together: Together, judgements: list[Callable[[], object]]) -> list[object]:
    return await asyncio.gather(*(together.judge(each) for each in judgements), return_exceptions=True)


def refused() -> object:
    raise ReplayError("seen")


def test_a_store_that_fails_in_a_way_of_its_own_leaves_nobody_waiting(caplog: pytest.LogCaptureFixture) -> None:
    first, second = asyncio.run(all_of(Together(Defective()), [lambda: 1, lambda: 2]))
    assert isinstance(first, UnavailableError)
    assert isinstance(second, UnavailableError)
    assert first is not second
    assert caplog.records[0].exc_info is not None


def test_what_comes_at_one_moment_has_one_commit_and_each_its_own_judgement() -> None:
    store = Watched()
    results = asyncio.run(all_of(Together(store), [lambda: 1, refused, lambda: 3]))
    assert (results[0], type(results[1]), results[2]) == (1, ReplayError, 3)
    assert len(store.commits) == 1


def test_what_comes_later_is_committed_later() -> None:
    store = Watched()

    async def one_after_the_other() -> None:
        together = Together(store)
        assert await together.judge(lambda: 1) == 1
        assert await together.judge(lambda: 2) == 2

    asyncio.run(one_after_the_other())
    assert len(store.commits) == 2


def test_nobody_is_let_in_when_a_commit_fails_and_each_is_told_by_an_error_of_its_own() -> None:
    first, second = asyncio.run(all_of(Together(Watched(), Failing()), [lambda: 1, lambda: 2]))
    assert isinstance(first, UnavailableError)
    assert isinstance(second, UnavailableError)
    assert first is not second


def test_a_request_that_was_cancelled_keeps_nobody_from_being_judged() -> None:
    async def with_one_cancelled() -> object:
        together = Together(Watched())
        left = asyncio.ensure_future(together.judge(lambda: 1))
        stays = asyncio.ensure_future(together.judge(lambda: 2))
        await asyncio.sleep(0)
        left.cancel()
        return await stays

    assert asyncio.run(with_one_cancelled()) == 2


def test_of_equal_names_at_one_moment_one_is_first_and_a_refusal_uses_up_no_budget(tmp_path: Path) -> None:
    place = SharedPlace(tmp_path)
    with closing(SharedReplayStore.open(place, CLOCK)) as replay, closing(SharedCounters.open(place)) as counters:

        def admitted() -> object:
            if not replay.first_time("nonce", "a", UNTIL):
                raise ReplayError("seen")
            return counters.add("agreement", DAY, 9)

        results = asyncio.run(all_of(Together(replay, counters), [admitted, admitted, admitted]))
        assert [type(each) for each in results] == [int, ReplayError, ReplayError]
        assert counters.used("agreement", DAY) == 1


def test_who_is_let_in_is_seen_by_another_process_already(tmp_path: Path) -> None:
    place = SharedPlace(tmp_path)
    with (
        closing(SharedReplayStore.open(place, CLOCK)) as replay,
        closing(sqlite3.connect(tmp_path / "replay.db")) as other,
    ):

        async def let_in() -> int:
            await Together(replay).judge(lambda: replay.first_time("nonce", "a", UNTIL))
            return int(other.execute("SELECT count(*) FROM used").fetchone()[0])

        assert asyncio.run(let_in()) == 1


def test_a_store_that_another_process_holds_refuses_all(tmp_path: Path) -> None:
    place = SharedPlace(tmp_path)
    with (
        closing(SharedReplayStore.open(place, CLOCK)) as replay,
        closing(sqlite3.connect(tmp_path / "replay.db", isolation_level=None)) as other,
    ):
        replay._shared._connection.execute("PRAGMA busy_timeout=1")  # type: ignore[attr-defined]  # two seconds otherwise
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(UnavailableError, match=r"replay\.db"):
            asyncio.run(Together(replay).judge(lambda: replay.first_time("nonce", "a", UNTIL)))
        other.execute("ROLLBACK")
        assert replay.first_time("nonce", "a", UNTIL)
