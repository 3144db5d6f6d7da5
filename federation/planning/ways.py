"""Part of stage 3: ways to have what an entry by key needs, alone and together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from federation.planning.tree import Context, Input

if TYPE_CHECKING:
    from collections.abc import Iterator

    from federation.planning.tree import Mask, Pick


@dataclass(frozen=True, slots=True)
class Way:
    """One way to have a set of inputs: the decisions it takes and the jumps it needs. `key` are the inputs of a key."""

    mask: Mask = 0
    picks: tuple[Pick, ...] = ()
    inputs: tuple[Input, ...] = ()
    contexts: tuple[Context, ...] = ()
    key: tuple[Input, ...] = ()

    def then(self, other: Way) -> Way:
        """Return the way that has both."""
        return Way(
            self.mask | other.mask,
            self.picks + other.picks,
            self.inputs + other.inputs,
            self.contexts + other.contexts,
            self.key + other.key,
        )


def input_sources(inputs: tuple[Input, ...]) -> Iterator[object]:
    """Yield what tells inputs from others: under which names they are sent, and from which entries they come."""
    for found in inputs:
        yield (found.name, found.entry.number, tuple(input_sources(found.children)))


def context_sources(contexts: tuple[Context, ...]) -> Iterator[object]:
    """Yield the same of arguments that objects above give."""
    for context in contexts:
        yield (context.name, *((one.node.number, one.on, tuple(input_sources((one.read,)))) for one in context.sources))


def one_context(parts: tuple[Context, ...]) -> Context:
    """Join what several objects above give for one argument."""
    return Context(parts[0].name, parts[0].type, tuple(source for part in parts for source in part.sources))


def merged_inputs(inputs: tuple[Input, ...]) -> tuple[Input, ...]:
    """Join inputs of one name and entry that different concrete types brought."""
    merged: dict[tuple[str, int], Input] = {}
    for found in inputs:
        key = (found.name, found.entry.number)
        before = merged.get(key)
        if before is None:
            merged[key] = found
        else:
            merged[key] = Input(
                found.name, found.entry, before.on | found.on, merged_inputs(before.children + found.children)
            )
    return tuple(merged.values())
