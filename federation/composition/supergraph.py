"""A supergraph as values: which subgraph knows what, read from any document of the join specification (v0.1 to v0.5).

The reader takes documents of every composer, ours included. Everything is keyed by the *name* of a subgraph, never by
its name in the `join__Graph` enum. Where a document leaves something out because it holds for all subgraphs
(`@join__field`, `@join__unionMember`, `@join__enumValue`, `@join__implements`), the values here say it for each.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Self

from graphql import (
    GraphQLError,
    GraphQLSchema,
    ListValueNode,
    ObjectValueNode,
    build_ast_schema,
    parse,
    print_schema,
)

from federation.composition.api import api_document, internal_document
from federation.composition.errors import SupergraphError
from federation.composition.fieldset import FieldSetError, Fragment, parse_field_set
from federation.composition.links import APOLLO, CORE, JOIN, LINK, Link, LinkError, read_links
from federation.composition.model import ROOTS, Applied, Kind, Model, Type, named, read_model

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from graphql import DocumentNode, ValueNode

    from federation.composition.fieldset import FieldSet
    from federation.composition.model import Field, InputValue


@dataclass(frozen=True, slots=True)
class SubgraphRef:
    """One subgraph: its name, its value in the `join__Graph` enum, and where it answers (may be empty)."""

    name: str
    graph_enum: str
    url: str


@dataclass(frozen=True, slots=True)
class Key:
    """One `@key` of a type in one subgraph.

    `fields` is the field set's text. `resolvable` is False when the subgraph only refers to the entity and cannot be
    asked for it. `extension` says that the key stands on an extension of the type.
    """

    fields: str
    resolvable: bool
    extension: bool


@dataclass(frozen=True, slots=True)
class TypeIn:
    """What one subgraph knows of a type.

    `interface_object` says that the subgraph serves an interface as if it were an object. `interfaces` are those that
    the type implements there, `members` the union's members there, `values` the enum's values there.
    """

    keys: tuple[Key, ...]
    interface_object: bool = False
    interfaces: tuple[str, ...] = ()
    members: tuple[str, ...] = ()
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ContextArgument:
    """An argument that the gateway fills from an ancestor: `selection` is read where `context` was set."""

    name: str
    type: str
    context: str
    selection: str


@dataclass(frozen=True, slots=True)
class FieldIn:
    """What one subgraph knows of a field.

    `type` is the field's type as the subgraph declares it. `requires` and `provides` are field sets' texts. `external`:
    declared there but resolved only below a `@provides`. `used_overridden`: overridden by another subgraph, and still
    declared because a key or a `@requires` uses it. `override` names the subgraph that this one takes the field from;
    with `override_label` only for requests for which the label is active: the subgraph taken from then has the same
    label and no `override`, and resolves the field for all other requests.
    """

    type: str
    external: bool = False
    requires: str | None = None
    provides: str | None = None
    override: str | None = None
    override_label: str | None = None
    used_overridden: bool = False
    context_arguments: tuple[ContextArgument, ...] = ()

    @property
    def resolvable(self) -> bool:
        """Whether the subgraph can be asked for the field on any object of the type (for some label state at least)."""
        return not self.external and (not self.used_overridden or self.override_label is not None)


@dataclass(frozen=True, slots=True)
class SuperArgument:
    """An argument or input field; `default` as syntax, `directives` without the join specification's."""

    name: str
    type: str
    default: ValueNode | None
    directives: tuple[Applied, ...]


@dataclass(frozen=True, slots=True)
class SuperField:
    """A field of an object, interface or input type.

    `subgraphs` maps names of subgraphs, in the order of `Supergraph.subgraphs`, to what each knows; it is empty for a
    field of an object type that only interface objects can serve. `directives` are the rest, under canonical names
    (`inaccessible`, `tag`, `authenticated`, `requiresScopes`, `policy`, `cost`, `listSize`, …).
    """

    name: str
    type: str
    arguments: Mapping[str, SuperArgument]
    subgraphs: Mapping[str, FieldIn]
    directives: tuple[Applied, ...]
    default: ValueNode | None = None

    @property
    def inaccessible(self) -> bool:
        """Whether clients may not see it."""
        return any(item.name == "inaccessible" for item in self.directives)


