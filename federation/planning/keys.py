"""Part of stage 5, other keys: by what else an object is looked up where its key is null in the data.

An entry by key was chosen by what it costs. Where a part of that key may be null, the subgraph that is entered may
know the objects by other keys too. Such a key is taken along when nobody else has to be asked for it and nobody waits
for it: all of it comes from requests that the entry waits for anyway.

Not in privacy mode: there a second identifier would be disclosed for every object, to help the few that have no first.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from federation.planning.fieldsets import FieldSet
    from federation.planning.graph import FieldEdge
    from federation.planning.paths import Search
    from federation.planning.tree import Input, Jump, Mask, Pick
    from federation.planning.ways import Way

_NEVER_NULL = re.compile(r"\[*\w+!(\]!)*")
"""A printed type without a null at any depth."""


@dataclass(frozen=True, slots=True)
class OtherKey:
    """Another key of the objects of one type: the decisions it takes, and what a representation holds of it."""

    key: FieldSet
    picks: tuple[Pick, ...]
    by: tuple[Input, ...]


def other_keys(search: Search, jump: Jump, type_name: str) -> Iterator[OtherKey]:
    """Yield the keys to try after an entry's own, in order; none where its own cannot be null."""
    before = jump.mask & ~(1 << jump.number)
    private = search.places.sources.prefix is not None
    if private or not _may_be_null(search, jump.by, jump.picks[type_name], before):
        return
    found: list[tuple[bool, OtherKey]] = []
    for edge in search.graph.keys.get((jump.subgraph, jump.known_as or type_name), ()):
        way = None if edge.fields == jump.key else _within(search, jump, type_name, edge.fields, before)
        if way is not None:
            loose = _may_be_null(search, way.key, way.picks, before)
            found.append((loose, OtherKey(edge.fields, way.picks, way.key)))
    for loose, other in sorted(found, key=lambda one: one[0]):
        yield other
        if not loose:
            return  # what comes after a key that is never null is never tried


def _within(search: Search, jump: Jump, type_name: str, key: FieldSet, mask: Mask) -> Way | None:
    """Return a way to have a key that needs nothing beyond what the entry waits for already."""
    ways = search.inputs.of_key(jump.node, type_name, key)
    return next((way for way in ways if way.mask & ~mask == 0), None)


def _may_be_null(search: Search, inputs: Iterable[Input], picks: tuple[Pick, ...], mask: Mask) -> bool:
    """Tell whether a part of a key may be null, by the types that the subgraphs declare."""
    for found in inputs:
        edges = _edges(search, found, picks, mask)
        if any(edge is not None and not _NEVER_NULL.fullmatch(edge.type) for edge in edges):
            return True
        if _may_be_null(search, found.children, picks, mask):
            return True
    return False


def _edges(search: Search, found: Input, picks: tuple[Pick, ...], mask: Mask) -> Iterator[FieldEdge | None]:
    """Yield the fields that an input is read from; an object that is had through its children has no decision."""
    decided = [pick.option.edge for pick in picks if pick.entry is found.entry and pick.type_name in found.on]
    yield from decided
    if not decided:
        for type_name in sorted(found.on):
            for option in search.options(found.entry, type_name):
                if option.mask & ~mask == 0:
                    yield option.edge
