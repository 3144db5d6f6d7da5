"""Nothing is declared twice."""

import pytest

from tests.support.composition import codes, fed

TWICE = {
    "type": "type Query { a: A } type A { x: Int } type A { y: Int }",
    "field": "type Query { a: Int a: String }",
    "field in an extension": "type Query { a: Int } extend type Query { a: String }",
    "argument": "type Query { a(b: Int, b: Int): Int }",
    "enum value": "type Query { a: E } enum E { X X }",
    "directive": "type Query { a: Int } directive @d on FIELD directive @d on FIELD",
}


@pytest.mark.parametrize("sdl", TWICE.values(), ids=TWICE.keys())
def test_what_is_declared_twice_is_refused(sdl: str) -> None:
    assert codes(fed(sdl)) == ["INVALID_GRAPHQL"]
