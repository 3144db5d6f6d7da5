r"""Finitely many situations that stand for all: every value that a set of conditions can tell apart.

Conditions compare names with literals and with each other, so only the order and equality of values matter. For `n`
names it is enough to try, for each literal, the literal itself and its `n` nearest neighbours, plus a null: any
assignment of other values falls in the same intervals (the small-model property of dense and discrete orders). Strings
are ordered by code point, where the successors of `s` are `s\0`, `s\0\\0`, …; days are ordered as ISO text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta
from itertools import chain, combinations, product
from math import prod
from typing import TYPE_CHECKING, Final, assert_never

from node.policy.conditions import (
    ELEMENT,
    And,
    Compare,
    Condition,
    In,
    Literal,
    Meets,
    Name,
    Or,
    Value,
    ValueType,
    children,
    names_in,
)
from node.policy.errors import PolicyError
from node.policy.messages import message

if TYPE_CHECKING:
    from collections.abc import Sequence

MAX_SET_ELEMENTS: Final = 10
"""Elements of a set of which every subset is tried."""

_DAY_LIKE: Final = re.compile(r"[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?")


class TooManySituationsError(PolicyError):
    """Conditions that compare with more values than can be tried one by one."""


def literals_in(condition: Condition) -> frozenset[Literal]:
    """Return every literal that a condition holds."""
    if isinstance(condition, Literal):
        return frozenset({condition})
    return frozenset().union(*(literals_in(part) for part in children(condition)))


def distinguishable_values(
    conditions: Sequence[Condition], fixed: Mapping[str, Sequence[Value | None]]
) -> dict[str, tuple[Value | None, ...]]:
    """Return, for every name that the conditions read, values that stand for all, null included.

    Args:
        conditions: what is asked about the values.
        fixed: names whose possible values are known beforehand, such as the kinds of requesters.

    Raises:
        TooManySituationsError: a set is compared with more than `MAX_SET_ELEMENTS` values.
    """
    names = sorted(frozenset().union(*(names_in(condition) for condition in conditions)), key=lambda name: name.dotted)
    literals = frozenset().union(*(literals_in(condition) for condition in conditions))
    texts = {literal.value for literal in literals if type(literal.value) is str}
    if any(_joins_names(condition) for condition in conditions):
        texts |= {value for values in fixed.values() for value in values if type(value) is str}
    numbers = {literal.value for literal in literals if type(literal.value) is int}
    return {
        name.dotted: tuple(fixed[name.dotted]) if name.dotted in fixed else _values(name, texts, numbers, len(names))
        for name in names
    }


def _joins_names(condition: Condition) -> bool:
    """Say whether somewhere a name meets a name, so that the values of one are values to try for the other."""
    parts = children(condition)
    both = not isinstance(condition, (And, Or)) and sum(isinstance(part, Name) for part in parts) > 1
    return both or any(_joins_names(part) for part in parts)


def _values(name: Name, texts: Iterable[str], numbers: Iterable[int], count: int) -> tuple[Value | None, ...]:
    match name.type:
        case ValueType.BOOL:
            return (None, False, True)
        case ValueType.INT:
            near = {number + step for number in (*numbers, 0) for step in range(-count, count + 1)}
            return (None, *sorted(near))
        case ValueType.STR:
            return (None, *sorted({text + "\0" * step for text in (*texts, "") for step in range(count + 1)}))
        case ValueType.SET_STR | ValueType.SET_INT | ValueType.SET_BOOL:
            # "\0" is also among the texts to try: an element that no literal names, and that a text may be.
            members = sorted({*texts, "\0"} if ELEMENT[name.type] is ValueType.STR else numbers, key=str)
            if len(members) > MAX_SET_ELEMENTS:
                raise TooManySituationsError(
                    message(
                        "`{name}` is compared with more than {most} values",
                        name=name.dotted,
                        most=MAX_SET_ELEMENTS,
                    )
                )
            subsets = chain.from_iterable(combinations(members, size) for size in range(len(members) + 1))
            return (None, *(frozenset(subset) for subset in subsets))  # type: ignore[arg-type]  # of one type
        case _:
            assert_never(name.type)


def size(values: Mapping[str, Sequence[Value | None]]) -> int:
    """Return how many situations there are."""
    return prod(len(found) for found in values.values())


def situations(values: Mapping[str, Sequence[Value | None]]) -> Iterator[dict[str, Value | None]]:
    """Yield every combination of values."""
    names = tuple(values)
    for combination in product(*values.values()):
        yield dict(zip(names, combination, strict=True))


def situation(values: Mapping[str, Sequence[Value | None]], number: int) -> dict[str, Value | None]:
    """Return the combination that stands at a place of `situations`, without making those before it."""
    found: dict[str, Value | None] = {}
    for name in reversed(tuple(values)):
        number, position = divmod(number, len(values[name]))
        found[name] = values[name][position]
    return {name: found[name] for name in values}


def days_in(conditions: Sequence[Condition]) -> tuple[date, ...]:
    """Return the days with which conditions compare: the first day of a literal such as `2027` or `2027-04-01`.

    Raises:
        TooManySituationsError: a text begins as a day does and is none, so its place among days is odd.
    """
    texts = {literal.value for condition in conditions for literal in _beside_today(condition)}
    days: list[date] = []
    for text in texts:
        if type(text) is str and text[:1].isdigit():
            try:
                days.append(date.fromisoformat((text + "-01-01")[:10] if _DAY_LIKE.fullmatch(text) else text))
            except ValueError:
                raise TooManySituationsError(message("`{text}` is not a day of the calendar", text=text)) from None
    return tuple(days)


def texts_that_meet(dotted: str, conditions: Sequence[Condition]) -> frozenset[str]:
    """Return the texts with which a name is compared, directly or through other names."""
    nodes = [node for condition in conditions for node in _relations(condition)]
    linked = {dotted}
    while True:
        met = {
            name.dotted for node in nodes for name in names_in(node) if linked & {one.dotted for one in names_in(node)}
        }
        if met <= linked:
            break
        linked |= met
    touching = [node for node in nodes if linked & {name.dotted for name in names_in(node)}]
    return frozenset(
        literal.value for node in touching for literal in literals_in(node) if isinstance(literal.value, str)
    )


def _relations(condition: Condition) -> Iterator[Condition]:
    if isinstance(condition, (Compare, In, Meets)):
        yield condition
    for part in children(condition):
        yield from _relations(part)


def _beside_today(condition: Condition) -> Iterator[Literal]:
    """Yield the literals of the comparisons that `today` takes part in."""
    parts = children(condition)
    if any(isinstance(part, Name) and part.dotted == "today" for part in parts):
        for part in parts:
            yield from literals_in(part)
    for part in parts:
        yield from _beside_today(part)


def boundary_days(days: Iterable[date]) -> tuple[date, ...]:
    """Return the days, each with the day before and the day after."""
    one = timedelta(days=1)
    return tuple(sorted({near for day in days for near in (day - one, day, day + one)}))
