"""Stage 3, paths: for every entry and concrete type, the ways in which members can answer it.

An entry is answered *directly*, in a jump that already holds the object, or after *entering* a subgraph by a key of the
object. Entering needs inputs: the key's fields and, for a field with `@requires`, the required ones; each input is an
entry of the same node with options of its own. So options are found by recursion over (entry, type), cut where an
entry is asked for while it is being answered, and where a subgraph is entered while it is being entered: there or
further up, with objects from the same places. A shortest way never does the same twice.

A key may select below the very field that is looked for (`@key(fields: "owner { id }")`, and `owner` is wanted from
the subgraph that has this key). Such a field is asked for again while it is being answered, as often as `again` says.

Ways that cannot be part of a cheapest plan are dropped at once: an option whose jumps include all jumps of another
option of the same leaf, and anything beyond the cheapest few.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain, count
from typing import TYPE_CHECKING

from federation.planning import guards
from federation.planning.errors import UnanswerableError
from federation.planning.fieldsets import NOTHING, FieldSet, parse_selection, printed
from federation.planning.guards import ALWAYS, NEVER
from federation.planning.operation import PRESENT, TYPENAME, SelectionTree
from federation.planning.tree import (
    Context,
    ContextFrom,
    Entry,
    Group,
    Input,
    Jump,
    Mask,
    Node,
    Option,
    Pick,
    Spot,
    key_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from graphql import ArgumentNode

    from federation.composition.supergraph import ContextArgument
    from federation.planning.fieldsets import SetField
    from federation.planning.graph import FieldEdge, KeyEdge, QueryGraph
    from federation.planning.operation import Field

MOST_WAYS = 4
"""How many alternatives are kept wherever alternatives multiply."""

MOST_AGAIN = 3
"""How many keys in a chain may select below one and the same field that is looked for."""

MOST_RIVALS = 2
"""How many ways to one and the same place are kept for a field that has fields of its own."""


@dataclass(frozen=True, slots=True)
class Goal:
    """Something that must be had: this entry on this type, whenever the guard holds, first for a deferred block."""

    entry: Entry
    type_name: str
    options: tuple[Option, ...]
    guard: guards.Guard
    block: int | None

    def pick(self, option: Option) -> Pick:
        """Return the decision for one of the options."""
        return Pick(self.entry, self.type_name, option)


@dataclass(frozen=True, slots=True)
class _Way:
    """One way to have a set of inputs: the decisions it takes and the jumps it needs."""

    mask: Mask = 0
    picks: tuple[Pick, ...] = ()
    inputs: tuple[Input, ...] = ()
    contexts: tuple[Context, ...] = ()

    def then(self, other: _Way) -> _Way:
        return _Way(
            self.mask | other.mask,
            self.picks + other.picks,
            self.inputs + other.inputs,
            self.contexts + other.contexts,
        )


class Search:
    """Finds options; owns the nodes, entries and jumps of one planning.

    `active` are the override labels in force, `prefix` the alias prefix that keeps inputs apart from what the client
    asked (None: they share selections), `denied` the coordinates that must not be asked. `again` is how often a field
    with fields of its own may be asked for while it is being answered; `shortened` says that something was cut for it.
    """

    def __init__(
        self,
        graph: QueryGraph,
        *,
        active: frozenset[str] = frozenset(),
        prefix: str | None = None,
        denied: frozenset[str] = frozenset(),
        again: int = 0,
    ) -> None:
        self.graph = graph
        self.active = active
        self.prefix = prefix
        self.denied = denied
        self.again = again
        self.shortened = False
        self.jumps: list[Jump] = []
        self.entries: list[Entry] = []
        self.nodes: list[Node] = []
        self._same: dict[tuple[object, ...], Jump] = {}
        self._busy: list[tuple[object, ...]] = []
        self._cut = 0
        self._possible: dict[str, frozenset[str]] = {}
        self._sources: dict[tuple[str, ...], dict[str, tuple[str, ...] | None]] = {}

    # Building nodes, entries and jumps

    def root(self, static: str, tree: SelectionTree, subgraphs: Iterable[str]) -> Node:
        """Make the root node, reachable in the given subgraphs."""
        node = self._node(static, None, (), ALWAYS, None, tree)
        spots = []
        for subgraph in subgraphs:
            jump = self._jump(("root", subgraph), subgraph, node, None, NOTHING, NOTHING, _Way())
            jump.types.add(static)
            spots.append(Spot(jump, static, NOTHING, jump.mask))
        self._arrive(node, tuple(spots))
        return node

    def possible(self, name: str) -> frozenset[str]:
        """Return the concrete types below a type of the supergraph."""
        found = self._possible.get(name)
        if found is None:
            found = self._possible[name] = self.graph.possible(name)
        return found

    def masks(self, mask: Mask) -> Iterator[Jump]:
        """Yield the jumps of a set."""
        while mask:
            low = mask & -mask
            yield self.jumps[low.bit_length() - 1]
            mask ^= low

    def weigh(self, mask: Mask) -> tuple[int, int]:
        """Order ways roughly: the longest chain first, then the number of jumps."""
        return (max((jump.level for jump in self.masks(mask)), default=0), mask.bit_count())

    def _node(
        self,
        static: str,
        parent: Group | None,
        descents: tuple[Spot, ...],
        guard: guards.Guard,
        block: int | None,
        tree: SelectionTree | None,
    ) -> Node:
        place = () if parent is None else (*parent.entry.node.place, parent.entry.source)
        node = Node(len(self.nodes), place, static, parent, descents, frozenset(), frozenset(), guard, block, tree)
        self.nodes.append(node)
        if descents:
            self._arrive(node, descents)
        return node

    def _arrive(self, node: Node, descents: tuple[Spot, ...]) -> None:
        """Set which objects arrive at a node, and make entries for what the client asks of them."""
        node.descents = descents
        below = [self.graph.below.get((spot.jump.subgraph, spot.static), frozenset()) for spot in descents]
        node.arriving = frozenset(chain.from_iterable(below))
        node.selectable = frozenset.intersection(*below)
        if node.tree is not None:
            for asked in node.tree.fields:
                if not asked.is_meta:
                    source = self._client_source(asked.response_name, node.tree)
                    self._taken(node)[source] = None
                    entry = self._entry(node, asked.name, asked.arguments, source, asked)
                    entry.types.update(asked.types)
                    node.entries.append(entry)

    def _entry(
        self, node: Node, name: str, arguments: tuple[ArgumentNode, ...], source: str, asked: Field | None
    ) -> Entry:
        entry = Entry(len(self.entries), node, name, arguments, set(), source, asked)
        self.entries.append(entry)
        return entry

    def _client_source(self, response_name: str, tree: SelectionTree) -> str:
        """Return the key for a field of the client: its own name for it, unless that name means something else to us.

        In privacy mode a member treats what begins with the prefix as a join key. A client must not be able to write
        one: whatever it calls so travels under another name.
        """
        reserved = response_name in (TYPENAME, PRESENT)
        if not reserved and not (self.prefix is not None and response_name.startswith(self.prefix)):
            return response_name
        taken = {asked.response_name for asked in tree.fields}
        source = f"a{response_name}"
        while source in taken:
            source = f"a{source}"
        return source

    def inner(self, node: Node, name: str, arguments: tuple[ArgumentNode, ...], type_name: str) -> Entry:
        """Return the entry that holds a field as an input: the client's own where that is the same field."""
        if name != TYPENAME and self.prefix is None:
            wanted = key_of(name, arguments)
            for entry in node.entries:
                if type_name in entry.types and key_of(entry.name, entry.arguments) == wanted:
                    return entry
        key = key_of(name, arguments)
        found = node.inner.get(key)
        if found is None:
            source = name if name == TYPENAME else self._free(node, key)
            found = node.inner[key] = self._entry(node, name, arguments, source, None)
        found.types.add(type_name)
        return found

    def _taken(self, node: Node) -> dict[str, tuple[str, ...] | None]:
        """Return the source keys in use at a node's place, with what they are for if it may be shared.

        Several nodes stand at one place when a field has been looked for with and without some of its options.
        """
        return self._sources.setdefault(node.place, {TYPENAME: None})

    def _free(self, node: Node, wanted: tuple[str, str]) -> str:
        """Choose a source key for an input that nothing else at this place uses."""
        taken = self._taken(node)
        name, _ = wanted
        prefix = self.prefix or "_k_"
        names = chain(
            [name] if self.prefix is None else [], [f"{prefix}{name}"], (f"{prefix}{name}_{n}" for n in count(2))
        )
        source = next(found for found in names if taken.get(found, wanted) == wanted)
        taken[source] = wanted
        return source

    def another_source(self, entry: Entry, type_name: str) -> str:
        """Take another source key for an entry on one concrete type."""
        taken = self._taken(entry.node)
        wanted = (*key_of(entry.name, entry.arguments), type_name)
        names = (found for n in count(2) if (found := f"{entry.source}_{n}") != entry.source_on(type_name))
        source = next(found for found in names if taken.get(found, wanted) == wanted)
        taken[source] = wanted
        return source

    def _jump(
        self,
        same: tuple[object, ...],
        subgraph: str,
        node: Node,
        known_as: str | None,
        key: FieldSet,
        requires: FieldSet,
        way: _Way,
    ) -> Jump:
        identity = (subgraph, node.number, known_as, *same)
        jump = self._same.get(identity)
        if jump is None:
            number = len(self.jumps)
            level = 1 + max((found.level for found in self.masks(way.mask)), default=0)
            mask = way.mask | 1 << number
            jump = Jump(number, subgraph, node, known_as, key, requires, way.inputs, {}, mask, level, way.contexts)
            self.jumps.append(jump)
            self._same[identity] = jump
        return jump

    # Options

    def options(self, entry: Entry, type_name: str) -> tuple[Option, ...]:
        """Return the ways to have an entry on objects of a concrete type, the cheapest first."""
        found = entry.options.get(type_name)
        if found is not None:
            return found
        token = ("options", entry.number, type_name)
        leaf = not self._composite(entry, type_name)
        if (times := self._busy.count(token)) and (leaf or times > self.again):
            self.shortened |= not leaf
            self._cut = min(self._cut, self._busy.index(token))
            return ()
        before, self._cut = self._cut, len(self._busy)
        self._busy.append(token)
        found = self._prune(self._find(entry, type_name), leaf=leaf)
        self._busy.pop()
        # What was cut inside an outer search may have more options when asked again from outside.
        if self._cut >= len(self._busy):
            entry.options[type_name] = found
            self._cut = before
        else:
            self._cut = min(before, self._cut)
        return found

    def _composite(self, entry: Entry, type_name: str) -> bool:
        return entry.name != TYPENAME and self.graph.is_composite(self._return_type(type_name, entry))

    def _find(self, entry: Entry, type_name: str) -> list[Option]:
        node = entry.node
        if entry.name == TYPENAME:
            return list(self._typename(node, type_name))
        found: list[Option] = []
        direct: set[str] = set()
        open_spots = len(node.descents)
        edges = [edge for edge in self.graph.holders.get((type_name, entry.name), ()) if self._active(edge)]
        for edge in edges:
            for spot in node.descents:
                option = self._direct(spot, edge, entry, type_name)
                if option is not None:
                    found.append(option)
                    direct.add(edge.subgraph)
                    open_spots -= 1
        if node.parent is None:
            return found
        composite = self._composite(entry, type_name)
        if found and not composite and open_spots <= 0:
            return found
        for edge in edges:
            # A leaf that is at hand in some subgraph is not worth entering yet another one.
            again = bool(edge.requires or edge.contexts)
            elsewhere = bool(direct) and not composite and edge.subgraph not in direct and not again
            if edge.external or elsewhere:
                continue
            spots = self.enter(node, type_name, edge)
            found.extend(self._option(spot, edge, edge.provides) for spot in spots)
        return found

    def _active(self, edge: FieldEdge) -> bool:
        """Apply progressive `@override`: the new place while its label is active, the old one while it is not."""
        if edge.label is not None and edge.label not in self.active:
            return False
        return not edge.unless & self.active

    def _direct(self, spot: Spot, edge: FieldEdge, entry: Entry, type_name: str) -> Option | None:
        """Select a field on an object that a jump already holds."""
        if spot.jump.subgraph != edge.subgraph or edge.requires or edge.contexts:
            return None
        if self.graph.known_as(edge.subgraph, spot.static, type_name) != edge.type_name:
            return None
        provided = [
            found
            for found in spot.overlay
            if found.name == entry.name and all(type_name in self.possible(name) for name in found.conditions)
        ]
        if edge.external and not provided:
            return None
        overlay = tuple(child for found in provided for child in found.children)
        return self._option(spot, edge, overlay + edge.provides)

    def _option(self, spot: Spot, edge: FieldEdge, overlay: FieldSet) -> Option:
        return Option(spot.jump, edge, edge.target, overlay, spot.mask)

    def _typename(self, node: Node, type_name: str) -> Iterator[Option]:
        """Find where the concrete type of an object can be learned: not where it is known as an interface object."""
        known = False
        for spot in node.descents:
            name = self.graph.known_as(spot.jump.subgraph, spot.static, type_name)
            if name == type_name:
                known = True
                yield Option(spot.jump, None, "String", NOTHING, spot.mask)
        if known or node.parent is None:
            return
        for interface, key in self._interface_keys(node, type_name):
            for spot in self._enter_by(node, type_name, interface, key, NOTHING):
                yield Option(spot.jump, None, "String", NOTHING, spot.mask)

    def _prune(self, found: list[Option], *, leaf: bool) -> tuple[Option, ...]:
        ordered = sorted(found, key=lambda option: (*self.weigh(option.mask), _nullable(option.jump)))
        kept: list[Option] = []
        for option in ordered:
            rivals = kept if leaf else [one for one in kept if self._landing(one) == self._landing(option)]
            if any(rival.mask & ~option.mask == 0 for rival in rivals):
                continue
            if leaf or len(rivals) < MOST_RIVALS:
                kept.append(option)
        return tuple(kept[: MOST_WAYS * 2] if leaf else kept)

    @staticmethod
    def _landing(option: Option) -> tuple[object, ...]:
        return (option.jump.subgraph, option.static, printed(option.overlay))

    # Entering subgraphs

    def enter(self, node: Node, type_name: str, edge: FieldEdge) -> tuple[Spot, ...]:
        """Return the ways to hold the node's objects in the edge's subgraph, as the type that has the edge."""
        if node.parent is None:
            return ()
        subgraph, known = edge.subgraph, edge.type_name
        memo = (type_name, subgraph, known, edge.requires, edge.contexts)
        found = node.entered.get(memo)
        if found is not None:
            return found
        origins = frozenset((spot.jump.subgraph, spot.static, spot.overlay) for spot in node.descents)
        token = ("enter", origins, *memo)
        if token in self._busy:
            self._cut = min(self._cut, self._busy.index(token))
            return ()
        before, self._cut = self._cut, len(self._busy)
        self._busy.append(token)
        spots: list[Spot] = []
        for key in self.graph.keys.get((subgraph, known), ()):
            known_as = known if known != type_name else None
            spots.extend(self._enter_by(node, type_name, known_as, key, edge.requires, edge.contexts))
        if known == type_name:
            for interface, key in self._interface_keys(node, type_name):
                if key.subgraph == subgraph:
                    spots.extend(self._enter_by(node, type_name, interface, key, edge.requires, edge.contexts))
        spots = self._cheapest_spots(spots)
        self._busy.pop()
        if self._cut >= len(self._busy):
            node.entered[memo] = tuple(spots)
            self._cut = before
        else:
            self._cut = min(before, self._cut)
        return tuple(spots)

    def _cheapest_spots(self, spots: list[Spot]) -> list[Spot]:
        kept: list[Spot] = []
        for spot in sorted(spots, key=lambda found: (*self.weigh(found.mask), _nullable(found.jump))):
            if not any((one.mask & ~(1 << one.jump.number)) & ~spot.mask == 0 for one in kept):
                kept.append(spot)
        return kept[:MOST_WAYS]

    def _interface_keys(self, node: Node, type_name: str) -> Iterator[tuple[str, KeyEdge]]:
        """Yield the keys of real interfaces by which objects known only as that interface can be entered."""
        objects = {
            spot.static for spot in node.descents if (spot.jump.subgraph, spot.static) in self.graph.interface_objects
        }
        for interface in self.graph.interfaces.get(type_name, ()):
            if interface not in objects:
                continue
            for subgraph in self.graph.subgraphs:
                if (subgraph, interface) in self.graph.interface_objects:
                    continue
                if type_name in self.graph.below.get((subgraph, interface), ()):
                    for key in self.graph.keys.get((subgraph, interface), ()):
                        yield interface, key

    def _enter_by(
        self,
        node: Node,
        type_name: str,
        known_as: str | None,
        key: KeyEdge,
        requires: FieldSet,
        contexts: tuple[ContextArgument, ...] = (),
    ) -> Iterator[Spot]:
        """Enter a subgraph by one key, in the cheapest few ways of having the inputs."""
        ways = [_Way()]
        if known_as is None and len(node.arriving) > 1:
            ways = self._combine(ways, self._leaf_ways(self.inner(node, TYPENAME, (), type_name), type_name))
            ways = [_Way(way.mask, way.picks) for way in ways]
        ways = self._combine_fields(ways, node, type_name, key.fields)
        ways = self._combine_fields(ways, node, type_name, requires)
        for argument in contexts:
            ways = self._combine(ways, self._context_ways(node, argument))
        for way in ways:
            sources = tuple(_sources(way.inputs)), tuple(_context_sources(way.contexts))
            same = (printed(key.fields), printed(requires), contexts, way.mask, sources)
            jump = self._jump(same, key.subgraph, node, known_as, key.fields, requires, way)
            jump.types.add(type_name)
            jump.picks.setdefault(type_name, way.picks)
            yield Spot(jump, known_as or type_name, NOTHING, jump.mask)

    # Inputs

    def _combine_fields(self, ways: list[_Way], node: Node, type_name: str, fields: FieldSet) -> list[_Way]:
        for wanted in fields:
            if all(type_name in self.possible(name) for name in wanted.conditions):
                ways = self._combine(ways, self._field_ways(node, type_name, wanted))
        return ways

    def _combine(self, ways: list[_Way], others: list[_Way]) -> list[_Way]:
        """Return the cheapest few combinations, without those that need all jumps of another one and more."""
        both = sorted((way.then(other) for way in ways for other in others), key=lambda way: self.weigh(way.mask))
        kept: list[_Way] = []
        for way in both:
            if not any(one.mask & ~way.mask == 0 for one in kept):
                kept.append(way)
        return kept[:MOST_WAYS]

    def _field_ways(self, node: Node, type_name: str, wanted: SetField) -> list[_Way]:
        entry = self.inner(node, wanted.name, wanted.arguments, type_name)
        if not wanted.children:
            return self._leaf_ways(entry, type_name, wanted.name)
        options = self.options(entry, type_name)
        if not options:
            return []
        below = self.group(entry, type_name, options).node
        return self._nested_ways(below, entry, type_name, wanted, options)

    def _leaf_ways(self, entry: Entry, type_name: str, name: str | None = None) -> list[_Way]:
        inputs = () if name is None else (Input(name, entry, frozenset({type_name})),)
        return [
            _Way(option.mask, (Pick(entry, type_name, option),), inputs) for option in self.options(entry, type_name)
        ]

    def _nested_ways(
        self, below: Node, entry: Entry, type_name: str, wanted: SetField, options: tuple[Option, ...]
    ) -> list[_Way]:
        """Have a composite input: its children on every concrete type that may stand there."""
        ways = [_Way(option.mask, (Pick(entry, type_name, option),)) for option in options]
        nested = [_Way()]
        typename = self.inner(below, TYPENAME, (), min(below.selectable)) if self._needs_typename(below) else None
        for inner_type in sorted(below.selectable):
            if typename is not None:
                typename.types.add(inner_type)
                nested = self._combine(nested, self._leaf_ways(typename, inner_type, TYPENAME))
            nested = self._combine_fields(nested, below, inner_type, wanted.children)
        if any(way.picks for way in nested):
            # The children are had through the object, so they bring what the object itself needs.
            ways = [_Way()]
        result = []
        for way in self._combine(ways, nested):
            children = _merged(way.inputs)
            result.append(_Way(way.mask, way.picks, (Input(wanted.name, entry, frozenset({type_name}), children),)))
        return result

    def _needs_typename(self, below: Node) -> bool:
        """Tell whether a nested input must say its concrete type: where its declared type does not."""
        return bool(below.selectable) and (len(below.arriving) > 1 or below.static not in below.arriving)

    # Contexts

    def _context_ways(self, node: Node, argument: ContextArgument) -> list[_Way]:
        """Have an argument from the nearest object above that sets its context, whatever types stand on the way."""
        setting = self.graph.contexts.get(argument.context, frozenset())
        wanted = parse_selection(argument.selection)
        ways = [_Way()]
        above = node.parent
        while above is not None:
            place, types = above.entry.node, frozenset(above.types)
            for type_name in sorted(types & setting):
                ways = self._combine(ways, list(self._context_at(place, type_name, argument, wanted)))
                if len(types) > 1:
                    ways = self._combine(ways, self._leaf_ways(self.inner(place, TYPENAME, (), type_name), type_name))
            if types <= setting:
                return [_Way(way.mask, way.picks, (), (_one_context(way.contexts),)) for way in ways]
            above = place.parent
        return []

    def _context_at(self, place: Node, type_name: str, argument: ContextArgument, wanted: FieldSet) -> Iterator[_Way]:
        """Have the one field that a context gives on objects of one type."""
        on = frozenset({type_name})
        meant = [one for one in wanted if all(type_name in self.possible(name) for name in one.conditions)]
        # Of fragments on the type and on an interface above it, the type's own is meant.
        meant.sort(key=lambda one: type_name not in one.conditions)
        for way in self._combine_fields([_Way()], place, type_name, tuple(meant[:1])) if meant else ():
            (read,) = way.inputs
            source = ContextFrom(place, on, read)
            yield _Way(way.mask, way.picks, (), (Context(argument.name, argument.type, (source,)),))

    # Groups and goals

    def group(self, entry: Entry, type_name: str, options: tuple[Option, ...]) -> Group:
        """Return the group of types that have an entry by the same options, with the node below."""
        signature = tuple((one.jump.number, one.static, one.overlay, one.mask) for one in options)
        for group in entry.groups:
            if group.signature == signature:
                group.types.add(type_name)
                return group
        tree = entry.asked.children if entry.asked is not None else None
        guard = entry.node.guard if entry.asked is None else guards.both(entry.node.guard, entry.asked.guard)
        named = self._return_type(type_name, entry)
        group = Group(entry, {type_name}, options, signature)
        entry.groups.append(group)
        descents = tuple(Spot(one.jump, one.static, one.overlay, one.mask) for one in options)
        block = entry.node.block if entry.asked is None else _block(entry.asked, entry.node)
        group.node = self._node(named, group, descents, guard, block, tree)
        return group

    def list_depth(self, group: Group) -> int:
        """Return how many lists stand around the objects of a group."""
        fields = getattr(self.graph.schema.type_map.get(min(group.types)), "fields", {})
        return str(fields[group.entry.name].type).count("[") if group.entry.name in fields else 0

    def _return_type(self, type_name: str, entry: Entry) -> str:
        fields = getattr(self.graph.schema.type_map.get(type_name), "fields", {})
        return str(fields[entry.name].type).strip("[]!") if entry.name in fields else entry.name

    def goals(self, node: Node) -> Iterator[Goal]:
        """Yield everything that must be had for what the client asks at a node and below.

        Raises:
            UnanswerableError: a selected field has no option.
        """
        if node.tree is None:
            return
        self._check_spans(node)
        if self._wants_typename(node):
            entry = self.inner(node, TYPENAME, (), "")
            for type_name in sorted(node.selectable):
                entry.types.add(type_name)
                yield self._goal(entry, type_name, node.guard, node.block)
        for entry in node.entries:
            yield from self._entry_goals(entry)

    def is_denied(self, asked: Field) -> bool:
        """Tell whether the client may not have a field, so that nobody needs to be asked.

        What is selected on an interface is denied if one of the types that it reaches denies it; a fragment on a
        concrete type keeps its own decision (policy R18).
        """
        return bool(self.denied) and any(f"{name}.{asked.name}" in self.denied for name in asked.reached)

    def _entry_goals(self, entry: Entry) -> Iterator[Goal]:
        node = entry.node
        assert entry.asked is not None
        guard = guards.both(node.guard, entry.asked.guard)
        if guard == NEVER or self.is_denied(entry.asked):
            return
        for type_name in sorted(entry.types & node.selectable):
            goal = self._goal(entry, type_name, guard, _block(entry.asked, node))
            yield goal
            if entry.asked.children is not None:
                entry.read[type_name] = self.group(entry, type_name, goal.options)
        for group in dict.fromkeys(entry.read.values()):
            yield from self.goals(group.node)

    def _goal(self, entry: Entry, type_name: str, guard: guards.Guard, block: int | None) -> Goal:
        options = self.options(entry, type_name)
        if not options:
            raise UnanswerableError(
                f"`{type_name}.{entry.name}` at `{entry.node}` cannot be answered: {self._why(entry, type_name)}"
            )
        return Goal(entry, type_name, options, guard, block)

    def _why(self, entry: Entry, type_name: str) -> str:
        holders = sorted({edge.subgraph for edge in self.graph.holders.get((type_name, entry.name), ())})
        if not holders:
            return "no subgraph resolves it"
        edges = self.graph.holders.get((type_name, entry.name), ())
        needed = [argument for edge in edges for argument in edge.contexts]
        unset = sorted({one.context for one in needed if not self._context_ways(entry.node, one)})
        if unset:
            return f"no object above it gives context {', '.join(f'`{name}`' for name in unset)}"
        origins = sorted({spot.jump.subgraph for spot in entry.node.descents})
        return f"the object comes from {', '.join(origins)}, and no key leads from there to {', '.join(holders)}"

    def constant_type(self, node: Node) -> str | None:
        """Return the concrete type at a node when nobody has to be asked: the root's, or an interface's only one."""
        if node.parent is None:
            return node.static
        objects = self.graph.interface_objects
        if len(node.arriving) == 1 and all((spot.jump.subgraph, spot.static) in objects for spot in node.descents):
            return next(iter(node.arriving))
        return None

    def _wants_typename(self, node: Node) -> bool:
        """Tell whether the concrete type must be asked for to read the answer out."""
        assert node.tree is not None
        if self.constant_type(node) is not None:
            return False
        if node.arriving & self.graph.hidden:
            return True
        return any(
            asked.name == TYPENAME or not asked.types >= node.arriving
            for asked in node.tree.fields
            if asked.types & node.arriving
        )

    def _check_spans(self, node: Node) -> None:
        """Refuse a field, selected once for several types, that no single origin of the objects can answer."""
        assert node.tree is not None
        if len(node.descents) == 1 or len(node.selectable) <= 1:
            return
        for name, types in node.tree.spans:
            entries = [entry for entry in node.entries if entry.name == name and entry.types & types & node.selectable]
            if len(entries) == 1 and self._direct_everywhere(entries[0], types & node.selectable):
                continue
            if not any(self._answers_alone(spot, node, entries, types & node.selectable) for spot in node.descents):
                raise UnanswerableError(
                    f"`{name}` at `{node}` cannot be answered: "
                    f"no single subgraph can begin for all of {', '.join(sorted(types & node.selectable))}"
                )

    def _direct_everywhere(self, entry: Entry, types: frozenset[str]) -> bool:
        """Tell, cheaply, whether one origin has a field itself for all types."""
        jumps = [{option.jump.number for option in self.options(entry, name)} for name in types]
        return bool(set.intersection(*jumps) & {spot.jump.number for spot in entry.node.descents})

    def _answers_alone(self, spot: Spot, node: Node, entries: list[Entry], types: frozenset[str]) -> bool:
        """Tell whether a field can be had for all types when the objects come from one origin only."""
        alone = self._node(node.static, node.parent, (spot,), node.guard, node.block, None)
        for asked in entries:
            entry = self._entry(alone, asked.name, asked.arguments, asked.source, None)
            if not all(self.options(entry, name) for name in sorted(asked.types & types)):
                return False
        return True


