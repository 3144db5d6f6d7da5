"""A field that is marked external is used."""

from __future__ import annotations

from collections.abc import Iterator

from federation.composition.context import context_targets
from federation.composition.errors import Finding
from federation.composition.subgraph import ReadSubgraph, has


def externals_used(subgraph: ReadSubgraph) -> Iterator[Finding]:
    """Every external field stands in a key, a `@requires`, a `@provides` or a context, or implements an interface."""
    if not subgraph.external:
        return
    used = subgraph.key_fields | subgraph.required | subgraph.provided | context_targets(subgraph)
    for type_, declared in subgraph.fields():
        if (type_.name, declared.name) not in subgraph.external or (type_.name, declared.name) in used:
            continue
        if has(declared.directives, "provides"):
            continue  # refused for that
        interfaces = (subgraph.types.get(name) for name in type_.interfaces)
        if any(interface is not None and declared.name in interface.fields for interface in interfaces):
            continue
        coordinate = f"{type_.name}.{declared.name}"
        message = (
            f"`{coordinate}` is marked @external but no @key, @requires or @provides uses it, and no interface asks for"
            " it; remove the field, or the @external"
        )
        yield subgraph.finding("EXTERNAL_UNUSED", message, coordinate)
