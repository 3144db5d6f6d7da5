"""Pass over the selections: give a field another key where one subgraph operation would hold two shapes under one key.

Fields of one key on disjoint concrete types may differ only in what they hold, never in list, null or leaf type
(GraphQL, "field selection merging"). Subgraphs may declare them differently, so the plan renames: the merged tree has a
key of its own for the second shape, and the response is read from there.
"""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

from federation.planning.fetches import select_typename
from federation.planning.operation import TYPENAME, printed_arguments
from federation.planning.render import Renderer

if TYPE_CHECKING:
    from federation.planning.fetches import Branch, Part, Use
    from federation.planning.graph import QueryGraph
    from federation.planning.render import Line
    from federation.planning.tree import Entry


def separate_shapes(part: Part) -> None:
    """Rename until no jump of a part holds two shapes under one key."""
    for use in part.uses.values():
        while (found := _conflict(part.search.graph, use)) is not None:
            entry, type_name = found
            _rename(entry, type_name)
            # From now on the type decides where the value is read.
            select_typename(part, use, entry)


def _rename(entry: Entry, type_name: str) -> None:
    taken = {entry.source_on(name) for entry in entry.node.all_entries() for name in (*entry.types, "")}
    free = next(name for number in count(2) if (name := f"{entry.source}_{number}") not in taken)
    entry.aliases[type_name] = free


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
    shapes: list[str] = []
    below: list[tuple[list[Branch], str]] = []
    for line, known in found:
        entry = line.items[0].entry
        if entry.name == TYPENAME:
            continue
        edge = renderer.graph.edge(renderer.subgraph, known, entry.name)
        assert edge is not None
        inner = [item.below for item in line.items if item.below is not None]
        shape = edge.type.replace(edge.target, "{}") if inner else edge.type
        if shapes and shape != shapes[0]:
            return entry, line.type_name
        same_type = [name for line_, name in found if name == known and line_ is not line]
        first = found[0][0].items[0].entry
        if same_type and (entry.name, printed_arguments(entry.arguments)) != (
            first.name,
            printed_arguments(first.arguments),
        ):
            return entry, line.type_name
        shapes.append(shape)
        if inner:
            below.append((inner, edge.target))
    return _in_fields(renderer, below) if below else None
