"""What planning works on: the places of the merged response, and the ways in which members can fill them.

A `Node` is a place in the merged tree: an object, or every object of a list. An `Entry` is a field at a node, asked
for by the client or needed as the input of an entry by key. A `Jump` is a way into a subgraph at a node: a root
selection or an entry by key; it will be (part of) a fetch. An `Option` is one way to have an entry: the jump in which
it is selected and, as a bit mask, every jump that this needs to have happened.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from typing_extensions import override

from federation.planning.fieldsets import FieldSet, printed
from federation.planning.operation import SelectionTree, printed_arguments

if TYPE_CHECKING:
    from graphql import ArgumentNode

    from federation.planning.graph import FieldEdge
    from federation.planning.guards import Guard
    from federation.planning.operation import Field

Mask = int
"""A set of jumps: bit n stands for the jump of number n."""


@dataclass(eq=False, slots=True)
class Jump:
    """A way into `subgraph` at `node`.

    `known_as` is the name the representation goes by when it is not the object's own (an interface), `by` what it holds
    of the key and `inputs` what else, `contexts` what objects above give as arguments. `mask` is the jump with all
    jumps it needs; `level` is the length of the longest chain to it.
    """

    number: int
    subgraph: str
    node: Node
    known_as: str | None
    key: FieldSet
    requires: FieldSet
    by: tuple[Input, ...]
    inputs: tuple[Input, ...]
    picks: dict[str, tuple[Pick, ...]]
    mask: Mask
    level: int
    contexts: tuple[Context, ...] = ()
    types: set[str] = field(default_factory=set)

    @override
    def __str__(self) -> str:
        if self.node.parent is None:
            return f"root of {self.subgraph}"
        by = f" by {{ {printed(self.key)} }}" if self.key else ""
        needs = f" with {{ {printed(self.requires)} }}" if self.requires else ""
        given = "".join(f" given {found}" for found in self.contexts)
        return f"{self.subgraph} at {self.node}{by}{needs}{given}"


@dataclass(frozen=True, slots=True)
class Spot:
    """A node's object in a jump: `static` is its type there, `overlay` what `@provides` adds to it on this path."""

    jump: Jump
    static: str
    overlay: FieldSet
    mask: Mask


@dataclass(frozen=True, slots=True)
class Option:
    """An entry selected in a jump, leading to `static` there."""

    jump: Jump
    edge: FieldEdge | None
    static: str
    overlay: FieldSet
    mask: Mask


@dataclass(frozen=True, slots=True)
class Pick:
    """A decision: this entry, for objects of this concrete type, is had by this option."""

    entry: Entry
    type_name: str
    option: Option


@dataclass(frozen=True, slots=True)
class Input:
    """One field of a representation: `entry` holds the value; `on` are the concrete types that carry it."""

    name: str
    entry: Entry
    on: frozenset[str]
    children: tuple[Input, ...] = ()

    @override
    def __str__(self) -> str:
        text = f"{self.name}{printed_arguments(self.entry.arguments)}"
        return f"{text} {{ {' '.join(map(str, self.children))} }}" if self.children else text


@dataclass(frozen=True, slots=True)
class ContextFrom:
    """An object above that sets a context: at `node`, on these concrete types, `read` leads to the value."""

    node: Node
    on: frozenset[str]
    read: Input


@dataclass(frozen=True, slots=True)
class Context:
    """An argument that objects above fill, the nearest first."""

    name: str
    type: str
    sources: tuple[ContextFrom, ...]

    @override
    def __str__(self) -> str:
        return f"{self.name} by {', '.join(f'{found.node}/{found.read}' for found in self.sources)}"


@dataclass(eq=False, slots=True)
class Entry:
    """A field at a node. `source` is its key in the merged tree, with another one on the types in `aliases`.

    `asked` is what the client wrote, if it did; `read` are then the groups, by type, in which the answer is read.
    Other groups stand for the entry as an input, while some of its options were not to be had.
    """

    number: int
    node: Node
    name: str
    arguments: tuple[ArgumentNode, ...]
    types: set[str]
    source: str
    asked: Field | None = None
    aliases: dict[str, str] = field(default_factory=dict)
    groups: list[Group] = field(default_factory=list)
    read: dict[str, Group] = field(default_factory=dict)
    options: dict[str, tuple[Option, ...]] = field(default_factory=dict)

    @property
    def is_composite(self) -> bool:
        """Tell whether the entry has fields of its own."""
        return bool(self.groups) or (self.asked is not None and self.asked.children is not None)

    def source_on(self, type_name: str) -> str:
        """Return the key in the merged tree on objects of one concrete type."""
        return self.aliases.get(type_name, self.source)

    def group_for(self, pick: Pick) -> Group:
        """Return the group that a decision about this entry is about."""
        return next(
            group
            for group in self.groups
            if pick.type_name in group.types and any(one.jump is pick.option.jump for one in group.options)
        )

    @override
    def __str__(self) -> str:
        return f"{self.node}/{self.source}"


@dataclass(eq=False, slots=True)
class Group:
    """The concrete types for which an entry has the same options, and the node below it for them."""

    entry: Entry
    types: set[str]
    options: tuple[Option, ...]
    signature: tuple[tuple[object, ...], ...]
    node: Node = field(init=False)


@dataclass(eq=False, slots=True)
class Node:
    """A place in the merged tree, reached by `parent` (None for the root); `place` are the source keys on the way.

    `descents` are the objects at this place as the selection above yields them; `arriving` are the concrete types they
    may have, `selectable` those that every one of them knows: a type that only some of the subgraphs know cannot be
    told apart reliably, so nothing is asked of it. `guard` says when the client wants this place at all,
    `block` in which deferred block for the first time.
    """

    number: int
    place: tuple[str, ...]
    static: str
    parent: Group | None
    descents: tuple[Spot, ...]
    arriving: frozenset[str]
    selectable: frozenset[str]
    guard: Guard
    block: int | None
    tree: SelectionTree | None
    entries: list[Entry] = field(default_factory=list)
    inner: dict[tuple[str, str], Entry] = field(default_factory=dict)
    entered: dict[tuple[object, ...], tuple[Spot, ...]] = field(default_factory=dict)

    @override
    def __str__(self) -> str:
        if self.parent is None:
            return self.static
        node = self.parent.entry.node
        types = self.parent.types
        narrowed = "" if types >= node.arriving else f"[{'|'.join(sorted(types))}]"
        each = "/@" if any(edge.type.startswith("[") for one in self.parent.options if (edge := one.edge)) else ""
        return f"{node}{narrowed}/{self.parent.entry.source}{each}"


def key_of(name: str, arguments: tuple[ArgumentNode, ...]) -> tuple[str, str]:
    """Return what tells two fields of one object apart: the name and the arguments, printed."""
    return (name, printed_arguments(arguments))
