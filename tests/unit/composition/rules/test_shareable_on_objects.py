"""Only what is resolved can be shared."""

from tests.support.composition import codes, fed


def test_a_field_of_an_interface_is_not_shareable() -> None:
    sdl = "type Query { i: I } interface I { x: Int @shareable } type A implements I { x: Int }"
    assert codes(fed(sdl)) == ["INVALID_SHAREABLE_USAGE"]


def test_a_field_is_marked_once() -> None:
    assert codes(fed("type Query { x: Int @shareable @shareable }")) == ["INVALID_SHAREABLE_USAGE"]
