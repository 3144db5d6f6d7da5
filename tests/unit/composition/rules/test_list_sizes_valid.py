"""List sizes speak of lists and arguments that exist."""

import pytest

from tests.support.composition import codes, fed

PAGE = "type Page { items: [Int] count: Int }"
WRONG = {
    "no list": ("a: Int @listSize(assumedSize: 3)", "LIST_SIZE_APPLIED_TO_NON_LIST"),
    "negative": ("a: [Int] @listSize(assumedSize: -3)", "LIST_SIZE_INVALID_ASSUMED_SIZE"),
    "unknown argument": ('a: [Int] @listSize(slicingArguments: ["n"])', "LIST_SIZE_INVALID_SLICING_ARGUMENT"),
    "argument that is no number": (
        'a(n: String): [Int] @listSize(slicingArguments: ["n"])',
        "LIST_SIZE_INVALID_SLICING_ARGUMENT",
    ),
    "unknown sized field": ('a: Page @listSize(assumedSize: 3, sizedFields: ["x"])', "LIST_SIZE_INVALID_SIZED_FIELD"),
    "sized field that is no list": (
        'a: Page @listSize(assumedSize: 3, sizedFields: ["count"])',
        "LIST_SIZE_APPLIED_TO_NON_LIST",
    ),
    "leaf with sized fields": (
        'a: [Int] @listSize(assumedSize: 3, sizedFields: ["x"])',
        "LIST_SIZE_INVALID_SIZED_FIELD",
    ),
}


@pytest.mark.parametrize(("field", "code"), WRONG.values(), ids=WRONG.keys())
def test_a_size_of_nothing_is_refused(field: str, code: str) -> None:
    assert codes(fed(f"type Query {{ {field} }} {PAGE}")) == [code]


def test_a_connection_has_sized_fields() -> None:
    sdl = f'type Query {{ a(n: Int!): Page @listSize(slicingArguments: ["n"], sizedFields: ["items"]) }} {PAGE}'
    assert codes(fed(sdl)) == []
