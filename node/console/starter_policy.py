"""What a first policy bundle for a mapping says beyond the schema: the attributes that conditions may test."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from node.data.expressions import Age, Expression, OwnerAttribute, PlainType, Truth, Typed, ValueSet
from node.data.mapping import Mapping as NodeMapping

_TYPES: Final[Mapping[PlainType, str]] = {PlainType.STR: "str", PlainType.INT: "int", PlainType.BOOL: "bool"}


def attribute_types(mapping: NodeMapping) -> dict[str, dict[str, str]]:
    """Return the attributes of each type that a mapping gives, with their types as policies name them."""
    found: dict[str, dict[str, str]] = {}
    for source in mapping.sources.values():
        of_type = found.setdefault(source.type_name, {})
        of_type.update({word: _type_of(each, mapping) for word, each in source.attributes.items()})
    return found


def _type_of(expression: Expression, mapping: NodeMapping) -> str:
    match expression:
        case Age():
            return "int"
        case Truth():
            return "bool"
        case ValueSet():
            return "set<str>"
        case Typed(_, kind):
            return _TYPES[kind]
        case OwnerAttribute(name):
            of_owners = (source.attributes.get(name) for source in mapping.sources.values())
            own = next((found for found in of_owners if found is not None and found != expression), None)
            return "str" if own is None else _type_of(own, mapping)
        case _:
            return "str"
