"""Pass over the selections: give a field another key where one subgraph operation would hold two shapes under one key.

Fields of one key on disjoint concrete types may differ only in what they hold, never in list, null or leaf type
(GraphQL, "field selection merging"). Subgraphs may declare them differently, so the plan renames: the merged tree has a
key of its own for the second shape, and the response is read from there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from federation.planning.fetches import select_typename
from federation.planning.operation import TYPENAME
from federation.planning.render import Renderer
from federation.planning.tree import key_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from federation.planning.fetches import Branch, Part, Use
    from federation.planning.graph import QueryGraph
    from federation.planning.render import Line
    from federation.planning.tree import Entry


def separate_shapes(part: Part, uses: Iterable[Use]) -> None:
    """Rename until no entry into a subgraph holds two shapes under one key."""
    for use in uses:
        while (found := _conflict(part.places.graph, use)) is not None:
            entry, type_name = found
            entry.aliases[type_name] = part.places.sources.another(entry, type_name)
            # From now on the type decides where the value is read.
            select_typename(part, use, entry)


def _conflict(graph: QueryGraph, use: Use) -> tuple[Entry, str] | None:
    """Find a field whose shape differs from that of another one under the same key."""
    jump = use.jump
    renderer = Renderer(graph, jump.subgraph)
    roots = [jump.known_as] if jump.known_as is not None else sorted(use.types)
    return _in_fields(renderer, [([use.branch], static) for static in roots])


def _in_fields(renderer: Renderer, sets: list[tuple[list[Branch], str]]) -> tuple[Entry, str] | None:
    """Look through selection sets that one subgraph merges into one response object."""
    by_key: dict[str, list[tuple[Line, str]]] = {}
    for branches, static in sets:
        for known, lines in renderer.lines(branches, static).items():
            for source, line in lines.items():
                by_key.setdefault(source, []).append((line, known))
    for found in by_key.values():
        conflict = _in_key(renderer, found)
        if conflict is not None:
            return conflict
    return None


def _in_key(renderer: Renderer, found: list[tuple[Line, str]]) -> tuple[Entry, str] | None:
    """Compare what several types have under one key, then what is below, once for each way it is selected."""
    first: tuple[str, Entry, str] | None = None
    below: dict[tuple[object, ...], tuple[list[Branch], str]] = {}
    for line, known in found:
        entry = line.items[0].entry
        if entry.name == TYPENAME:
            continue
        edge = renderer.graph.edge(renderer.subgraph, known, entry.name)
        assert edge is not None
        inner = [item.below for item in line.items if item.below is not None]
        shape = edge.type.replace(edge.target, "{}") if inner else edge.type
        if first is None:
            first = (shape, entry, known)
        elif shape != first[0] or (known == first[2] and not _same_field(entry, first[1])):
            return entry, line.type_name
        if inner:
            below[*map(id, inner), edge.target] = (inner, edge.target)
    return _in_fields(renderer, list(below.values())) if below else None


def _same_field(one: Entry, other: Entry) -> bool:
    return one is other or key_of(one.name, one.arguments) == key_of(other.name, other.arguments)
