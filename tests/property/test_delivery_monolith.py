"""Federated = monolith, for answers that come in parts: deferred fragments together, and every event of a subscription.

The worlds are those of `test_planning_monolith.py`; `CROCEVIA_WORLDS` sets how many are tried.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from random import Random
from typing import Any

import msgspec
import pytest
from graphql import build_schema, parse
from hypothesis import given, settings
from hypothesis import strategies as st

from federation.composition.supergraph import Supergraph
from federation.execution.ports import FetchAnswer, FetchRequest
from federation.planning.explain import explain
from federation.planning.plan import Plan
from federation.planning.planner import Planner
from tests.property.test_planning_monolith import OPERATIONS, WORLDS
from tests.support.federation_world import World
from tests.support.operation_writer import operations, subscription
from tests.support.world_gateway import answer_in_parts, events, explained, options_of, shown

pytestmark = pytest.mark.property

DEFER = "directive @defer(if: Boolean! = true, label: String) on FRAGMENT_SPREAD | INLINE_FRAGMENT"
EVENTS = 3


def planner_of(world: World) -> Planner:
    supergraph = Supergraph.parse(world.supergraph_sdl())
    return Planner(supergraph, options_of(world, supergraph))


@settings(max_examples=WORLDS // 2)
@given(seed=st.integers(0, 2**32 - 1))
def test_deferred_fragments_together_are_what_the_merged_schema_answers(seed: int) -> None:
    random = Random(seed)
    world = World(random)
    planner = planner_of(world)
    schema = build_schema(f"{world.merged_sdl()}\n{DEFER}")
    for document, text, variables in operations(schema, random, OPERATIONS, roots=("Query",)):
        plan = planner.plan(document)
        expected, lost = world.answer(re.sub(r" @defer\([^)]*\)", "", text), variables)
        first, parts = answer_in_parts(world, plan, variables)
        check_parts(plan, first, parts, expected, lost)


def check_parts(plan: Plan, first: Any, parts: list[Any], expected: Any, lost: list[Any]) -> None:
    """Every part finds its place in what came before, and all of them together are the whole answer."""
    errors = first.get("errors", [])
    for part in parts:
        errors += part.get("errors", [])
        place = first["data"]
        for step in part["path"]:
            place = None if place is None else place[step]
        if part["data"] is None or place is None:
            # A null that the types forbid ends at its fragment: it does not go further up, nor into other fragments.
            assert lost, explain(plan)
            return
        merge(place, part["data"])
    assert first["data"] == expected, explain(plan)
    assert all(explained(shown(first["data"], path), errors) for path in lost), explain(plan)


def merge(target: Any, value: Any) -> Any:
    """Put a part where it belongs: what is null for one fragment stays null, though others do not ask for why."""
    if isinstance(target, dict) and isinstance(value, dict):
        for name, one in value.items():
            target[name] = merge(target[name], one) if name in target else one
    elif isinstance(target, list) and isinstance(value, list):
        target[:] = [merge(one, other) for one, other in zip(target, value, strict=True)]
    else:
        assert target is None or value is None or target == value
    return None if value is None else target


@settings(max_examples=WORLDS // 2)
@given(seed=st.integers(0, 2**32 - 1))
def test_every_event_is_what_the_merged_schema_says_at_that_moment(seed: int) -> None:
    random = Random(seed)
    world = World(random)
    if "Subscription" not in world.types:
        return
    planner = planner_of(world)
    for _ in range(OPERATIONS):
        found = subscription(world.merged, random)
        if found is None:
            continue
        text, variables = found
        plan = planner.plan(parse(text))
        check_events(world, random, plan, text, variables)


def check_events(world: World, random: Random, plan: Plan, text: str, variables: dict[str, Any]) -> None:
    """The source changes what the event is about; each answer is that of its moment."""
    expected: list[tuple[Any, list[Any]]] = []

    async def source(request: FetchRequest) -> AsyncIterator[FetchAnswer]:
        operation = msgspec.json.decode(request.operation)
        for _ in range(EVENTS):
            world.happen(random)
            expected.append(world.answer(text, variables))
            told = world.ask(request.member, operation, msgspec.json.decode(request.variables))
            yield FetchAnswer(msgspec.json.encode(told))

    if not plan.fetches:
        assert any(name.startswith("Subscription.") for name in world.denied)
        return
    found = events(world, plan, variables, source)
    assert [data for data, _ in found] == [data for data, _ in expected], explain(plan)
    for (data, errors), (_, lost) in zip(found, expected, strict=True):
        assert all(explained(shown(data, path), errors) for path in lost), explain(plan)
