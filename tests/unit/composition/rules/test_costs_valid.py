"""Costs are stated where something is resolved."""

from tests.support.composition import codes, fed


def test_a_field_of_an_interface_has_no_cost() -> None:
    sdl = "type Query { i: I } interface I { x: Int @cost(weight: 2) } type A implements I { x: Int @cost(weight: 2) }"
    assert codes(fed(sdl)) == ["COST_APPLIED_TO_INTERFACE_FIELD"]
