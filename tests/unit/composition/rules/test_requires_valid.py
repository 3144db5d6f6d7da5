"""`@requires` selects what other subgraphs resolve."""

from tests.support.composition import codes, fed

QUERY = 'type Query { a: A } type A @key(fields: "id") { id: ID x: Int }'


def test_what_others_resolve_can_be_required() -> None:
    own = 'type A @key(fields: "id") { id: ID x: Int @external y: Int @requires(fields: "x") }'
    assert codes(fed(own), fed(QUERY)) == []


def test_what_the_subgraph_resolves_itself_cannot() -> None:
    own = 'type A @key(fields: "id") { id: ID x: Int @shareable y: Int @requires(fields: "x") }'
    assert codes(fed(own), fed(QUERY)) == ["REQUIRES_FIELDS_MISSING_EXTERNAL"]


def test_fields_of_interfaces_require_nothing() -> None:
    own = (
        'type Query { i: I } interface I { x: Int y: Int @requires(fields: "x") } type B implements I { x: Int y: Int }'
    )
    assert "REQUIRES_UNSUPPORTED_ON_INTERFACE" in codes(fed(own))
