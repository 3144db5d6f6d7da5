"""Random federations for tests: one merged schema, its split over subgraphs, data, and operations.

The world knows every object's values. A subgraph answers only what it may: a field that it does not own fails unless
the path provided it, and a field with `@requires` is computed from the representation it was sent and nothing else. So
a plan that asks the wrong member, or forgets an input, does not give the merged schema's answer.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from graphql import (
    GraphQLError,
    build_schema,
    execute_sync,
    graphql_sync,
    parse,
)

from federation.planning.fieldsets import parse_field_set
from tests.support.supergraphs import join_sdl
from tests.support.world_access import OPEN, Alternatives, Asked, Asks, Client, denied_coordinates

if TYPE_CHECKING:
    from random import Random

    from graphql import GraphQLResolveInfo, GraphQLSchema

    from federation.planning.fieldsets import FieldSet


ROOTS = ("Query", "Mutation", "Subscription")
KEY_FIELDS = ("code", "tag", "ref", "owner")
SCOPES = ["s", "t", "u"]
POLICIES = ["p", "q"]


@dataclass(slots=True)
class FieldSpec:
    """A field of the merged schema. `owners` resolve it; `external` subgraphs only declare it."""

    name: str
    type: str
    owners: set[str]
    argument: bool = False
    external: set[str] = field(default_factory=set)
    requires: str = ""
    provides: dict[str, str] = field(default_factory=dict)
    targets: tuple[str, ...] = ()
    strict: set[str] = field(default_factory=set)
    """Subgraphs that declare the field as never null, where the merged schema does not."""
    moved: tuple[str, str] | None = None
    """A progressive override: the field moves from the first subgraph to the second while its label is active."""
    context: ContextSpec | None = None
    """An object above fills the argument `c`; only the owner knows of it."""
    sets: str | None = None
    """For a mutation: the field of its target that it changes."""
    hidden: bool = False
    """Clients may not see the field; it still serves as a key or an input."""
    asks: Asks = OPEN

    @property
    def head(self) -> str:
        """The field's definition without directives."""
        return f"{self.name}{'(n: Int)' if self.argument else ''}: {self.type}"

    @property
    def marks(self) -> str:
        """The directives that say who may see the field."""
        return f"{' @inaccessible' if self.hidden else ''}{self.asks.marks}"

    def head_in(self, subgraph: str) -> str:
        """The field's definition as one subgraph has it."""
        if self.context is not None:
            return f"{self.name}(c: {self.context.type}): {self.type}"
        return f"{self.head}!" if subgraph in self.strict else self.head


@dataclass(frozen=True, slots=True)
class ContextSpec:
    """A context of one subgraph: the type of the argument, and what is read on each type that sets it."""

    name: str
    type: str
    reads: dict[str, str]

    @property
    def selection(self) -> str:
        """What `@fromContext` selects."""
        return " ".join(f"... on {name} {{ {text} }}" for name, text in self.reads.items())


@dataclass(slots=True)
class TypeSpec:
    """A type of the merged schema. `graphs` maps each subgraph that knows it to the keys it has there."""

    name: str
    kind: str
    graphs: dict[str, list[str]] = field(default_factory=dict)
    fields: dict[str, FieldSpec] = field(default_factory=dict)
    below: dict[str, set[str]] = field(default_factory=dict)
    """For abstract types: subgraph to the concrete types it knows below."""
    as_object: set[str] = field(default_factory=set)
    """For interfaces: subgraphs that know it as an object."""
    lifted: list[FieldSpec] = field(default_factory=list)
    """For interfaces: the fields that interface objects add."""
    asks: Asks = OPEN


@dataclass(slots=True)
class Thing:
    """An object as a subgraph holds it: what it was sent, and what the path to it provides."""

    type: str
    id: str
    sent: dict[str, Any] | None = None
    provided: FieldSet = ()
    above: Thing | None = None
    """The object whose field this one is the value of; only the monolith looks at it, and at what is asked of it."""
    asked: Asked | None = None


