"""Who looks up an interface by its key knows all that implement it."""

from tests.support.composition import codes, fed

A = 'type Query { i: I } interface I @key(fields: "id") { id: ID } type A implements I @key(fields: "id") { id: ID }'
B = 'interface I { id: ID } type B implements I @key(fields: "id") { id: ID }'


def test_a_missing_implementation_is_named() -> None:
    assert codes(fed(A), fed(B)) == ["INTERFACE_KEY_MISSING_IMPLEMENTATION_TYPE"]


def test_a_key_that_is_only_referred_to_asks_for_nothing() -> None:
    referring = A.replace('"id")', '"id", resolvable: false)')
    assert codes(fed(referring), fed(B)) == []
