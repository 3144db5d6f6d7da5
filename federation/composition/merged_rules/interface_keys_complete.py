"""Who looks up an interface by its key knows all that implement it."""

from __future__ import annotations

from collections.abc import Iterator

from federation.composition.errors import Finding
from federation.composition.merged import Merged, listed
from federation.composition.model import Kind
from federation.composition.subgraph import applied


def interface_keys_complete(merged: Merged) -> Iterator[Finding]:
    """A subgraph with a resolvable key on an interface declares every implementation that the supergraph has."""
    for interface in merged.types.values():
        if interface.kind is not Kind.INTERFACE:
            continue
        objects = {
            name
            for name in merged.lattice.below.get(interface.name, ())
            if name in merged.types and merged.types[name].kind is Kind.OBJECT
        }
        for subgraph, type_ in interface.places:
            keys = [key for key in applied(type_.directives, "key") if key.flag("resolvable", default=True)]
            missing = sorted(objects - set(subgraph.implementations.get(interface.name, ())))
            if type_.kind is Kind.INTERFACE and keys and missing:
                message = (
                    f"interface `{interface.name}` has the key `{keys[0].text('fields')}`; the subgraph must know all"
                    f" its implementations; missing are {listed(missing)}"
                )
                yield subgraph.finding("INTERFACE_KEY_MISSING_IMPLEMENTATION_TYPE", message, interface.name)