class World:
    """One random federation with its data."""

    def __init__(self, random: Random, builder: type[Builder] | None = None) -> None:
        self.random = random
        self.subgraphs = ["a", "b", "c", "d"][: random.randint(2, 4)]
        self.types: dict[str, TypeSpec] = {}
        self.data: dict[tuple[str, str], dict[str, Any]] = {}
        self.entities: list[str] = []
        self.labels: set[str] = set()
        """The labels of progressive overrides that are active."""
        self.contexts: list[ContextSpec] = []
        self.broken: set[tuple[str, str, str]] = set()
        """(type, id, field) of values that cannot be had: whoever resolves them reports an error."""
        self.client = Client()
        self.changes: list[tuple[str, Any]] = []
        """Mutations, in the order in which they were made."""
        (builder or Builder)(self).build()
        self.denied = denied_coordinates(self, self.client)
        """Coordinates that the client may not see."""
        self._unchanged = [(name, dict(value)) for name, value in self.data.items()]
        self.merged = build_schema(self.merged_sdl())
        self._schemas: dict[str, GraphQLSchema] = {}

    # Printing

    def merged_sdl(self) -> str:
        """Print the merged schema, as a monolith would have it."""
        return "\n".join(_plain(self, spec) for spec in self.types.values() if spec.graphs)

    def supergraph_sdl(self) -> str:
        """Print the supergraph in the join specification."""
        types = "\n".join(_joined(self, spec) for spec in self.types.values() if spec.graphs)
        return join_sdl(self.subgraphs, types, [name.lower() for name in ROOTS if name in self.types])

    def subgraph_sdl(self, subgraph: str) -> str:
        """Print what one subgraph serves, with `_entities`."""
        parts = []
        members = []
        for spec in self.types.values():
            if subgraph in spec.graphs:
                parts.append(_local(self, spec, subgraph))
                if spec.graphs[subgraph] and (spec.kind == "entity" or subgraph in spec.as_object):
                    members.append(spec.name)
        if members:
            parts.append(f"scalar _Any\nunion _Entity = {' | '.join(members)}")
            parts.append("extend type Query { _entities(representations: [_Any!]!): [_Entity]! }")
        return "\n".join(parts)

    # Answering

    def ask(self, subgraph: str, operation: str, variables: dict[str, Any]) -> dict[str, Any]:
        """Answer an operation as one subgraph."""
        schema = self._schemas.get(subgraph)
        if schema is None:
            schema = self._schemas[subgraph] = build_schema(self.subgraph_sdl(subgraph))

        def resolve(source: Any, info: GraphQLResolveInfo[Any], **arguments: Any) -> Any:
            return self._resolve(subgraph, source, info, arguments)

        def type_of(value: Thing, _info: object, _abstract: object) -> str:
            return self._known_as(subgraph, value.type)

        found = graphql_sync(
            schema, operation, None, variable_values=variables, field_resolver=resolve, type_resolver=type_of
        )
        return {"data": found.data, **({"errors": [error.formatted for error in found.errors]} if found.errors else {})}

    def happen(self, random: Random) -> None:
        """Let other objects be what the next event is about."""
        values = self.data["Subscription", ""]
        for name, one in self.types["Subscription"].fields.items():
            found = [key for key in self.data if key[0] == one.type]
            values[name] = random.choice([None, *found])

    def restore(self) -> None:
        """Undo what mutations changed."""
        for name, value in self._unchanged:
            self.data[name] = dict(value)
        self.changes.clear()

    def answer(self, operation: str, variables: dict[str, Any], name: str | None = None) -> tuple[Any, list[Any]]:
        """Answer an operation as the monolith: the data, and the paths of its errors."""

        def resolve(source: Any, info: GraphQLResolveInfo[Any], **arguments: Any) -> Any:
            here = source or Thing(info.parent_type.name, "")
            selected = here.asked or Asked((info.operation.selection_set,), frozenset({here.type}))
            reached, below = selected.field(here.type, info)
            if any(f"{type_name}.{info.field_name}" in self.denied for type_name in reached):
                raise GraphQLError("denied")
            return _below(self._world_value(here, info.field_name, arguments), here, below)

        found = execute_sync(
            self.merged,
            parse(operation),
            variable_values=variables,
            operation_name=name,
            field_resolver=resolve,
            type_resolver=lambda value, _info, _abstract: value.type,
        )
        return found.data, [tuple(error.path or ()) for error in found.errors or ()]

    def _known_as(self, subgraph: str, name: str) -> str:
        if subgraph in self.types[name].graphs:
            return name
        for spec in self.types.values():
            if subgraph in spec.as_object and any(name in names for names in spec.below.values()):
                return spec.name
        return name

    def _resolve(self, subgraph: str, source: Any, info: GraphQLResolveInfo[Any], arguments: dict[str, Any]) -> Any:
        name = info.field_name
        if name == "_entities":
            return [self._entity(subgraph, one) for one in arguments["representations"]]
        if info.parent_type.name in ROOTS:
            if subgraph not in self.types[info.parent_type.name].fields[name].owners:
                raise GraphQLError(f"{subgraph} does not resolve {info.parent_type.name}.{name}")
            return self._world_value(Thing(info.parent_type.name, ""), name, arguments)
        known = self.types[self._known_as(subgraph, source.type)]
        spec = known.fields[name] if name in known.fields else self.field(source.type, name)
        provided = [
            one for one in source.provided if one.name == name and (not one.conditions or source.type in one.conditions)
        ]
        gone = spec.moved is not None and subgraph == spec.moved[0 if spec.name in self.labels else 1]
        if (subgraph not in spec.owners or gone) and not provided:
            raise GraphQLError(f"{subgraph} does not resolve {source.type}.{name}")
        if spec.requires:
            if source.sent is None:
                raise GraphQLError(f"{source.type}.{name} needs a representation")
            return self._required(spec, lambda one: _sent(source.sent, one))
        if spec.context is not None:
            return f"{name}<{arguments.get('c')}>"
        below = tuple(child for one in provided for child in one.children)
        if spec.provides.get(subgraph):
            below += parse_field_set(spec.provides[subgraph])
        value = self._world_value(source, name, arguments)
        return _providing(value, below)

    def field(self, type_name: str, name: str) -> FieldSpec:
        """Return a field of a concrete type, its own or one that an interface object adds."""
        spec = self.types[type_name]
        if name in spec.fields:
            return spec.fields[name]
        above = self.above(type_name)
        return next(lifted for one in above for lifted in one.lifted if lifted.name == name)

    def above(self, name: str, subgraph: str | None = None) -> list[TypeSpec]:
        """Return the interfaces above a type, in one subgraph or in any."""
        return [
            spec
            for spec in self.types.values()
            if spec.kind == "interface"
            and any(name in names for graph, names in spec.below.items() if subgraph is None or graph == subgraph)
        ]

    def _required(self, spec: FieldSpec, read: Any) -> str:
        return f"{spec.name}<{', '.join(str(read(one)) for one in parse_field_set(spec.requires))}>"

    def _world_value(self, source: Thing, name: str, arguments: dict[str, Any]) -> Any:
        spec = self.field(source.type, name)
        if spec.requires:
            return self._required(spec, lambda one: _world(self, source, one))
        if spec.context is not None:
            given = self._from_context(spec.context, source)
            return None if given is None and spec.context.type.endswith("!") else f"{name}<{given}>"
        if (source.type, source.id, name) in self.broken:
            raise GraphQLError(f"{source.type}.{name} is broken")
        if spec.sets is not None:
            self.changes.append((name, arguments.get("n")))
            target = self.data["Mutation", ""][name]
            self.data[target][spec.sets] = f"{name} made it {arguments.get('n')}"
            return self._things(target)
        value = self.data[source.type, source.id][name]
        if spec.argument and value is not None:
            return f"{value}#{arguments.get('n')}"
        return self._things(value)

    def _from_context(self, context: ContextSpec, source: Thing) -> Any:
        """Read a context on the nearest object above that sets it."""
        above = source.above
        while above is not None:
            if above.type in context.reads:
                (wanted,) = parse_field_set(context.reads[above.type])
                return _only_leaf(_world(self, above, wanted))
            above = above.above
        raise AssertionError("the query type sets every context")

    def _things(self, value: Any, provided: FieldSet = ()) -> Any:
        if isinstance(value, list):
            return [self._things(one, provided) for one in value]
        return Thing(value[0], value[1], None, provided) if isinstance(value, tuple) else value

    def _entity(self, subgraph: str, representation: dict[str, Any]) -> Thing | None:
        """Find the entity that a representation is about, by a key that the subgraph declares."""
        name = representation["__typename"]
        spec = self.types[name]
        keys = spec.graphs[subgraph]
        candidates = sorted(set().union(*spec.below.values())) if spec.kind == "interface" else [name]
        for key in keys:
            fields = parse_field_set(key)
            if all(_fits(representation, one) for one in fields):
                for type_name, number in self.data:
                    thing = Thing(type_name, number)
                    if type_name in candidates and all(
                        _world(self, thing, one) == _sent(representation, one) for one in fields
                    ):
                        return Thing(type_name, number, representation)
                return None
        raise GraphQLError(f"{subgraph} has no key of {name} that {sorted(representation)} fits")


