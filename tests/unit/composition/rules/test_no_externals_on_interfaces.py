"""Fields of interfaces are not external."""

from tests.support.composition import codes, fed


def test_an_external_field_of_an_interface_is_refused() -> None:
    sdl = "type Query { i: I } interface I { x: Int @external } type A implements I { x: Int }"
    assert "EXTERNAL_ON_INTERFACE" in codes(fed(sdl))
