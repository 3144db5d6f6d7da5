"""The gateway's engine in front of a random federation, whose subgraphs answer in the same process."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from federation.execution.compiled import CompiledPlan
from federation.execution.execute import execute
from federation.execution.ports import FetchAnswer, FetchRequest
from federation.execution.report import Messages
from federation.execution.run import Outside

if TYPE_CHECKING:
    from graphql import GraphQLSchema

    from federation.planning.plan import Plan
    from tests.support.federation_world import World


@dataclass(frozen=True, slots=True)
class Subgraphs:
    """A fetcher that lets a world's subgraphs answer."""

    world: World

    async def fetch(self, request: FetchRequest) -> FetchAnswer:
        operation = msgspec.json.decode(request.operation)
        answer = self.world.ask(request.member, operation, msgspec.json.decode(request.variables))
        return FetchAnswer(msgspec.json.encode(answer))


def answer(world: World, plan: Plan, variables: dict[str, Any], api: GraphQLSchema) -> tuple[Any, list[dict[str, Any]]]:
    """Run a plan with the engine; return the data as a client reads it, and the errors."""

    async def run() -> tuple[Any, list[dict[str, Any]]]:
        deadline = asyncio.get_running_loop().time() + 60
        outside = Outside(Subgraphs(world), messages=Messages.RELAY)
        response = await execute(CompiledPlan(plan, api), variables, outside, deadline)
        whole = msgspec.json.decode(response.encode())
        return whole["data"], whole.get("errors", [])

    return asyncio.run(run())


def places(errors: list[dict[str, Any]]) -> list[tuple[str | int, ...]]:
    """Return every place that errors speak of."""
    return [tuple(path) for one in errors for path in (one.get("path", []), *one["extensions"].get("paths", []))]


def explained(path: tuple[str | int, ...], errors: list[dict[str, Any]]) -> bool:
    """Say whether an error speaks of a place, of something below it, or of something above that went with it."""
    return any(one[: len(path)] == path or path[: len(one)] == one for one in places(errors))
