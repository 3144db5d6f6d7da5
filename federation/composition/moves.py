"""What can be reached from where: the query graph that satisfiability walks over.

Reaches depend on each other (a key may select below itself), so they grow together until they no longer do.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from federation.composition.fieldset import FieldSet, Fragment, Selected, parse_field_set
from federation.composition.model import Kind, named
from federation.composition.supergraph import FieldIn, Supergraph, SuperType


@dataclass(frozen=True, slots=True)
class Place:
    """Where an object is at hand: a subgraph, its type there, and what is provided of it beyond the usual.

    The type is the object's own, or an interface that the subgraph serves as if it were an object.
    """

    subgraph: str
    type_name: str
    provided: FieldSet = ()


Reach = frozenset[Place]

Given = frozenset[tuple[str, str]]
"""Contexts, each with a selection, whose values objects above give."""


@dataclass(frozen=True, slots=True)
class Move:
    """A key, and the places that it leads to."""

    text: str
    fields: FieldSet
    targets: tuple[Place, ...]


class Moves:
    """The moves of a supergraph, for one set of active override labels."""

    def __init__(self, supergraph: Supergraph, active: frozenset[str]) -> None:
        self.types = supergraph.types
        self.possible = supergraph.possible
        self.active = active
        self.roots = frozenset(supergraph.roots.values())
        self.reaches: dict[tuple[str, Place], Reach] = {}
        self.settled: set[tuple[str, Place]] = set()
        self._visited: set[tuple[str, Place]] = set()
        self._grown = False
        self._roots: dict[str, Reach] = {}
        self._moves: dict[tuple[str, str | None], tuple[Move, ...]] = {}
        self._index: dict[Reach, Mapping[tuple[str, str], list[Place]]] = {}
        self._requiring: set[tuple[str, str, str]] = set()

    def reach(self, type_name: str, place: Place) -> Reach:
        """Return all places where an object can be at hand, once it is at one."""
        known = (type_name, place)
        if known not in self.settled:
            self._grown = True
            while self._grown:
                self._grown = False
                self._visited = set()
                self._reach(type_name, place)
            self.settled |= self._visited
        return self.reaches[known]

    def _reach(self, type_name: str, place: Place) -> Reach:
        """Let one reach grow as far as the others, as they are now, allow."""
        known = (type_name, place)
        reached = self.reaches.setdefault(known, frozenset({place}))
        if known in self.settled or known in self._visited:
            return reached
        self._visited.add(known)
        before = reached
        if type_name in self.roots:
            self.reaches[known] = self._root(type_name) | reached if place.provided else self._root(type_name)
            return self.reaches[known]
        growing = True
        while growing:
            growing = False
            for move in self.moves(type_name, reached):
                new = [target for target in move.targets if target not in reached]
                if new and self.resolves(type_name, reached, move.fields):
                    reached |= frozenset(new)
                    growing = True
        if reached != before:
            self.reaches[known] = reached
            self._grown = True
        return reached

    def _root(self, type_name: str) -> Reach:
        """Return all places of a root type, which is at hand everywhere."""
        if type_name not in self._roots:
            subgraphs = self.types[type_name].subgraphs
            self._roots[type_name] = frozenset(Place(subgraph, type_name) for subgraph in subgraphs)
        return self._roots[type_name]

    def moves(self, type_name: str, reached: Reach) -> Iterator[Move]:
        """Yield the keys of a type.

        Where only interface objects are reached, nobody knows yet which type the object has, and only the keys of the
        interface can be used.
        """
        if any(place.type_name == type_name for place in reached):
            yield from self._moves_of(type_name, None)
        else:
            for interface in sorted({place.type_name for place in reached}):
                yield from self._moves_of(type_name, interface)

    def _moves_of(self, type_name: str, blind: str | None) -> tuple[Move, ...]:
        if (type_name, blind) not in self._moves:
            targets: dict[str, list[Place]] = {}
            for text, place in self._entries(type_name, blind):
                targets.setdefault(text, []).append(place)
            found = tuple(Move(text, parse_field_set(text), tuple(places)) for text, places in targets.items())
            self._moves[type_name, blind] = found
        return self._moves[type_name, blind]

    def _entries(self, type_name: str, blind: str | None) -> Iterator[tuple[str, Place]]:
        """Yield every resolvable key with the place it leads to."""
        if blind is None:
            for subgraph, here in self.types[type_name].subgraphs.items():
                yield from ((key.fields, Place(subgraph, type_name)) for key in here.keys if key.resolvable)
        interfaces = self.types[type_name].interfaces if blind is None else (blind,)
        for interface in interfaces:
            if interface not in self.types:
                continue
            for subgraph, here in self.types[interface].subgraphs.items():
                if here.interface_object:
                    target = Place(subgraph, interface)
                elif blind is not None and type_name in self.possible(interface, subgraph):
                    target = Place(subgraph, type_name)
                else:
                    continue
                yield from ((key.fields, target) for key in here.keys if key.resolvable)

    def resolves(self, type_name: str, reached: Reach, fields: FieldSet) -> bool:
        """Say whether all of a field set can be had of an object that is within reach."""
        for selection in fields:
            if isinstance(selection, Fragment):
                applies = selection.on in {None, type_name} or type_name in self.possible(selection.on or "")
                if applies and not self.resolves(type_name, reached, selection.selections):
                    return False
            elif selection.name != "__typename" and not self._selected(type_name, reached, selection):
                return False
        return True

    def _selected(self, type_name: str, reached: Reach, selection: Selected) -> bool:
        below = self.children(type_name, reached, selection.name)
        if not below:
            return False
        if not selection.selections:
            return True
        declared = self.types[type_name].fields[selection.name]
        target = self.types[named(declared.type)]
        for name in (target.name,) if target.kind is Kind.OBJECT else self.possible(target.name):
            places = [found for place in below for found in self.downcast(place, name)]
            together = frozenset(found for place in places for found in self._reach(name, place))
            if places and not self.resolves(name, together, selection.selections):
                return False
        return True

    def children(self, type_name: str, reached: Reach, field_name: str, given: Given | None = None) -> frozenset[Place]:
        """Return the places of a field's value; none when the field cannot be had within the reach.

        `given` are the context values that objects above give; without it, all are.
        """
        index = self._indexed(reached)
        found: set[Place] = set()
        for owner in (type_name, *self.types[type_name].interfaces):
            declared = self.types[owner].fields.get(field_name) if owner in self.types else None
            if declared is None:
                continue
            for subgraph, here in declared.subgraphs.items():
                if given is not None and not {(one.context, one.selection) for one in here.context_arguments} <= given:
                    continue
                for place in index.get((subgraph, owner), ()):
                    if self._answers(type_name, reached, place, field_name, here):
                        found.add(Place(subgraph, named(here.type), self._provided_below(place, field_name, here)))
        return frozenset(found)

    def _indexed(self, reached: Reach) -> Mapping[tuple[str, str], list[Place]]:
        if reached not in self._index:
            index: dict[tuple[str, str], list[Place]] = {}
            for place in reached:
                index.setdefault((place.subgraph, place.type_name), []).append(place)
            self._index[reached] = index
        return self._index[reached]

    def _answers(self, type_name: str, reached: Reach, place: Place, field_name: str, here: FieldIn) -> bool:
        """Say whether a subgraph resolves a field of an object that is at a place of its own."""
        if here.override_label is not None:
            if (here.override is not None) != (here.override_label in self.active):
                return False
        elif here.used_overridden:
            return False
        if here.external:
            return self._provides(place, place.provided, field_name) is not None
        return here.requires is None or self._required(type_name, reached, place, field_name, here.requires)

    def _required(self, type_name: str, reached: Reach, place: Place, field_name: str, requires: str) -> bool:
        """Say whether what a field requires can be had, and its subgraph be entered with it."""
        asking = (place.subgraph, type_name, field_name)
        if asking in self._requiring:
            return False
        self._requiring.add(asking)
        try:
            fields = parse_field_set(requires)
            if not self.resolves(type_name, reached, fields):
                return False
            keys = self.types[place.type_name].subgraphs[place.subgraph].keys
            if any(key.resolvable and self.resolves(type_name, reached, parse_field_set(key.fields)) for key in keys):
                return True
            return self.resolves(type_name, frozenset({place}), fields)
        finally:
            self._requiring.discard(asking)

    def _provides(self, place: Place, provided: FieldSet, field_name: str) -> FieldSet | None:
        """Return what is provided below a field, None when the field itself is not provided."""
        for selection in provided:
            if isinstance(selection, Fragment):
                if selection.on in {None, place.type_name} or place.type_name in self.possible(selection.on or ""):
                    inner = self._provides(place, selection.selections, field_name)
                    if inner is not None:
                        return inner
            elif selection.name == field_name:
                return selection.selections
        return None

    def _provided_below(self, place: Place, field_name: str, here: FieldIn) -> FieldSet:
        own = parse_field_set(here.provides) if here.provides else ()
        return (*own, *(self._provides(place, place.provided, field_name) or ()))

    def downcast(self, place: Place, type_name: str) -> Iterator[Place]:
        """Yield the place of a value that turns out to be of an object type; nothing when it cannot be that there."""
        if place.type_name == type_name:
            yield place
            return
        declared = self.types.get(place.type_name)
        if declared is None or declared.kind is Kind.OBJECT:
            return
        here = declared.subgraphs.get(place.subgraph)
        if here is not None and here.interface_object:
            if type_name in self.possible(place.type_name):
                yield place
        elif type_name in self.possible(place.type_name, place.subgraph):
            yield Place(place.subgraph, type_name, place.provided)

    def reasons(self, type_: SuperType, reached: Reach, place: Place, field_name: str) -> Iterator[str]:
        """Yield why a field cannot be had from a place: in no subgraph within reach, and no key leads further."""
        declared = type_.fields.get(field_name)
        for each in sorted(reached, key=lambda each: each.subgraph):
            here = declared.subgraphs.get(each.subgraph) if declared is not None else None
            yield f"`{each.subgraph}` {_shortcoming(type_.name, field_name, here)}"
        for move in self.moves(type_.name, reached):
            for target in move.targets:
                if target not in reached:
                    yield (
                        f'`{target.subgraph}` cannot be entered with @key(fields: "{move.text}") of'
                        f" `{target.type_name}`: the key cannot be had from `{place.subgraph}`"
                    )
        entered = {each.subgraph for each in reached}
        for subgraph, there in type_.subgraphs.items():
            if subgraph not in entered and not any(key.resolvable for key in there.keys):
                yield f"`{subgraph}` cannot be entered: it has no resolvable @key for `{type_.name}`"


def _shortcoming(type_name: str, field_name: str, here: FieldIn | None) -> str:
    coordinate = f"{type_name}.{field_name}"
    if here is None:
        return f"has no `{coordinate}`"
    if here.external:
        return f"does not resolve `{coordinate}`, which is external there"
    if here.override_label is not None or here.used_overridden:
        return f"no longer resolves `{coordinate}`, which is overridden"
    if here.requires is not None:
        return f"cannot resolve `{coordinate}`: what it requires (`{here.requires}`) cannot be had"
    return f"does not resolve `{coordinate}` for this object"
