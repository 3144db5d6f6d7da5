"""Part of stage 3: the places of the merged response that one planning looks at, as far as they are known.

Nodes, entries and jumps are made here, each once, and numbered; what they are is said in `tree`.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

from typing_extensions import override

from federation.planning import guards
from federation.planning.fieldsets import NOTHING, FieldSet, printed
from federation.planning.guards import ALWAYS
from federation.planning.operation import TYPENAME, SelectionTree
from federation.planning.sources import Sources
from federation.planning.tree import Entry, Group, Jump, Mask, Node, Option, Spot, key_of
from federation.planning.ways import Way, context_sources, input_sources

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from graphql import ArgumentNode

    from federation.composition.supergraph import ContextArgument
    from federation.planning.graph import QueryGraph
    from federation.planning.operation import Field


@dataclass(frozen=True, slots=True)
class Entering:
    """How a subgraph is entered: under which name if not the object's own, by which key, and with what else."""

    subgraph: str
    known_as: str | None = None
    key: FieldSet = NOTHING
    requires: FieldSet = NOTHING
    contexts: tuple[ContextArgument, ...] = ()

    @override
    def __str__(self) -> str:
        return f"{self.subgraph} as {self.known_as} by {{{printed(self.key)}}} with {{{printed(self.requires)}}}"


class Places:
    """Owns the nodes, entries and jumps of one planning; `denied` are the coordinates that must not be asked."""

    def __init__(self, graph: QueryGraph, sources: Sources, denied: frozenset[str]) -> None:
        self.graph = graph
        self.sources = sources
        self.denied = denied
        self.jumps: list[Jump] = []
        self.entries: list[Entry] = []
        self.nodes: list[Node] = []
        self._same: dict[tuple[object, ...], Jump] = {}
        self._possible: dict[str, frozenset[str]] = {}

    def root(self, static: str, tree: SelectionTree, subgraphs: Iterable[str]) -> Node:
        """Make the root node, reachable in the given subgraphs."""
        node = self.node(static, None, (), ALWAYS, None, tree)
        spots = []
        for subgraph in subgraphs:
            jump = self.jump(Entering(subgraph), node, Way())
            jump.types.add(static)
            spots.append(Spot(jump, static, NOTHING, jump.mask))
        self._arrive(node, tuple(spots))
        return node

    def node(
        self,
        static: str,
        parent: Group | None,
        descents: tuple[Spot, ...],
        guard: guards.Guard,
        block: int | None,
        tree: SelectionTree | None,
    ) -> Node:
        """Make a node, and the entries that the client asks there."""
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
                    source = self.sources.of_client(node.place, asked.response_name, node.tree)
                    entry = self.entry(node, asked.name, asked.arguments, source, asked)
                    entry.types.update(asked.types)
                    node.entries.append(entry)

    def entry(
        self, node: Node, name: str, arguments: tuple[ArgumentNode, ...], source: str, asked: Field | None = None
    ) -> Entry:
        """Make an entry, which is for no type yet."""
        entry = Entry(len(self.entries), node, name, arguments, set(), source, asked)
        self.entries.append(entry)
        return entry

    def inner(self, node: Node, name: str, arguments: tuple[ArgumentNode, ...], type_name: str) -> Entry:
        """Return the entry that holds a field as an input: the client's own where that is the same field."""
        if name != TYPENAME and self.sources.prefix is None:
            wanted = key_of(name, arguments)
            for entry in node.entries:
                if type_name in entry.types and key_of(entry.name, entry.arguments) == wanted:
                    return entry
        key = key_of(name, arguments)
        found = node.inner.get(key)
        if found is None:
            source = self.sources.of_input(node.place, key)
            found = node.inner[key] = self.entry(node, name, arguments, source)
        found.types.add(type_name)
        return found

    def jump(self, entering: Entering, node: Node, way: Way) -> Jump:
        """Return the jump that enters a subgraph at a node with these inputs."""
        inputs = tuple(input_sources(way.key + way.inputs)), tuple(context_sources(way.contexts))
        identity = (node.number, str(entering), entering.contexts, way.mask, inputs)
        jump = self._same.get(identity)
        if jump is None:
            number = len(self.jumps)
            level = 1 + max((found.level for found in self.masks(way.mask)), default=0)
            jump = self._same[identity] = Jump(
                number,
                entering.subgraph,
                node,
                entering.known_as,
                entering.key,
                entering.requires,
                way.key,
                way.inputs,
                {},
                way.mask | 1 << number,
                level,
                way.contexts,
            )
            self.jumps.append(jump)
        return jump

    def group(self, entry: Entry, type_name: str, options: tuple[Option, ...]) -> Group:
        """Return the group of types that have an entry by the same options, with the node below."""
        signature = tuple((one.jump.number, one.static, one.overlay, one.mask) for one in options)
        for group in entry.groups:
            if group.signature == signature:
                group.types.add(type_name)
                return group
        tree = entry.asked.children if entry.asked is not None else None
        guard = entry.node.guard if entry.asked is None else guards.both(entry.node.guard, entry.asked.guard)
        named = self.return_type(type_name, entry)
        group = Group(entry, {type_name}, options, signature)
        entry.groups.append(group)
        descents = tuple(Spot(one.jump, one.static, one.overlay, one.mask) for one in options)
        block = entry.node.block if entry.asked is None else delivered_in(entry.asked, entry.node)
        group.node = self.node(named, group, descents, guard, block, tree)
        return group

    def masks(self, mask: Mask) -> Iterator[Jump]:
        """Yield the jumps of a set."""
        while mask:
            low = mask & -mask
            yield self.jumps[low.bit_length() - 1]
            mask ^= low

    def weigh(self, mask: Mask) -> tuple[int, int]:
        """Order ways roughly: the longest chain first, then the number of jumps."""
        return (max((jump.level for jump in self.masks(mask)), default=0), mask.bit_count())

    def possible(self, name: str) -> frozenset[str]:
        """Return the concrete types below a type of the supergraph."""
        found = self._possible.get(name)
        if found is None:
            found = self._possible[name] = self.graph.possible(name)
        return found

    def return_type(self, type_name: str, entry: Entry) -> str:
        """Return the name of the type that an entry leads to."""
        return self.type_text(type_name, entry).strip("[]!")

    def type_text(self, type_name: str, entry: Entry) -> str:
        """Return the type of an entry, printed as the merged schema has it."""
        fields = getattr(self.graph.schema.type_map.get(type_name), "fields", {})
        return str(fields[entry.name].type) if entry.name in fields else entry.name

    def list_depth(self, group: Group) -> int:
        """Return how many lists stand around the objects of a group."""
        return self.type_text(min(group.types), group.entry).count("[")

    def constant_type(self, node: Node) -> str | None:
        """Return the concrete type at a node when nobody has to be asked: the root's, or an interface's only one."""
        if node.parent is None:
            return node.static
        objects = self.graph.interface_objects
        if len(node.arriving) == 1 and all((spot.jump.subgraph, spot.static) in objects for spot in node.descents):
            return next(iter(node.arriving))
        return None

    def is_denied(self, asked: Field) -> bool:
        """Tell whether the client may not have a field, so that nobody needs to be asked.

        What is selected on an interface is denied if one of the types that it reaches denies it; a fragment on a
        concrete type keeps its own decision (policy R18).
        """
        return bool(self.denied) and any(f"{name}.{asked.name}" in self.denied for name in asked.reached)


def delivered_in(asked: Field, node: Node) -> int | None:
    """Return the block in which a field is delivered first; None is the initial response."""
    if None in asked.wanted:
        return node.block
    return min(block.number for block in asked.wanted if block is not None)
