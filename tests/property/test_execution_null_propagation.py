"""Random plans over random data, held against graphql-core executing the same operation on one schema.

Every object has an id; every field belongs to the fetch that brought its object or to another member, who is asked by
an entity fetch. Nulls stand anywhere, enums have values outside the schema, members are down. The joined response must
be what graphql-core answers when it resolves the same data in one place, null propagation included.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import msgspec
import pytest
from graphql import build_schema, graphql_sync
from hypothesis import given, settings
from hypothesis import strategies as st

from federation.contract.errors import NodeUnavailableError
from federation.planning.plan import (
    Each,
    EntityInput,
    Fetch,
    Key,
    OperationKind,
    OutputField,
    Path,
    Plan,
    Reference,
    RepresentationField,
    Selection,
)
from tests.support.execution import data_of, run

pytestmark = pytest.mark.property

MEMBERS = ("a", "a", "b", "c")
LEAVES = ("String", "Int", "Colour")


@dataclass(frozen=True)
class Shape:
    """A field: whose it is, its nullability from the outermost list inwards, and its fields unless it is a leaf.

    What is not renamed and comes from one member passes from its answer to the response as it is.
    """

    member: str
    renamed: bool
    non_null: tuple[bool, ...]
    leaf: str
    fields: tuple[Shape, ...]

    def type(self, name: str) -> str:
        text = name + ("!" if self.non_null[-1] else "")
        for required in reversed(self.non_null[:-1]):
            text = f"[{text}]" + ("!" if required else "")
        return text


RENAMED = st.sampled_from((False, False, False, True))
NULLABILITY = st.lists(st.sampled_from((False, False, True)), min_size=1, max_size=3).map(tuple)
LEAF = st.builds(Shape, st.sampled_from(MEMBERS), RENAMED, NULLABILITY, st.sampled_from(LEAVES), st.just(()))
SHAPES = st.recursive(
    LEAF,
    lambda inner: st.builds(
        Shape,
        st.sampled_from(MEMBERS),
        RENAMED,
        NULLABILITY,
        st.just(""),
        st.lists(inner, min_size=1, max_size=4).map(tuple),
    ),
    max_leaves=12,
)
ROOTS = st.lists(SHAPES, min_size=1, max_size=3).map(tuple)


@dataclass
class World:
    """A schema, an operation, a plan for it, and data that both ways of answering read."""

    chance: random.Random
    types: list[str] = field(default_factory=list)
    fetches: list[Fetch] = field(default_factory=list)
    by_id: dict[str, dict[str, Any]] = field(default_factory=dict)
    ids: Iterator[int] = field(default_factory=count)
    down: frozenset[str] = frozenset()

    def value(self, shape: Shape, levels: tuple[bool, ...]) -> Any:
        if self.chance.random() < 0.12:
            return None
        if len(levels) > 1:
            return [self.value(shape, levels[1:]) for _ in range(self.chance.randrange(3))]
        if shape.fields:
            return self.object(shape.fields)
        if shape.leaf == "Colour":
            return self.chance.choice(("RED", "GREEN", "GREEN", "RED", "INFRARED"))
        return self.chance.randrange(100) if shape.leaf == "Int" else self.chance.choice(("x", "y", 'q"\\é'))

    def object(self, fields: Sequence[Shape]) -> dict[str, Any]:
        made = {f"f{index}": self.value(shape, shape.non_null) for index, shape in enumerate(fields)}
        made["id"] = str(next(self.ids))
        self.by_id[made["id"]] = made
        return made

    def declare(self, fields: Sequence[Shape], name: str) -> None:
        lines = ["id: ID!"]
        for index, shape in enumerate(fields):
            inner = f"{name}_{index}" if shape.fields else shape.leaf
            lines.append(f"f{index}: {shape.type(inner)}")
            if shape.fields:
                self.declare(shape.fields, inner)
        self.types.append(f"type {name} {{ {' '.join(lines)} }}")

    def plan(self, fields: Sequence[Shape], path: Path, owner: str, fetch_id: int, name: str) -> tuple[Selection, ...]:
        """Return what the fetch that owns the objects selects, and add the fetches that other members get."""
        selections: list[Selection] = []
        if any(shape.member != owner for shape in fields) and path:
            selections.append(Selection("id", "id", "ID!"))
        others: dict[str, list[tuple[int, Shape]]] = {}
        for index, shape in enumerate(fields):
            if shape.member == owner or not path:
                selections.append(self.selection(index, shape, path, owner, fetch_id, name))
            else:
                others.setdefault(shape.member, []).append((index, shape))
        for member, chosen in others.items():
            here = len(self.fetches)
            self.fetches.append(self.fetch(here, member, fetch_id))
            inner = tuple(self.selection(index, shape, path, member, here, name) for index, shape in chosen)
            key = RepresentationField("id", "id")
            asked = EntityInput("_entities", "representations", (path,), (Reference((key,), (key,)),), name, inner)
            self.fetches[here] = self.fetch(here, member, fetch_id, asked)
        return tuple(selections)

    def selection(self, index: int, shape: Shape, path: Path, owner: str, fetch_id: int, name: str) -> Selection:
        inner_name = f"{name}_{index}" if shape.fields else shape.leaf
        below = (*path, Key(f"f{index}"), *(Each() for _ in shape.non_null[1:]))
        inner = self.plan(shape.fields, below, owner, fetch_id, inner_name) if shape.fields else ()
        return Selection(f"f{index}", f"f{index}", shape.type(inner_name), inner)

    def fetch(self, fetch_id: int, member: str, after: int, *entities: EntityInput) -> Fetch:
        return Fetch(fetch_id, member, OperationKind.QUERY, "{}", (), (after,), (), entities)


def response_name(index: int, shape: Shape) -> str:
    return f"r{index}" if shape.renamed else f"f{index}"


def output(fields: Sequence[Shape], name: str) -> tuple[OutputField, ...]:
    made: list[OutputField] = []
    for index, shape in enumerate(fields):
        inner = f"{name}_{index}" if shape.fields else shape.leaf
        made.append(
            OutputField(
                response_name(index, shape),
                f"f{index}",
                f"{name}.f{index}",
                shape.type(inner),
                output(shape.fields, inner),
            )
        )
    return tuple(made)


def operation(fields: Sequence[Shape]) -> str:
    parts = (
        f"{response_name(index, shape)}: f{index} {operation(shape.fields) if shape.fields else ''}"
        for index, shape in enumerate(fields)
    )
    return f"{{ {' '.join(parts)} }}"


def answered(selections: Sequence[Selection], value: Any) -> Any:
    """Answer as a member would: what is selected, and an extra field that nobody asked for."""
    if value is None or not selections:
        return value
    if isinstance(value, list):
        return [answered(selections, item) for item in value]
    return {"smuggled": 1, **{item.key: answered(item.selections, value[item.key]) for item in selections}}


def without(fields: Sequence[Shape], value: Any, down: frozenset[str], owner: str) -> Any:
    """Return the data as it is when some members are down."""
    if isinstance(value, list):
        return [without(fields, item, down, owner) for item in value]
    if value is None:
        return None
    kept: dict[str, Any] = {}
    for index, shape in enumerate(fields):
        inner = value[f"f{index}"]
        if shape.member in down and shape.member != owner:
            kept[f"f{index}"] = None
        else:
            kept[f"f{index}"] = without(shape.fields, inner, down, shape.member) if shape.fields else inner
    return kept


@settings(max_examples=80)
@given(ROOTS, st.integers(0, 2**32), st.sets(st.sampled_from(("b", "c"))))
def test_a_joined_response_is_what_one_server_would_answer(roots: tuple[Shape, ...], seed: int, down: set[str]) -> None:
    world = World(random.Random(seed))
    world.declare(roots, "Query")
    schema = build_schema("enum Colour { RED GREEN }\n" + "\n".join(world.types))
    world.fetches.append(Fetch(0, "a", OperationKind.QUERY, "{}", ()))
    selections = world.plan(roots, (), "a", 0, "Query")
    world.fetches[0] = Fetch(0, "a", OperationKind.QUERY, "{}", (), selections=selections)
    data = world.object(roots)

    def script(request: Any) -> Any:
        if request.member in down:
            return NodeUnavailableError("down")
        fetch = world.fetches[request.fetch_id]
        if not fetch.entities:
            return {"data": answered(fetch.selections, data)}
        sent = msgspec.json.decode(request.variables)["representations"]
        return {
            "data": {"_entities": [answered(fetch.entities[0].selections, world.by_id[item["id"]]) for item in sent]}
        }

    plan = Plan(OperationKind.QUERY, tuple(world.fetches), output(roots, "Query"))
    response = asyncio.run(run(plan, dict.fromkeys(MEMBERS, script), api=schema))

    # The root's own fields all come from `a`, whoever they are declared to belong to.
    seen = {
        f"f{index}": without(shape.fields, data[f"f{index}"], frozenset(down), "a")
        if shape.fields
        else data[f"f{index}"]
        for index, shape in enumerate(roots)
    }
    expected = graphql_sync(schema, operation(roots), seen)
    assert data_of(response) == expected.data
    if expected.errors:
        assert response.errors
    elif not down:
        assert response.errors == []
