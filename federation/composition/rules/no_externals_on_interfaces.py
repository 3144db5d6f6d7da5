"""Fields of interfaces are not external."""

from __future__ import annotations

from collections.abc import Iterator

from federation.composition.errors import Finding
from federation.composition.model import Kind
from federation.composition.subgraph import ReadSubgraph, external


def no_externals_on_interfaces(subgraph: ReadSubgraph) -> Iterator[Finding]:
    """`@external` stands on fields of object types only: an interface resolves nothing itself."""
    for type_, declared in subgraph.fields():
        if type_.kind is Kind.INTERFACE and external(declared):
            coordinate = f"{type_.name}.{declared.name}"
            message = f"`{coordinate}` is a field of an interface, which cannot be @external"
            yield subgraph.finding("EXTERNAL_ON_INTERFACE", message, coordinate)
