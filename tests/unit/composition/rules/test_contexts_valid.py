"""Contexts are set where they are read, and give what is asked for."""

import pytest

from tests.support.composition import codes, fed


def schema(argument: str, *, name: str = "user", key: str = '@key(fields: "id")') -> str:
    return fed(
        f'type Query {{ u: U }} type U @context(name: "{name}") @key(fields: "id") {{ id: ID locale: String child: C }}'
        f" type C {key} {{ id: ID text({argument}): String }}"
    )


def test_a_value_is_read_from_an_object_above() -> None:
    assert codes(schema('l: String @fromContext(field: "$user { locale }")')) == []


WRONG = {
    "no context": ('"locale"', "NO_CONTEXT_IN_SELECTION"),
    "context that is not set": ('"$other { locale }"', "CONTEXT_NOT_SET"),
    "nothing selected": ('"$user"', "NO_CONTEXT_IN_SELECTION"),
    "unknown field": ('"$user { x }"', "CONTEXT_INVALID_SELECTION"),
    "two fields": ('"$user { id locale }"', "CONTEXT_INVALID_SELECTION"),
    "another type": ('"$user { id }"', "CONTEXT_INVALID_SELECTION"),
}


@pytest.mark.parametrize(("field", "code"), WRONG.values(), ids=WRONG.keys())
def test_a_reference_that_gives_no_value_is_refused(field: str, code: str) -> None:
    assert codes(schema(f"l: String @fromContext(field: {field})")) == [code]


def test_a_context_has_a_plain_name() -> None:
    assert "CONTEXT_NAME_INVALID" in codes(schema("l: String", name="the_user"))


def test_who_reads_a_context_can_be_entered_again() -> None:
    argument = 'l: String @fromContext(field: "$user { locale }")'
    assert codes(schema(argument, key="")) == ["CONTEXT_NO_RESOLVABLE_KEY"]
