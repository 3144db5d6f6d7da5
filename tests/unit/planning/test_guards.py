"""Guards behave as the boolean functions they stand for."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from federation.planning import guards
from federation.planning.guards import ALWAYS, NEVER, Guard
from federation.planning.plan import Condition

NAMES = ("a", "b", "c")


def holds(guard: Guard, values: dict[str, bool]) -> bool:
    return any(all(values[one.variable] is one.wanted for one in alternative) for alternative in guard)


def worlds() -> list[dict[str, bool]]:
    return [dict(zip(NAMES, values, strict=True)) for values in product((False, True), repeat=len(NAMES))]


def condition(name: str, *, wanted: bool = True) -> Guard:
    return frozenset({frozenset({Condition(name, wanted)})})


SIMPLE = st.sampled_from(
    [ALWAYS, NEVER, *(condition(name, wanted=wanted) for name in NAMES for wanted in (True, False))]
)
GUARDS = st.recursive(
    SIMPLE,
    lambda inner: st.tuples(st.sampled_from([guards.both, guards.either]), inner, inner).map(
        lambda made: made[0](made[1], made[2])
    ),
    max_leaves=8,
)


@settings(max_examples=100)
@given(GUARDS, GUARDS)
def test_both_and_either_are_conjunction_and_disjunction(left: Guard, right: Guard) -> None:
    for values in worlds():
        assert holds(guards.both(left, right), values) == (holds(left, values) and holds(right, values))
        assert holds(guards.either(left, right), values) == (holds(left, values) or holds(right, values))


@settings(max_examples=100)
@given(GUARDS, GUARDS)
def test_what_is_left_inside_an_outer_guard_is_the_same_wherever_the_outer_one_holds(
    inner: Guard, outer: Guard
) -> None:
    narrowed = guards.both(inner, outer)
    left = guards.inside(narrowed, outer)
    for values in worlds():
        if holds(outer, values):
            assert holds(left, values) == holds(narrowed, values)


def test_opposite_conditions_fold_away() -> None:
    assert guards.either(condition("a"), condition("a", wanted=False)) == ALWAYS
    assert guards.both(condition("a"), condition("a", wanted=False)) == NEVER


@pytest.mark.parametrize("guard", [ALWAYS, condition("a")])
def test_a_small_guard_is_not_widened(guard: Guard) -> None:
    assert guards.widen(guard) == guard


def test_a_guard_with_too_many_alternatives_is_widened_to_always() -> None:
    many = guards.any_of(
        guards.both(condition(f"x{number}"), condition(f"y{number}")) for number in range(guards.MOST_ALTERNATIVES + 1)
    )
    assert guards.widen(many) == ALWAYS