def _below(value: Any, above: Thing, asked: Asked) -> Any:
    """Let objects know what they hang below, and what is asked of them."""
    if isinstance(value, list):
        return [_below(one, above, asked) for one in value]
    if isinstance(value, Thing):
        value.above, value.asked = above, asked
    return value


def _only_leaf(value: Any) -> Any:
    if isinstance(value, list):
        return [_only_leaf(one) for one in value]
    return _only_leaf(next(iter(value.values()))) if isinstance(value, dict) else value


def _providing(value: Any, provided: FieldSet) -> Any:
    if isinstance(value, list):
        return [_providing(one, provided) for one in value]
    return Thing(value.type, value.id, None, provided) if isinstance(value, Thing) else value


def _fits(sent: Any, wanted: Any) -> bool:
    """Say whether a representation holds a field of a key, with all that the key selects below it."""
    if not isinstance(sent, dict) or wanted.name not in sent:
        return False
    return all(_fits(sent[wanted.name], one) for one in wanted.children)


def _sent(sent: Any, wanted: Any) -> Any:
    """Read a required field out of a representation; fail where it was not sent."""
    if sent is None:
        return None
    if isinstance(sent, list):
        return [_sent(one, wanted) for one in sent]
    value = sent[wanted.name]
    return _shape(value, wanted.children)


def _shape(value: Any, children: FieldSet) -> Any:
    if not children or value is None:
        return value
    if isinstance(value, list):
        return [_shape(one, children) for one in value]
    meant = [one for one in children if not one.conditions or value["__typename"] in one.conditions]
    return {one.name: _sent(value, one) for one in meant}


def _world(world: World, source: Thing, wanted: Any) -> Any:
    arguments = {argument.name.value: int(argument.value.value) for argument in wanted.arguments}
    value = world._world_value(source, wanted.name, arguments)
    return _world_shape(world, value, wanted.children)


def _world_shape(world: World, value: Any, children: FieldSet) -> Any:
    if isinstance(value, list):
        return [_world_shape(world, one, children) for one in value]
    if isinstance(value, Thing):
        meant = [one for one in children if not one.conditions or value.type in one.conditions]
        return {one.name: _world(world, value, one) for one in meant}
    return value


# Printing types


