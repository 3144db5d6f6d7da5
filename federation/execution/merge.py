"""Generated code that writes a member's answer into the merged tree.

The result does not depend on the order in which answers arrive: where several fetches write one leaf, the last of them
in the plan's order wins, and null never overwrites a value. Objects that two members each know a part of are merged
field by field, lists of them element by element; the longer list keeps its length.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from federation.execution.codegen import Source, writer_attribute
from federation.execution.fold import Wanted
from federation.execution.shape import Field, Position, Slot, fields

Merge = Callable[[Any, Any], None]
"""Writes the second object's fields into the first."""


def merger(position: Position, selections: Sequence[Wanted], order: int) -> Merge:
    """Return the function that merges one fetch's objects into those of a position."""
    source = Source()
    source.line(0, "def merge(o, e):")
    wanted_fields = tuple(fields(selections))
    for wanted in wanted_fields:
        slot = position.slots[wanted.key]
        if slot.child is None:
            _leaf(source, slot, order)
        else:
            _object(source, slot, slot.child, wanted, order)
    if not wanted_fields:
        source.line(1, "pass")
    function: Merge = source.function("merge")
    return function


def _leaf(source: Source, slot: Slot, order: int) -> None:
    name = slot.attribute
    if not slot.contested:
        source.line(1, f"o.{name} = e.{name}")
        return
    writer = writer_attribute(slot.key)
    source.line(1, f"x = e.{name}")
    source.line(1, "if x is not None:")
    source.line(2, f"w = o.{writer}")
    source.line(2, f"if o.{name} is None or (o.FETCH if w is None else w) <= {order}:")
    source.line(3, f"o.{name} = x")
    source.line(3, f"o.{writer} = {order}")


def _object(source: Source, slot: Slot, child: Position, wanted: Field, order: int) -> None:
    name = slot.attribute
    source.line(1, f"x = e.{name}")
    if len(slot.writers) == 1:
        source.line(1, "if x is not None:")
        source.line(2, f"o.{name} = x")
        return
    both = source.constant(_both(merger(child, wanted.selections or (), order), slot.depth))
    source.line(1, "if x is not None:")
    source.line(2, f"y = o.{name}")
    source.line(2, "if y is None:")
    source.line(3, f"o.{name} = x")
    source.line(2, "else:")
    source.line(3, f"{both}(y, x)")


def _both(merge: Merge, depth: int) -> Merge:
    """Lift a merge of objects to lists of `depth` levels."""
    if depth == 0:
        return merge
    inner = _both(merge, depth - 1)

    def merge_lists(mine: list[Any], theirs: list[Any]) -> None:
        for index, (old, new) in enumerate(zip(mine, theirs, strict=False)):
            if old is None:
                mine[index] = new
            elif new is not None:
                inner(old, new)
        mine.extend(theirs[len(mine) :])

    return merge_lists
