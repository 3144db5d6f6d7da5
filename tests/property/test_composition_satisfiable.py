"""What composition accepts can be planned: every field that clients see, on every way of two steps to it."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from graphql import GraphQLObjectType, GraphQLSchema, get_named_type, parse
from hypothesis import given, settings
from hypothesis import strategies as st

from federation.composition.compose import compose
from federation.composition.errors import CompositionError
from federation.composition.subgraph import Subgraph
from federation.planning.planner import Planner

pytestmark = pytest.mark.property

LINK = (
    'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9",'
    ' import: ["@key", "@shareable", "@external", "@requires"])'
)
TYPES = ("A", "B")
KEYS = ("id", "code", "id code", "other { id }", "id other { code }", "other { other { id } }")
FIELDS = {"x": "Int", "y": "String", "other": "{other}", "code": "ID", "id": "ID"}


@st.composite
def entity(draw: st.DrawFn, name: str) -> str:
    """Draw one subgraph's declaration of an entity: its keys, resolvable or not, and the fields it resolves."""
    other = "B" if name == "A" else "A"
    keys = draw(st.sets(st.sampled_from(KEYS), max_size=2))
    fields = draw(st.sets(st.sampled_from(sorted(FIELDS)), min_size=1))
    needed = {part for key in keys for part in re.sub(r"\{.*\}", "", key).split()}
    marks = [f'@key(fields: "{key}"{draw(st.sampled_from(["", ", resolvable: false"]))})' for key in sorted(keys)]
    body = [f"{field}: {FIELDS[field].format(other=other)}" for field in sorted(fields | needed)]
    reads: bool = draw(st.booleans())
    if needed and reads and "x" not in fields:
        own = draw(st.integers(0, 99))
        body += ["x: Int @external", f'{name.lower()}{own}: Int @requires(fields: "x")']
    return f"type {name} {' '.join(marks)} @shareable {{ {' '.join(body)} }}"


@st.composite
def subgraph(draw: st.DrawFn) -> str:
    entities = [draw(entity(name)) for name in TYPES]
    roots = draw(st.sets(st.sampled_from(TYPES), max_size=2))
    query = (
        f"type Query @shareable {{ {' '.join(f'{name.lower()}: {name}' for name in sorted(roots))} }}" if roots else ""
    )
    return "\n".join([LINK, query, *entities, "type Two @shareable { id: ID }"])


def questions(schema: GraphQLSchema) -> Iterator[str]:
    """Yield a query for every leaf on every way of two steps."""
    assert schema.query_type is not None
    for root, field in schema.query_type.fields.items():
        for step, text in _leaves(get_named_type(field.type), 2):
            yield f"{{ {root} {{ {step}{text} }} }}"


def _leaves(type_: object, depth: int) -> Iterator[tuple[str, str]]:
    if not isinstance(type_, GraphQLObjectType):
        return
    for name, field in type_.fields.items():
        inner = get_named_type(field.type)
        if not isinstance(inner, GraphQLObjectType):
            yield name, ""
        elif depth:
            for step, text in _leaves(inner, depth - 1):
                yield f"{name} {{ {step}", f"{text} }}"


@settings(max_examples=60)
@given(st.lists(subgraph(), min_size=2, max_size=4))
def test_every_field_of_an_accepted_graph_has_a_plan(sdls: list[str]) -> None:
    try:
        composed = compose([Subgraph(name, "", sdl) for name, sdl in zip("abcd", sdls, strict=False)])
    except CompositionError:
        return
    planner = Planner(composed.supergraph)
    for question in questions(composed.supergraph.api_schema):
        assert planner.plan(parse(question)).fetches
