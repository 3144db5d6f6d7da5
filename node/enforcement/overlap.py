"""Which counts may be told beside those that were told before (policy R26): pure arithmetic on counts.

Whoever knows count(A) and count(B), B within A, knows count(A without B). If that is less than `least` and not zero, a
few persons stand out, and with one person as the difference that person's attribute is told. Two counts are therefore
not both told if

* one of the two sets may lie within the other, as far as the questions' texts say, and
* they differ by less than `least`, and differ.

Read from the texts: a group and `{field: {eq: value}}` of a filter fix a field. Sets that fix one field to different
values are disjoint. Where the rest of the two filters is the same, only a set that fixes all that the other fixes lies
within it; where it is not, either may. Every sum of told cells is held against every other.

More than two questions together tell of a few persons where sets that share nothing fill a larger one but for those
few. So the counts of all questions with one rest are put together (`parts_leave_a_few`): a set, and the sets into which
the values of one more field part it, part by part again. With another rest nobody can say which sets share what; how
many of those a consumer is told is bounded instead (`guards.populations`).

Not found: what follows from remainders of remainders, and the bounds that margins of many dimensions set to a cell.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from itertools import chain, combinations
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
        kept = chain.from_iterable(combinations(values, size) for size in range(len(by) + 1))
        # A field that is grouped by and fixed by the filter is one field.
        for name in {tuple(sorted({**dict(each), **fixed}.items())) for each in kept}:
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


def parts_leave_a_few(told: Iterable[Counted], least: int) -> bool:
    """Say whether the counts of questions with one rest, put together, tell of fewer than `least` persons.

    A set that fixes some fields is filled by those that fix one field more, each by its own count or by what is known
    to fill it. What they leave of it must be nobody, or enough.
    """
    counts: dict[Fixed, set[int]] = {}
    for one in told:
        for count, fixed in one.counts:
            counts.setdefault(fixed, set()).add(count)
    for fixed in list(counts):
        for size in range(len(fixed)):
            for kept in combinations(fixed, size):
                counts.setdefault(kept, set())
    filled: dict[Fixed, int] = {}
    parts: dict[Fixed, dict[str, int]] = {}
    for fixed in sorted(counts, key=len, reverse=True):
        sums = parts.get(fixed, {}).values()
        if any(0 < count - found < least for count in counts[fixed] for found in sums):
            return True
        filled[fixed] = max((*counts[fixed], *sums), default=0)
        for position, (name, _) in enumerate(fixed):
            whole = parts.setdefault(fixed[:position] + fixed[position + 1 :], {})
            whole[name] = whole.get(name, 0) + filled[fixed]
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
