"""Interfaces grow when subgraphs are merged, and who implements them must keep up."""

from tests.support.composition import codes, fed

A = "type Query { i: I } interface I { x: Int y: Int } type A implements I { x: Int y: Int }"


def test_an_implementation_that_does_not_grow_with_its_interface_is_refused() -> None:
    assert codes(fed(A), fed("interface I { x: Int } type B implements I { x: Int }")) == ["INTERFACE_FIELD_NO_IMPLEM"]


def test_an_implementation_may_have_the_field_from_another_subgraph() -> None:
    b = 'interface I { x: Int } type B implements I @key(fields: "id") { id: ID x: Int }'
    c = 'type B @key(fields: "id") { id: ID y: Int }'
    assert codes(fed(A), fed(b), fed(c)) == []
