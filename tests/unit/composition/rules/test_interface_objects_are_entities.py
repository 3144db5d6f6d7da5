"""Interface objects can be looked up."""

from tests.support.composition import codes, fed


def test_an_interface_object_without_a_key_is_refused() -> None:
    other = 'interface I @key(fields: "id") { id: ID } type A implements I @key(fields: "id") { id: ID }'
    assert codes(fed("type Query { i: I } type I @interfaceObject { id: ID }"), fed(other)) == [
        "INTERFACE_OBJECT_USAGE_ERROR"
    ]