@dataclass(frozen=True, slots=True)
class SuperType:
    """A named type of the supergraph; `subgraphs` in the order of `Supergraph.subgraphs`.

    `contexts` are the names of the contexts that `@context` sets on it.
    """

    name: str
    kind: Kind
    subgraphs: Mapping[str, TypeIn]
    fields: Mapping[str, SuperField]
    interfaces: tuple[str, ...]
    members: tuple[str, ...]
    values: tuple[str, ...]
    directives: tuple[Applied, ...]
    contexts: tuple[str, ...] = ()

    @property
    def inaccessible(self) -> bool:
        """Whether clients may not see it."""
        return any(item.name == "inaccessible" for item in self.directives)


@dataclass(frozen=True)
class Supergraph:
    """A whole supergraph. Not slotted: the schemas are built when first asked for, and kept.

    `types` holds the types of the federated schema, without built-in scalars and without the machinery of linked
    specifications. `roots` maps `query`, `mutation` and `subscription` to type names, where they exist.
    """

    sdl: str
    subgraphs: tuple[SubgraphRef, ...]
    types: Mapping[str, SuperType]
    roots: Mapping[str, str]
    links: tuple[Link, ...]
    _document: DocumentNode = field(repr=False, compare=False)

    @classmethod
    def parse(cls, sdl: str) -> Self:
        """Read a supergraph.

        Raises:
            SupergraphError: the text does not parse, or does not follow the join specification.
        """
        try:
            document = parse(sdl, no_location=True)
        except GraphQLError as error:
            raise SupergraphError(f"the supergraph does not parse: {error.message}") from error
        model = read_model(document)
        try:
            links = read_links(model.applied)
        except LinkError as error:
            raise SupergraphError(f"the supergraph's links cannot be read: {error}") from error
        for link in links:
            if link.purpose is not None and link.identity not in UNDERSTOOD:
                raise SupergraphError(f"`{link.url}` is for {link.purpose}, not known here, and must not be ignored")
        reader = _Reader.over(model, links)
        return cls(sdl, reader.subgraphs, reader.types(), _roots(model), links, document)

    @cached_property
    def schema(self) -> GraphQLSchema:
        """The whole federated schema, inaccessible elements included, federation machinery not."""
        return build_ast_schema(internal_document(self._document, self.links), assume_valid=True, assume_valid_sdl=True)

    @cached_property
    def api_schema(self) -> GraphQLSchema:
        """What clients may see."""
        return build_ast_schema(api_document(self._document, self.links), assume_valid=True, assume_valid_sdl=True)

    @cached_property
    def api_sdl(self) -> str:
        """What clients may see, as text."""
        return print_schema(self.api_schema)

    def subgraph(self, name: str) -> SubgraphRef:
        """Return a subgraph by name.

        Raises:
            KeyError: there is none of that name.
        """
        for reference in self.subgraphs:
            if reference.name == name:
                return reference
        raise KeyError(name)

    def possible(self, type_name: str, subgraph: str | None = None) -> tuple[str, ...]:
        """Return the object types that a value of a type may have, in one subgraph or (None) in the whole.

        An interface object is one type in its subgraph, and stands for itself.
        """
        return self._possible.get((type_name, subgraph), ())

    @cached_property
    def _possible(self) -> Mapping[tuple[str, str | None], tuple[str, ...]]:
        found: dict[tuple[str, str | None], list[str]] = {}
        for item in self.types.values():
            if item.kind is Kind.UNION:
                found[item.name, None] = list(item.members)
                found |= {(item.name, name): list(there.members) for name, there in item.subgraphs.items()}
            elif item.kind is Kind.OBJECT:
                for interface in (item.name, *item.interfaces):
                    found.setdefault((interface, None), []).append(item.name)
                for name, there in item.subgraphs.items():
                    for interface in (item.name, *there.interfaces):
                        found.setdefault((interface, name), []).append(item.name)
            elif item.kind is Kind.INTERFACE:
                found |= {
                    (item.name, name): [item.name] for name, there in item.subgraphs.items() if there.interface_object
                }
        return {key: tuple(names) for key, names in found.items()}


def _roots(model: Model) -> Mapping[str, str]:
    """Return the root types: those stated, or those with the usual names."""
    if model.roots:
        return model.roots
    return {root: root.capitalize() for root in ROOTS if root.capitalize() in model.types}


