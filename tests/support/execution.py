"""Hand-written plans and scripted members for the tests of execution."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
from graphql import build_schema

from federation.contract.errors import CroceviaError
from federation.execution.compiled import CompiledPlan
from federation.execution.execute import execute
from federation.execution.ports import FetchAnswer, Fetcher, FetchRequest
from federation.execution.respond import Response
from federation.execution.run import Outside
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

Script = Mapping[str, Any]
"""By member: the JSON answer, a `FetchAnswer`, an error to raise, or a function of the request returning one."""


@dataclass(slots=True)
class ScriptedMembers:
    """A fetcher that answers from a script and remembers what it was asked."""

    script: Script
    requests: list[FetchRequest] = field(default_factory=list)
    delays: Mapping[str, asyncio.Event] = field(default_factory=dict)

    async def fetch(self, request: FetchRequest) -> FetchAnswer:
        self.requests.append(request)
        if request.member in self.delays:
            await self.delays[request.member].wait()
        answer = self.script[request.member]
        if callable(answer):
            answer = answer(request)
        if isinstance(answer, CroceviaError):
            raise answer
        if isinstance(answer, FetchAnswer):
            return answer
        return FetchAnswer(msgspec.json.encode(answer))

    def variables(self, member: str) -> list[Any]:
        """Return the decoded variables of every request to a member."""
        return [msgspec.json.decode(request.variables) for request in self.requests if request.member == member]


def leaf(key: str, type_: str = "String", **more: Any) -> Selection:
    return Selection(key, more.pop("name", key), type_, **more)


def node(key: str, type_: str, *selections: Selection, **more: Any) -> Selection:
    return Selection(key, more.pop("name", key), type_, selections, **more)


def shown(name: str, type_: str = "String", *selections: OutputField, **more: Any) -> OutputField:
    return OutputField(name, more.pop("source", name), more.pop("coordinate", f"T.{name}"), type_, selections, **more)


def root_fetch(member: str, *selections: Selection, **more: Any) -> Fetch:
    return Fetch(
        id=more.pop("id", 0),
        member=member,
        kind=more.pop("kind", OperationKind.QUERY),
        operation=more.pop("operation", "{ root }"),
        variables=more.pop("variables", ()),
        selections=selections,
        **more,
    )


def entity_fetch(fetch_id: int, member: str, *entities: EntityInput, **more: Any) -> Fetch:
    return Fetch(
        id=fetch_id,
        member=member,
        kind=OperationKind.QUERY,
        operation=more.pop("operation", "query($representations: [_Any!]!) { _entities }"),
        variables=more.pop("variables", ()),
        after=more.pop("after", (0,)),
        entities=entities,
        **more,
    )


def entities(
    paths: Sequence[Path],
    *selections: Selection,
    key: Sequence[str] = ("id",),
    typename: str | None = "Product",
    **more: Any,
) -> EntityInput:
    parts = tuple(RepresentationField(name, name) for name in key)
    fields = more.pop("fields", parts)
    reference = Reference(tuple(part for part in fields if part.name in key), fields)
    return EntityInput(
        alias=more.pop("alias", "_entities"),
        variable=more.pop("variable", "representations"),
        paths=tuple(paths),
        references=more.pop("references", (reference,)),
        typename=typename,
        selections=selections,
        **more,
    )


def path(*steps: str | Path) -> Path:
    """Build a path from names and `*` for each element of a list."""
    return tuple(Each() if step == "*" else Key(step) if isinstance(step, str) else step[0] for step in steps)


def plan(fetches: Sequence[Fetch], *response: OutputField, **more: Any) -> Plan:
    return Plan(more.pop("kind", OperationKind.QUERY), tuple(fetches), response, **more)


API = build_schema("""
    type Query { products: [Product] product: Product me: User node: Node }
    interface Node { id: ID! }
    type Product implements Node { id: ID! name: String price: Int stock: Int! colour: Colour reviews: [Review!] }
    type Review { text: String author: User }
    type User implements Node { id: ID! name: String! }
    enum Colour { RED GREEN }
""")


async def run(of: Plan, script: Script | Fetcher, variables: Mapping[str, Any] | None = None, **more: Any) -> Response:
    """Execute a plan against scripted members with five seconds of time."""
    members = ScriptedMembers(script) if isinstance(script, Mapping) else script
    seconds = more.pop("seconds", 5.0)
    routed = frozenset({"Product"}) if "router" in more else frozenset[str]()
    compiled = CompiledPlan(of, more.pop("api", API), routed=routed)
    deadline = asyncio.get_running_loop().time() + seconds
    return await execute(compiled, variables or {}, Outside(members, **more), deadline)


def data_of(response: Response) -> Any:
    """Return the data as a client reads it."""
    return msgspec.json.decode(msgspec.json.encode(response.data))


Answer = Callable[[FetchRequest], Any]


def by_representation(values: Mapping[str, Any], key: str = "id", alias: str = "_entities") -> Answer:
    """Answer `_entities` by the key of each representation; unknown keys are null."""

    def answer(request: FetchRequest) -> Any:
        sent = msgspec.json.decode(request.variables)["representations"]
        return {"data": {alias: [values.get(representation[key]) for representation in sent]}}

    return answer
