"""The breaker and the retry budget, with a clock of numbers."""

from __future__ import annotations

from federation.execution.breaker import Breaker, BreakerSettings, State
from federation.execution.retry import RetryBudget


def breaker(chance: float = 0.0) -> Breaker:
    return Breaker(BreakerSettings(), lambda: chance)


def open_one() -> Breaker:
    made = breaker()
    for second in range(5):
        made.failed(second / 10)
    return made


def test_five_failures_in_a_row_open_it() -> None:
    made = breaker()
    for _ in range(4):
        made.failed(0)
    assert str(made.state) == "closed"
    made.failed(0)
    assert str(made.state) == "open"
    assert not made.allows(0.5)


def test_few_successes_among_many_open_it() -> None:
    made = breaker()
    for number in range(8):
        (made.succeeded if number % 2 else made.failed)(number / 10)
    assert made.state is State.OPEN


def test_failures_long_ago_do_not_count() -> None:
    made = breaker()
    for _ in range(4):
        made.failed(0)
    for number in range(20):
        made.succeeded(11 + number / 10)
    made.failed(13)
    assert made.state is State.CLOSED


def test_only_one_real_request_probes_after_the_pause() -> None:
    made = open_one()
    assert not made.allows(1.0)
    assert made.allows(1.5)
    assert not made.allows(1.5)
    assert made.state is State.PROBING


def test_a_good_probe_closes_it_and_a_bad_one_doubles_the_pause() -> None:
    good = open_one()
    good.allows(2)
    good.succeeded(2)
    assert good.state is State.CLOSED
    bad = open_one()
    bad.allows(2)
    bad.failed(2)
    assert not bad.allows(3.9)
    assert bad.allows(4.1)


def test_the_pause_never_grows_beyond_a_minute() -> None:
    made, now = open_one(), 1_000.0
    for _ in range(20):
        assert made.allows(now)
        made.failed(now)
        now += 61
    assert made.retry_after(now - 61) <= 60


def test_chance_shortens_the_pause_by_up_to_a_half() -> None:
    made = breaker(chance=1.0)
    for _ in range(5):
        made.failed(0)
    assert not made.allows(0.4)
    assert made.allows(0.5)


def test_a_probe_that_never_reports_does_not_close_the_way_for_good() -> None:
    made = open_one()
    assert made.allows(2)
    assert made.allows(10)


def test_a_full_outage_is_made_worse_by_a_fifth_at_most() -> None:
    budget = RetryBudget()
    retries = 0
    for _ in range(1_000):
        budget.earn()
        retries += budget.spend()
    assert retries <= 201
