"""Stage 3, paths: for every entry and concrete type, the ways in which members can answer it.

An entry is answered *directly*, in a jump that already holds the object, or after *entering* a subgraph by a key of the
object. Entering needs inputs: the key's fields and, for a field with `@requires`, the required ones; each input is an
entry of the same node with options of its own (`inputs`). So options are found by recursion over (entry, type), cut
where an entry is asked for while it is being answered, and where a subgraph is entered while it is being entered: there
or further up, with objects from the same places. A shortest way never does the same twice.

A key may select below the very field that is looked for (`@key(fields: "owner { id }")`, and `owner` is wanted from
the subgraph that has this key). Such a field is asked for again while it is being answered, as often as `again` says.

Ways that cannot be part of a cheapest plan are dropped at once: an option whose jumps include all jumps of another
option of the same leaf, and anything beyond the cheapest few.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from federation.planning.fieldsets import NOTHING, FieldSet, printed
from federation.planning.inputs import MOST_WAYS, Inputs
from federation.planning.operation import TYPENAME
from federation.planning.places import Entering, Places
from federation.planning.tree import Entry, Jump, Node, Option, Spot
from federation.planning.underway import Underway

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from federation.planning.graph import FieldEdge, KeyEdge

MOST_AGAIN = 3
"""How many keys in a chain may select below one and the same field that is looked for."""

MOST_RIVALS = 2
"""How many ways to one and the same place are kept for a field that has fields of its own."""


class Search:
    """Finds options among the places of one planning.

    `active` are the override labels in force. `again` is how often a field with fields of its own may be asked for
    while it is being answered; `shortened` says that something was cut for it.
    """

    def __init__(self, places: Places, *, active: frozenset[str] = frozenset(), again: int = 0) -> None:
        self.places = places
        self.graph = places.graph
        self.active = active
        self.again = again
        self.shortened = False
        self.inputs = Inputs(places, self.options)
        self._underway = Underway()

    def options(self, entry: Entry, type_name: str) -> tuple[Option, ...]:
        """Return the ways to have an entry on objects of a concrete type, the cheapest first."""
        found = entry.options.get(type_name)
        if found is not None:
            return found
        token = ("options", entry.number, type_name)
        leaf = not self._composite(entry, type_name)
        if (times := self._underway.times(token)) and (leaf or times > self.again):
            self.shortened |= not leaf
            self._underway.cut(token)
            return ()
        before = self._underway.begin(token)
        found = self._prune(self._find(entry, type_name), type_name, leaf=leaf)
        if self._underway.end(before):
            entry.options[type_name] = found
        return found

    def _composite(self, entry: Entry, type_name: str) -> bool:
        return entry.name != TYPENAME and self.graph.is_composite(self.places.return_type(type_name, entry))

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
            if found.name == entry.name and all(type_name in self.places.possible(name) for name in found.conditions)
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
            for spot in self._enter_by(node, type_name, Entering(key.subgraph, interface, key.fields)):
                yield Option(spot.jump, None, "String", NOTHING, spot.mask)

    def _prune(self, found: list[Option], type_name: str, *, leaf: bool) -> tuple[Option, ...]:
        def weight(option: Option) -> tuple[int, ...]:
            return (*self.places.weigh(option.mask), self._nullable(option.jump, type_name))

        ordered = sorted(found, key=weight)
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
        memo = (type_name, edge.subgraph, edge.type_name, edge.requires, edge.contexts)
        found = node.entered.get(memo)
        if found is not None:
            return found
        origins = frozenset((spot.jump.subgraph, spot.static, spot.overlay) for spot in node.descents)
        token = ("enter", origins, *memo)
        if self._underway.times(token):
            self._underway.cut(token)
            return ()
        before = self._underway.begin(token)
        ways = (self._enter_by(node, type_name, entering) for entering in self._keys(node, type_name, edge))
        spots = self._cheapest(chain.from_iterable(ways), type_name)
        if self._underway.end(before):
            node.entered[memo] = spots
        return spots

    def _keys(self, node: Node, type_name: str, edge: FieldEdge) -> Iterator[Entering]:
        """Yield every key by which objects of a type are entered as the type that has the edge."""
        subgraph, known = edge.subgraph, edge.type_name
        for key in self.graph.keys.get((subgraph, known), ()):
            known_as = known if known != type_name else None
            yield Entering(subgraph, known_as, key.fields, edge.requires, edge.contexts)
        if known == type_name:
            for interface, key in self._interface_keys(node, type_name):
                if key.subgraph == subgraph:
                    yield Entering(subgraph, interface, key.fields, edge.requires, edge.contexts)

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

    def _enter_by(self, node: Node, type_name: str, entering: Entering) -> Iterator[Spot]:
        """Enter a subgraph by one key, in the cheapest few ways of having the inputs."""
        for way in self.inputs.of(node, type_name, entering):
            jump = self.places.jump(entering, node, way)
            jump.types.add(type_name)
            jump.picks.setdefault(type_name, way.picks)
            yield Spot(jump, entering.known_as or type_name, NOTHING, jump.mask)

    def _cheapest(self, spots: Iterable[Spot], type_name: str) -> tuple[Spot, ...]:
        def weight(spot: Spot) -> tuple[int, ...]:
            return (*self.places.weigh(spot.mask), self._nullable(spot.jump, type_name))

        kept: list[Spot] = []
        for spot in sorted(spots, key=weight):
            if not any((one.mask & ~(1 << one.jump.number)) & ~spot.mask == 0 for one in kept):
                kept.append(spot)
        return tuple(kept[:MOST_WAYS])

    def _nullable(self, jump: Jump, type_name: str) -> int:
        """Count what may be null in the inputs of an entry with objects of a type: keys without nulls are preferred."""
        edges = (pick.option.edge for pick in jump.picks.get(type_name, ()))
        types = [edge.type for edge in edges if edge is not None]
        # An object that is had through its children has no decision of its own.
        types += [self.places.type_text(type_name, found.entry) for found in jump.by if found.children]
        return sum(not text.endswith("!") for text in types)
