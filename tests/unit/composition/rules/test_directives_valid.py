"""Directives are known, stand where they may stand, and have the arguments that they take."""

import pytest

from tests.support.composition import codes, fed

WRONG = {
    "unknown": "type Query { a: Int @nothing }",
    "wrong place": "type Query { a: Int } enum E @shareable { X }",
    "unknown argument": 'type Query { a: Int @tag(name: "x", more: 1) }',
    "missing argument": "type Query { a: Int @tag }",
    "value of another type": "type Query { a: Int @tag(name: 1) }",
    "twice although not repeatable": "type Query { a: Int @inaccessible @inaccessible b: Int }",
}


@pytest.mark.parametrize("sdl", WRONG.values(), ids=WRONG.keys())
def test_a_wrong_application_is_refused(sdl: str) -> None:
    assert codes(fed(sdl)) == ["INVALID_GRAPHQL"]


def test_a_directive_of_a_later_version_is_unknown() -> None:
    link = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.0")'
    assert codes(f"{link} type Query {{ a: Int @federation__cost(weight: 1) }}") == ["INVALID_GRAPHQL"]


def test_a_directive_that_is_not_imported_goes_by_its_long_name() -> None:
    link = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.3")'
    assert codes(f"{link} type Query {{ a: Int @federation__shareable }}") == []
    assert codes(f"{link} type Query {{ a: Int @shareable }}") == ["INVALID_GRAPHQL"]
