"""Part of stage 3, inputs: the ways to have what an entry by key needs.

A key's field, a required one and what a context reads are entries like any other, each with options of its own. Of the
ways to have several of them together, only the cheapest few are kept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from federation.planning.fieldsets import parse_selection
from federation.planning.operation import TYPENAME
from federation.planning.tree import Context, ContextFrom, Input, Pick
from federation.planning.ways import Way, merged_inputs, one_context

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from federation.composition.supergraph import ContextArgument
    from federation.planning.fieldsets import FieldSet, SetField
    from federation.planning.places import Entering, Places
    from federation.planning.tree import Entry, Node, Option

MOST_WAYS = 4
"""How many alternatives are kept wherever alternatives multiply."""


class Inputs:
    """Finds ways; `options` says how an entry can be had on objects of a concrete type."""

    def __init__(self, places: Places, options: Callable[[Entry, str], tuple[Option, ...]]) -> None:
        self.places = places
        self.options = options

    def of(self, node: Node, type_name: str, entering: Entering) -> list[Way]:
        """Return the cheapest few ways to have everything that enters a subgraph with objects of one type."""
        ways = [Way()]
        if entering.known_as is None and len(node.arriving) > 1:
            ways = [Way(way.mask, way.picks) for way in self._typename(node, type_name)]
        ways = self._both(ways, self.of_key(node, type_name, entering.key))
        ways = self._fields(ways, node, type_name, entering.requires)
        for argument in entering.contexts:
            ways = self._both(ways, self.of_context(node, argument))
        return ways

    def of_key(self, node: Node, type_name: str, key: FieldSet) -> list[Way]:
        """Return the cheapest few ways to have a key of objects of one type."""
        ways = self._fields([Way()], node, type_name, key)
        return [Way(way.mask, way.picks, key=way.inputs) for way in ways]

    def _both(self, ways: Iterable[Way], others: Iterable[Way]) -> list[Way]:
        """Return the cheapest few combinations, without those that need all jumps of another one and more."""
        others = list(others)
        both = sorted(
            (way.then(other) for way in ways for other in others), key=lambda way: self.places.weigh(way.mask)
        )
        kept: list[Way] = []
        for way in both:
            if not any(one.mask & ~way.mask == 0 for one in kept):
                kept.append(way)
        return kept[:MOST_WAYS]

    # Fields of the object

    def _fields(self, ways: list[Way], node: Node, type_name: str, fields: FieldSet) -> list[Way]:
        for wanted in fields:
            if all(type_name in self.places.possible(name) for name in wanted.conditions):
                ways = self._both(ways, self._field(node, type_name, wanted))
        return ways

    def _field(self, node: Node, type_name: str, wanted: SetField) -> list[Way]:
        entry = self.places.inner(node, wanted.name, wanted.arguments, type_name)
        if not wanted.children:
            return self._leaf(entry, type_name, wanted.name)
        options = self.options(entry, type_name)
        if not options:
            return []
        below = self.places.group(entry, type_name, options).node
        return self._nested(below, entry, type_name, wanted, options)

    def _typename(self, node: Node, type_name: str) -> list[Way]:
        """Have the concrete type of objects, which is no input by itself."""
        return self._leaf(self.places.inner(node, TYPENAME, (), type_name), type_name)

    def _leaf(self, entry: Entry, type_name: str, name: str | None = None) -> list[Way]:
        inputs = () if name is None else (Input(name, entry, frozenset({type_name})),)
        return [
            Way(option.mask, (Pick(entry, type_name, option),), inputs) for option in self.options(entry, type_name)
        ]

    def _nested(
        self, below: Node, entry: Entry, type_name: str, wanted: SetField, options: tuple[Option, ...]
    ) -> list[Way]:
        """Have a composite input: its children on every concrete type that may stand there."""
        ways = [Way(option.mask, (Pick(entry, type_name, option),)) for option in options]
        nested = [Way()]
        typename = self.places.inner(below, TYPENAME, (), min(below.selectable)) if _needs_typename(below) else None
        for inner_type in sorted(below.selectable):
            if typename is not None:
                typename.types.add(inner_type)
                nested = self._both(nested, self._leaf(typename, inner_type, TYPENAME))
            nested = self._fields(nested, below, inner_type, wanted.children)
        if any(way.picks for way in nested):
            # The children are had through the object, so they bring what the object itself needs.
            ways = [Way()]
        result = []
        for way in self._both(ways, nested):
            children = merged_inputs(way.inputs)
            result.append(Way(way.mask, way.picks, (Input(wanted.name, entry, frozenset({type_name}), children),)))
        return result

    # Contexts

    def of_context(self, node: Node, argument: ContextArgument) -> list[Way]:
        """Have an argument from the nearest object above that sets its context, whatever types stand on the way."""
        setting = self.places.graph.contexts.get(argument.context, frozenset())
        wanted = parse_selection(argument.selection)
        ways = [Way()]
        above = node.parent
        while above is not None:
            place, types = above.entry.node, frozenset(above.types)
            for type_name in sorted(types & setting):
                ways = self._both(ways, self._context_at(place, type_name, argument, wanted))
                if len(types) > 1:
                    ways = self._both(ways, self._typename(place, type_name))
            if types <= setting:
                return [Way(way.mask, way.picks, (), (one_context(way.contexts),)) for way in ways]
            above = place.parent
        return []

    def _context_at(self, place: Node, type_name: str, argument: ContextArgument, wanted: FieldSet) -> Iterator[Way]:
        """Have the one field that a context gives on objects of one type."""
        on = frozenset({type_name})
        meant = [one for one in wanted if all(type_name in self.places.possible(name) for name in one.conditions)]
        # Of fragments on the type and on an interface above it, the type's own is meant.
        meant.sort(key=lambda one: type_name not in one.conditions)
        for way in self._fields([Way()], place, type_name, tuple(meant[:1])) if meant else ():
            (read,) = way.inputs
            source = ContextFrom(place, on, read)
            yield Way(way.mask, way.picks, (), (Context(argument.name, argument.type, (source,)),))


def _needs_typename(below: Node) -> bool:
    """Tell whether a nested input must say its concrete type: where its declared type does not."""
    return bool(below.selectable) and (len(below.arriving) > 1 or below.static not in below.arriving)
