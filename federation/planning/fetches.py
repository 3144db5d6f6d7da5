"""Stage 5, the fetch graph: the chosen jumps with what is selected in each, grouped into requests.

First every decision is written into the jump that answers it: the entry and all entries above it in that jump. Then the
inputs of every used jump are written the same way, with the guard of the jump that needs them, from the last jump
back to the roots. Requests begin as one per jump; the passes merge them.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING

from federation.planning import guards
from federation.planning.guards import NEVER, Guard
from federation.planning.keys import OtherKey, other_keys
from federation.planning.operation import TYPENAME
from federation.planning.plan import Each, Key, OnType

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from federation.planning.choose import Choice
    from federation.planning.paths import Search
    from federation.planning.places import Places
    from federation.planning.plan import Path, PathStep
    from federation.planning.tree import Entry, Group, Jump, Node, Pick


@dataclass(eq=False, slots=True)
class Branch:
    """What a jump selects of one node: entries, per group for those that have children."""

    node: Node
    items: dict[tuple[int, int | None], Item] = field(default_factory=dict)


@dataclass(eq=False, slots=True)
class Item:
    """An entry selected in a jump, on some concrete types, under a guard."""

    entry: Entry
    types: set[str]
    guard: Guard
    below: Branch | None


@dataclass(eq=False, slots=True)
class Use:
    """A jump that is used: what it selects, for which types it is entered, when, and first for which block.

    `numbers` are the jumps that it stands for, more than one when entries of the same objects were folded together.
    `others` are the keys to try, by type, where the jump's own is null; one may be there twice.
    """

    jump: Jump
    branch: Branch
    types: set[str] = field(default_factory=set)
    guard: Guard = NEVER
    block: int | None = None
    after: set[int] = field(default_factory=set)
    numbers: set[int] = field(default_factory=set)
    others: dict[str, list[OtherKey]] = field(default_factory=dict)


@dataclass(eq=False, slots=True)
class Request:
    """One request to be: jumps into one subgraph that happen together. `step` counts a mutation's root fields."""

    number: int
    subgraph: str
    step: int
    block: int | None
    uses: list[Use]
    after: set[int] = field(default_factory=set)

    @property
    def is_root(self) -> bool:
        """Tell whether the request selects from the root type."""
        return self.uses[0].jump.node.parent is None

    @property
    def guard(self) -> Guard:
        """When the request is needed at all."""
        return guards.widen(guards.any_of(use.guard for use in self.uses))


@dataclass(eq=False, slots=True)
class Part:
    """One search with its decision: a whole query, or one root field of a mutation."""

    search: Search
    choice: Choice
    root: Node
    step: int
    uses: dict[int, Use] = field(default_factory=dict)

    @property
    def places(self) -> Places:
        """The places that the search looked at."""
        return self.search.places


def fill(part: Part) -> None:
    """Write the decisions of a part, and the inputs they need, into the jumps."""
    wanted: dict[int, Guard] = defaultdict(lambda: NEVER)
    blocks: dict[int, set[int | None]] = defaultdict(set)
    for goal, option in part.choice.picks:
        _select(part, goal.pick(option), goal.guard, option.jump)
        wanted[option.jump.number] = guards.widen(guards.either(wanted[option.jump.number], goal.guard))
        for jump in part.places.masks(option.mask):
            blocks[jump.number].add(goal.block)
    # INVARIANT: inputs of a jump come from jumps of a lower level, so from the last level back every guard is final
    # when it is used.
    for jump in sorted(part.places.masks(part.choice.mask), key=lambda found: -found.level):
        use = part.uses.get(jump.number)
        if use is None:
            continue
        use.guard = wanted[jump.number]
        use.block = None if None in blocks[jump.number] else min(one for one in blocks[jump.number] if one is not None)
        for type_name in sorted(use.types & jump.picks.keys()):
            use.others[type_name] = list(other_keys(part.search, jump, type_name))
            taken = (other.picks for other in use.others[type_name])
            for pick in chain(jump.picks[type_name], *taken):
                _select(part, pick, use.guard, pick.option.jump)
                number = pick.option.jump.number
                wanted[number] = guards.widen(guards.either(wanted[number], use.guard))
                blocks[number] |= blocks[jump.number]
                use.after.add(number)
    for use in part.uses.values():
        _learn_types(part, use)


def _select(part: Part, pick: Pick, guard: Guard, jump: Jump) -> None:
    """Write one entry into a jump, with everything above it up to where the jump enters."""
    use = part.uses.get(jump.number)
    if use is None:
        use = Use(jump, Branch(jump.node), numbers={jump.number})
        part.uses[jump.number] = use
    way = list(_groups(pick.entry.node, jump.node))
    use.types |= way[0].types if way else {pick.type_name}
    branch = use.branch
    for group in way:
        item = _item(branch, group.entry, group)
        item.types |= group.types
        item.guard = guards.widen(guards.either(item.guard, guard))
        assert item.below is not None
        branch = item.below
    # A composite entry is selected for its own sake too: whether there is anything.
    found = pick.entry.group_for(pick) if pick.entry.is_composite else None
    item = _item(branch, pick.entry, found)
    item.types |= found.types if found is not None else {pick.type_name}
    item.guard = guards.widen(guards.either(item.guard, guard))


def _groups(node: Node, top: Node) -> Iterator[Group]:
    """Yield the groups from a node down to another one."""
    found = []
    while node is not top:
        assert node.parent is not None
        found.append(node.parent)
        node = node.parent.entry.node
    yield from reversed(found)


