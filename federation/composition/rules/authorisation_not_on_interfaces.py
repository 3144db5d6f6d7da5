"""Authorisation is asked for where data is resolved."""

from __future__ import annotations

from collections.abc import Iterator

from federation.composition.errors import Finding
from federation.composition.model import Kind
from federation.composition.specifications import AUTHORISING
from federation.composition.subgraph import ReadSubgraph, has


def authorisation_not_on_interfaces(subgraph: ReadSubgraph) -> Iterator[Finding]:
    """What asks for authorisation stands neither on interfaces and their fields nor on interface objects."""
    for type_ in subgraph.types.values():
        if type_.kind is not Kind.INTERFACE and not has(type_.directives, "interfaceObject"):
            continue
        places = [(type_.name, type_.directives)]
        if type_.kind is Kind.INTERFACE:
            places += [(f"{type_.name}.{item.name}", item.directives) for item in type_.fields.values()]
        for coordinate, directives in places:
            for name in AUTHORISING:
                if has(directives, name):
                    message = (
                        f"@{name} on `{coordinate}`: it cannot be on interfaces, their fields and interface objects"
                    )
                    yield subgraph.finding("AUTH_REQUIREMENTS_APPLIED_ON_INTERFACE", message, coordinate)