UNDERSTOOD = frozenset(
    {JOIN, LINK, CORE}
    | {f"{APOLLO}/{name}" for name in ("inaccessible", "tag", "context", "cost")}
    | {f"{APOLLO}/{name}" for name in ("authenticated", "requiresScopes", "policy")}
)
"""Specifications that are followed; of others, those for SECURITY or EXECUTION must be (link v1.0, `for:`)."""


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads types with the names of the specification's directives at hand."""

    model: Model
    links: tuple[Link, ...]
    join: Link
    subgraphs: tuple[SubgraphRef, ...]
    names: Mapping[str, str]

    @classmethod
    def over(cls, model: Model, links: tuple[Link, ...]) -> Self:
        join = next((link for link in links if link.identity == JOIN), None)
        if join is None:
            raise SupergraphError(f"expected a supergraph that links `{JOIN}`, got a schema that does not")
        graphs = model.types.get(join.type("Graph"))
        if graphs is None or not graphs.values:
            raise SupergraphError(f"expected an enum `{join.type('Graph')}` that lists the subgraphs")
        references: list[SubgraphRef] = []
        for value in graphs.values.values():
            graph = next((item for item in value.directives if item.name == join.directive("graph")), None)
            if graph is None:
                raise SupergraphError(f"`{graphs.name}.{value.name}` has no `@{join.directive('graph')}`")
            references.append(SubgraphRef(graph.text("name") or value.name, value.name, graph.text("url") or ""))
        return cls(model, links, join, tuple(references), {item.graph_enum: item.name for item in references})

    def types(self) -> Mapping[str, SuperType]:
        foreign = [link for link in self.links if link.name]
        read = {
            name: self._type(declared)
            for name, declared in self.model.types.items()
            if not any(link.owns_type(name) for link in foreign)
        }
        return _with_owners_keys(read) if self.join.version == (0, 1) else read

    def _type(self, declared: Type) -> SuperType:
        subgraphs = self._memberships(declared)
        return SuperType(
            declared.name,
            declared.kind,
            subgraphs,
            {item.name: self._field(item, declared, subgraphs) for item in declared.fields.values()}
            | {item.name: self._input_field(item, declared, subgraphs) for item in declared.inputs.values()},
            declared.interfaces,
            declared.members,
            tuple(declared.values),
            self._others(declared.directives),
            tuple(item.text("name") or "" for item in declared.directives if self._canonical(item.name) == "context"),
        )

    def _memberships(self, declared: Type) -> Mapping[str, TypeIn]:
        """Say which subgraphs know the type; without any `@join__type` (value types of v0.1) all do."""
        name = self.join.directive("type")
        applied = [item for item in declared.directives if item.name == name]
        keys: dict[str, list[Key]] = {} if applied else {item.name: [] for item in self.subgraphs}
        interface_objects: set[str] = set()
        for item in applied:
            graph = self._graph(item)
            there = keys.setdefault(graph, [])
            if (fields := item.text("key")) is not None:
                resolvable = item.flag("resolvable", default=True)
                there.append(Key(fields, resolvable, item.flag("extension", default=False)))
            if item.flag("isInterfaceObject", default=False):
                interface_objects.add(graph)
        interfaces = self._positions(declared, "implements", "interface", declared.interfaces)
        members = self._positions(declared, "unionMember", "member", declared.members)
        values = self._values(declared)
        return {
            item.name: TypeIn(
                tuple(keys[item.name]),
                item.name in interface_objects,
                interfaces(item.name),
                members(item.name),
                values(item.name),
            )
            for item in self.subgraphs
            if item.name in keys
        }

    def _positions(
        self, declared: Type, directive: str, argument: str, everything: tuple[str, ...]
    ) -> Callable[[str], tuple[str, ...]]:
        """Return what each subgraph lists; all of it when the document (v0.1, v0.2) does not say."""
        name = self.join.directive(directive)
        applied = [item for item in declared.directives if item.name == name]
        if not applied:
            return lambda _: everything
        listed: dict[str, list[str]] = {}
        for item in applied:
            listed.setdefault(self._graph(item), []).append(item.text(argument) or "")
        return lambda graph: tuple(listed.get(graph, ()))

    def _values(self, declared: Type) -> Callable[[str], tuple[str, ...]]:
        name = self.join.directive("enumValue")
        listed: dict[str, list[str]] = {}
        for value in declared.values.values():
            applied = [item for item in value.directives if item.name == name]
            for graph in map(self._graph, applied) if applied else self.names.values():
                listed.setdefault(graph, []).append(value.name)
        return lambda graph: tuple(listed.get(graph, ()))

    def _field(self, declared: Field, owner: Type, memberships: Mapping[str, TypeIn]) -> SuperField:
        return SuperField(
            declared.name,
            declared.type,
            {
                item.name: SuperArgument(item.name, item.type, item.default, self._others(item.directives))
                for item in declared.arguments.values()
            },
            self._field_joins(declared, owner, memberships),
            self._others(declared.directives),
        )

    def _input_field(self, declared: InputValue, owner: Type, memberships: Mapping[str, TypeIn]) -> SuperField:
        joins = self._field_joins(declared, owner, memberships)
        return SuperField(declared.name, declared.type, {}, joins, self._others(declared.directives), declared.default)

    def _field_joins(
        self, declared: Field | InputValue, owner: Type, memberships: Mapping[str, TypeIn]
    ) -> Mapping[str, FieldIn]:
        """Say which subgraphs know the field: those named, or without any `@join__field` all that know the type."""
        name = self.join.directive("field")
        applied = [item for item in declared.directives if item.name == name]
        if not applied:
            graphs = [self._owner(owner)] if self._owner(owner) else list(memberships)
            return {graph: FieldIn(declared.type) for graph in graphs if graph}
        found = {self._graph(item): self._field_in(item, declared.type) for item in applied if item.text("graph")}
        return {item.name: found[item.name] for item in self.subgraphs if item.name in found}

    def _field_in(self, item: Applied, supergraph_type: str) -> FieldIn:
        return FieldIn(
            type=item.text("type") or supergraph_type,
            external=item.flag("external", default=False),
            requires=item.text("requires"),
            provides=item.text("provides"),
            override=item.text("override"),
            override_label=item.text("overrideLabel"),
            used_overridden=item.flag("usedOverridden", default=False),
            context_arguments=tuple(_context_arguments(item.arguments.get("contextArguments"))),
        )

    def _owner(self, declared: Type) -> str | None:
        """Return the subgraph that owns an entity in a document of v0.1."""
        owner = next((item for item in declared.directives if item.name == self.join.directive("owner")), None)
        return self._graph(owner) if owner is not None else None

    def _graph(self, item: Applied) -> str:
        value = item.text("graph")
        if value is None or value not in self.names:
            raise SupergraphError(f"`{item}` names no subgraph of the supergraph")
        return self.names[value]

    def _others(self, applied: tuple[Applied, ...]) -> tuple[Applied, ...]:
        """Return the directives that are not the join specification's, under their specifications' own names."""
        return tuple(
            Applied(self._canonical(item.name), item.arguments)
            for item in applied
            if not item.name.startswith(f"{self.join.alias}__")
        )

    def _canonical(self, name: str) -> str:
        for link in self.links:
            canonical = link.canonical(name) if link.name else None
            if canonical is not None:
                return canonical
        return name


