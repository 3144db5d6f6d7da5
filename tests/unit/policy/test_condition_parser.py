"""The grammar and the types of conditions, and where exactly an error is."""

from __future__ import annotations

import pytest

from node.policy.condition_parser import MAX_DEPTH, MAX_LENGTH, Scope, parse_condition
from node.policy.conditions import (
    And,
    Compare,
    Comparison,
    In,
    Literal,
    Meets,
    Name,
    Not,
    Or,
    SetLiteral,
    ValueType,
    to_text,
)
from node.policy.errors import ConditionError

SCOPE = Scope(
    types={
        "row.age": ValueType.INT,
        "row.place": ValueType.STR,
        "row.flag": ValueType.BOOL,
        "row.tags": ValueType.SET_STR,
        "requester.kind": ValueType.STR,
        "requester.basis": ValueType.SET_STR,
        "today": ValueType.STR,
    },
    enumerated={"requester.kind": frozenset({"national", "school"}), "requester.basis": frozenset({"6.1.e"})},
)
AGE = Name("row.age", ValueType.INT)
FLAG = Name("row.flag", ValueType.BOOL)
BASIS = Name("requester.basis", ValueType.SET_STR)


def test_and_binds_tighter_than_or() -> None:
    assert parse_condition("row.flag || row.flag && row.age < 3", SCOPE) == Or(
        (FLAG, And((FLAG, Compare(Comparison.LT, AGE, Literal(3)))))
    )


def test_none_is_the_negation_of_any() -> None:
    assert parse_condition('none(requester.basis, ["6.1.e"])', SCOPE) == Not(
        Meets(BASIS, SetLiteral((Literal("6.1.e"),)))
    )


def test_any_may_be_compared_and_grouped() -> None:
    text = '(row.age in [1, 2]) == any(row.tags, ["x"])'
    assert to_text(parse_condition(text, SCOPE)) == text


def test_true_is_not_one() -> None:
    assert parse_condition("row.flag == true", SCOPE) != Compare(Comparison.EQ, FLAG, Literal(1))


def test_words_such_as_any_are_functions_only_before_a_parenthesis() -> None:
    with pytest.raises(ConditionError, match="name `any` is not declared"):
        parse_condition("any == true", SCOPE)


WRONG = {
    "empty": ("", 0, "expected a value, a name or `(`, got the end of the condition"),
    "not a bool": ("row.age", 0, "expected a condition of type `bool`, got `int`"),
    "unknown name": ("row.agee > 1", 0, "name `row.agee` is not declared; did you mean `row.age`?"),
    "negated relation": ("!row.flag == true", 10, "`!` binds tighter than `==`; write `!(…)` around the comparison"),
    "negated membership": ("!row.flag in [true]", 10, "`!` binds tighter than `in`"),
    "chained": ("row.age < 1 < 2", 12, "comparisons do not chain"),
    "single equals": ("row.age = 1", 8, "`=` is not an operator; did you mean `==`?"),
    "single ampersand": ("row.flag & row.flag", 9, "did you mean `&&`?"),
    "single quotes": ("row.place == 'a'", 13, "strings are written in double quotes"),
    "open string": ('row.place == "a', 13, 'string has no closing `"`'),
    "escape": ('row.place == "a\\n"', 13, "there are no escapes"),
    "negative": ("row.age > -1", 10, "negative numbers and subtraction do not exist"),
    "arithmetic": ("row.age + 1 > 2", 8, "character `+` has no meaning in a condition"),
    "types differ": ('row.age == "1"', 11, "`==` needs one type on both sides: `int` and `str` differ"),
    "ordered bools": ("row.flag < true", 9, "`<` orders `int` and `str`, not `bool`"),
    "equal sets": ("row.tags == row.tags", 0, "sets have no `==`; use `any` or `none`"),
    "in a scalar": ("row.age in row.place", 11, "`in` needs a set on its right, got `str`"),
    "in a foreign set": ("row.age in row.tags", 0, "`in` needs `str` on its left, got `int`"),
    "any of a scalar": ("any(row.age, row.tags)", 4, "`any` needs two sets, got `int`"),
    "any of two types": ("any(row.tags, [1])", 14, "sets of one type: expected `set<str>`, got `set<int>`"),
    "mixed list": ('row.age in [1, "a"]', 15, "a list holds one type: expected `int`, got `str`"),
    "name in list": ("row.age in [row.age]", 12, "a list holds only literals"),
    "empty list": ("row.age in []", 12, "expected a value, a name or `(`, got `]`"),
    "misspelt kind": (
        'requester.kind == "scool"',
        18,
        "`scool` is not a value of `requester.kind`; did you mean `school`?",
    ),
    "misspelt kind in list": ('requester.kind in ["school", "scol"]', 18, "`scol` is not a value of `requester.kind`"),
    "misspelt basis": ('any(["6.1.z"], requester.basis)', 4, "`6.1.z` is not a value of `requester.basis`"),
    "beside and": ("row.age && row.flag", 0, "expected a condition beside `&&`, got `int`"),
    "negated number": ("!row.age", 1, "expected a condition after `!`, got `int`"),
    "negated literal": ("!3", 1, "expected a condition after `!`, got `3`"),
    "rest": ("row.flag row.flag", 9, "expected `&&`, `||` or the end, got `row.flag`"),
    "open parenthesis": ("(row.flag", 9, "expected `)`, got the end of the condition"),
    "too large": ("row.age < 9223372036854775808", 10, "integer is above 9223372036854775807"),
    "null": ("row.age == null", 11, "name `null` is not declared"),
    "deep": ("(" * (MAX_DEPTH + 1), MAX_DEPTH, "expected at most 64 nested"),
    "deep negation": ("!" * 100 + "row.flag", MAX_DEPTH + 1, "expected at most 64 nested"),
    "long": ("row.flag || " * 400, MAX_LENGTH, "expected at most 4096 characters"),
}


@pytest.mark.parametrize(("text", "offset", "message"), WRONG.values(), ids=WRONG.keys())
def test_a_wrong_condition_is_refused_at_its_offending_word(text: str, offset: int, message: str) -> None:
    with pytest.raises(ConditionError) as refusal:
        parse_condition(text, SCOPE)

    assert message in refusal.value.message
    assert refusal.value.offset == offset


def test_the_largest_integer_of_64_bits_is_admitted_with_leading_zeros() -> None:
    assert parse_condition("row.age < 009223372036854775807", SCOPE) == Compare(
        Comparison.LT, AGE, Literal(9223372036854775807)
    )


def test_a_set_of_one_literal_prints_as_it_was_written() -> None:
    assert to_text(In(AGE, SetLiteral((Literal(3), Literal(1))))) == "row.age in [3, 1]"
