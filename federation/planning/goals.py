"""Part of stage 3, goals: what must be had for what the client asks, or why it cannot be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from federation.planning import guards
from federation.planning.errors import UnanswerableError
from federation.planning.guards import NEVER
from federation.planning.operation import TYPENAME
from federation.planning.places import delivered_in
from federation.planning.tree import Entry, Node, Option, Pick, Spot

if TYPE_CHECKING:
    from collections.abc import Iterator

    from federation.planning.paths import Search


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


def goals(search: Search, node: Node) -> Iterator[Goal]:
    """Yield everything that must be had for what the client asks at a node and below.

    Raises:
        UnanswerableError: a selected field has no option.
    """
    if node.tree is None:
        return
    _check_spans(search, node)
    if _wants_typename(search, node):
        entry = search.places.inner(node, TYPENAME, (), "")
        for type_name in sorted(node.selectable):
            entry.types.add(type_name)
            yield _goal(search, entry, type_name, node.guard, node.block)
    for entry in node.entries:
        yield from _entry_goals(search, entry)


def _entry_goals(search: Search, entry: Entry) -> Iterator[Goal]:
    node = entry.node
    assert entry.asked is not None
    guard = guards.both(node.guard, entry.asked.guard)
    if guard == NEVER or search.places.is_denied(entry.asked):
        return
    for type_name in sorted(entry.types & node.selectable):
        goal = _goal(search, entry, type_name, guard, delivered_in(entry.asked, node))
        yield goal
        if entry.asked.children is not None:
            entry.read[type_name] = search.places.group(entry, type_name, goal.options)
    for group in dict.fromkeys(entry.read.values()):
        yield from goals(search, group.node)


def _goal(search: Search, entry: Entry, type_name: str, guard: guards.Guard, block: int | None) -> Goal:
    options = search.options(entry, type_name)
    if not options:
        raise UnanswerableError(
            f"`{type_name}.{entry.name}` at `{entry.node}` cannot be answered: {_why(search, entry, type_name)}"
        )
    return Goal(entry, type_name, options, guard, block)


def _why(search: Search, entry: Entry, type_name: str) -> str:
    holders = sorted({edge.subgraph for edge in search.graph.holders.get((type_name, entry.name), ())})
    if not holders:
        return "no subgraph resolves it"
    edges = search.graph.holders.get((type_name, entry.name), ())
    needed = [argument for edge in edges for argument in edge.contexts]
    unset = sorted({one.context for one in needed if not search.inputs.of_context(entry.node, one)})
    if unset:
        return f"no object above it gives context {', '.join(f'`{name}`' for name in unset)}"
    origins = sorted({spot.jump.subgraph for spot in entry.node.descents})
    return f"the object comes from {', '.join(origins)}, and no key leads from there to {', '.join(holders)}"


def _wants_typename(search: Search, node: Node) -> bool:
    """Tell whether the concrete type must be asked for to read the answer out."""
    assert node.tree is not None
    if search.places.constant_type(node) is not None:
        return False
    if node.arriving & search.graph.hidden:
        return True
    return any(
        asked.name == TYPENAME or not asked.types >= node.arriving
        for asked in node.tree.fields
        if asked.types & node.arriving
    )


def _check_spans(search: Search, node: Node) -> None:
    """Refuse a field, selected once for several types, that no single origin of the objects can answer."""
    assert node.tree is not None
    if len(node.descents) == 1 or len(node.selectable) <= 1:
        return
    for name, types in node.tree.spans:
        entries = [entry for entry in node.entries if entry.name == name and entry.types & types & node.selectable]
        if len(entries) == 1 and _direct_everywhere(search, entries[0], types & node.selectable):
            continue
        if not any(_answers_alone(search, spot, node, entries, types & node.selectable) for spot in node.descents):
            raise UnanswerableError(
                f"`{name}` at `{node}` cannot be answered: "
                f"no single subgraph can begin for all of {', '.join(sorted(types & node.selectable))}"
            )


def _direct_everywhere(search: Search, entry: Entry, types: frozenset[str]) -> bool:
    """Tell, cheaply, whether one origin has a field itself for all types."""
    jumps = [{option.jump.number for option in search.options(entry, name)} for name in types]
    return bool(set.intersection(*jumps) & {spot.jump.number for spot in entry.node.descents})


def _answers_alone(search: Search, spot: Spot, node: Node, entries: list[Entry], types: frozenset[str]) -> bool:
    """Tell whether a field can be had for all types when the objects come from one origin only."""
    alone = search.places.node(node.static, node.parent, (spot,), node.guard, node.block, None)
    for asked in entries:
        entry = search.places.entry(alone, asked.name, asked.arguments, asked.source)
        if not all(search.options(entry, name) for name in sorted(asked.types & types)):
            return False
    return True
