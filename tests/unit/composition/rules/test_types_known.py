"""Every type that is referred to exists, and stands where its kind may stand."""

import pytest

from tests.support.composition import codes, fed

WRONG = {
    "unknown type of a field": "type Query { a: A }",
    "unknown type of an argument": "type Query { a(b: B): Int }",
    "input where values go out": "type Query { a: I } input I { x: Int }",
    "object where values come in": "type Query { a(b: O): Int } type O { x: Int }",
    "scalar in a union": "type Query { a: U } scalar S union U = S",
    "empty type": "type Query { a: O } type O",
}


@pytest.mark.parametrize("sdl", WRONG.values(), ids=WRONG.keys())
def test_a_wrong_reference_is_refused(sdl: str) -> None:
    assert codes(fed(sdl)) == ["INVALID_GRAPHQL"]
