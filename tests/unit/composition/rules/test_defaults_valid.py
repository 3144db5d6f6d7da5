"""Default values are values of their types."""

import pytest

from tests.support.composition import codes, fed

TYPES = "enum E { X } input I { n: Int! e: E = X }"
WRONG = [
    "a(b: Int = 1.5): Int",
    "a(b: E = Y): Int",
    "a(b: I = {}): Int",
    "a(b: I = {n: 1, m: 1}): Int",
    "a(b: Int! = null): Int",
]
RIGHT = [
    "a(b: Float = 1): Int",
    "a(b: ID = 1): Int",
    "a(b: [Int] = 1): Int",
    "a(b: I = {n: 1}): Int",
    "a(b: E = null): Int",
]


@pytest.mark.parametrize("field", WRONG)
def test_a_default_of_another_type_is_refused(field: str) -> None:
    assert codes(fed(f"type Query {{ {field} }} {TYPES}")) == ["INVALID_GRAPHQL"]


@pytest.mark.parametrize("field", RIGHT)
def test_a_default_of_the_type_is_fine(field: str) -> None:
    assert codes(fed(f"type Query {{ {field} }} {TYPES}")) == []
