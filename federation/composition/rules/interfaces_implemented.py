"""Types implement the interfaces that they name (GraphQL specification, section 3.6)."""

from __future__ import annotations

from collections.abc import Iterator

from federation.composition.errors import Finding
from federation.composition.model import Field, Kind, Type
from federation.composition.subgraph import ReadSubgraph
from federation.composition.subtyping import Lattice


def interfaces_implemented(subgraph: ReadSubgraph) -> Iterator[Finding]:
    """A type has every field of its interfaces, of the same type or a narrower one, with the same arguments."""
    lattice: Lattice | None = None
    for type_ in subgraph.types.values():
        for name in type_.interfaces:
            interface = subgraph.types.get(name)
            if interface is None or interface.kind is not Kind.INTERFACE:
                message = f"`{type_.name}` cannot implement `{name}`, which is no interface"
                yield subgraph.finding("INVALID_GRAPHQL", message, type_.name)
                continue
            lattice = lattice or Lattice.over(subgraph.types)
            for expected in interface.fields.values():
                yield from _field(subgraph, type_, interface, expected, lattice)
            for inherited in interface.interfaces:
                if inherited not in type_.interfaces:
                    message = f"`{type_.name}` must implement `{inherited}`, since `{name}` does"
                    yield subgraph.finding("INVALID_GRAPHQL", message, type_.name)


def _field(
    subgraph: ReadSubgraph, type_: Type, interface: Type, expected: Field, lattice: Lattice
) -> Iterator[Finding]:
    coordinate = f"{type_.name}.{expected.name}"
    declared = type_.fields.get(expected.name)
    if declared is None:
        message = f"`{interface.name}.{expected.name}` is expected in `{type_.name}`, which does not have it"
        yield subgraph.finding("INVALID_GRAPHQL", message, coordinate)
        return
    if not lattice.fits(declared.type, expected.type):
        message = (
            f"`{interface.name}.{expected.name}` is `{expected.type}`, to which `{declared.type}` of `{coordinate}`"
            " does not fit"
        )
        yield subgraph.finding("INVALID_GRAPHQL", message, coordinate)
    for argument in expected.arguments.values():
        here = declared.arguments.get(argument.name)
        if here is None or here.type != argument.type:
            message = f"`{coordinate}` must take `{argument.name}: {argument.type}`, since `{interface.name}` says so"
            yield subgraph.finding("INVALID_GRAPHQL", message, coordinate)
    for argument in declared.arguments.values():
        if argument.required and argument.name not in expected.arguments:
            message = (
                f"`{coordinate}({argument.name}:)` must not be required, since `{interface.name}` does not have it"
            )
            yield subgraph.finding("INVALID_GRAPHQL", message, coordinate)
