"""Who implements an interface with keys has these keys."""

from tests.support.composition import codes, fed


def test_an_implementation_without_the_interfaces_key_is_refused() -> None:
    sdl = 'type Query { i: I } interface I @key(fields: "id") { id: ID } type A implements I { id: ID }'
    assert codes(fed(sdl)) == ["INTERFACE_KEY_NOT_ON_IMPLEMENTATION"]


def test_the_order_of_fields_in_a_key_means_nothing() -> None:
    interface = 'type Query { i: I } interface I @key(fields: "x y") { x: ID y: ID }'
    assert codes(fed(f'{interface} type A implements I @key(fields: "y x") {{ x: ID y: ID }}')) == []
