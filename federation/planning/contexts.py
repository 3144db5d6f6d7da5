"""Arguments from contexts, lowered: how far above an entity each value stands, and the text that asks with it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from federation.planning.plan import NUMBERED, ContextArgument, ContextSource
from federation.planning.representation import represented

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from federation.planning.tree import Context, Node


def arguments(contexts: Iterable[Context], node: Node) -> tuple[ContextArgument, ...]:
    """Return the arguments that objects above a node fill, with the places of their values."""
    return tuple(
        ContextArgument(f"{found.name}{NUMBERED}", found.type, tuple(_sources(found, node))) for found in contexts
    )


def separator(variables: Iterable[str]) -> str:
    """Return underscores, one more than the client writes in a row: no name of ours with them is one of its own."""
    longest = 0
    for name in variables:
        longest = max([longest, *(len(run) for run in _runs(name))])
    return "_" * (longest + 1)


def _runs(name: str) -> Iterator[str]:
    run = ""
    for letter in name:
        run = f"{run}_" if letter == "_" else ""
        yield run


def _sources(context: Context, node: Node) -> Iterator[ContextSource]:
    for source in context.sources:
        up, passing = _way(source.node, node)
        for read in represented((source.read,), source.on):
            on = read.on or source.on
            yield ContextSource(up, frozenset() if on >= passing else on, replace(read, on=frozenset()))


def _way(above: Node, node: Node) -> tuple[int, frozenset[str]]:
    """Count the fields from an object above down to a node, and say which types it can have on the way."""
    count = 0
    types: frozenset[str] = frozenset()
    while node is not above:
        assert node.parent is not None
        types = frozenset(node.parent.types)
        node, count = node.parent.entry.node, count + 1
    return count, types
