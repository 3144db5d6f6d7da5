"""Interface objects can be looked up."""

from __future__ import annotations

from collections.abc import Iterator

from federation.composition.errors import Finding
from federation.composition.subgraph import ReadSubgraph, has


def interface_objects_are_entities(subgraph: ReadSubgraph) -> Iterator[Finding]:
    """`@interfaceObject` stands only on types with a key."""
    for type_ in subgraph.types.values():
        if has(type_.directives, "interfaceObject") and not has(type_.directives, "key"):
            message = f"`{type_.name}` is an @interfaceObject but has no @key in this subgraph"
            yield subgraph.finding("INTERFACE_OBJECT_USAGE_ERROR", message, type_.name)
