"""A field that is marked external is used."""

from tests.support.composition import codes, fed

OWNER = 'type A @key(fields: "id") { id: ID x: Int }'


def test_an_external_field_that_nothing_uses_is_refused() -> None:
    own = 'type Query { a: A } type A @key(fields: "id") { id: ID x: Int @external }'
    assert codes(fed(own), fed(OWNER)) == ["EXTERNAL_UNUSED"]


def test_an_external_field_may_implement_an_interface() -> None:
    own = (
        'type Query { a: A } interface I { x: Int } type A implements I @key(fields: "id") { id: ID x: Int @external }'
    )
    assert codes(fed(own), fed(OWNER)) == []


def test_federation_1_lets_unused_externals_stand() -> None:
    assert (
        codes('type Query { a: A } extend type A @key(fields: "id") { id: ID @external x: Int @external }', fed(OWNER))
        == []
    )
