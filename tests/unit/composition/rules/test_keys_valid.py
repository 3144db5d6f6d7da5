"""Keys select fields that can identify an entity."""

import pytest

from tests.support.composition import codes, fed

TYPE = (
    "{ id: ID tags(of: Int): Int i: I child: C } interface I { id: ID }"
    " type J implements I { id: ID } type C { id: ID }"
)
WRONG = {
    "unknown field": ('"ie"', ["KEY_INVALID_FIELDS"]),
    "nothing below an object": ('"child"', ["KEY_INVALID_FIELDS"]),
    "something below a leaf": ('"id { x }"', ["KEY_INVALID_FIELDS"]),
    "not a selection": ('"child {"', ["KEY_INVALID_FIELDS"]),
    "arguments": ('"id tags"', ["KEY_FIELDS_HAS_ARGS"]),
    "interface": ('"i { id }"', ["KEY_FIELDS_SELECT_INVALID_TYPE"]),
    "directive": ('"id @skip(if: false)"', ["KEY_DIRECTIVE_IN_FIELDS_ARG"]),
    "no text": ("true", ["KEY_INVALID_FIELDS_TYPE"]),
    "alias": ('"x: id"', ["KEY_INVALID_FIELDS"]),
}


@pytest.mark.parametrize(("fields", "expected"), WRONG.values(), ids=WRONG.keys())
def test_a_key_that_identifies_nothing_is_refused(fields: str, expected: list[str]) -> None:
    assert codes(fed(f"type Query {{ a: A }} type A @key(fields: {fields}) {TYPE}")) == expected


def test_a_key_may_select_below_objects() -> None:
    assert codes(fed(f'type Query {{ a: A }} type A @key(fields: "id child {{ id }}") {TYPE}')) == []


def test_interfaces_have_keys_since_version_2_3() -> None:
    interface = 'type Query { a: A } interface A @key(fields: "id") { id: ID }'
    sdl = f'{interface} type B implements A @key(fields: "id") {{ id: ID }}'
    assert codes(fed(sdl)) == []
    assert codes(fed(sdl, "2.2")) == ["KEY_UNSUPPORTED_ON_INTERFACE"]
