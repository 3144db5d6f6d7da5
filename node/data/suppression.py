"""Which cells of a table of counts may be told (policy R25): small ones may not, nor what would give them away.

A requester may ask for the same table with fewer dimensions, and so learns every sum along a line of it. A line from
which cells are left out therefore leaves out two at least, and together as many rows as the smallest cell that may be
told; the smallest cells of the line make up for what is missing. The choice depends on the table alone, so the same
question has the same answer.

What is not protected here is what several different tables say together: that is for the audit of overlapping
questions (`node.data.groups_audit`, policy R26).
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from itertools import combinations
from typing import TypeAlias

Cell: TypeAlias = tuple[Hashable, ...]
"""The values of a table's dimensions."""

_FEWEST_TOGETHER = 2


def told(counts: Mapping[Cell, int], min_cell: int) -> frozenset[Cell]:
    """Return the cells whose count may be told.

    Args:
        counts: rows by cell; all cells have the same number of dimensions. What is not there has none.
        min_cell: the smallest count that may be told.
    """
    hidden = {cell for cell, count in counts.items() if count < min_cell}
    lines = [line for line in _lines(counts) if len(line) > 1]
    changed = True
    while changed:
        changed = False
        for line in lines:
            added = _completed(line, hidden, counts, min_cell)
            hidden |= added
            changed |= bool(added)
    return frozenset(counts.keys() - hidden)


def _lines(counts: Mapping[Cell, int]) -> Iterator[Sequence[Cell]]:
    """Yield the cells that a sum over some of the dimensions adds up, smallest first; equal ones in a fixed order."""
    dimensions = len(next(iter(counts), ()))
    ranked = sorted(counts, key=lambda cell: (counts[cell], [str(value) for value in cell]))
    for kept in (each for size in range(dimensions) for each in combinations(range(dimensions), size)):
        lines: dict[Cell, list[Cell]] = {}
        for cell in ranked:
            lines.setdefault(tuple(cell[index] for index in kept), []).append(cell)
        yield from lines.values()


def _completed(line: Sequence[Cell], hidden: set[Cell], counts: Mapping[Cell, int], min_cell: int) -> set[Cell]:
    """Return the cells that a line must leave out besides those it does."""
    out = [cell for cell in line if cell in hidden]
    if not out:
        return set()
    rows, number, added = sum(counts[cell] for cell in out), len(out), set[Cell]()
    for cell in line:
        if number >= _FEWEST_TOGETHER and rows >= min_cell:
            break
        if cell not in hidden:
            added.add(cell)
            rows, number = rows + counts[cell], number + 1
    return added
