"""List sizes speak of lists and arguments that exist."""

from __future__ import annotations

from collections.abc import Iterator

from graphql import IntValueNode

from federation.composition.errors import Finding
from federation.composition.model import Applied, Field, Kind, Type, named
from federation.composition.subgraph import ReadSubgraph, applied


def list_sizes_valid(subgraph: ReadSubgraph) -> Iterator[Finding]:
    """`@listSize` stands on lists, or names fields below that are lists; its slicing arguments are integers."""
    for type_, declared in subgraph.fields():
        for size in applied(declared.directives, "listSize"):
            coordinate = f"{type_.name}.{declared.name}"
            yield from _sized(subgraph, type_, declared, size, coordinate)
            yield from _sliced(subgraph, declared, size, coordinate)
            assumed = size.arguments.get("assumedSize")
            if isinstance(assumed, IntValueNode) and int(assumed.value) < 0:
                message = f"assumed size of `{coordinate}` cannot be negative"
                yield subgraph.finding("LIST_SIZE_INVALID_ASSUMED_SIZE", message, coordinate)


def _sized(subgraph: ReadSubgraph, type_: Type, declared: Field, size: Applied, coordinate: str) -> Iterator[Finding]:
    fields = size.texts("sizedFields")
    if type_.kind not in {Kind.OBJECT, Kind.INTERFACE}:
        return
    if not fields:
        if not declared.type.startswith("["):
            yield subgraph.finding("LIST_SIZE_APPLIED_TO_NON_LIST", f"`{coordinate}` is not a list", coordinate)
        return
    below = subgraph.types.get(named(declared.type))
    if below is None or below.kind not in {Kind.OBJECT, Kind.INTERFACE}:
        message = f"`{coordinate}` cannot have sized fields, since `{declared.type}` has no fields"
        yield subgraph.finding("LIST_SIZE_INVALID_SIZED_FIELD", message, coordinate)
        return
    for name in fields:
        found = below.fields.get(name)
        if found is None:
            message = f"sized field `{name}` of `{coordinate}` is not a field of `{below.name}`"
            yield subgraph.finding("LIST_SIZE_INVALID_SIZED_FIELD", message, coordinate)
        elif not found.type.startswith("["):
            message = f"sized field `{below.name}.{name}` of `{coordinate}` is not a list"
            yield subgraph.finding("LIST_SIZE_APPLIED_TO_NON_LIST", message, coordinate)


def _sliced(subgraph: ReadSubgraph, declared: Field, size: Applied, coordinate: str) -> Iterator[Finding]:
    for name in size.texts("slicingArguments"):
        argument = declared.arguments.get(name)
        if argument is None:
            message = f"slicing argument `{name}` is not an argument of `{coordinate}`"
            yield subgraph.finding("LIST_SIZE_INVALID_SLICING_ARGUMENT", message, coordinate)
        elif named(argument.type) != "Int" or argument.type.startswith("["):
            message = f"slicing argument `{coordinate}({name}:)` must be `Int` or `Int!`"
            yield subgraph.finding("LIST_SIZE_INVALID_SLICING_ARGUMENT", message, coordinate)
