"""What several subgraphs resolve is the same thing in all of them."""

from __future__ import annotations

from collections.abc import Iterator

from federation.composition.errors import Finding
from federation.composition.merged import Merged
from federation.composition.model import Field, Kind, named
from federation.composition.subgraph import ReadSubgraph, has


def shared_values_alike(merged: Merged) -> Iterator[Finding]:
    """Of a shared field of abstract type, some concrete type is possible in every subgraph that resolves it."""
    for type_ in merged.types.values():
        if type_.kind is not Kind.OBJECT:
            continue
        for name in type_.fields:
            resolving = [
                (subgraph, each.fields[name])
                for subgraph, each in type_.places
                if name in each.fields and (type_.name, name) not in subgraph.external
            ]
            possible = {subgraph.name: _possible(subgraph, item) for subgraph, item in resolving}
            known = [names for names in possible.values() if names]
            if len(known) > 1 and not frozenset.intersection(*known):
                coordinate = f"{type_.name}.{name}"
                listed = "; ".join(f"in `{graph}`: {', '.join(sorted(names))}" for graph, names in possible.items())
                message = f"`{coordinate}` is shared, but no type is possible for it everywhere: {listed}"
                yield Finding("SHAREABLE_HAS_MISMATCHED_RUNTIME_TYPES", message, tuple(possible), (coordinate,))


def _possible(subgraph: ReadSubgraph, item: Field) -> frozenset[str]:
    """Return the object types that a field's value may have in a subgraph; none where the subgraph cannot tell."""
    type_ = subgraph.types.get(named(item.type))
    if type_ is None or type_.kind not in {Kind.INTERFACE, Kind.UNION, Kind.OBJECT}:
        return frozenset()
    if type_.kind is Kind.OBJECT:
        return frozenset() if has(type_.directives, "interfaceObject") else frozenset({type_.name})
    return frozenset(subgraph.implementations.get(type_.name, ()))