def _block(asked: Field, node: Node) -> int | None:
    """Return the block in which a field is delivered first; None is the initial response."""
    if None in asked.wanted:
        return node.block
    return min(block.number for block in asked.wanted if block is not None)


def _nullable(jump: Jump) -> int:
    """Count what may be null in the inputs of an entry: keys that cannot be null are preferred."""
    edges = (pick.option.edge for pick in chain.from_iterable(jump.picks.values()))
    return sum(not edge.type.endswith("!") for edge in edges if edge is not None)


def _sources(inputs: tuple[Input, ...]) -> Iterator[object]:
    for found in inputs:
        yield (found.name, found.entry.number, tuple(_sources(found.children)))


def _context_sources(contexts: tuple[Context, ...]) -> Iterator[object]:
    for context in contexts:
        yield (context.name, *((one.node.number, one.on, tuple(_sources((one.read,)))) for one in context.sources))


def _one_context(parts: tuple[Context, ...]) -> Context:
    """Join what several objects above give for one argument."""
    return Context(parts[0].name, parts[0].type, tuple(source for part in parts for source in part.sources))


def _merged(inputs: tuple[Input, ...]) -> tuple[Input, ...]:
    """Join inputs of one name and entry that different concrete types brought."""
    merged: dict[tuple[str, int], Input] = {}
    for found in inputs:
        key = (found.name, found.entry.number)
        before = merged.get(key)
        if before is None:
            merged[key] = found
        else:
            merged[key] = Input(
                found.name, found.entry, before.on | found.on, _merged(before.children + found.children)
            )
    return tuple(merged.values())