def _context_arguments(value: ValueNode | None) -> Iterable[ContextArgument]:
    for node in value.values or () if isinstance(value, ListValueNode) else ():
        if isinstance(node, ObjectValueNode):
            parts = Applied("", {item.name.value: item.value for item in node.fields or ()})
            yield ContextArgument(*(parts.text(name) or "" for name in ("name", "type", "context", "selection")))


def _with_owners_keys(types: Mapping[str, SuperType]) -> Mapping[str, SuperType]:
    """Let every subgraph know the keys it names and the fields it requires: v0.1 documents leave them out."""
    found: dict[str, dict[str, dict[str, FieldIn]]] = {}

    def visit(type_name: str, graph: str, selections: FieldSet, *, external: bool) -> None:
        for item in selections:
            if isinstance(item, Fragment):
                visit(item.on or type_name, graph, item.selections, external=external)
            elif type_name in types and (known := types[type_name].fields.get(item.name)) is not None:
                if graph not in known.subgraphs:
                    there = found.setdefault(type_name, {}).setdefault(item.name, {})
                    if graph not in there or not external:
                        there[graph] = FieldIn(known.type, external=external)
                visit(named(known.type), graph, item.selections, external=external)

    try:
        for declared in types.values():
            for graph, there in declared.subgraphs.items():
                for key in there.keys:
                    visit(declared.name, graph, parse_field_set(key.fields), external=False)
            for known in declared.fields.values():
                for graph, here in known.subgraphs.items():
                    if here.requires:
                        visit(declared.name, graph, parse_field_set(here.requires), external=True)
                    if here.provides:
                        visit(named(known.type), graph, parse_field_set(here.provides), external=True)
    except FieldSetError as error:
        raise SupergraphError(f"a field set of the supergraph does not parse: {error}") from error
    return {
        name: replace(
            declared,
            fields={
                item.name: replace(item, subgraphs={**item.subgraphs, **found.get(name, {}).get(item.name, {})})
                for item in declared.fields.values()
            },
        )
        for name, declared in types.items()
    }
