"""Rendering: what a jump selects, as GraphQL text for the subgraph and as the plan's description of the answer."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from graphql import print_ast

from federation.planning import guards
from federation.planning.guards import ALWAYS, Guard
from federation.planning.operation import PRESENT, TYPENAME, guarded, printed_arguments
from federation.planning.plan import NUMBERED, Selection

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from federation.planning.fetches import Branch, Item
    from federation.planning.graph import FieldEdge, QueryGraph
    from federation.planning.tree import Entry


@dataclass(slots=True)
class Rendered:
    """Text and description of one selection set, the variables in it, and whether it can be empty after skips."""

    texts: list[str] = field(default_factory=list)
    selections: list[Selection] = field(default_factory=list)
    variables: set[str] = field(default_factory=set)
    may_be_empty: bool = True

    def text(self) -> str:
        """Return the selection set without its braces."""
        return " ".join(self.texts)


@dataclass(slots=True)
class Line:
    """One field of a subgraph operation: everything that is selected under one key on one type."""

    source: str
    items: list[Item]
    type_name: str

    def same(self, other: Line) -> bool:
        """Tell whether another type has exactly this field, so that it may be asked once for both."""
        return len(self.items) == len(other.items) and all(
            one is another for one, another in zip(self.items, other.items, strict=True)
        )


class Renderer:
    """Renders for one subgraph."""

    def __init__(self, graph: QueryGraph, subgraph: str) -> None:
        self.graph = graph
        self.subgraph = subgraph

    def selection(self, branches: list[Branch], static: str, outer: Guard) -> Rendered:
        """Render what is selected of an object whose static type in the subgraph is `static`."""
        rendered = Rendered()
        lines = self.lines(branches, static)
        if not self.graph.is_abstract(self.subgraph, static):
            for line in lines.get(static, {}).values():
                self._field(rendered, line, static, frozenset(), outer)
        else:
            self._abstract(rendered, lines, static, outer)
        self._never_empty(rendered, static)
        return rendered

    def lines(self, branches: list[Branch], static: str) -> dict[str, dict[str, Line]]:
        """Sort what is selected by the name the subgraph has for the object, and by key."""
        found: dict[str, dict[str, Line]] = {}
        for concrete in sorted(self.graph.below.get((self.subgraph, static), ())):
            known = self.graph.known_as(self.subgraph, static, concrete)
            assert known is not None
            lines = found.setdefault(known, {})
            for item in (item for branch in branches for item in branch.items.values() if concrete in item.types):
                source = item.entry.source_on(concrete)
                line = lines.setdefault(source, Line(source, [], concrete))
                if all(item is not one for one in line.items):
                    line.items.append(item)
        return found

    def _abstract(self, rendered: Rendered, lines: dict[str, dict[str, Line]], static: str, outer: Guard) -> None:
        shared = self._shared(lines, static)
        first = next(iter(lines.values()), {})
        for source in shared:
            self._field(rendered, first[source], static, frozenset(), outer)
        texts: dict[str, list[str]] = {}
        for known, found in lines.items():
            inner = Rendered()
            on = frozenset({known})
            for source, line in found.items():
                if source not in shared:
                    self._field(inner, line, known, on, outer)
            if inner.texts:
                texts.setdefault(inner.text(), []).append(known)
                rendered.selections.extend(inner.selections)
                rendered.variables |= inner.variables
        for text, names in texts.items():
            rendered.texts.extend(f"... on {name} {{ {text} }}" for name in names)

    def _shared(self, lines: dict[str, dict[str, Line]], static: str) -> list[str]:
        """Return the keys that every type below has in the same way, so that they are asked of the abstract type."""
        found = []
        first, *others = lines.values() or ({},)
        for source, line in first.items():
            name = line.items[0].entry.name
            if name != TYPENAME and self.graph.edge(self.subgraph, static, name) is None:
                continue
            if any((edge := self.graph.edge(self.subgraph, known, name)) and edge.contexts for known in lines):
                continue  # only the object's own field has arguments from a context
            if all(source in other and line.same(other[source]) for other in others):
                found.append(source)
        return found

    def _arguments(self, entry: Entry, edge: FieldEdge | None) -> str:
        """Print what the client gave, and a variable for each argument that a context fills."""
        given = printed_arguments(entry.arguments)
        if edge is None or not edge.contexts:
            return given
        filled = [f"{one.name}: ${one.name}{NUMBERED}" for one in edge.contexts]
        return f"({', '.join([given[1:-1], *filled] if given else filled)})"

    def _field(self, rendered: Rendered, line: Line, known: str, on: frozenset[str], outer: Guard) -> None:
        entry = line.items[0].entry
        guard = guards.any_of(item.guard for item in line.items)
        relative = guards.inside(guard, outer)
        head = entry.name if line.source == entry.name else f"{line.source}: {entry.name}"
        edge = self.graph.edge(self.subgraph, known, entry.name)
        head += self._arguments(entry, edge)
        body = ""
        rendered.variables |= variables_in(print_ast(one) for one in entry.arguments)
        type_text = "String!"
        selections: tuple[Selection, ...] = ()
        if entry.name != TYPENAME:
            assert edge is not None
            type_text = edge.type
            below = [item.below for item in line.items if item.below is not None]
            if below:
                inner = self.selection(below, edge.target, guard)
                body = f" {{ {inner.text()} }}"
                selections = tuple(inner.selections)
                rendered.variables |= inner.variables
        conditions = guards.to_conditions(relative)
        rendered.variables |= {one.variable for alternative in conditions for one in alternative}
        rendered.texts.append(_conditional(head, body, relative))
        rendered.selections.append(Selection(line.source, entry.name, type_text, selections, on, conditions))
        if not conditions and not on:
            rendered.may_be_empty = False

    def _never_empty(self, rendered: Rendered, static: str) -> None:
        """Add a field to a selection set that has none, or may lose all of them when the server skips."""
        if not rendered.may_be_empty:
            return
        as_object = (self.subgraph, static) in self.graph.interface_objects
        key = PRESENT if as_object else TYPENAME
        rendered.texts.insert(0, f"{PRESENT}: {TYPENAME}" if as_object else TYPENAME)
        if all(found.key != key or found.on for found in rendered.selections):
            rendered.selections = [one for one in rendered.selections if one.key != key]
            rendered.selections.insert(0, Selection(key, TYPENAME, "String!"))


def _conditional(head: str, body: str, guard: Guard) -> str:
    """Print a field with its guard: directives on the field itself where one alternative of them is enough."""
    if guard == ALWAYS:
        return f"{head}{body}"
    alternatives = guards.to_conditions(guard)
    names = [condition.wanted for condition in alternatives[0]]
    if len(alternatives) > 1 or len(set(names)) < len(names):
        return guarded(f"{head}{body}", guard)
    directives = [
        f"@{'include' if condition.wanted else 'skip'}(if: ${condition.variable})" for condition in alternatives[0]
    ]
    return f"{head} {' '.join(directives)}{body}"


def variables_in(texts: Iterable[str]) -> set[str]:
    """Return the variables used in printed arguments."""
    return {name for text in texts for name in _VARIABLE.findall(_STRING.sub('""', text))}


_VARIABLE = re.compile(r"\$([_A-Za-z][_0-9A-Za-z]*)")
_STRING = re.compile(r'"""(?:[^"\\]|\\.|"(?!""))*"""|"(?:[^"\\]|\\.)*"')


def unused(names: Iterable[str], taken: Iterable[str]) -> Iterator[str]:
    """Yield the names with underscores in front until nobody else has them."""
    used = set(taken)
    for name in names:
        found = name
        while found in used:
            found = f"_{found}"
        used.add(found)
        yield found
