"""Requests for everything under one root that the gateway answers by asking members."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from functools import cache
from typing import Any, Final

import msgspec
from graphql import GraphQLObjectType, build_schema, get_named_type

from federation.execution.ports import FetchRequest
from federation.planning.plan import OperationKind

_FETCH_ID: Final = -1
"""No fetch of a plan."""
_SHARE: Final = 0.8
"""The part of the time left that a member may take: something comes after its answer."""


def request_for(member: str, sdl: str, root: str, arguments: Mapping[str, Any], deadline: float) -> FetchRequest:
    """Return the request of a member for a root of `sdl`; `deadline` is the whole question's, on the loop's clock."""
    now = asyncio.get_running_loop().time()
    return FetchRequest(
        fetch_id=_FETCH_ID,
        member=member,
        kind=OperationKind.QUERY,
        operation=msgspec.json.encode(_operation_for(sdl, root, frozenset(arguments))),
        variables=msgspec.json.encode(arguments),
        deadline=now + (deadline - now) * _SHARE,
    )


@cache
def _operation_for(sdl: str, root: str, given: Collection[str]) -> str:
    """Return the operation that asks for everything under a root of `sdl`, with the `given` arguments as variables."""
    schema = build_schema(sdl)
    query = schema.query_type
    assert query is not None  # every `sdl` declares it
    field = query.fields[root]
    types = {name: argument.type for name, argument in field.args.items() if name in given}
    declared = ", ".join(f"${name}: {kind}" for name, kind in types.items())
    passed = ", ".join(f"{name}: ${name}" for name in types)
    return f"query({declared}) {{ {root}({passed}) {_everything(get_named_type(field.type))} }}"


def _everything(kind: Any) -> str:
    if not isinstance(kind, GraphQLObjectType):
        return ""
    below = (f"{name} {_everything(get_named_type(field.type))}".strip() for name, field in kind.fields.items())
    return "{ " + " ".join(below) + " }"
