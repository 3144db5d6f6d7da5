"""Says which entities must not be asked about, because something they are asked with was lost on the way.

A `@requires` input that is null in the data is sent as null. One that is null because its member failed, or reported an
error for it, is not: the answer would be computed from nothing and look like data.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from collections.abc import Set as AbstractSet
from typing import Any

from federation.execution.codegen import attribute
from federation.execution.collect import Found, is_whole
from federation.execution.places import typename_of
from federation.execution.shape import Position
from federation.planning.plan import Each, Key, OnType, Path, Reference, RepresentationField

Broken = Container[tuple[int, str]]
"""Fields that a member reported an error for: the identity of the object in the merged tree, and the source key."""


Above = tuple[Any, ...]
"""The objects above an entity, from the root down."""


def lost_reference(
    position: Position,
    references: Sequence[Reference],
    value: Any,
    causes: AbstractSet[int],
    broken: Broken,
) -> bool:
    """Say whether an object cannot be asked about because something in its representation was lost.

    That is the representation by the first key that is there; without any, a key may be what was lost.
    """
    typename = typename_of(value)
    fitting = [one for one in references if not one.on or typename in one.on]
    if len(fitting) > 1:
        usable = (one for one in fitting if is_whole(position, one.key, value))
        fitting = [first] if (first := next(usable, None)) is not None else fitting
    return any(lost_input(position, one.fields, value, causes, broken) for one in fitting)


def lost_input(
    position: Position,
    parts: Sequence[RepresentationField],
    value: Any,
    causes: AbstractSet[int],
    broken: Broken,
) -> bool:
    """Say whether a representation field of an object is null because a fetch in `causes` failed, or it is broken."""
    typename = typename_of(value)
    for part in parts:
        slot = position.slots.get(part.source)
        if slot is None or (part.on and typename not in part.on):
            continue
        inner = getattr(value, slot.attribute)
        if (id(value), part.source) in broken and _has_null(inner):
            return True
        if inner is None:
            if not causes.isdisjoint(slot.writers):
                return True
        elif slot.child is not None:
            child = slot.child
            if any(lost_input(child, part.selections, item, causes, broken) for item in _objects(inner)):
                return True
    return False


def _has_null(value: Any) -> bool:
    return any(map(_has_null, value)) if isinstance(value, list) else value is None


def _objects(value: Any) -> Iterator[Any]:
    if isinstance(value, list):
        for item in value:
            yield from _objects(item)
    elif value is not None:
        yield value


def without(found: Found, kept: Sequence[bool]) -> Found:
    """Return what was found without some of the objects, which are lost, and representations that only they had."""
    encoded = list(found.index)
    less = Found()
    less.lost = True
    for value, number, keep in zip(found.objects, found.numbers, kept, strict=True):
        if keep:
            less.objects.append(value)
            less.numbers.append(less.index.setdefault(encoded[number], len(less.index)))
    less.ends = [sum(kept[:end]) for end in found.ends]
    return less


def broken_fields(value: Any, path: Sequence[str | int]) -> Iterator[tuple[int, str]]:
    """Follow a member's error path from an object of the merged tree to the field that is null, or has one, for it."""
    holder: tuple[int, str] | None = None
    for step in path:
        if isinstance(step, int):
            if not isinstance(value, list) or not 0 <= step < len(value):
                return
            value = value[step]
        elif isinstance(value, list):
            return
        else:
            holder = (id(value), step)
            value = getattr(value, attribute(step), None) if step.isidentifier() else None
        if value is None:
            if holder is not None:
                yield holder
            return


def reached(value: Any, path: Path, above: Above) -> Iterator[tuple[Any, Above]]:
    """Yield every object that a path leads to, with the objects above it."""
    if value is None:
        return
    if not path:
        yield value, above
        return
    step, rest = path[0], path[1:]
    match step:
        case Key(name):
            yield from reached(getattr(value, attribute(name), None), rest, (*above, value))
        case Each():
            for item in value:
                yield from reached(item, rest, above)
        case OnType(names):
            if typename_of(value) in names:
                yield from reached(value, rest, above)
