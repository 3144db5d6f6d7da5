"""The client's response as a tree of nodes, each with a fixed list of fields per group of typenames."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from federation.execution.fold import Shown
from federation.execution.shape import TYPENAME, Position, Slot, is_introspection
from federation.execution.types import BUILT_IN, SchemaTypes, TypeRef


@dataclass(frozen=True, slots=True)
class OutField:
    """One field of an object of the response.

    `source` is the source key, None when no fetch writes it (its value is null); `literal` is a known `__typename`.
    `enum` holds the values a client may see when the type is an enum, `node` the objects below unless it is a leaf.
    `denied` fields are null with an error, whatever the tree holds. `passes` says that the values below are shown as a
    member sent them, so that nothing needs to be copied; see `_passes`.
    """

    response_name: str
    source: str | None
    literal: str | None
    coordinate: str
    type: TypeRef
    enum: frozenset[str] | None
    node: OutNode | None
    denied: bool
    passes: bool


@dataclass(frozen=True, slots=True)
class Variant:
    """The fields of objects with these typenames; `names` is None for all that no other variant names."""

    names: frozenset[str] | None
    fields: tuple[OutField, ...]


@dataclass(frozen=True, slots=True)
class OutNode:
    """Objects at one place of the response.

    `variants` end with the one for all other typenames. `visible` are the only typenames that may be shown, None for
    all. `typed` says whether objects carry a `__typename`.
    """

    position: Position
    variants: tuple[Variant, ...]
    visible: frozenset[str] | None
    typed: bool

    @property
    def needs_typename(self) -> bool:
        """Whether what an object shows depends on its type (GraphQL section 6.4.3, ResolveAbstractType)."""
        return len(self.variants) > 1

    def fields_of(self, typename: str | None) -> tuple[OutField, ...]:
        """Return the fields that an object of this typename shows."""
        for variant in self.variants:
            if variant.names is None or typename in variant.names:
                return variant.fields
        return ()


_NOWHERE = Position(())


def output_node(
    types: SchemaTypes, position: Position, shown: Sequence[Shown], visible: frozenset[str] = frozenset()
) -> OutNode:
    """Return the node for the fields shown at a position; an empty `visible` hides no typename."""
    typed = TYPENAME in position.slots
    named = sorted({name for field in shown for name in field.on})
    groups: dict[tuple[int, ...], list[str]] = {}
    for name in named:
        chosen = tuple(index for index, field in enumerate(shown) if not field.on or name in field.on)
        groups.setdefault(chosen, []).append(name)
    rest = tuple(index for index, field in enumerate(shown) if not field.on)
    groups.pop(rest, None)
    variants = [Variant(frozenset(names), _fields(types, position, shown, chosen)) for chosen, names in groups.items()]
    variants.append(Variant(None, _fields(types, position, shown, rest)))
    return OutNode(position, tuple(variants), visible or None, typed)


def _fields(
    types: SchemaTypes, position: Position, shown: Sequence[Shown], chosen: Sequence[int]
) -> tuple[OutField, ...]:
    """Merge what shares a response name (GraphQL section 6.3.2); the first decides order and source."""
    by_name: dict[str, list[Shown]] = {}
    for index in chosen:
        by_name.setdefault(shown[index].response_name, []).append(shown[index])
    return tuple(_field(types, position, variants) for variants in by_name.values())


def _field(types: SchemaTypes, position: Position, variants: Sequence[Shown]) -> OutField:
    first = variants[0]
    slot = position.slots.get(first.source)
    node = None
    # A field without selections may be an object all the same: nothing that was asked of it fits its typename.
    composite = types.is_composite(first.type.name) and not is_introspection(first.coordinate)
    if composite or any(variant.selections is not None for variant in variants):
        inner = tuple(shown for variant in variants for shown in variant.selections or ())
        child = _NOWHERE if slot is None or slot.child is None else slot.child
        node = output_node(types, child, inner, first.types)
    return OutField(
        response_name=first.response_name,
        source=None if slot is None or first.denied else first.source,
        literal=first.typename_literal,
        coordinate=first.coordinate,
        type=first.type,
        enum=types.enum_values(first.type.name),
        node=node,
        denied=first.denied,
        passes=node is not None and slot is not None and slot.single and _passes(node, slot.writers[0]),
    )


def _passes(node: OutNode, writer: int) -> bool:
    """Say whether objects of a node can be shown as they were decoded.

    One fetch wrote all of them, the response shows every source key under its own name in the same order, and nothing
    depends on a typename, an enum's visible values or a custom scalar's null.
    """
    if len(node.variants) != 1 or node.visible is not None:
        return False
    shown = node.variants[0].fields
    slots = list(node.position.slots.values())
    return len(shown) == len(slots) and all(
        slot.single and slot.writers == [writer] and _passes_field(field, slot, writer)
        for field, slot in zip(shown, slots, strict=True)
    )


def _passes_field(field: OutField, slot: Slot, writer: int) -> bool:
    plain = field.literal is None and field.enum is None and not field.denied
    if not plain or not field.source == field.response_name == slot.key:
        return False
    if field.node is not None:
        return _passes(field.node, writer)
    return slot.child is None and field.type.name in BUILT_IN


def judge_nulls(node: OutNode) -> None:
    """Have decoders judge the nulls of everything that passes as it is."""
    for variant in node.variants:
        for field in variant.fields:
            slot = None if field.source is None else node.position.slots.get(field.source)
            if field.passes and slot is not None:
                slot.strict = field.type
            if field.node is not None:
                judge_nulls(field.node)
                if field.passes:
                    _judge_leaves(field.node)


def _judge_leaves(node: OutNode) -> None:
    for field in node.variants[0].fields:
        if field.source is not None:
            node.position.slots[field.source].strict = field.type