def _plain(world: World, spec: TypeSpec) -> str:
    if spec.kind == "union":
        return f"union {spec.name} = {' | '.join(sorted(set().union(*spec.below.values())))}"
    kind = "interface" if spec.kind == "interface" else "type"
    fields = [one.head for one in (*spec.fields.values(), *spec.lifted) if not one.hidden]
    fields += [lifted.head for above in world.above(spec.name) for lifted in above.lifted]
    return f"{kind} {spec.name}{_implements(world.above(spec.name))} {{ {' '.join(fields)} }}"


def _implements(above: list[TypeSpec]) -> str:
    return f" implements {' & '.join(spec.name for spec in above)}" if above else ""


def _joined(world: World, spec: TypeSpec) -> str:
    types = []
    for graph, keys in spec.graphs.items():
        extra = ", isInterfaceObject: true" if graph in spec.as_object else ""
        types += [f'@join__type(graph: {graph.upper()}, key: "{key}"{extra})' for key in keys] or [
            f"@join__type(graph: {graph.upper()}{extra})"
        ]
    if spec.kind == "union":
        types += [
            f'@join__unionMember(graph: {graph.upper()}, member: "{name}")'
            for graph, names in spec.below.items()
            for name in sorted(names)
        ]
        return f"union {spec.name} {' '.join(types)} = {' | '.join(sorted(set().union(*spec.below.values())))}"
    above = world.above(spec.name)
    types += [
        f'@join__implements(graph: {graph.upper()}, interface: "{one.name}")'
        for one in above
        for graph, names in one.below.items()
        if spec.name in names
    ]
    fields = [_joined_field(one) for one in (*spec.fields.values(), *spec.lifted)]
    fields += [f"{lifted.head} @join__field" for one in above for lifted in one.lifted]
    kind = "interface" if spec.kind == "interface" else "type"
    types += [f'@context(name: "{one.name}")' for one in world.contexts if spec.name in one.reads]
    types.append(spec.asks.marks)
    return f"{kind} {spec.name}{_implements(above)} {' '.join(types)} {{ {' '.join(fields)} }}"


def _joined_field(one: FieldSpec) -> str:
    found = []
    for graph in sorted(one.owners | one.external):
        extra = ""
        if graph in one.owners and one.requires:
            extra += f', requires: "{one.requires}"'
        if graph in one.external:
            extra += ", external: true"
        if one.moved is not None and graph in one.moved:
            extra += f', overrideLabel: "{one.name}"'
            extra += f', override: "{one.moved[0]}"' if graph == one.moved[1] else ""
        if one.strict:
            extra += f', type: "{one.type}{"!" if graph in one.strict else ""}"'
        if one.provides.get(graph):
            extra += f', provides: "{one.provides[graph]}"'
        if one.context is not None:
            argument = f'name: "c", type: "{one.context.type}", context: "{one.context.name}"'
            extra += f', contextArguments: [{{{argument}, selection: "{one.context.selection}"}}]'
        found.append(f"@join__field(graph: {graph.upper()}{extra})")
    return f"{one.head} {' '.join(found)}{one.marks}"


def _local(world: World, spec: TypeSpec, subgraph: str) -> str:
    if spec.kind == "union":
        return f"union {spec.name} = {' | '.join(sorted(spec.below[subgraph]))}"
    fields = [
        one.head_in(subgraph) for one in (*spec.fields.values(), *spec.lifted) if subgraph in one.owners | one.external
    ]
    if spec.kind == "root" and not fields:
        fields = ["_empty: Boolean"]
    kind = "interface" if spec.kind == "interface" and subgraph not in spec.as_object else "type"
    above = [one for one in world.above(spec.name, subgraph) if subgraph not in one.as_object]
    return f"{kind} {spec.name}{_implements(above)} {{ {' '.join(fields)} }}"


# Building


