"""What is hidden from clients leaves a schema that holds together."""

import pytest

from tests.support.composition import codes, composed, fed

WRONG = {
    "root": ("type Query @inaccessible { a: Int }", "QUERY_ROOT_TYPE_INACCESSIBLE"),
    "type of a visible field": ("type Query { a: A } type A @inaccessible { x: Int }", "REFERENCED_INACCESSIBLE"),
    "everything in a type": ("type Query { a: A } type A { x: Int @inaccessible }", "ONLY_INACCESSIBLE_CHILDREN"),
    "required argument": ("type Query { a(x: Int! @inaccessible): Int }", "REQUIRED_INACCESSIBLE"),
    "required input field": (
        "type Query { a(i: I): Int } input I { x: Int! @inaccessible y: Int }",
        "REQUIRED_INACCESSIBLE",
    ),
    "default": ("type Query { a(e: E = X): Int } enum E { X @inaccessible Y }", "DEFAULT_VALUE_USES_INACCESSIBLE"),
    "field of an interface": (
        "type Query { i: I } interface I { x: Int y: Int } type A implements I { x: Int @inaccessible y: Int }",
        "IMPLEMENTED_BY_INACCESSIBLE",
    ),
}


@pytest.mark.parametrize(("sdl", "code"), WRONG.values(), ids=WRONG.keys())
def test_what_is_visible_does_not_depend_on_what_is_hidden(sdl: str, code: str) -> None:
    assert codes(fed(sdl)) == [code]


def test_what_is_hidden_is_not_in_the_api() -> None:
    api = composed(fed("type Query { a: Int b: A @inaccessible } type A @inaccessible { x: Int }")).supergraph.api_sdl
    assert api == "type Query {\n  a: Int\n}"
