"""Promises about conditions: every back-end means the same, printing is reading backwards, and nothing raises."""

from __future__ import annotations

import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st

from node.policy.closures import compile_test
from node.policy.condition_parser import MAX_LENGTH, Scope, parse_condition
from node.policy.conditions import CONSENT, Condition, Consent, evaluate, names_in, to_text
from node.policy.errors import ConditionError
from node.policy.residuals import residual, unless_false, when_true
from node.policy.worlds import TooManySituationsError, distinguishable_values, situations, size
from tests.support.policies import ANYTHING, CONDITIONS, ENVIRONMENTS, NAMES, TYPES, row_of

pytestmark = pytest.mark.property
SCOPE = Scope(TYPES)


def consents_of(names: dict[str, object]) -> frozenset[str] | None:
    value = names[CONSENT]
    return None if value is None else frozenset({"p"}) if value else frozenset()


@given(CONDITIONS)
def test_parsing_what_is_printed_gives_the_same_condition(condition: Condition) -> None:
    assert parse_condition(to_text(condition), SCOPE) == condition


@given(CONDITIONS, ENVIRONMENTS)
@settings(max_examples=300)
def test_partial_evaluation_then_evaluation_equals_evaluation(condition: Condition, names: dict[str, object]) -> None:
    left = residual(condition, names, Consent("p"))

    assert all(name.dotted.startswith("row.") for name in names_in(left))
    assert evaluate(left, names, consents_of(names)) == evaluate(condition, names)


@given(CONDITIONS, ENVIRONMENTS)
@settings(max_examples=300)
def test_the_closure_equals_the_oracle(condition: Condition, names: dict[str, object]) -> None:
    left = residual(condition, names, Consent("p"))

    assert compile_test(left)(row_of(names), consents_of(names)) == evaluate(condition, names)


@given(CONDITIONS, ENVIRONMENTS)
@settings(max_examples=300)
def test_settling_unknowns_changes_neither_what_a_grant_nor_what_a_prohibition_asks(
    condition: Condition, names: dict[str, object]
) -> None:
    left = residual(condition, names, Consent("p"))
    truth = evaluate(condition, names)

    assert (evaluate(when_true(left), names, consents_of(names)) is True) == (truth is True)
    assert (evaluate(unless_false(left), names, consents_of(names)) is False) == (truth is False)


@given(CONDITIONS, st.fixed_dictionaries({name.dotted: ANYTHING for name in NAMES}))
@settings(max_examples=300)
def test_r11_no_input_makes_a_condition_raise(condition: Condition, names: dict[str, object]) -> None:
    truth = evaluate(condition, names)

    assert truth in (True, False, None)
    left = residual(condition, names, Consent("p"))
    assert compile_test(left)(row_of(names), frozenset()) in (True, False, None)


@given(st.text(max_size=60) | st.text(alphabet='()!&|=<>[],"any none in row.age requester.kind true 19', max_size=60))
@settings(max_examples=300)
def test_r11_no_text_makes_the_parser_raise_anything_but_its_error(text: str) -> None:
    offset = 0
    try:
        parse_condition(text, SCOPE)
    except ConditionError as error:
        offset = error.offset
    assert 0 <= offset <= min(len(text), MAX_LENGTH)


@given(CONDITIONS, ENVIRONMENTS)
@settings(max_examples=100)
def test_the_distinguishable_values_stand_for_all_values(condition: Condition, names: dict[str, object]) -> None:
    """If any environment makes a condition true, one of the finitely many tried does, too."""
    try:
        values = distinguishable_values((condition,), {})
    except TooManySituationsError:
        reject()  # said, not tried: a set compared with too many values
    if evaluate(condition, names) is True and size(values) <= 20_000:
        assert any(evaluate(condition, tried) is True for tried in situations(values))
