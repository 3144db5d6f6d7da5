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

MergeAll = Callable[[list[Any], list[int], list[Any]], None]
"""Writes entities into objects: the numbers say which entity belongs to each object; -1 is the last, which is None."""


def merger(position: Position, selections: Sequence[Wanted], order: int) -> Merge:
    """Return the function that merges one fetch's object into one of a position."""
    source = Source()
    source.line(0, "def merge(o, e):")
    _body(source, 1, position, selections, order)
    function: Merge = source.function("merge")
    return function


def entity_merger(position: Position, selections: Sequence[Wanted], order: int) -> MergeAll:
    """Return the function that merges all entities of one fetch into the objects of a position."""
    source = Source()
    source.line(0, "def merge_all(objects, numbers, entities):")
    source.line(1, "for o, n in zip(objects, numbers):")
    source.line(2, "e = entities[n]")
    source.line(2, "if e is None: continue")
    _body(source, 2, position, selections, order)
    function: MergeAll = source.function("merge_all")
    return function


def _body(source: Source, indent: int, position: Position, selections: Sequence[Wanted], order: int) -> None:
    source.line(indent, "pass")
    for wanted in fields(selections):
        slot = position.slots[wanted.key]
        if slot.child is None:
            _leaf(source, indent, slot, order)
        else:
            _object(source, indent, slot, slot.child, wanted, order)


def _leaf(source: Source, indent: int, slot: Slot, order: int) -> None:
    name = slot.attribute
    if slot.single:
        source.line(indent, f"o.{name} = e.{name}")
        return
    source.line(indent, f"x = e.{name}")
    source.line(indent, "if x is not None:")
    if not slot.contested:
        source.line(indent + 1, f"o.{name} = x")
        return
    writer = writer_attribute(slot.key)
    source.line(indent + 1, f"w = o.{writer}")
    source.line(indent + 1, f"if o.{name} is None or (o.FETCH if w is None else w) <= {order}:")
    source.line(indent + 2, f"o.{name} = x")
    source.line(indent + 2, f"o.{writer} = {order}")


def _object(source: Source, indent: int, slot: Slot, child: Position, wanted: Field, order: int) -> None:
    name = slot.attribute
    if slot.single:
        source.line(indent, f"o.{name} = e.{name}")
        return
    both = source.constant(_both(merger(child, wanted.selections or (), order), slot.depth))
    source.line(indent, f"x = e.{name}")
    source.line(indent, "if x is not None:")
    source.line(indent + 1, f"y = o.{name}")
    source.line(indent + 1, "if y is None:")
    source.line(indent + 2, f"o.{name} = x")
    source.line(indent + 1, "else:")
    source.line(indent + 2, f"{both}(y, x)")


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
