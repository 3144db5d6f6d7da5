"""Directives are known, stand where they may stand, and have the arguments that they take."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from graphql import NullValueNode

from federation.composition.errors import Finding
from federation.composition.model import Applied, Directive, Kind, literal, named
from federation.composition.specifications import FIELD_SETS
from federation.composition.subgraph import ReadSubgraph
from federation.composition.values import is_value

_LOCATIONS = {
    Kind.SCALAR: "SCALAR",
    Kind.OBJECT: "OBJECT",
    Kind.INTERFACE: "INTERFACE",
    Kind.UNION: "UNION",
    Kind.ENUM: "ENUM",
    Kind.INPUT: "INPUT_OBJECT",
}


def directives_valid(subgraph: ReadSubgraph) -> Iterator[Finding]:
    """Every application of a directive is as the directive's definition wants it."""
    for location, coordinate, directives in _applications(subgraph):
        counted = Counter(item.name for item in directives) if len(directives) > 1 else {}
        for item in directives:
            yield from _application(subgraph, location, coordinate, item)
        for name, times in counted.items():
            definition = subgraph.known.get(name)
            if times > 1 and definition is not None and not definition.repeatable:
                message = f"directive `@{subgraph.written(name)}` can stand only once on `{coordinate}`"
                yield subgraph.finding("INVALID_GRAPHQL", message, coordinate)


def _applications(subgraph: ReadSubgraph) -> Iterator[tuple[str, str, tuple[Applied, ...]]]:
    """Yield every place that has directives: what it is, its coordinate, the directives."""
    if subgraph.model.applied:
        yield "SCHEMA", "schema", subgraph.model.applied
    for type_ in subgraph.types.values():
        if type_.directives:
            yield _LOCATIONS[type_.kind], type_.name, type_.directives
        for declared in type_.fields.values():
            coordinate = f"{type_.name}.{declared.name}"
            if declared.directives:
                yield "FIELD_DEFINITION", coordinate, declared.directives
            for argument in declared.arguments.values():
                if argument.directives:
                    yield "ARGUMENT_DEFINITION", f"{coordinate}({argument.name}:)", argument.directives
        for value in type_.inputs.values():
            if value.directives:
                yield "INPUT_FIELD_DEFINITION", f"{type_.name}.{value.name}", value.directives
        for member in type_.values.values():
            if member.directives:
                yield "ENUM_VALUE", f"{type_.name}.{member.name}", member.directives


def _application(subgraph: ReadSubgraph, location: str, coordinate: str, item: Applied) -> Iterator[Finding]:
    written = subgraph.written(item.name)
    definition = subgraph.known.get(item.name)
    if definition is None:
        message = f"unknown directive `@{written}` on `{coordinate}`"
        if subgraph.first_version:
            message += "; a schema that uses directives of federation 2 must link the federation specification"
        yield subgraph.finding("INVALID_GRAPHQL", message, coordinate)
        return
    if location not in definition.locations:
        message = f"directive `@{written}` may not be used on {location} (`{coordinate}`)"
        yield subgraph.finding("INVALID_GRAPHQL", message, coordinate)
    for problem in _arguments(subgraph, item, definition):
        yield subgraph.finding("INVALID_GRAPHQL", f"directive `@{written}` on `{coordinate}`: {problem}", coordinate)


def _arguments(subgraph: ReadSubgraph, item: Applied, definition: Directive) -> Iterable[str]:
    for name, value in item.arguments.items():
        expected = definition.arguments.get(name)
        if expected is None:
            yield f"unknown argument `{name}`"
        elif named(expected.type).removeprefix("federation__") in FIELD_SETS and not isinstance(value, NullValueNode):
            continue  # what a field set may hold has rules and codes of its own
        elif not is_value(value, expected.type, subgraph.types):
            yield f"`{literal(value)}` is no `{expected.type}`, which argument `{name}` takes"
    for name, expected in definition.arguments.items():
        if expected.required and name not in item.arguments:
            yield f"argument `{name}` of type `{expected.type}` is required"
