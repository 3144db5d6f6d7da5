"""Operations that ask for everything under one root that the gateway answers by asking members."""

from __future__ import annotations

from collections.abc import Collection
from functools import cache
from typing import Any

from graphql import GraphQLObjectType, build_schema, get_named_type


@cache
def operation_for(sdl: str, root: str, given: Collection[str]) -> str:
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
