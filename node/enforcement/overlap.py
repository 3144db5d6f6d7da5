"""Which counts may be told beside those that were told before (policy R26): pure arithmetic on counts.

Whoever knows count(A) and count(B), B within A, knows count(A without B). If that is less than `least` and not zero, a
few persons stand out, and with one person as the difference that person's attribute is told. Two counts are therefore
not both told if

* one of the two sets may lie within the other, as far as the questions' texts say, and
* they differ by less than `least`, and differ.

Read from the texts: a group and `{field: {eq: value}}` of a filter fix a field. Sets that fix one field to different
values are disjoint. Where the rest of the two filters is the same, only a set that fixes all that the other fixes lies
within it; where it is not, either may. Every sum of told cells is held against every other. Sets that are told to be
within each other only by more than two questions together are not found here; the budget of questions bounds those.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Hashable, Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any, TypeAlias

import msgspec

Fixed: TypeAlias = tuple[tuple[str, str], ...]
"""Fields and the values to which they are fixed, by name."""


class Counted(msgspec.Struct, frozen=True, array_like=True):
    """What one question was told: the rest of its filter, and every count with what it fixes, by count."""

    rest: str
    counts: tuple[tuple[int, Fixed], ...]


def counted(by: Sequence[str], where: str, counts: Mapping[tuple[Hashable, ...], int]) -> Counted:
    """Return what a question is told.

    Args:
        by: the fields that make its groups.
        where: its filter as JSON.
        counts: the rows of each told group, by the values of `by`; what follows them in a key is ignored.
    """
    fixed, rest = _read(msgspec.json.decode(where) if where else {})
    sums: dict[Fixed, int] = {}
    for cell, count in counts.items():
        values = [(name, str(value)) for name, value in zip(by, cell, strict=False)]
        for size in range(len(by) + 1):
            for kept in combinations(values, size):
                name = tuple(sorted({**dict(kept), **fixed}.items()))
                sums[name] = sums.get(name, 0) + count
    return Counted(rest, tuple(sorted((count, name) for name, count in sums.items())))


def tell_apart(one: Counted, other: Counted, least: int) -> bool:
    """Say whether two questions together may tell of fewer than `least` persons."""
    same_rest = one.rest == other.rest
    others = [count for count, _ in other.counts]
    for count, fixed in one.counts:
        first = bisect_left(others, count - least + 1)
        for found, against in other.counts[first:]:
            if found >= count + least:
                break
            if found != count and _may_nest(dict(fixed), dict(against), same_rest=same_rest):
                return True
    return False


def _may_nest(one: Mapping[str, str], other: Mapping[str, str], *, same_rest: bool) -> bool:
    if any(other.get(name, value) != value for name, value in one.items()):
        return False
    return not same_rest or one.keys() <= other.keys() or other.keys() <= one.keys()


def _read(where: Mapping[str, Any]) -> tuple[dict[str, str], str]:
    """Return what a filter fixes, and the rest of it as a text that is the same for the same rest."""
    fixed: dict[str, str] = {}
    rest: list[bytes] = []
    for name, test in _conjuncts(where):
        if isinstance(test, dict) and test.keys() == {"eq"} and fixed.get(name, str(test["eq"])) == str(test["eq"]):
            fixed[name] = str(test["eq"])
        else:
            rest.append(msgspec.json.encode({name: test}, order="sorted"))
    return fixed, b" ".join(sorted(set(rest))).decode()


def _conjuncts(where: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, test in where.items():
        if test is None:
            continue
        if name == "and":
            for each in test:
                yield from _conjuncts(each)
        else:
            yield name, test
