"""`@provides` selects what the subgraph resolves only here."""

from tests.support.composition import codes, fed

OWNER = 'type A @key(fields: "id") { id: ID x: Int @shareable }'


def test_an_external_field_can_be_provided() -> None:
    own = 'type Query { a: A @provides(fields: "x") } type A @key(fields: "id") { id: ID x: Int @external }'
    assert codes(fed(own), fed(OWNER)) == []


def test_a_field_that_is_always_resolved_is_not_provided() -> None:
    own = 'type Query { a: A @provides(fields: "x") } type A @key(fields: "id") { id: ID x: Int @shareable }'
    assert codes(fed(own), fed(OWNER)) == ["PROVIDES_FIELDS_MISSING_EXTERNAL"]


def test_a_leaf_provides_nothing() -> None:
    assert codes(fed('type Query { a: Int @provides(fields: "x") }')) == ["PROVIDES_ON_NON_OBJECT_FIELD"]


def test_what_is_provided_takes_no_arguments() -> None:
    own = 'type Query { a: A @provides(fields: "y") } type A { y(z: Int): Int @external }'
    assert "PROVIDES_FIELDS_HAS_ARGS" in codes(fed(own))
