"""Arguments that objects above an entity fill (`@fromContext`): values, and one `_entities` field for each set of them.

A request has one value for each variable. So the entities of one input are divided by the values that their ancestors
give, and the fetch is asked in the form that has an `_entities` field for each such set.
"""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from typing import Any

import msgspec
from graphql import OperationDefinitionNode, VariableDefinitionNode, Visitor, parse, print_ast, visit

from federation.execution.collect import Found
from federation.execution.fold import FoldedFetch, WantedEntities
from federation.execution.inputs import Above, Broken, lost_input, reached
from federation.execution.places import typename_of
from federation.execution.shape import Position, locate
from federation.planning.plan import Contexts, ContextSource, Key, Path, RepresentationField
from federation.planning.render import variables_in

_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class Given:
    """The values that the entities under one path are given: where each argument is read, and whether it may be null.

    `sources` holds, for every argument, its sources with the positions of the objects that have them.
    """

    path: Path
    required: tuple[bool, ...]
    sources: tuple[tuple[tuple[ContextSource, Position], ...], ...]

    @classmethod
    def of(cls, contexts: Contexts, root: Position, path: Path) -> Given:
        """Find the positions of the objects above one path."""
        return cls(
            path,
            tuple(argument.type.endswith("!") for argument in contexts.arguments),
            tuple(
                tuple((source, _position_above(root, path, source.up)) for source in argument.sources)
                for argument in contexts.arguments
            ),
        )

    def above(self, root: Any) -> dict[int, Above]:
        """Return the objects above every entity, by the entity's identity in the merged tree."""
        return {id(value): above for value, above in reached(root, self.path, ())}

    def values(self, above: Above) -> tuple[Any, ...] | None:
        """Return one entity's values; None when one that must not be null is null."""
        found = []
        for required, sources in zip(self.required, self.sources, strict=True):
            holder = _holder(sources, above)
            value = None if holder is None else _leaf(holder[1], holder[0].read, holder[2])
            if value is None and required:
                return None
            found.append(value)
        return tuple(found)

    def is_lost(self, above: Above, causes: AbstractSet[int], broken: Broken) -> bool:
        """Say whether a value is null because a fetch in `causes` failed, or it is broken."""
        holders = (_holder(sources, above) for sources in self.sources)
        return any(
            lost_input(holder[1], (holder[0].read,), holder[2], causes, broken)
            for holder in holders
            if holder is not None
        )


def divide(
    found: Found, given: Sequence[Given], root: Any, contexts: Contexts, causes: AbstractSet[int], broken: Broken
) -> tuple[list[Found], bool]:
    """Divide an input's entities into those of each set of values; also say whether some were left out as lost.

    Each part's `given` are its variables, encoded.
    """
    keys = list(found.index)
    parts: dict[bytes, Found] = {}
    lost = False
    start = 0
    for number, (where, end) in enumerate(zip(given, found.ends, strict=True)):
        above = where.above(root)
        for value, at in zip(found.objects[start:end], found.numbers[start:end], strict=True):
            if where.is_lost(above[id(value)], causes, broken):
                lost = True
                continue
            values = where.values(above[id(value)])
            if values is None:
                continue
            part = parts.setdefault(_encode(values), Found())
            part.ends += [len(part.objects)] * (number - len(part.ends))
            part.objects.append(value)
            part.numbers.append(part.index.setdefault(keys[at], len(part.index)))
        start = end
    for index, (values_json, part) in enumerate(parts.items()):
        part.ends += [len(part.objects)] * (len(given) - len(part.ends))
        part.given = [
            b"%b:%b" % (_encode(contexts.numbered(argument.variable, index)), value)
            for argument, value in zip(
                contexts.arguments, msgspec.json.decode(values_json, type=list[msgspec.Raw]), strict=True
            )
        ]
    return list(parts.values()), lost


def in_sets(fetch: FoldedFetch, counts: Sequence[int]) -> FoldedFetch:
    """Return a fetch with an entity input and a field in its operation for each set, `counts` of them by input."""
    operation = _without_idle(fetch)
    entities: list[WantedEntities] = []
    for entity, count in zip(fetch.entities, counts, strict=True):
        if entity.contexts is None:
            entities.append(entity)
            continue
        operation = _repeated(operation, entity.contexts, count)
        entities += [_numbered(entity, entity.contexts, number) for number in range(count)]
    return replace(fetch, operation=_tidy(operation), entities=tuple(entities), idle_contexts=())


def operation_text(fetch: FoldedFetch) -> str:
    """Return the operation as it is sent: without the fields of inputs that were folded away."""
    return _tidy(_without_idle(fetch)) if fetch.idle_contexts else fetch.operation


def _without_idle(fetch: FoldedFetch) -> str:
    operation = fetch.operation
    for contexts in fetch.idle_contexts:
        operation = _repeated(operation, contexts, 0)
    return operation


def _repeated(operation: str, contexts: Contexts, count: int) -> str:
    """Write the field and the definitions of set 0 as often as there are sets."""
    for text in (contexts.field, contexts.definitions):
        several = ", ".join(contexts.numbered(text, number) for number in range(count))
        operation = operation.replace(contexts.numbered(text, 0), several)
    return operation


def _numbered(entity: WantedEntities, contexts: Contexts, number: int) -> WantedEntities:
    return replace(
        entity,
        alias=contexts.numbered(contexts.alias, number),
        variable=contexts.numbered(contexts.variable, number),
    )


class _Unused(Visitor):
    """Drops the definitions of variables that are not among the names in use."""

    def __init__(self, used: AbstractSet[str]) -> None:
        super().__init__()
        self._used = used

    def enter_variable_definition(self, node: VariableDefinitionNode, *_: Any) -> Any:
        return None if node.variable.name.value in self._used else self.REMOVE


def _tidy(operation: str) -> str:
    """Drop the definitions of variables that are used no longer: a member would refuse them."""
    document = parse(operation, no_location=True)
    (definition,) = document.definitions
    assert isinstance(definition, OperationDefinitionNode)
    used = variables_in([print_ast(definition.selection_set)])
    return print_ast(visit(document, _Unused(used)))


def _position_above(root: Position, path: Path, up: int) -> Position:
    keys = [index for index, step in enumerate(path) if isinstance(step, Key)]
    position = locate(root, path[: keys[-up]])
    assert position is not None  # what is above the objects of a path was selected on the way
    return position


def _holder(
    sources: Sequence[tuple[ContextSource, Position]], above: Above
) -> tuple[ContextSource, Position, Any] | None:
    """Return the nearest object above that sets the context."""
    for source, position in sources:
        value = above[-source.up]
        if not source.on or typename_of(value) in source.on:
            return source, position, value
    return None


def _leaf(position: Position, read: RepresentationField, value: Any) -> Any:
    """Follow a selection down to its one leaf; lists on the way make lists."""
    slot = position.slots.get(read.source)
    if slot is None:
        return None
    inner = getattr(value, slot.attribute)
    return inner if slot.child is None else _leaves(slot.child, read, inner)


def _leaves(position: Position, read: RepresentationField, value: Any) -> Any:
    if value is None:
        return None
    if isinstance(value, list):
        return [_leaves(position, read, item) for item in value]
    for below in read.selections:
        if below.name != "__typename" and (not below.on or typename_of(value) in below.on):
            return _leaf(position, below, value)
    return None
