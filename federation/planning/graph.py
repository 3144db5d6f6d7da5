"""Stage 2, the query graph: what each subgraph resolves, on which types, and how entities are entered.

Vertices are (type, subgraph). Edges are fields (with `@requires` and `@provides`), entries by key, and downcasts from
an abstract type to the concrete types that a subgraph knows below it. The graph is read from the supergraph once and
is asked by every planning.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from graphql import is_abstract_type, is_composite_type
from typing_extensions import override

from federation.composition.model import Kind
from federation.planning.fieldsets import NOTHING, FieldSet, parse_field_set, printed
from federation.planning.operation import possible_types

if TYPE_CHECKING:
    from collections.abc import Iterator

    from graphql import GraphQLSchema

    from federation.composition.supergraph import ContextArgument, FieldIn, Supergraph, SuperType


@dataclass(frozen=True, slots=True)
class FieldEdge:
    """`type_name.name` in one subgraph: from the vertex (type_name, subgraph) to the vertex (target, subgraph).

    `type` is the printed type as that subgraph declares it. `external` fields are only an edge along a path that
    `@provides` them. `label` is set for a progressive `@override`: the edge exists only while the label is active;
    `unless` lists the labels that take the field away from here while they are active. `contexts` are arguments that
    objects above fill: the field is then reached by an entry of its own, like one with `@requires`.
    """

    subgraph: str
    type_name: str
    name: str
    type: str
    external: bool = False
    requires: FieldSet = NOTHING
    provides: FieldSet = NOTHING
    label: str | None = None
    unless: frozenset[str] = frozenset()
    contexts: tuple[ContextArgument, ...] = ()

    @property
    def target(self) -> str:
        """The named type the field leads to."""
        return self.type.strip("[]!")

    @override
    def __str__(self) -> str:
        text = f"{self.type_name}.{self.name}: {self.type}"
        marks = [
            "external" if self.external else "",
            f"requires {{ {printed(self.requires)} }}" if self.requires else "",
            *(f"{one.name} from {one.context} {one.selection}" for one in self.contexts),
            f"provides {{ {printed(self.provides)} }}" if self.provides else "",
            f"while {self.label}" if self.label else "",
        ]
        return " ".join([text, *(mark for mark in marks if mark)])


@dataclass(frozen=True, slots=True)
class KeyEdge:
    """A way into (type_name, subgraph): `_entities` with a representation that holds `fields`."""

    subgraph: str
    type_name: str
    fields: FieldSet

    @override
    def __str__(self) -> str:
        return f"enter {self.type_name} by {{ {printed(self.fields)} }}"


@dataclass(frozen=True, slots=True)
class QueryGraph:
    """The query graph of one supergraph."""

    schema: GraphQLSchema
    subgraphs: tuple[str, ...]
    fields: dict[tuple[str, str, str], FieldEdge]
    """(subgraph, type, field) to its edge."""
    keys: dict[tuple[str, str], tuple[KeyEdge, ...]]
    """(subgraph, type) to the ways in."""
    below: dict[tuple[str, str], frozenset[str]]
    """(subgraph, type) to the concrete types that can stand there, as the supergraph names them."""
    interface_objects: frozenset[tuple[str, str]]
    """(subgraph, interface) where the subgraph knows an interface as an object."""
    holders: dict[tuple[str, str], tuple[FieldEdge, ...]]
    """(type, field) to its edges in all subgraphs, the type's own and those of interface objects above it."""
    interfaces: dict[str, tuple[str, ...]]
    """Concrete type to the interfaces above it, in the supergraph."""
    contexts: dict[str, frozenset[str]]
    """Context to the concrete types on which it is set."""
    hidden: frozenset[str]
    """Concrete types that clients may not see."""

    @classmethod
    def of(cls, supergraph: Supergraph) -> QueryGraph:
        """Read the query graph out of a supergraph."""
        reader = _Reader(supergraph)
        for found in supergraph.types.values():
            if found.kind in (Kind.OBJECT, Kind.INTERFACE, Kind.UNION):
                reader.read(found)
        return reader.graph()

    def possible(self, name: str) -> frozenset[str]:
        """Return the concrete types of a type of the supergraph."""
        return possible_types(self.schema, name)

    def is_abstract(self, subgraph: str, name: str) -> bool:
        """Tell whether a subgraph has a type as an interface or a union (and not as an interface object)."""
        named = self.schema.type_map.get(name)
        return is_abstract_type(named) and (subgraph, name) not in self.interface_objects

    def known_as(self, subgraph: str, static: str, concrete: str) -> str | None:
        """Return the name by which a subgraph knows objects of a concrete type below a static type of its own.

        None when such an object cannot stand there.
        """
        if concrete not in self.below.get((subgraph, static), ()):
            return None
        if (subgraph, static) in self.interface_objects:
            return static
        if (subgraph, concrete) in self.below:
            return concrete
        for above in self.interfaces.get(concrete, ()):
            if (subgraph, above) in self.interface_objects:
                return above
        return concrete

    def is_composite(self, name: str) -> bool:
        """Tell whether a named type has fields."""
        named = self.schema.type_map.get(name)
        return named is not None and is_composite_type(named)

    def edge(self, subgraph: str, known: str, name: str) -> FieldEdge | None:
        """Return the edge of a field on a type as a subgraph knows it."""
        return self.fields.get((subgraph, known, name))

    @override
    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        for subgraph in self.subgraphs:
            yield f"subgraph {subgraph}"
            names = sorted({name for found, name in self.below if found == subgraph})
            for name in names:
                kind = " as an object" if (subgraph, name) in self.interface_objects else ""
                types = self.below[subgraph, name]
                narrows = f" → {', '.join(sorted(types))}" if types != {name} else ""
                yield f"  {name}{kind}{narrows}"
                yield from (f"    {key}" for key in self.keys.get((subgraph, name), ()))
                yield from (f"    {edge}" for key, edge in self.fields.items() if key[:2] == (subgraph, name))


