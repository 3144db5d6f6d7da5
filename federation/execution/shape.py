"""The merged tree of a plan: which source keys stand where, who writes them, and the Structs that hold them.

Every object of the tree is an instance of a generated msgspec Struct. A member's answer is decoded straight into these
Structs, which makes them a guard: a field nobody asked for has no place to go, and a value of another type is an error.
An object has an attribute for every source key of its position, also for those that other fetches write later. Such a
foreign attribute is declared null under a name with a space in front, which no field of a GraphQL answer can have, so
that no member can fill what another member was asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import msgspec

from federation.execution.codegen import attribute, writer_attribute
from federation.execution.fold import FoldedPlan, Wanted
from federation.execution.types import TypeRef, json_type, strict_json_type
from federation.planning.plan import Each, Key, OnType, Path

TYPENAME = "__typename"


@dataclass(slots=True)
class Slot:
    """One source key of a position. `writers` are places in the plan's order of fetches; `child` is None for a leaf.

    `shared` says that one fetch writes the key several times: entities of several types, or sent with several sets of
    inputs. `strict` is set where values pass from the answer to the response as they are: the type in the API schema,
    whose nulls the decoder then judges.
    """

    key: str
    attribute: str
    child: Position | None
    depth: int
    writers: list[int] = field(default_factory=list)
    shared: bool = False
    strict: TypeRef | None = None

    @property
    def contested(self) -> bool:
        """Whether several fetches write this leaf, so that each object must remember whose value it holds."""
        return self.child is None and len(self.writers) > 1

    @property
    def single(self) -> bool:
        """Whether every value is written once, so that nothing is there before."""
        return len(self.writers) == 1 and not self.shared


@dataclass(slots=True)
class Position:
    """A place in the merged tree, reached by source keys from the root."""

    path: tuple[str, ...]
    slots: dict[str, Slot] = field(default_factory=dict)

    def child(self, key: str) -> Position | None:
        """Return the position of the objects under `key`, None when no fetch selects any."""
        slot = self.slots.get(key)
        return None if slot is None else slot.child


@dataclass(frozen=True, slots=True)
class Field:
    """A key of one answer with all its selections merged. `certain` fields must be present in every object."""

    key: str
    type: TypeRef
    selections: tuple[Wanted, ...] | None
    certain: bool


class Nulls(Enum):
    """What a decoder does with a null in a non-null place."""

    JUDGED = "refused where values pass as they are"
    ALLOWED = "allowed everywhere: the response's null propagation decides"


Leaf = Callable[[str], Any]
"""Returns the Python type that a named leaf type decodes to."""


def merged_tree(plan: FoldedPlan) -> Position:
    """Return the root position, with everything that the plan's fetches and its introspection write."""
    root = Position(())
    for shown in plan.response:
        if is_introspection(shown.coordinate):
            root.slots[shown.source] = Slot(shown.source, attribute(shown.source), None, 0)
    for order, fetch in enumerate(plan.fetches):
        _write(root, fetch.selections, order)
        for entity in fetch.entities:
            for position in positions(root, entity.paths):
                _write(position, entity.selections, order)
    return root


def is_introspection(coordinate: str) -> bool:
    """Say whether a field is answered from the API schema, whole, like a leaf."""
    return coordinate.endswith((".__schema", ".__type"))


def locate(root: Position, path: Path) -> Position | None:
    """Return the position that a path leads to, None when a fetch on the way was left out of the plan."""
    position: Position | None = root
    for step in path:
        match step:
            case Key(name):
                position = None if position is None else position.child(name)
            case Each() | OnType():
                pass
    return position


def positions(root: Position, paths: Sequence[Path]) -> list[Position]:
    """Return each position that the paths lead to once, in order; positions are compared by identity."""
    found = (locate(root, path) for path in paths)
    return list({id(position): position for position in found if position is not None}.values())


