"""The federation's own definitions, where a schema writes them out."""

from tests.support.composition import codes, fed

QUERY = "type Query { a: A }"


def test_a_definition_as_in_the_specification_is_fine() -> None:
    sdl = "directive @key(fields: federation__FieldSet!, resolvable: Boolean = true) repeatable on OBJECT | INTERFACE"
    assert codes(fed(f'{sdl} scalar federation__FieldSet type A @key(fields: "id") {{ id: ID }} {QUERY}')) == []


def test_an_argument_of_another_type_is_refused() -> None:
    sdl = 'directive @key(fields: Text!) repeatable on OBJECT scalar Text type A @key(fields: "id") { id: ID }'
    assert codes(fed(f"{sdl} {QUERY}")) == ["DIRECTIVE_DEFINITION_INVALID"]


def test_a_place_that_the_specification_does_not_have_is_refused() -> None:
    sdl = f"directive @shareable repeatable on ENUM | OBJECT type A @shareable {{ id: ID }} {QUERY}"
    assert codes(fed(sdl)) == ["DIRECTIVE_DEFINITION_INVALID"]
