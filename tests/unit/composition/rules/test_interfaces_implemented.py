"""Types implement the interfaces that they name."""

import pytest

from tests.support.composition import codes, fed

INTERFACE = "type Query { a: A } interface A { x: Int y(z: Int): [A!] }"
WRONG = {
    "missing field": "type B implements A { x: Int }",
    "wider type": "type B implements A { x: Int y(z: Int): [Int!] }",
    "missing argument": "type B implements A { x: Int y: [A!] }",
    "new required argument": "type B implements A { x(n: Int!): Int y(z: Int): [A!] }",
    "no interface": "type B implements Query { x: Int }",
}


@pytest.mark.parametrize("sdl", WRONG.values(), ids=WRONG.keys())
def test_a_type_that_does_not_implement_its_interface_is_refused(sdl: str) -> None:
    assert codes(fed(f"{INTERFACE} {sdl}")) == ["INVALID_GRAPHQL"]


def test_narrower_types_and_optional_arguments_are_fine() -> None:
    assert codes(fed(f"{INTERFACE} type B implements A {{ x(n: Int): Int! y(z: Int): [B!]! }}")) == []
