"""Normalising: fragments, types, conditions and deferral become one tree without overlaps."""

from __future__ import annotations

import pytest
from graphql import build_schema, parse

from federation.planning.errors import UnknownOperationError
from federation.planning.explain import print_operation
from federation.planning.operation import normalise, printed_arguments

SCHEMA = build_schema(
    """
    interface Pet { name: String friend: Pet }
    type Dog implements Pet { name: String friend: Dog barks: Int }
    type Cat implements Pet { name: String friend: Pet meows(loud: Boolean): Int }
    union Any = Dog | Cat
    type Query { pet: Pet any: Any }
    """
)


def normalised(text: str) -> str:
    return print_operation(normalise(SCHEMA, parse(text), None))


CASES = {
    "fragments disappear": (
        "{ pet { ...F } } fragment F on Pet { name ... on Dog { barks } }",
        "query on Query\n  pet\n    name\n    barks on Dog",
    ),
    "an impossible fragment disappears": (
        "{ pet { ... on Dog { ... on Cat { name } barks } } }",
        "query on Query\n  pet\n    barks on Dog",
    ),
    "literals fold": (
        "{ pet { name @include(if: false) friend @skip(if: false) { name @skip(if: true) } } }",
        "query on Query\n  pet\n    friend on Cat\n    friend on Dog",
    ),
    "two selections of one field are alternatives": (
        "query($a: Boolean!, $b: Boolean!) { pet { name @include(if: $a) name @skip(if: $b) } }",
        "query on Query\n  pet\n    name if $a or not $b",
    ),
    "children keep the guard of the parent that brought them": (
        """query($a: Boolean!) { any { ... on Cat @include(if: $a) { friend { name } } ...C } }
        fragment C on Cat { friend { __typename } }""",
        "query on Query\n  any\n    friend on Cat\n      name if $a\n      __typename",
    ),
    "one name with two arguments on two types stays two fields": (
        "{ any { ... on Cat { x: meows(loud: true) } ... on Dog { x: barks } } }",
        "query on Query\n  any\n    x: meows(loud: true) on Cat\n    x: barks on Dog",
    ),
    "a deferred field that is also asked for now is both": (
        '{ pet { name ... @defer(label: "l") { name friend { name } } } }',
        """query on Query
  pet
    name deferred `l`
    friend on Cat deferred `l`
      name deferred `l`
    friend on Dog deferred `l`
      name deferred `l`""",
    ),
}


@pytest.mark.parametrize(("text", "expected"), CASES.values(), ids=CASES.keys())
def test_an_operation_is_flattened(text: str, expected: str) -> None:
    assert normalised(text) == expected


def test_introspection_becomes_an_operation_of_its_own() -> None:
    text = "query($n: String!) { pet { name } ...I } fragment I on Query { __type(name: $n) { ...T } } "
    text += "fragment T on __Type { name }"
    found = normalise(SCHEMA, parse(text), None).introspection
    assert found is not None
    assert found.startswith("query($n: String!) { __type(name: $n)")
    assert "fragment T on __Type" in found
    assert "pet" not in found


@pytest.mark.parametrize("name", ["B", None])
def test_an_operation_that_is_not_there_or_not_named_is_refused(name: str | None) -> None:
    text = "query A { pet { name } }" if name else "query A { pet { name } } query C { pet { name } }"
    with pytest.raises(UnknownOperationError):
        normalise(SCHEMA, parse(text), name)


def test_of_several_operations_the_named_one_is_taken() -> None:
    text = "query A { a: pet { name } } query B { b: pet { name } } query C { c: pet { name } }"
    found = normalise(SCHEMA, parse(text), "B")
    assert found.name == "B"
    assert [one.response_name for one in found.tree.fields] == ["b"]


def test_arguments_print_in_one_order() -> None:
    (one,) = parse("{ f(b: 1, a: $x) }").definitions[0].selection_set.selections  # type: ignore[attr-defined] # a field
    assert printed_arguments(one.arguments) == "(a: $x, b: 1)"
