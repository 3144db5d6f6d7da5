"""Interfaces grow when subgraphs are merged, and who implements them must keep up."""

from __future__ import annotations

from collections.abc import Iterator

from federation.composition.errors import Finding
from federation.composition.merged import Merged, MergedType, listed
from federation.composition.model import Kind


def interface_fields_implemented(merged: Merged) -> Iterator[Finding]:
    """Every implementation has all fields that the interface has in any subgraph, of types that fit."""
    for type_ in merged.types.values():
        if type_.kind not in {Kind.OBJECT, Kind.INTERFACE}:
            continue
        for name in type_.interfaces:
            interface = merged.types.get(name)
            if interface is not None and interface.kind is Kind.INTERFACE:
                yield from _against(merged, type_, interface)


def _against(merged: Merged, type_: MergedType, interface: MergedType) -> Iterator[Finding]:
    for expected in interface.fields.values():
        here = type_.fields.get(expected.name)
        coordinate = f"{interface.name}.{expected.name}"
        if here is None:
            having = [subgraph.name for subgraph, each in interface.places if expected.name in each.fields]
            implementing = [subgraph.name for subgraph, each in type_.places if interface.name in each.interfaces]
            message = (
                f"`{coordinate}` is declared in {listed(having)}, but `{type_.name}`, which implements the interface in"
                f" {listed(implementing)}, does not have it"
            )
            yield Finding("INTERFACE_FIELD_NO_IMPLEM", message, tuple(implementing), (coordinate,))
        elif not merged.lattice.fits(here.type, expected.type):
            message = (
                f"`{type_.name}.{expected.name}` is `{here.type}` when merged, which does not fit `{expected.type}` of"
                f" `{coordinate}`"
            )
            yield Finding("INVALID_GRAPHQL", message, coordinates=(coordinate,))
        else:
            for argument in expected.arguments.values():
                other = here.arguments.get(argument.name)
                if other is None or other.type != argument.type:
                    message = f"`{type_.name}.{expected.name}` must take `{argument.name}: {argument.type}` when merged"
                    yield Finding("INVALID_GRAPHQL", message, coordinates=(coordinate,))
