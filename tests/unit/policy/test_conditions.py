"""The three-valued truth tables, and what residuals make of known names."""

from __future__ import annotations

import pytest

from node.policy.cel import to_cel
from node.policy.closures import compile_test
from node.policy.conditions import (
    FALSE,
    TRUE,
    UNKNOWN,
    And,
    Compare,
    Comparison,
    Condition,
    Consent,
    In,
    Literal,
    Meets,
    Name,
    Not,
    Or,
    SetLiteral,
    ValueType,
    evaluate,
    to_text,
)
from node.policy.residuals import residual, unless_false, when_true

T, F, U = TRUE, FALSE, UNKNOWN
AGE = Name("row.age", ValueType.INT)
PLACE = Name("row.place", ValueType.STR)
FLAG = Name("row.flag", ValueType.BOOL)
TAGS = Name("row.tags", ValueType.SET_STR)
AREA = Name("requester.area", ValueType.STR)
BASIS = Name("requester.basis", ValueType.SET_STR)

AND_TABLE = [(T, T, True), (T, F, False), (T, U, None), (F, U, False), (U, U, None), (U, T, None), (U, F, False)]
OR_TABLE = [(T, T, True), (T, F, True), (T, U, True), (F, U, None), (U, U, None), (F, F, False), (U, T, True)]


@pytest.mark.parametrize(("left", "right", "truth"), AND_TABLE)
def test_conjunction_follows_the_truth_table(left: Condition, right: Condition, *, truth: bool | None) -> None:
    assert evaluate(And((left, right)), {}) is truth
    assert compile_test(And((left, right)))({}, ()) is truth


@pytest.mark.parametrize(("left", "right", "truth"), OR_TABLE)
def test_disjunction_follows_the_truth_table(left: Condition, right: Condition, *, truth: bool | None) -> None:
    assert evaluate(Or((left, right)), {}) is truth
    assert compile_test(Or((left, right)))({}, ()) is truth


def test_negation_keeps_the_unknown() -> None:
    assert evaluate(Not(U), {}) is None


UNKNOWNS: dict[str, Condition] = {
    "comparison": Compare(Comparison.NE, AGE, AGE),
    "membership": In(PLACE, SetLiteral((Literal("a"),))),
    "set": Meets(TAGS, SetLiteral((Literal("a"),))),
    "name": FLAG,
}


@pytest.mark.parametrize("condition", UNKNOWNS.values(), ids=UNKNOWNS.keys())
@pytest.mark.parametrize("row", [{}, {"age": None, "place": None, "tags": None, "flag": None}], ids=["absent", "null"])
def test_a_missing_or_null_value_makes_it_unknown(condition: Condition, row: dict[str, object]) -> None:
    assert compile_test(condition)(row, ()) is None
    assert evaluate(condition, {f"row.{name}": value for name, value in row.items()}) is None


def test_a_value_of_a_foreign_type_is_as_good_as_missing() -> None:
    assert evaluate(Compare(Comparison.EQ, AGE, Literal(1)), {"row.age": True}) is None
    assert evaluate(FLAG, {"row.flag": 1}) is None
    assert evaluate(Meets(TAGS, TAGS), {"row.tags": ["a", 1]}) is None


def test_strings_compare_by_code_point() -> None:
    after = Compare(Comparison.LT, Literal("Z"), PLACE)
    assert evaluate(after, {"row.place": "a"}) is True
    assert evaluate(after, {"row.place": "È"}) is True
    assert evaluate(after, {"row.place": "A"}) is False


def test_an_unknown_consent_is_unknown_and_an_absent_one_false() -> None:
    assert evaluate(Consent("notices"), {}, None) is None
    assert evaluate(Consent("notices"), {}, ()) is False
    assert evaluate(Consent("notices"), {}, ("notices",)) is True


def test_a_residual_holds_only_the_row() -> None:
    condition = And((Compare(Comparison.EQ, PLACE, AREA), Compare(Comparison.LT, AGE, Literal(19))))

    found = residual(condition, {"requester.area": "F205"}, Consent("p"))

    assert to_text(found) == 'row.place == "F205" && row.age < 19'


def test_a_known_name_without_value_folds_to_unknown() -> None:
    condition = And((Compare(Comparison.EQ, PLACE, AREA), FLAG))
    found = residual(condition, {}, Consent("p"))

    assert found == And((UNKNOWN, FLAG))
    assert when_true(found) == FALSE
    assert unless_false(found) == FLAG


def test_an_unknown_under_a_negation_settles_the_other_way() -> None:
    assert when_true(Or((Not(And((UNKNOWN, FLAG))), FLAG))) == Or((Not(FLAG), FLAG))
    assert unless_false(Not(Or((UNKNOWN, FLAG)))) == Not(FLAG)


def test_comparing_with_a_truth_is_the_name_itself() -> None:
    assert residual(Compare(Comparison.EQ, FLAG, TRUE), {}, U) == FLAG
    assert residual(Compare(Comparison.EQ, FALSE, FLAG), {}, U) == Not(FLAG)
    assert residual(Compare(Comparison.NE, FLAG, TRUE), {}, U) == Not(FLAG)


def test_membership_of_an_empty_set_is_false_but_unknown_without_a_value() -> None:
    found = residual(In(PLACE, BASIS), {"requester.basis": frozenset()}, U)

    assert found == Compare(Comparison.NE, PLACE, PLACE)
    assert evaluate(found, {"row.place": "a"}) is False
    assert evaluate(found, {}) is None


def test_an_empty_set_meets_nothing() -> None:
    found = residual(Meets(TAGS, BASIS), {"requester.basis": frozenset()}, U)

    assert found == Meets(TAGS, SetLiteral(()))
    assert evaluate(found, {"row.tags": ["a"]}) is False


def test_parts_said_twice_are_said_once() -> None:
    assert residual(And((FLAG, Or((FLAG, FALSE)))), {}, U) == FLAG


def test_any_is_written_in_cel_with_a_macro() -> None:
    condition = And((Not(Meets(TAGS, SetLiteral((Literal("a"),)))), Compare(Comparison.GE, AGE, Literal(18))))
    assert to_cel(condition) == '(!row.tags.exists(x, x in ["a"])) && (row.age >= 18)'


def test_residuals_can_be_shown_to_people() -> None:
    assert to_text(And((Consent("service-notices"), UNKNOWN))) == 'consent("service-notices") && unknown'
    assert to_cel(Or((Consent("service-notices"), UNKNOWN))) == 'consents["service-notices"] || unknown.value'