class Builder:
    """Grows a world: entities, values, abstract types, fields with requirements, roots, data."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.random = world.random
        self.counter = 0

    def build(self) -> None:
        """Build everything, schema first."""
        random = self.random
        world = self.world
        world.types["Query"] = TypeSpec("Query", "root", {name: [] for name in world.subgraphs})
        world.types["Ref"] = TypeSpec("Ref", "value")
        world.types["Ref"].fields = {name: FieldSpec(name, "ID!", set()) for name in ("one", "two")}
        for index in range(random.randint(2, 4)):
            self.entity(f"E{index}")
        for name in list(world.entities):
            self.scalars(world.types[name])
        for name in world.entities[1:]:
            if random.random() < 0.35:
                self.nested_key(world.types[name])
        for index in range(random.randint(0, 2)):
            self.abstract(f"I{index}", "interface")
        if random.random() < 0.6:
            self.abstract("U0", "union")
        if random.random() < 0.5:
            self.interface_object("O0")
        for name in list(world.entities):
            for _ in range(random.randint(0, 2)):
                self.value_field(world.types[name])
            for _ in range(random.randint(0, 2)):
                self.relation(world.types[name])
        for name in list(world.entities):
            for _ in range(random.randint(0, 2)):
                self.required(world.types[name])
        self.interface_fields()
        self.roots()
        # A context would have to be set on the other roots too, and reading it there would be a mutation or an event.
        if random.random() < 0.4:
            self.contexts()
        elif random.random() < 0.6:
            self.mutations()
        if not world.contexts and random.random() < 0.5:
            self.subscriptions()
        self.hides()
        if random.random() < 0.5:
            self.asks()
        self.values()
        self.breaks()

    def some(self, names: list[str], least: int = 1, most: int | None = None) -> set[str]:
        return set(self.random.sample(names, min(len(names), self.random.randint(least, most or len(names)))))

    def name(self, letter: str) -> str:
        self.counter += 1
        return f"{letter}{self.counter}"

    def entity(self, name: str) -> None:
        """Make an entity with a hub that has all its keys, so that every subgraph can be reached."""
        spec = TypeSpec(name, "entity")
        keys = ["id", *(one for one in ("code", "ref { one two }") if self.random.random() < 0.3)]
        hub = self.random.choice(self.world.subgraphs)
        spec.fields["id"] = FieldSpec("id", "ID!", set())
        if "code" in keys:
            spec.fields["code"] = FieldSpec("code", "String!", set())
        if len(keys) > 1 and keys[-1] != "code":
            spec.fields["ref"] = FieldSpec("ref", "Ref!", set())
        self.world.types[name] = spec
        self.world.entities.append(name)
        self.know(spec, hub, keys)
        for graph in self.some(self.world.subgraphs):
            if graph != hub:
                self.know(spec, graph, sorted(self.some(keys, 1, 2)))

    def nested_key(self, spec: TypeSpec) -> None:
        """Let one more subgraph know an entity only by a field of another entity that it points to."""
        other = self.world.types[self.world.entities[0]]
        free = [graph for graph in self.world.subgraphs if graph not in spec.graphs]
        if not free:
            return
        graph = self.random.choice(free)
        origin = self.random.choice(sorted(spec.graphs))
        spec.fields["owner"] = FieldSpec("owner", f"{other.name}!", {origin, graph}, targets=(other.name,))
        self.know(other, origin)
        inner = self.random.choice([name for name in other.fields if name in ("id", "code")])
        self.know(other, graph, ["id"] if inner == "id" else ["id", inner])
        other.fields[inner].owners.add(graph)
        spec.graphs[graph] = [f"owner {{ {inner} }}"]
        # The way back: without a key in common, nothing but the owner could be had from there.
        spec.graphs[origin] = [*spec.graphs[origin], f"owner {{ {inner} }}"]
        self.know(other, origin, ["id"] if inner == "id" else ["id", inner])
        other.fields[inner].owners.add(origin)
        for _ in range(self.random.randint(1, 2)):
            name = self.name("s")
            spec.fields[name] = FieldSpec(name, "String", {graph})

    def know(self, spec: TypeSpec, graph: str, keys: list[str] | None = None) -> None:
        """Let a subgraph know an entity by some of its keys."""
        if graph in spec.graphs:
            return
        wanted = keys or ["id"]
        spec.graphs[graph] = wanted
        for key in wanted:
            name = key.split(" ")[0]
            spec.fields[name].owners.add(graph)
            if name == "ref":
                ref = self.world.types["Ref"]
                ref.graphs.setdefault(graph, [])
                for one in ref.fields.values():
                    one.owners.add(graph)

    def scalars(self, spec: TypeSpec) -> None:
        graphs = sorted(spec.graphs)
        for name in ("c0", "c1"):
            made = spec.fields[name] = FieldSpec(name, "String", self.some(graphs, 1, 2))
            if self.random.random() < 0.3:
                made.strict = self.some(sorted(made.owners))
        for _ in range(self.random.randint(1, 4)):
            name = self.name("s")
            type_text = self.random.choice(["String", "String!", "Int", "[String!]"])
            argument = type_text == "String" and self.random.random() < 0.4
            made = spec.fields[name] = FieldSpec(name, type_text, self.some(graphs, 1, 2), argument)
            if len(made.owners) > 1 and self.random.random() < 0.3:
                origin, target = self.random.sample(sorted(made.owners), 2)
                made.moved = (origin, target)
                if self.random.random() < 0.5:
                    self.world.labels.add(name)

    def abstract(self, name: str, kind: str) -> None:
        """Make an interface or a union, with members that may differ from subgraph to subgraph."""
        world = self.world
        spec = TypeSpec(name, kind)
        members = sorted(self.some(world.entities, 1, 3))
        for graph in sorted(self.some(world.subgraphs)):
            here = members if self.random.random() < 0.7 else sorted(self.some(members))
            spec.graphs[graph] = []
            spec.below[graph] = set(here)
            for member in here:
                self.know(world.types[member], graph)
        world.types[name] = spec

    def interface_object(self, name: str) -> None:
        """Make an entity interface that one subgraph knows whole, and another one as an object."""
        world = self.world
        if len(world.subgraphs) < 2:
            return
        real, other = self.random.sample(world.subgraphs, 2)
        spec = TypeSpec(name, "interface")
        members = []
        for index in range(self.random.randint(1, 2)):
            member = f"{name}M{index}"
            made = TypeSpec(member, "entity")
            made.fields["id"] = FieldSpec("id", "ID!", set())
            world.types[member] = made
            self.know(made, real)
            if self.random.random() < 0.5:
                third = [graph for graph in world.subgraphs if graph not in (real, other)]
                if third:
                    self.know(made, self.random.choice(third))
            self.scalars(made)
            members.append(member)
        spec.graphs = {real: ["id"], other: ["id"]}
        spec.below = {real: set(members)}
        spec.as_object = {other}
        spec.fields["id"] = FieldSpec("id", "ID!", {real, other})
        spec.lifted = [FieldSpec(self.name("o"), "String", {other}) for _ in range(self.random.randint(1, 2))]
        if self.random.random() < 0.4:
            target = self.random.choice(world.entities)
            self.know(world.types[target], other)
            spec.lifted.append(FieldSpec(self.name("o"), f"[{target}]", {other}, targets=(target,)))
        if self.random.random() < 0.4 and all(real in world.types[one].fields["c0"].owners for one in members):
            spec.fields["c0"] = FieldSpec("c0", "String", {real}, external={other})
            spec.lifted.append(FieldSpec(self.name("o"), "String", {other}, requires="c0"))
        world.types[name] = spec

    def value_field(self, spec: TypeSpec) -> None:
        """Add a field of a value type of its own, whose fields differ from subgraph to subgraph."""
        owners = self.some(sorted(spec.graphs), 1, 2)
        value = TypeSpec(self.name("V"), "value", {graph: [] for graph in owners})
        for _ in range(self.random.randint(1, 3)):
            name = self.name("x")
            value.fields[name] = FieldSpec(name, self.random.choice(["String", "Int!"]), self.some(sorted(owners)))
        for graph in owners:
            if not any(graph in one.owners for one in value.fields.values()):
                next(iter(value.fields.values())).owners.add(graph)
        self.world.types[value.name] = value
        name = self.name("v")
        wrapped = self.random.choice(["{}", "{}!", "[{}]", "[{}!]!"]).format(value.name)
        spec.fields[name] = FieldSpec(name, wrapped, owners, targets=(value.name,))

    def relation(self, spec: TypeSpec) -> None:
        """Add a field that leads to other entities, perhaps one that provides some of their fields."""
        world = self.world
        name = self.name("r")
        owners = self.some(sorted(spec.graphs), 1, 2)
        made = self.pointing(name, owners)
        if made is None:
            return
        spec.fields[name] = made
        target = world.types[made.type.strip("[]!")]
        if target.kind in ("interface", "union") and len(owners) == 1 and self.random.random() < 0.5:
            self.provide_below(made, target, min(owners))
        if target.kind == "entity" and len(owners) == 1 and self.random.random() < 0.4:
            (owner,) = owners
            wanted = [one for one in target.fields.values() if self.providable(one, owner)]
            if wanted:
                chosen = self.random.choice(wanted)
                chosen.external.add(owner)
                made.provides[owner] = chosen.name

    def provide_below(self, made: FieldSpec, target: TypeSpec, owner: str) -> None:
        """Provide fields of some members of an abstract type."""
        texts = []
        for member in sorted(target.below.get(owner, set())):
            wanted = [one for one in self.world.types[member].fields.values() if self.providable(one, owner)]
            if wanted and self.random.random() < 0.6:
                chosen = self.random.choice(wanted)
                chosen.external.add(owner)
                texts.append(f"... on {member} {{ {chosen.name} }}")
        if texts:
            made.provides[owner] = " ".join(texts)

    @staticmethod
    def providable(one: FieldSpec, owner: str) -> bool:
        return owner not in one.owners | one.external and not one.targets and not one.requires and one.name[0] in "sc"

    def pointing(self, name: str, owners: set[str]) -> FieldSpec | None:
        """Make a field to an entity, or to an abstract type that all owners know with a common member."""
        world = self.world
        abstract = [
            one
            for one in world.types.values()
            if one.below and all(owner in one.below or owner in one.as_object for owner in owners)
        ]
        wrap = self.random.choice(["{}", "[{}]", "[{}!]", "{}"])
        if abstract and self.random.random() < 0.5:
            chosen = self.random.choice(abstract)
            everything = set().union(*chosen.below.values())
            common = everything.intersection(*(chosen.below.get(owner, everything) for owner in owners))
            if not common:
                return None
            return FieldSpec(name, wrap.format(chosen.name), owners, targets=tuple(sorted(common)))
        target = self.random.choice(world.entities)
        for owner in owners:
            self.know(world.types[target], owner)
        return FieldSpec(name, wrap.format(target), owners, targets=(target,))

    def required(self, spec: TypeSpec) -> None:
        """Add a field that is computed from fields of other subgraphs."""
        graph = self.random.choice(sorted(spec.graphs))
        inputs = []
        for one in self.random.sample(list(spec.fields.values()), min(3, len(spec.fields))):
            if graph in one.owners or one.name in ("id", "code", "ref", "owner"):
                continue
            text = self.input_text(one, graph)
            if text:
                inputs.append(text)
        if inputs:
            name = self.name("q")
            spec.fields[name] = FieldSpec(name, "String", {graph}, requires=" ".join(inputs))

    def input_text(self, one: FieldSpec, graph: str) -> str:
        if not one.targets:
            one.external.add(graph)
            return f"{one.name}(n: {self.random.randint(1, 3)})" if one.argument else one.name
        target = self.world.types[one.type.strip("[]!")]
        if target.kind == "value":
            chosen = self.random.choice(list(target.fields.values()))
            target.graphs.setdefault(graph, [])
            if graph not in chosen.owners:
                chosen.external.add(graph)
            one.external.add(graph)
            return f"{one.name} {{ {chosen.name} }}"
        if target.kind == "entity":
            wanted = [inner for inner in target.fields.values() if not inner.targets and inner.name[0] in "sc"]
            wanted = [inner for inner in wanted if not inner.argument and not inner.requires]
            if not wanted:
                return ""
            chosen = self.random.choice(wanted)
            self.know(target, graph)
            if graph not in chosen.owners:
                chosen.external.add(graph)
            one.external.add(graph)
            return f"{one.name} {{ {chosen.name} }}"
        return self.abstract_input(one, target, graph)

    def abstract_input(self, one: FieldSpec, target: TypeSpec, graph: str) -> str:
        """Require one field of one member of an abstract type."""
        members = sorted(set(one.targets) & target.below.get(graph, set()))
        if not members or set(one.targets) - target.below.get(graph, set()):
            return ""
        member = self.world.types[self.random.choice(members)]
        wanted = [inner for inner in member.fields.values() if not inner.targets and inner.name[0] == "s"]
        wanted = [inner for inner in wanted if not inner.argument]
        if not wanted:
            return ""
        chosen = self.random.choice(wanted)
        if graph not in chosen.owners:
            chosen.external.add(graph)
        one.external.add(graph)
        return f"{one.name} {{ ... on {member.name} {{ {chosen.name} }} }}"

    def interface_fields(self) -> None:
        """Give each interface the fields that all its members have, where all of them resolve it."""
        for spec in self.world.types.values():
            if spec.kind != "interface" or spec.as_object:
                continue
            for graph, members in spec.below.items():
                for member in members:
                    self.world.types[member].fields["id"].owners.add(graph)
            for name in ("id", "c0", "c1"):
                owners = {
                    graph
                    for graph, members in spec.below.items()
                    if all(graph in self.world.types[one].fields[name].owners for one in members)
                }
                if owners:
                    type_text = "ID!" if name == "id" else "String"
                    spec.fields[name] = FieldSpec(name, type_text, owners)

    def roots(self) -> None:
        query = self.world.types["Query"]
        for _ in range(self.random.randint(2, 5)):
            name = self.name("root")
            made = self.pointing(name, self.some(self.world.subgraphs, 1, 2))
            if made is not None:
                query.fields[name] = made
        if not query.fields:
            target = self.world.entities[0]
            graph = min(self.world.types[target].graphs)
            query.fields["root"] = FieldSpec("root", target, {graph}, targets=(target,))

    def contexts(self) -> None:
        """Let fields of entities take a value from the nearest object above; the query type has one for everybody."""
        world = self.world
        query = world.types["Query"]
        for number in range(self.random.randint(1, 2)):
            graph = self.random.choice(world.subgraphs)
            query.fields[f"given{number}"] = FieldSpec(f"given{number}", "String", self.some(world.subgraphs, 1, 2))
            reads = {"Query": f"given{number}"}
            for name in sorted(self.some(world.entities, 0)):
                text = self.readable(world.types[name])
                if text:
                    reads[name] = text
            context = ContextSpec(f"{graph}__x{number}", self.random.choice(["String", "String!"]), reads)
            world.contexts.append(context)
            for name in sorted(self.some(world.entities, 1, 2)):
                spec = world.types[name]
                if graph in spec.graphs:
                    made = FieldSpec(self.name("t"), "String", {graph}, context=context)
                    spec.fields[made.name] = made

    def readable(self, spec: TypeSpec) -> str:
        """Choose one text of an object, or of an object in it."""
        found = [one.name for one in spec.fields.values() if one.type in ("String", "String!") and self.plain(one)]
        for one in spec.fields.values():
            if one.targets and not one.type.startswith("[") and one.name != "owner":
                target = self.world.types[one.type.strip("!")]
                if target.kind in ("value", "entity"):
                    inner = [each.name for each in target.fields.values() if each.type == "String" and self.plain(each)]
                    found += [f"{one.name} {{ {name} }}" for name in inner]
        return self.random.choice(found) if found else ""

    @staticmethod
    def plain(one: FieldSpec) -> bool:
        return not one.argument and one.context is None and one.name not in ("id", "code")

    def mutations(self) -> None:
        """Add mutations that change a field of an entity and return it."""
        world = self.world
        mutation = world.types["Mutation"] = TypeSpec("Mutation", "root", {name: [] for name in world.subgraphs})
        for name in sorted(self.some(world.entities, 1, 2)):
            spec = world.types[name]
            texts = [one.name for one in spec.fields.values() if one.type == "String" and one.name[0] in "sc"]
            texts = [one for one in texts if not spec.fields[one].requires and one != "code"]
            if texts:
                made = FieldSpec(self.name("m"), name, self.some(sorted(spec.graphs), 1, 2), argument=True)
                made.targets, made.sets = (name,), self.random.choice(texts)
                mutation.fields[made.name] = made
        if not mutation.fields:
            del world.types["Mutation"]

    def subscriptions(self) -> None:
        """Add events about an entity."""
        world = self.world
        events = world.types["Subscription"] = TypeSpec("Subscription", "root", {name: [] for name in world.subgraphs})
        for name in sorted(self.some(world.entities, 1, 2)):
            owners = self.some(sorted(world.types[name].graphs), 1, 2)
            made = FieldSpec(self.name("e"), name, owners, targets=(name,))
            events.fields[made.name] = made

    def own_fields(self) -> list[tuple[TypeSpec, FieldSpec]]:
        """Return the fields that no interface has."""
        common = {"id", "c0", "c1"}
        kinds = ("root", "entity", "value")
        return [
            (spec, one)
            for spec in self.world.types.values()
            if spec.kind in kinds and spec.name != "Ref"
            for one in spec.fields.values()
            if one.name not in common
        ]

    def hides(self) -> None:
        """Hide some fields from clients."""
        for spec, one in self.own_fields():
            others = [each for each in spec.fields.values() if each is not one and not each.hidden]
            if others and self.random.random() < 0.07:
                one.hidden = True

    def asks(self) -> None:
        """Let some fields and types ask for a known client, scopes or policies, and say what the client has."""
        for spec in self.world.types.values():
            if spec.kind in ("entity", "value", "interface") and self.random.random() < 0.06:
                spec.asks = self.asked()
            for one in (*spec.fields.values(), *spec.lifted):
                if self.random.random() < 0.12:
                    one.asks = self.asked()
        if self.random.random() < 0.7:
            scopes, policies = (frozenset(self.some(names, 0)) for names in (SCOPES, POLICIES))
            self.world.client = Client(scopes, policies)

    def asked(self) -> Asks:
        """Ask for at least one thing."""
        scopes = self.alternatives(SCOPES) if self.random.random() < 0.5 else None
        policies = self.alternatives(POLICIES) if self.random.random() < 0.5 else None
        known = self.random.random() < 0.3 or (scopes is None and policies is None)
        return Asks(known, scopes, policies)

    def alternatives(self, names: list[str]) -> Alternatives:
        """Draw lists of which a client must have one whole; few are without any, which nobody has."""
        return frozenset(frozenset(self.some(names, 0, 2)) for _ in range(self.random.choice([0, 1, 1, 1, 2, 2])))

    # Data

    def breaks(self) -> None:
        """Break some values that may be null for everybody who resolves them."""
        world = self.world
        if self.random.random() < 0.5:
            return
        for (type_name, number), values in world.data.items():
            for name in values:
                if type_name in (*ROOTS, "Ref") or type_name not in world.types or name in KEY_FIELDS:
                    continue
                spec = world.field(type_name, name)
                if spec.type[-1] != "!" and not spec.strict and self.random.random() < 0.06:
                    world.broken.add((type_name, number, name))

    def values(self) -> None:
        random = self.random
        world = self.world
        entities = [spec for spec in world.types.values() if spec.kind == "entity"]
        count = random.randint(1, 3)
        ids = {spec.name: [f"{spec.name}-{index}" for index in range(count)] for spec in entities}
        for spec in entities:
            for number in ids[spec.name]:
                self.object(spec, number, ids)
        for above in world.types.values():
            for lifted in above.lifted:
                for member in sorted(set().union(*above.below.values())):
                    for number in ids[member]:
                        world.data[member, number][lifted.name] = self.value(lifted, number, ids)
        for root in ROOTS:
            if root in world.types:
                made = world.types[root].fields.values()
                world.data[root, ""] = {one.name: self.value(one, "", ids) for one in made}

    def object(self, spec: TypeSpec, number: str, ids: dict[str, list[str]]) -> None:
        self.world.data[spec.name, number] = {
            one.name: self.value(one, number, ids)
            for one in spec.fields.values()
            if not one.requires and one.context is None
        }

    def value(self, one: FieldSpec, number: str, ids: dict[str, list[str]]) -> Any:
        if one.name == "id":
            return number
        if one.sets is not None:
            return (one.type, self.random.choice(ids[one.type]))
        if one.name == "ref":
            made = f"ref-{number}"
            self.world.data["Ref", made] = {"one": f"1-{number}", "two": f"2-{number}"}
            return ("Ref", made)
        if one.name == "code":
            return f"code-{number}"
        if not one.targets:
            return self.scalar(one, number)
        return self.shaped(one.type, lambda: self.target(one, number, ids))

    def scalar(self, one: FieldSpec, number: str) -> Any:
        def make() -> Any:
            if "Int" in one.type:
                return self.random.randint(0, 9)
            return f"{one.name} of {number}" if "ID" not in one.type else number

        return self.shaped(f"{one.type}!" if one.strict else one.type, make)

    def shaped(self, type_text: str, make: Any) -> Any:
        if type_text.endswith("!"):
            return self.shaped_value(type_text[:-1], make)
        return None if self.random.random() < 0.15 else self.shaped_value(type_text, make)

    def shaped_value(self, type_text: str, make: Any) -> Any:
        if type_text.startswith("["):
            return [self.shaped(type_text[1:-1], make) for _ in range(self.random.randint(0, 3))]
        return make()

    def target(self, one: FieldSpec, number: str, ids: dict[str, list[str]]) -> Any:
        name = self.random.choice(one.targets)
        if one.name == "owner":
            # A key is unique: two objects never share an owner.
            return (name, f"{name}-{number.rpartition('-')[2]}")
        if name in ids:
            return (name, self.random.choice(ids[name]))
        self.counter += 1
        made = f"{one.name}-{number}-{self.counter}"
        self.object(self.world.types[name], made, ids)
        return (name, made)
