"""How the merged tree is read out: the client's fields in the client's order, from the keys that the plan gave them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from federation.planning import guards
from federation.planning.guards import NEVER
from federation.planning.operation import TYPENAME
from federation.planning.plan import OutputField

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from federation.planning.operation import Block, Field
    from federation.planning.places import Places
    from federation.planning.tree import Entry, Group, Node


def outputs(places: Places, node: Node, block: Block | None) -> tuple[OutputField, ...]:
    """Return what is read at a node for the initial response (None) or for a deferred block."""
    return tuple(_joined(_fields(places, node, block)))


def _fields(places: Places, node: Node, block: Block | None) -> Iterator[OutputField]:
    assert node.tree is not None
    entries = {id(entry.asked): entry for entry in node.entries}
    visible = node.arriving - places.graph.hidden
    for asked in node.tree.fields:
        guard = asked.wanted.get(block, NEVER)
        types = asked.types & visible
        if guard == NEVER or not types:
            continue
        if asked.name == TYPENAME:
            yield _typename(places.constant_type(node), asked, types, visible, guard)
        elif asked.is_meta:
            yield _introspected(asked, guard)
        else:
            yield from _entry(places, entries[id(asked)], types, visible, block)


def _typename(
    constant: str | None, asked: Field, types: frozenset[str], visible: frozenset[str], guard: guards.Guard
) -> OutputField:
    return OutputField(
        response_name=asked.response_name,
        source=TYPENAME,
        coordinate=f"{_owner(asked, types)}.{TYPENAME}",
        type="String!",
        on=frozenset() if types >= visible else types,
        conditions=guards.to_conditions(guard),
        typename_literal=constant,
    )


def _introspected(asked: Field, guard: guards.Guard) -> OutputField:
    """Read what the schema answers about itself; it lies under the name the client gave it."""
    return OutputField(
        response_name=asked.response_name,
        source=asked.response_name,
        coordinate=f"{asked.parent}.{asked.name}",
        type=asked.type,
        conditions=guards.to_conditions(guard),
    )


def _entry(
    places: Places,
    entry: Entry,
    types: frozenset[str],
    visible: frozenset[str],
    block: Block | None,
) -> Iterator[OutputField]:
    """Read one entry: once per group of types that have it in different places."""
    asked = entry.asked
    assert asked is not None
    standing: dict[tuple[str, int | None], set[str]] = {}
    groups: dict[int, Group] = {}
    for name in sorted(types):
        group = entry.read.get(name)
        number = None if group is None else group.node.number
        if group is not None:
            groups[group.node.number] = group
        standing.setdefault((entry.source_on(name), number), set()).add(name)
    for (source, number), names in standing.items():
        below = groups[number].node if number is not None and asked.children is not None else None
        yield OutputField(
            response_name=asked.response_name,
            source=source,
            coordinate=f"{_owner(asked, frozenset(names))}.{asked.name}",
            type=asked.type,
            selections=() if below is None else outputs(places, below, block),
            on=frozenset() if names >= visible else frozenset(names),
            conditions=guards.to_conditions(asked.wanted[block]),
            types=_visible_types(places, below),
            denied=places.is_denied(asked),
        )


def _visible_types(places: Places, below: Node | None) -> frozenset[str]:
    """Return the types clients may see at a place, when others can arrive there; else nothing, which is no check."""
    if below is None or not below.arriving & places.graph.hidden:
        return frozenset()
    return (below.arriving - places.graph.hidden) or frozenset({TYPENAME})


def _owner(asked: Field, types: frozenset[str]) -> str:
    return next(iter(types)) if len(types) == 1 else asked.parent


def _joined(found: Iterable[OutputField]) -> Iterator[OutputField]:
    """Join fields that differ only in the types they are on."""
    merged: dict[OutputField, OutputField] = {}
    for one in found:
        key = replace(one, on=frozenset())
        before = merged.get(key)
        if before is None:
            merged[key] = one
        elif before.on and one.on:
            merged[key] = replace(before, on=before.on | one.on)
    yield from merged.values()