def fields(selections: Sequence[Wanted]) -> Iterator[Field]:
    """Merge selections that share a response key, as the member will (GraphQL section 6.3.2)."""
    by_key: dict[str, list[Wanted]] = {}
    for wanted in selections:
        by_key.setdefault(wanted.key, []).append(wanted)
    for key, variants in by_key.items():
        first = variants[0]
        certain = any(not wanted.on for wanted in variants)
        if first.selections is None:
            same = all(wanted.type.name == first.type.name for wanted in variants)
            yield Field(key, first.type if same else _untyped(first.type), None, certain)
        elif len(variants) == 1:
            yield Field(key, first.type, first.selections, certain)
        else:
            yield Field(key, first.type, tuple(_inner(variants)), certain)


def _inner(variants: Sequence[Wanted]) -> Iterator[Wanted]:
    """Join the selections of variants for different typenames: what some variant does not select may be absent."""
    always = set.intersection(
        *({inner.key for inner in variant.selections or () if not inner.on} for variant in variants)
    )
    for variant in variants:
        for inner in variant.selections or ():
            maybe = frozenset[str]() if inner.key in always else inner.on or variant.on or frozenset({"?"})
            yield Wanted(inner.key, inner.type, inner.selections, maybe)


def _untyped(ref: TypeRef) -> TypeRef:
    """Return the reference with a name that no schema has, so that any leaf is accepted."""
    item = None if ref.item is None else _untyped(ref.item)
    return TypeRef("_", ref.non_null, item)


def _write(position: Position, selections: Sequence[Wanted], order: int) -> None:
    for wanted in fields(selections):
        slot = position.slots.get(wanted.key)
        if slot is None:
            child = None if wanted.selections is None else Position((*position.path, wanted.key))
            slot = Slot(wanted.key, attribute(wanted.key), child, wanted.type.depth)
            position.slots[wanted.key] = slot
        if order in slot.writers:
            slot.shared = True
        else:
            slot.writers.append(order)
        if slot.child is not None:
            _write(slot.child, wanted.selections or (), order)


def answer_struct(
    position: Position, selections: Sequence[Wanted], order: int, leaf: Leaf, nulls: Nulls
) -> type[msgspec.Struct]:
    """Return the Struct that one fetch's answer decodes to at a position; `FETCH` is the fetch's place."""
    asked = {wanted.key: wanted for wanted in fields(selections)}
    definition: list[tuple[str, Any] | tuple[str, Any, Any]] = []
    names: dict[str, str] = {}
    for slot in position.slots.values():
        wanted = asked.get(slot.key)
        if wanted is None:
            definition.append((slot.attribute, None, None))
            names[slot.attribute] = f" {slot.key}"
        else:
            inner = _field_type(slot, wanted, order, leaf, nulls)
            judged = nulls is Nulls.JUDGED and slot.strict is not None and slot.strict.non_null
            present = wanted.certain or judged
            definition.append((slot.attribute, inner) if present else (slot.attribute, inner, None))
            names[slot.attribute] = slot.key
        if slot.contested:
            definition.append((writer_attribute(slot.key), None, None))
            names[writer_attribute(slot.key)] = f" writer of {slot.key}"
    return _struct("_".join(("At", *position.path)), definition, names, order)


def root_struct(root: Position) -> type[msgspec.Struct]:
    """Return the Struct of the merged tree's root, into which the answers of all root fetches are merged."""
    definition: list[tuple[str, Any] | tuple[str, Any, Any]] = []
    for slot in root.slots.values():
        definition.append((slot.attribute, Any, None))
        if slot.contested:
            definition.append((writer_attribute(slot.key), Any, None))
    return _struct("Root", definition, {}, -1)


def _field_type(slot: Slot, wanted: Field, order: int, leaf: Leaf, nulls: Nulls) -> Any:
    if slot.child is None or wanted.selections is None:
        inner = leaf(wanted.type.name)
    else:
        inner = answer_struct(slot.child, wanted.selections, order, leaf, nulls)
    if nulls is Nulls.JUDGED and slot.strict is not None:
        return strict_json_type(slot.strict, inner)
    return json_type(wanted.type, inner)


def _struct(
    name: str, definition: list[tuple[str, Any] | tuple[str, Any, Any]], names: dict[str, str], order: int
) -> type[msgspec.Struct]:
    # gc=False: answers are trees, so reference counting frees them and the collector need not look (engine.md 3.6).
    return msgspec.defstruct(name, definition, rename=names or None, gc=False, kw_only=True, namespace={"FETCH": order})
