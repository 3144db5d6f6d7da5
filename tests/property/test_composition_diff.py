"""On generated pairs of schemas, no change is judged milder than GraphQL's reference implementation judges it."""

from __future__ import annotations

from collections import Counter

import pytest
from graphql import GraphQLSchema, build_schema
from graphql.utilities import find_breaking_changes, find_dangerous_changes
from hypothesis import given, settings
from hypothesis import strategies as st

from federation.composition.diff import Severity, compare, judge

pytestmark = pytest.mark.property

OUTPUTS = ("Int", "String", "A", "B", "I", "U", "E")
INPUTS = ("Int", "String", "E", "P", "Q")
DEFAULTS = {"Int": ("1", "2"), "String": ('"x"', '"y"'), "E": ("X",)}
NAMES = ("f", "g", "h")


def wrapped(name: str) -> st.SearchStrategy[str]:
    return st.sampled_from([name, f"{name}!", f"[{name}]", f"[{name}!]!"])


@st.composite
def input_values(draw: st.DrawFn) -> str:
    name = draw(st.sampled_from(INPUTS))
    type_text = draw(wrapped(name))
    defaults = DEFAULTS.get(name, ()) if not type_text.startswith("[") else ()
    default = draw(st.sampled_from(["", *(f" = {value}" for value in defaults)]))
    return f"{draw(st.sampled_from(('a', 'b')))}: {type_text}{default}"


def by_name(parts: list[str]) -> list[str]:
    return list({part.split(":")[0].split("(")[0]: part for part in parts}.values())


@st.composite
def fields(draw: st.DrawFn) -> str:
    arguments = by_name(draw(st.lists(input_values(), max_size=2)))
    text = f"({', '.join(arguments)})" if arguments else ""
    return f"{draw(st.sampled_from(NAMES))}{text}: {draw(st.sampled_from(OUTPUTS).flatmap(wrapped))}"


def block(parts: list[str]) -> str:
    return f"{{ {' '.join(parts)} }}"


@st.composite
def schemas(draw: st.DrawFn) -> GraphQLSchema:
    own = [by_name(draw(st.lists(fields(), min_size=1, max_size=3))) for _ in range(4)]
    implements = draw(st.sampled_from(["", " implements I"]))
    members = draw(st.sampled_from(["A", "B", "A | B"]))
    values = draw(st.sampled_from(["X", "X Y", "X Z"]))
    inputs = [by_name(draw(st.lists(input_values(), min_size=1, max_size=2))) for _ in range(2)]
    keep_b = draw(st.sampled_from(["type", "interface"])) if "B" not in members else "type"
    text = "\n".join(
        [
            f"type Query {block(own[0])}",
            f"type A{implements} {block(own[1])}",
            f"{keep_b} B {block(own[2])}",
            f"interface I {block(own[3])}",
            f"union U = {members}",
            f"enum E {{ {values} }}",
            f"input P {block(inputs[0])}",
            f"input Q {block(inputs[1])}",
        ]
    )
    return build_schema(text, assume_valid=True, assume_valid_sdl=True)


OUR_OWN = {"ROOT_TYPE_CHANGED", "ONE_OF_CHANGED"}


@settings(max_examples=60)
@given(schemas(), schemas())
def test_changes_are_those_of_the_reference_implementation_and_never_milder(
    old: GraphQLSchema, new: GraphQLSchema
) -> None:
    breaking = Counter(
        change.type.name for change in find_breaking_changes(old, new) if "Standard scalar" not in change.description
    )
    dangerous = Counter(change.type.name for change in find_dangerous_changes(old, new))
    found = compare(old, new)
    ours = {
        severity: Counter(change.code for change in found if change.severity is severity and change.code not in OUR_OWN)
        for severity in Severity
    }
    harsher = ours[Severity.BREAKING] - breaking
    assert set(harsher) <= {"ARG_DEFAULT_VALUE_CHANGE", "INPUT_FIELD_DEFAULT_VALUE_CHANGE"}
    assert ours[Severity.BREAKING] - harsher == breaking
    assert ours[Severity.DANGEROUS] + harsher == dangerous


@settings(max_examples=30)
@given(schemas(), schemas(), st.sets(st.sampled_from([f"{name}.{field}" for name in "ABQ" for field in NAMES])))
def test_usage_only_ever_makes_milder_and_never_what_is_used(
    old: GraphQLSchema, new: GraphQLSchema, used: set[str]
) -> None:
    found = {(change.code, change.coordinate, change.message): change for change in compare(old, new)}
    for change in judge(tuple(found.values()), used):
        before = found[change.code, change.coordinate, change.message]
        if change != before:
            assert change.unused
            assert change.severity is Severity.SAFE
            assert before.touches is not None
            assert not before.touches & used


@settings(max_examples=30)
@given(schemas())
def test_a_schema_does_not_differ_from_itself(schema: GraphQLSchema) -> None:
    assert compare(schema, schema) == ()
