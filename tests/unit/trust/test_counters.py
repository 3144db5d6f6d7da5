"""Counts are exact over threads, and stay over a restart."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path

import pytest

from federation.contract.errors import UnavailableError
from federation.shared.place import SharedPlace
from federation.trust.counters import Counters, MemoryCounters, SharedCounters

TODAY = date(2026, 11, 22)


@pytest.fixture
def place(tmp_path: Path) -> SharedPlace:
    return SharedPlace(tmp_path)


@pytest.fixture(params=["memory", "sqlite"])
def counters(request: pytest.FixtureRequest, place: SharedPlace) -> Iterator[Counters]:
    if request.param == "memory":
        yield MemoryCounters()
        return
    with closing(SharedCounters.open(place)) as opened:
        yield opened


def test_a_limit_is_reached_once_and_begins_again_the_next_day(counters: Counters) -> None:
    assert [counters.add("a", TODAY, 2) for _ in range(4)] == [1, 2, None, None]
    assert counters.used("a", TODAY) == 2
    assert counters.add("b", TODAY, 2) == 1
    assert counters.add("a", TODAY + timedelta(days=1), 2) == 1
    assert counters.add("a", TODAY, 0) is None


def test_workers_share_one_count_and_a_restart_keeps_it(place: SharedPlace) -> None:
    workers = [SharedCounters.open(place) for _ in range(4)]
    with ThreadPoolExecutor(8) as pool:
        counted = list(pool.map(lambda number: workers[number % 4].add("a", TODAY, 150), range(200)))
    for worker in workers:
        worker.close()
    assert sorted(used for used in counted if used is not None) == list(range(1, 151))
    with closing(SharedCounters.open(place)) as again:
        assert again.add("a", TODAY, 150) is None


def test_old_days_are_forgotten(place: SharedPlace) -> None:
    with closing(SharedCounters.open(place)) as counters:
        counters.add("a", TODAY, 2)
        counters.add("a", TODAY + timedelta(days=30), 2)
        assert counters.used("a", TODAY) == 0


def test_what_cannot_be_counted_is_not_allowed(place: SharedPlace, tmp_path: Path) -> None:
    counters = SharedCounters.open(place)
    counters.close()
    with pytest.raises(UnavailableError):
        counters.add("a", TODAY, 2)
    with pytest.raises(UnavailableError):
        SharedCounters.open(SharedPlace(tmp_path / "none"))
