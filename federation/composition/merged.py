"""The supergraph in the making: types as they are merged, each part with the subgraphs that know it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from graphql import ValueNode

from federation.composition.errors import Finding
from federation.composition.links import Link
from federation.composition.model import Applied, Directive, Kind, Type
from federation.composition.subgraph import ReadSubgraph
from federation.composition.subtyping import Lattice

Places = tuple[tuple[ReadSubgraph, Type], ...]


@dataclass(frozen=True, slots=True)
class JoinField:
    """What one subgraph knows of a field, as `@join__field` says it; `graph` is None for what nobody declares.

    `type` is given where it differs from the supergraph's. `context_arguments` are (name, type, context, selection).
    """

    graph: str | None
    type: str | None = None
    requires: str | None = None
    provides: str | None = None
    external: bool = False
    override: str | None = None
    used_overridden: bool = False
    override_label: str | None = None
    context_arguments: tuple[tuple[str, str, str, str], ...] = ()

    @property
    def plain(self) -> bool:
        """Whether it says nothing but that the subgraph resolves the field."""
        return self == JoinField(self.graph)


@dataclass(frozen=True, slots=True)
class MergedInput:
    """An argument or input field of the supergraph; `joins` only for input fields, where subgraphs differ."""

    name: str
    type: str
    default: ValueNode | None = None
    description: str | None = None
    directives: tuple[Applied, ...] = ()
    joins: tuple[JoinField, ...] = ()

    @property
    def required(self) -> bool:
        """Whether a caller must give it."""
        return self.type.endswith("!") and self.default is None


@dataclass(frozen=True, slots=True)
class MergedField:
    """A field of the supergraph; `joins` is empty when every subgraph that knows the type resolves it."""

    name: str
    type: str
    arguments: Mapping[str, MergedInput]
    description: str | None = None
    directives: tuple[Applied, ...] = ()
    joins: tuple[JoinField, ...] = ()
    graphs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class MergedEnumValue:
    """An enum value of the supergraph, with the subgraphs that have it."""

    name: str
    graphs: tuple[str, ...]
    description: str | None = None
    directives: tuple[Applied, ...] = ()


@dataclass(frozen=True, slots=True)
class MergedType:
    """A type of the supergraph: its parts, and its declaration in each subgraph that has it."""

    name: str
    kind: Kind
    places: Places
    description: str | None = None
    directives: tuple[Applied, ...] = ()
    interfaces: tuple[str, ...] = ()
    fields: Mapping[str, MergedField] = field(default_factory=dict)
    inputs: Mapping[str, MergedInput] = field(default_factory=dict)
    members: tuple[str, ...] = ()
    values: Mapping[str, MergedEnumValue] = field(default_factory=dict)

    def interface_objects(self) -> Iterator[ReadSubgraph]:
        """Yield the subgraphs that serve the interface as if it were an object."""
        if self.kind is Kind.INTERFACE:
            yield from (subgraph for subgraph, type_ in self.places if type_.kind is Kind.OBJECT)


@dataclass(frozen=True, slots=True)
class ComposedLink:
    """A specification that the supergraph links, and under which names it has its directives."""

    link: Link
    directives: Mapping[str, str]


@dataclass(slots=True)
class Merged:
    """The outcome: types in the order in which they are first declared, directives, errors and hints.

    `kept` maps the directives that the supergraph keeps to what it calls them, `only_in` names the subgraphs that mean
    a composed directive when they write its name.
    """

    subgraphs: Sequence[ReadSubgraph]
    lattice: Lattice
    types: dict[str, MergedType] = field(default_factory=dict)
    directives: dict[str, Directive] = field(default_factory=dict)
    links: list[ComposedLink] = field(default_factory=list)
    kept: Mapping[str, str] = field(default_factory=dict)
    only_in: dict[str, frozenset[str]] = field(default_factory=dict)
    errors: list[Finding] = field(default_factory=list)
    hints: list[Finding] = field(default_factory=list)

    def error(self, code: str, message: str, coordinate: str, subgraphs: Sequence[ReadSubgraph]) -> None:
        """Note why the subgraphs do not compose."""
        self.errors.append(Finding(code, message, tuple(item.name for item in subgraphs), (coordinate,)))

    def hint(self, code: str, message: str, coordinate: str, subgraphs: Sequence[ReadSubgraph] = ()) -> None:
        """Note what is allowed and still worth a look."""
        self.hints.append(Finding(code, message, tuple(item.name for item in subgraphs), (coordinate,)))


def listed(names: Sequence[str]) -> str:
    """Write names for a message."""
    return ", ".join(f"`{name}`" for name in names)
