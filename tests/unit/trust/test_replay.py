"""What was used is not used again: not later, not by another worker, not after a restart."""

from __future__ import annotations

import multiprocessing
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from federation.contract.clock import FixedClock
from federation.contract.errors import UnavailableError
from federation.shared.place import SharedPlace
from federation.trust.replay import MemoryReplayStore, ReplayStore, SharedReplayStore

NOW = datetime(2026, 11, 22, tzinfo=UTC)
UNTIL = int(NOW.timestamp()) + 60

STORES: dict[str, Callable[[Path, FixedClock], ReplayStore]] = {
    "memory": lambda _, clock: MemoryReplayStore(clock),
    "sqlite": lambda folder, clock: SharedReplayStore.open(SharedPlace(folder), clock),
}


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOW)


@pytest.fixture(params=list(STORES.values()), ids=list(STORES))
def store(request: pytest.FixtureRequest, tmp_path: Path, clock: FixedClock) -> ReplayStore:
    made: ReplayStore = request.param(tmp_path, clock)
    return made


def test_a_name_is_new_once(store: ReplayStore) -> None:
    assert store.first_time("nonce", "a", UNTIL)
    assert not store.first_time("nonce", "a", UNTIL)
    assert not store.first_time("nonce", "a", UNTIL + 100)


def test_names_of_different_kinds_and_different_names_do_not_meet(store: ReplayStore) -> None:
    assert store.first_time("nonce", "a", UNTIL)
    assert store.first_time("jti", "a", UNTIL)
    assert store.first_time("nonc", "ea", UNTIL)
    assert store.first_time("nonce", "A", UNTIL)


def test_what_expired_is_swept(store: ReplayStore, clock: FixedClock) -> None:
    assert store.first_time("nonce", "a", UNTIL)
    clock.instant += timedelta(seconds=3_661)
    for number in range(1000):
        store.first_time("nonce", str(number), UNTIL + 10_000)
    assert store.first_time("nonce", "a", UNTIL)
    assert not store.first_time("nonce", "7", UNTIL)


def test_a_clock_that_ran_ahead_and_was_set_back_makes_no_used_name_new(store: ReplayStore, clock: FixedClock) -> None:
    assert store.first_time("nonce", "a", UNTIL)
    right = clock.instant
    clock.instant += timedelta(seconds=90)  # further ahead, no request is fresh, and nothing is used
    for number in range(1000):
        store.first_time("nonce", str(number), UNTIL + 1000)
    clock.instant = right
    assert not store.first_time("nonce", "a", UNTIL)


def test_a_restart_does_not_forget(tmp_path: Path, clock: FixedClock) -> None:
    first = SharedReplayStore.open(SharedPlace(tmp_path), clock)
    assert first.first_time("nonce", "a", UNTIL)
    first.close()
    second = SharedReplayStore.open(SharedPlace(tmp_path), clock)
    assert not second.first_time("nonce", "a", UNTIL)
    second.close()


def use_all(folder: Path) -> int:
    store = SharedReplayStore.open(SharedPlace(folder), FixedClock(NOW))
    return sum(store.first_time("nonce", str(number), UNTIL) for number in range(500))


@pytest.mark.integration
def test_of_several_processes_one_is_first(tmp_path: Path) -> None:
    with multiprocessing.get_context("spawn").Pool(3) as pool:
        firsts = pool.map(use_all, [tmp_path] * 3)
    assert sum(firsts) == 500


def test_what_cannot_be_remembered_is_not_accepted(tmp_path: Path, clock: FixedClock) -> None:
    store = SharedReplayStore.open(SharedPlace(tmp_path), clock)
    other = sqlite3.connect(tmp_path / "replay.db")
    other.execute("DROP TABLE used")
    other.close()
    with pytest.raises(UnavailableError):
        store.first_time("nonce", "a", UNTIL)
    store.close()
