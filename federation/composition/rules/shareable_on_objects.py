"""Only what is resolved can be shared."""

from __future__ import annotations

from collections.abc import Iterator

from federation.composition.errors import Finding
from federation.composition.model import Kind
from federation.composition.subgraph import ReadSubgraph, applied, has


def shareable_on_objects(subgraph: ReadSubgraph) -> Iterator[Finding]:
    """`@shareable` stands on object types and their fields, once on each declaration."""
    for type_ in subgraph.types.values():
        marks = [(item.name, item.extended) for item in applied(type_.directives, "shareable")]
        if len(marks) > 1 and len(set(marks)) < len(marks) - 1:
            message = f"`{type_.name}` has @shareable more than once on one declaration"
            yield subgraph.finding("INVALID_SHAREABLE_USAGE", message, type_.name)
        for declared in type_.fields.values():
            coordinate = f"{type_.name}.{declared.name}"
            if type_.kind is Kind.INTERFACE and has(declared.directives, "shareable"):
                message = f"`{coordinate}` is a field of an interface; only those of object types can be @shareable"
                yield subgraph.finding("INVALID_SHAREABLE_USAGE", message, coordinate)
            if len(list(applied(declared.directives, "shareable"))) > 1:
                message = f"`{coordinate}` has @shareable more than once"
                yield subgraph.finding("INVALID_SHAREABLE_USAGE", message, coordinate)
