"""The gateway's engine in front of a random federation, whose subgraphs answer in the same process."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from federation.execution.compiled import CompiledPlan
from federation.execution.deferred import execute_incrementally
from federation.execution.execute import execute
from federation.execution.ports import FetchAnswer, FetchRequest
from federation.execution.report import Messages
from federation.execution.run import Outside
from federation.execution.subscribe import subscribe
from federation.gateway.open_access import AccessRules, Believed
from federation.planning.planner import PlannerOptions

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from graphql import GraphQLSchema

    from federation.composition.supergraph import Supergraph
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


def options_of(world: World, supergraph: Supergraph, prefix: str | None = None) -> PlannerOptions:
    """Return what a gateway plans with for the client of a world."""
    client = world.client
    told = {} if client.scopes is None else {b"scopes": " ".join(client.scopes).encode()}
    claims = Believed(b"scopes").claims(told) | {("policy", policy) for policy in client.policies}
    denied = AccessRules.of(supergraph).denied(claims)
    return PlannerOptions(internal_prefix=prefix, labels=frozenset(world.labels), denied=denied)


def answer(world: World, plan: Plan, variables: dict[str, Any], api: GraphQLSchema) -> tuple[Any, list[dict[str, Any]]]:
    """Run a plan with the engine; return the data as a client reads it, and the errors."""

    async def run() -> tuple[Any, list[dict[str, Any]]]:
        deadline = asyncio.get_running_loop().time() + 60
        outside = Outside(Subgraphs(world), messages=Messages.RELAY)
        response = await execute(CompiledPlan(plan, api), variables, outside, deadline)
        whole = msgspec.json.decode(response.encode())
        return whole["data"], whole.get("errors", [])

    return asyncio.run(run())


def answer_in_parts(world: World, plan: Plan, variables: dict[str, Any]) -> tuple[Any, list[Any]]:
    """Run a plan with the engine; return the initial response, and the deferred parts in the order they came."""

    async def run() -> tuple[Any, list[Any]]:
        deadline = asyncio.get_running_loop().time() + 60
        outside = Outside(Subgraphs(world), messages=Messages.RELAY)
        stream = execute_incrementally(CompiledPlan(plan, world.merged), variables, outside, deadline)
        payloads = [payload async for payload in stream]
        assert [payload.more for payload in payloads] == [True] * (len(payloads) - 1) + [False]
        first, *later = payloads
        assert first.initial is not None
        parts = [part for payload in later for part in payload.incremental]
        return msgspec.json.decode(first.initial.encode()), msgspec.json.decode(msgspec.json.encode(parts))

    return asyncio.run(run())


@dataclass(frozen=True, slots=True)
class Source:
    """Opens the event streams of a world."""

    opened: Callable[[FetchRequest], AsyncIterator[FetchAnswer]]

    def subscribe(self, request: FetchRequest) -> AsyncIterator[FetchAnswer]:
        return self.opened(request)


def events(
    world: World, plan: Plan, variables: dict[str, Any], opened: Callable[[FetchRequest], AsyncIterator[FetchAnswer]]
) -> list[tuple[Any, list[Any]]]:
    """Run a subscription with the engine; return the data and the errors of every event."""

    async def run() -> list[tuple[Any, list[Any]]]:
        outside = Outside(Subgraphs(world), messages=Messages.RELAY)
        compiled = CompiledPlan(plan, world.merged)
        stream = subscribe(compiled, variables, outside, Source(opened), seconds=60)
        found = [msgspec.json.decode(response.encode()) async for response in stream]
        return [(whole["data"], whole.get("errors", [])) for whole in found]

    return asyncio.run(run())


def places(errors: list[dict[str, Any]]) -> list[tuple[str | int, ...]]:
    """Return every place that errors speak of."""
    return [tuple(path) for one in errors for path in (one.get("path", []), *one["extensions"].get("paths", []))]


def explained(path: tuple[str | int, ...], errors: list[dict[str, Any]]) -> bool:
    """Say whether an error speaks of a place, of something below it, or of something above that went with it."""
    return any(one[: len(path)] == path or path[: len(one)] == one for one in places(errors))


def shown(data: Any, path: tuple[str | int, ...]) -> tuple[str | int, ...]:
    """Return a path as far as there is data: of several errors that make one null, a response has one at least.

    Nor is a fragment below a null delivered, or its errors.
    """
    for length, step in enumerate(path):
        if data is None:
            return path[:length]
        data = data[step]
    return path
