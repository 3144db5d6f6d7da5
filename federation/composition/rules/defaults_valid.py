"""Default values are values of their types."""

from __future__ import annotations

from collections.abc import Iterator

from federation.composition.errors import Finding
from federation.composition.model import InputValue, literal
from federation.composition.subgraph import ReadSubgraph
from federation.composition.values import is_value


def defaults_valid(subgraph: ReadSubgraph) -> Iterator[Finding]:
    """The default of every argument and input field fits its type."""
    for type_, declared in subgraph.fields():
        for argument in declared.arguments.values():
            yield from _checked(subgraph, f"{type_.name}.{declared.name}({argument.name}:)", argument)
    for type_ in subgraph.types.values():
        for value in type_.inputs.values():
            yield from _checked(subgraph, f"{type_.name}.{value.name}", value)
    for definition in subgraph.own_definitions():
        for argument in definition.arguments.values():
            yield from _checked(subgraph, f"@{definition.name}({argument.name}:)", argument)


def _checked(subgraph: ReadSubgraph, coordinate: str, value: InputValue) -> Iterator[Finding]:
    if value.default is not None and not is_value(value.default, value.type, subgraph.types):
        message = f"default value `{literal(value.default)}` of `{coordinate}` is no `{value.type}`"
        yield subgraph.finding("INVALID_GRAPHQL", message, coordinate)
