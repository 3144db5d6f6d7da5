"""Every type that is referred to exists, and stands where its kind may stand."""

from __future__ import annotations

from collections.abc import Iterator

from federation.composition.errors import Finding
from federation.composition.model import BUILT_IN_SCALARS, Field, InputValue, Kind, Type, named
from federation.composition.subgraph import ReadSubgraph

_INPUTS = frozenset({Kind.SCALAR, Kind.ENUM, Kind.INPUT})


def types_known(subgraph: ReadSubgraph) -> Iterator[Finding]:
    """Fields, arguments, interfaces and union members name types that exist and are of a fitting kind."""
    for type_ in subgraph.types.values():
        for declared in type_.fields.values():
            yield from _field(subgraph, type_, declared)
        for value in type_.inputs.values():
            yield from _input(subgraph, f"{type_.name}.{value.name}", value)
        for member in type_.members:
            if (found := subgraph.types.get(member)) is None or found.kind is not Kind.OBJECT:
                message = f"union `{type_.name}` can only have object types as members, `{member}` is none"
                yield subgraph.finding("INVALID_GRAPHQL", message, type_.name)
        if not (type_.fields or type_.inputs or type_.members or type_.values or type_.kind is Kind.SCALAR):
            yield subgraph.finding("INVALID_GRAPHQL", f"type `{type_.name}` has nothing in it", type_.name)
    for definition in subgraph.own_definitions():
        for argument in definition.arguments.values():
            yield from _input(subgraph, f"@{definition.name}({argument.name}:)", argument)


def _field(subgraph: ReadSubgraph, type_: Type, declared: Field) -> Iterator[Finding]:
    coordinate = f"{type_.name}.{declared.name}"
    name = named(declared.type)
    found = subgraph.types.get(name)
    if found is None:
        if name not in BUILT_IN_SCALARS:
            yield subgraph.finding("INVALID_GRAPHQL", f"unknown type `{name}` of `{coordinate}`", coordinate)
    elif found.kind is Kind.INPUT:
        message = f"`{coordinate}` must have an output type, `{name}` is an input type"
        yield subgraph.finding("INVALID_GRAPHQL", message, coordinate)
    for argument in declared.arguments.values():
        yield from _input(subgraph, f"{coordinate}({argument.name}:)", argument)


def _input(subgraph: ReadSubgraph, coordinate: str, value: InputValue) -> Iterator[Finding]:
    name = named(value.type)
    found = subgraph.types.get(name)
    if found is None:
        if name not in BUILT_IN_SCALARS:
            yield subgraph.finding("INVALID_GRAPHQL", f"unknown type `{name}` of `{coordinate}`", coordinate)
    elif found.kind not in _INPUTS:
        message = f"`{coordinate}` must have an input type, `{name}` is none"
        yield subgraph.finding("INVALID_GRAPHQL", message, coordinate)