class _Reader:
    """Collects vertices and edges, one type of the supergraph at a time."""

    def __init__(self, supergraph: Supergraph) -> None:
        self.supergraph = supergraph
        self.fields: dict[tuple[str, str, str], FieldEdge] = {}
        self.keys: dict[tuple[str, str], tuple[KeyEdge, ...]] = {}
        self.below: dict[tuple[str, str], frozenset[str]] = {}
        self.objects: set[tuple[str, str]] = set()
        self.interfaces: dict[str, list[str]] = defaultdict(list)
        self.contexts: dict[str, set[str]] = defaultdict(set)

    def read(self, found: SuperType) -> None:
        """Read what each subgraph knows of one composite type."""
        possible = possible_types(self.supergraph.schema, found.name)
        if found.kind is Kind.INTERFACE:
            for name in sorted(possible):
                self.interfaces[name].append(found.name)
        for context in found.contexts:
            self.contexts[context] |= possible
        for subgraph, there in found.subgraphs.items():
            vertex = (subgraph, found.name)
            self.keys[vertex] = tuple(
                KeyEdge(subgraph, found.name, parse_field_set(key.fields)) for key in there.keys if key.resolvable
            )
            if there.interface_object:
                self.objects.add(vertex)
                self.below[vertex] = possible
            elif found.kind is Kind.OBJECT:
                self.below[vertex] = frozenset({found.name})
            else:
                self.below[vertex] = self._narrowed(found, subgraph, possible)
        for name, field in found.fields.items():
            for subgraph, known in field.subgraphs.items():
                self.fields[subgraph, found.name, name] = _edge(subgraph, found.name, name, known)

    def _narrowed(self, found: SuperType, subgraph: str, possible: frozenset[str]) -> frozenset[str]:
        """Return the concrete types that a subgraph may put below an abstract type of its own."""
        if possible == {found.name}:
            return possible
        names = set(self.supergraph.possible(found.name, subgraph))
        for above in self.supergraph.types.values():
            there = above.subgraphs.get(subgraph)
            if there is not None and there.interface_object and found.name in there.interfaces:
                names |= possible_types(self.supergraph.schema, above.name)
        return frozenset(names) & possible

    def graph(self) -> QueryGraph:
        """Put the graph together: what remains is to turn the edges round."""
        holders: dict[tuple[str, str], list[FieldEdge]] = defaultdict(list)
        for edge in self.fields.values():
            vertex = (edge.subgraph, edge.type_name)
            if vertex in self.objects:
                for name in sorted(self.below[vertex]):
                    holders[name, edge.name].append(edge)
            elif edge.type_name in self.below[vertex]:
                holders[edge.type_name, edge.name].append(edge)
        return QueryGraph(
            schema=self.supergraph.schema,
            subgraphs=tuple(reference.name for reference in self.supergraph.subgraphs),
            fields=self.fields,
            keys=self.keys,
            below=self.below,
            interface_objects=frozenset(self.objects),
            holders={key: tuple(edges) for key, edges in holders.items()},
            interfaces={name: tuple(found) for name, found in self.interfaces.items()},
            contexts={name: frozenset(found) for name, found in self.contexts.items()},
            hidden=frozenset(found.name for found in self.supergraph.types.values() if found.inaccessible),
        )


def _edge(subgraph: str, type_name: str, name: str, known: FieldIn) -> FieldEdge:
    """Make the edge of one field.

    What another subgraph has taken over for good is left as an external one.
    """
    label = known.override_label
    closed = known.external or (known.used_overridden and label is None)
    return FieldEdge(
        subgraph=subgraph,
        type_name=type_name,
        name=name,
        type=known.type,
        external=closed,
        requires=parse_field_set(known.requires) if known.requires else NOTHING,
        provides=parse_field_set(known.provides) if known.provides else NOTHING,
        label=label if known.override is not None else None,
        unless=frozenset({label}) if label is not None and known.override is None else frozenset(),
        contexts=known.context_arguments,
    )