def _item(branch: Branch, entry: Entry, group: Group | None) -> Item:
    key = (entry.number, group.node.number if group is not None else None)
    item = branch.items.get(key)
    if item is None:
        below = Branch(group.node) if group is not None else None
        item = branch.items[key] = Item(entry, set(), NEVER, below)
    return item


# Paths


def _learn_types(part: Part, use: Use) -> None:
    """Make sure that every type filter on the way to a jump can be applied: select `__typename` above it."""
    for node in _filtered(use):
        entry = part.places.inner(node, TYPENAME, (), min(node.arriving))
        for branch in _known_before(part, use, node):
            item = _item(branch, entry, None)
            item.types |= node.arriving
            item.guard = guards.widen(guards.either(item.guard, use.guard))


def select_typename(part: Part, use: Use, entry: Entry) -> None:
    """Select `__typename` beside an entry, in a jump that selects the entry."""
    branch = branch_at(use, entry.node)
    assert branch is not None
    guard = guards.any_of(item.guard for item in branch.items.values() if item.entry is entry)
    item = _item(branch, part.places.inner(entry.node, TYPENAME, (), min(entry.types)), None)
    item.types |= entry.node.arriving
    item.guard = guards.widen(guards.either(item.guard, guard))


def _filtered(use: Use) -> Iterator[Node]:
    """Yield the nodes on the way to a jump where only some of the objects are meant."""
    node, types = use.jump.node, use.types
    while True:
        if not types >= node.arriving:
            yield node
        group = node.parent
        if group is None:
            return
        node, types = group.entry.node, group.types


def _known_before(part: Part, use: Use, node: Node) -> Iterator[Branch]:
    """Yield what earlier jumps select at a node, where they can tell the objects' concrete types."""
    for other in part.places.masks(use.jump.mask & ~(1 << use.jump.number)):
        found = part.uses.get(other.number)
        branch = branch_at(found, node) if found is not None else None
        if branch is not None and knows_types(part.places, other, node):
            yield branch


def branch_at(use: Use, node: Node) -> Branch | None:
    """Return what a jump selects at a node, None when it does not select there."""
    branch = use.branch
    above: Node | None = node
    while above is not None and above is not use.jump.node:
        above = above.parent.entry.node if above.parent is not None else None
    if above is None:
        return None
    for group in _groups(node, use.jump.node):
        item = branch.items.get((group.entry.number, group.node.number))
        if item is None or item.below is None:
            return None
        branch = item.below
    return branch


def statics(jump: Jump, node: Node) -> set[str]:
    """Return the static types that a node's objects have in a jump's subgraph."""
    if node is jump.node:
        return {jump.known_as} if jump.known_as is not None else set(jump.types)
    return {spot.static for spot in node.descents if spot.jump is jump}


def knows_types(places: Places, jump: Jump, node: Node) -> bool:
    """Tell whether `__typename` at a node, asked in a jump, is a concrete type's name."""
    return not any((jump.subgraph, static) in places.graph.interface_objects for static in statics(jump, node))


def paths(part: Part, use: Use) -> tuple[Path, ...]:
    """Return the paths to the objects a jump is about; several when a field has other keys on other types."""
    found: list[tuple[PathStep, ...]] = [()]
    for group in _groups(use.jump.node, part.root):
        found = [before + after for before in found for after in _steps(part, use, group)]
    node = use.jump.node
    if not use.types >= node.arriving and any(_known_before(part, use, node)):
        found = [(*path, OnType(frozenset(use.types))) for path in found]
    return tuple(found)


def _steps(part: Part, use: Use, group: Group) -> Iterator[tuple[PathStep, ...]]:
    """Yield the steps through one group: perhaps a filter, the key, and one step for each level of lists."""
    node = group.entry.node
    lists = (Each(),) * part.places.list_depth(group)
    for source in sorted({group.entry.source_on(name) for name in group.types}):
        types = frozenset(name for name in group.types if group.entry.source_on(name) == source)
        narrow = () if types >= node.arriving or not any(_known_before(part, use, node)) else (OnType(types),)
        yield (*narrow, Key(source), *lists)


# Requests


def requests(parts: Iterable[Part]) -> list[Request]:
    """Make one request per used jump, in topological order; a mutation's roots wait for everything before."""
    found: list[Request] = []
    for part in parts:
        numbers: dict[int, int] = {}
        before = [request.number for request in found]
        for use in sorted(part.uses.values(), key=lambda one: (one.jump.level, one.jump.number)):
            request = Request(len(found), use.jump.subgraph, part.step, use.block, [use])
            numbers[use.jump.number] = request.number
            request.after = {numbers[number] for number in use.after}
            if request.is_root:
                request.after |= set(before)
            found.append(request)
    return found


def fold(one: Use, other: Use) -> None:
    """Let `one` do what `other` does for the same objects."""
    _graft(one.branch, other.branch)
    one.numbers |= other.numbers
    for type_name, others in other.others.items():
        one.others.setdefault(type_name, []).extend(others)


def _graft(branch: Branch, other: Branch) -> None:
    for key, item in other.items.items():
        found = branch.items.setdefault(key, item)
        if found is not item:
            found.types |= item.types
            found.guard = guards.widen(guards.either(found.guard, item.guard))
            if found.below is not None and item.below is not None:
                _graft(found.below, item.below)
