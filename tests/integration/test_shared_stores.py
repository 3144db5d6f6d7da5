"""What workers share on several hosts lies in PostgreSQL, and is as exact there as in a file of one host."""

from __future__ import annotations

import multiprocessing
import threading
from collections.abc import Hashable, Iterator, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from federation.contract.clock import FixedClock
from federation.contract.errors import ConfigurationError, CountsOverlapError, UnavailableError
from federation.shared.place import SharedPlace
from federation.trust.counters import SharedCounters
from federation.trust.replay import SharedReplayStore
from node.enforcement.delivered import Apart, SharedDelivered
from node.enforcement.told_counts import ToldCounts
from tests.support.postgres import Server

pytestmark = pytest.mark.integration
NOW = datetime(2026, 11, 28, tzinfo=UTC)
TODAY = date(2026, 11, 28)
UNTIL = int(NOW.timestamp()) + 60
PROCESSES = 4
NAMES = 300


@pytest.fixture
def place(postgres: Server, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SharedPlace]:
    party = f"p{abs(hash(request.node.name)):x}"
    yield SharedPlace(tmp_path, postgres.url, party)
    postgres.run(f"DROP SCHEMA IF EXISTS crocevia_{party} CASCADE")


def use_all(place: SharedPlace) -> int:
    with closing(SharedReplayStore.open(place, FixedClock(NOW))) as store:
        return sum(store.first_time("nonce", str(number), UNTIL) for number in range(NAMES))


def count_all(place: SharedPlace) -> list[int]:
    with closing(SharedCounters.open(place)) as counters:
        return [used for _ in range(NAMES) if (used := counters.add("agreement:a", TODAY, NAMES)) is not None]


def test_of_four_processes_one_is_first_and_a_restart_does_not_forget(place: SharedPlace) -> None:
    with multiprocessing.get_context("spawn").Pool(PROCESSES) as pool:
        assert sum(pool.map(use_all, [place] * PROCESSES)) == NAMES
    assert use_all(place) == 0


def test_four_processes_do_not_overrun_a_quota(place: SharedPlace) -> None:
    with multiprocessing.get_context("spawn").Pool(PROCESSES) as pool:
        counted = [used for each in pool.map(count_all, [place] * PROCESSES) for used in each]
    assert sorted(counted) == list(range(1, NAMES + 1))
    with closing(SharedCounters.open(place)) as counters:
        assert counters.used("agreement:a", TODAY) == NAMES
        assert counters.add("agreement:a", TODAY + timedelta(days=30), 1) == 1
        assert counters.used("agreement:a", TODAY) == 0  # forgotten


def test_what_expired_is_swept(place: SharedPlace) -> None:
    clock = FixedClock(NOW)
    with closing(SharedReplayStore.open(place, clock)) as store:
        assert store.first_time("nonce", "a", UNTIL)
        clock.instant += timedelta(hours=1, minutes=2)
        for number in range(1_000):
            store.first_time("nonce", str(number), UNTIL + 1_000)
        assert store.first_time("nonce", "a", UNTIL)


def test_two_parties_of_one_database_do_not_meet(place: SharedPlace, postgres: Server) -> None:
    other = SharedPlace(place.state, place.url, place.party + "_other")
    with closing(SharedCounters.open(place)) as one, closing(SharedCounters.open(other)) as another:
        assert one.add("agreement:a", TODAY, 1) == 1
        assert another.add("agreement:a", TODAY, 1) == 1
    postgres.run(f"DROP SCHEMA crocevia_{other.party} CASCADE")


@dataclass(frozen=True, slots=True)
class Asked:
    """A question for one count over everybody, as the data plane asks it."""

    counts: Mapping[tuple[Hashable, ...], int]
    where: str = ""
    by: tuple[str, ...] = ()
    type_name: str = field(default="Citizen")


def test_r26_of_six_counts_told_at_once_one_is_told(place: SharedPlace) -> None:
    admitted: list[int] = []

    def tell(number: int) -> None:
        with closing(ToldCounts.open(place)) as told, suppress(CountsOverlapError):
            told.tell("ustat", Asked({(): 60 - number}, f'{{"age":{{"lt":{90 - number}}}}}'), TODAY, 10)
            admitted.append(number)

    workers = [threading.Thread(target=tell, args=(number,)) for number in range(6)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(admitted) == 1


def test_what_a_policy_keeps_apart_is_learned_whole_or_not_at_all(place: SharedPlace) -> None:
    def apart(*told: str) -> Apart:
        return Apart("Citizen.two", frozenset(told), frozenset({"a", "b"}))

    with closing(SharedDelivered.open(place)) as first, closing(SharedDelivered.open(place)) as second:
        assert first.learn("inprev", ["p"], [apart("a")], TODAY) is None
        assert second.learn("inprev", ["q", "p"], [apart("b")], TODAY) == apart("b")
        assert first.learn("inprev", ["q"], [apart("a")], TODAY) is None  # of q nothing was remembered


def test_a_lost_connection_is_opened_again_and_what_cannot_be_counted_is_refused(
    place: SharedPlace, postgres: Server
) -> None:
    with closing(SharedCounters.open(place)) as counters:
        assert counters.add("a", TODAY, 9) == 1
        postgres.run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'crocevia-%'")
        with suppress(UnavailableError):  # refused once, if the end of the connection was not heard of before
            counters.add("another", TODAY, 9)
        assert counters.add("a", TODAY, 9) == 2
        postgres.run(f"DROP TABLE crocevia_{place.party}.counted")
        with pytest.raises(UnavailableError, match="did not answer for `counters`"):
            counters.add("a", TODAY, 9)


def test_a_database_that_is_not_there_is_refused_and_named(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match="look at the setting `shared`"):
        SharedCounters.open(SharedPlace(tmp_path, f"postgresql://nobody@/none?host={tmp_path}", "gateway"))
    with pytest.raises(ConfigurationError, match="postgresql://"):
        SharedCounters.open(SharedPlace(tmp_path, "mysql://localhost", "gateway"))
