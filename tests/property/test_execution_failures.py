"""Members that fail in the middle of random plans: less data, never other data, and every loss explained.

A member is down, answers with nothing but an error, loses an entity, or loses a field, with a path or without one. What
it lost is an input of others, too: whoever computes something from a null that is no data gives other data.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from federation.composition.supergraph import Supergraph
from federation.contract.errors import NodeUnavailableError
from federation.execution.compiled import CompiledPlan
from federation.execution.execute import execute
from federation.execution.ports import FetchAnswer, FetchRequest
from federation.execution.report import Messages
from federation.execution.run import Outside
from federation.planning.errors import UnanswerableError
from federation.planning.explain import explain
from federation.planning.plan import OperationKind
from federation.planning.planner import Planner
from tests.support.federation_world import World
from tests.support.lost_places import lost
from tests.support.null_keys import NullKeysBuilder
from tests.support.operation_writer import operations
from tests.support.world_gateway import explained, options_of, shown

WORLDS = int(os.environ.get("CROCEVIA_WORLDS", "60"))
OFTEN = 0.35
"""Of the fetches, how many fail."""

pytestmark = pytest.mark.property

Spot = tuple[dict[str, Any], str, list[str | int]]
"""An object in an answer, a field of it, and the field's path."""


@dataclass(frozen=True, slots=True)
class Failing:
    """The subgraphs of a world, some of whose answers fail."""

    world: World
    random: Random
    often: float

    async def fetch(self, request: FetchRequest) -> FetchAnswer:
        operation = msgspec.json.decode(request.operation)
        answer = self.world.ask(request.member, operation, msgspec.json.decode(request.variables))
        if self.random.random() < self.often:
            match self.random.choice(["down", "nothing", "entity", "field", "somewhere"]):
                case "down":
                    raise NodeUnavailableError("down")
                case "nothing":
                    answer = {"data": None, "errors": [{"message": "lost"}]}
                case kind:
                    self.lose(answer, kind)
        return FetchAnswer(msgspec.json.encode(answer))

    def lose(self, answer: dict[str, Any], kind: str) -> None:
        """Make one value of an answer null, and report it."""
        spots = list(_spots(answer["data"], []))
        lists = [(value, [name]) for name, value in answer["data"].items() if name.startswith("_e") and value]
        path: list[str | int] = []
        if kind == "entity" and lists:
            value, above = self.random.choice(lists)
            number = self.random.randrange(len(value))
            value[number], path = None, [*above, number]
        elif kind != "entity" and spots:
            holder, name, path = self.random.choice(spots)
            holder[name] = None
        if path:
            answer.setdefault("errors", []).append(
                {"message": "lost", **({} if kind == "somewhere" else {"path": path})}
            )


def _spots(value: Any, path: list[str | int]) -> Iterator[Spot]:
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from _spots(item, [*path, index])
    elif isinstance(value, dict):
        for name, inner in value.items():
            if path and not name.startswith("_"):
                yield value, name, [*path, name]
            yield from _spots(inner, [*path, name])


async def answered(plan: CompiledPlan, variables: dict[str, Any], members: Failing) -> Any:
    deadline = asyncio.get_running_loop().time() + 60
    response = await execute(plan, variables, Outside(members, messages=Messages.RELAY), deadline)
    return msgspec.json.decode(response.encode())


@settings(max_examples=WORLDS // 4)
@given(seed=st.integers(0, 2**32 - 1), builder=st.sampled_from([None, NullKeysBuilder]))
def test_members_that_fail_cost_data_and_change_none(seed: int, builder: type[NullKeysBuilder] | None) -> None:
    random = Random(seed)
    world = World(random, builder)
    world.broken = set()
    supergraph = Supergraph.parse(world.supergraph_sdl())
    planner = Planner(supergraph, options_of(world, supergraph))
    for document, _, variables in operations(world.merged, random, 5):
        try:
            plan = planner.plan(document)
        except UnanswerableError:
            continue
        if plan.kind is OperationKind.MUTATION:
            continue
        compiled = CompiledPlan(plan, world.merged)
        whole = asyncio.run(answered(compiled, variables, Failing(world, random, 0)))
        part = asyncio.run(answered(compiled, variables, Failing(world, random, OFTEN)))
        places = [shown(part["data"], place) for place in lost(whole["data"], part["data"])]
        assert all(explained(place, part.get("errors", [])) for place in places), explain(plan)
