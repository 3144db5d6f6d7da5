"""Printed GraphQL types as values, and what JSON each leaf type may be."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Any

import msgspec
from graphql import GraphQLEnumType, GraphQLSchema, is_composite_type
from typing_extensions import override

Int32 = Annotated[int, msgspec.Meta(ge=-(2**31), le=2**31 - 1)]
"""GraphQL section 3.5.1: Int is a signed 32-bit integer."""

BUILT_IN: dict[str, Any] = {"Int": Int32, "Float": float, "String": str, "Boolean": bool, "ID": str}


@dataclass(frozen=True, slots=True)
class TypeRef:
    """A GraphQL type reference: a named type, or a list of `item`."""

    name: str
    non_null: bool
    item: TypeRef | None = None

    @staticmethod
    def parse(text: str) -> TypeRef:
        """Read the printed form, such as `[Citizen!]!`; `name` is the innermost named type."""
        return _parse(text)

    @property
    def depth(self) -> int:
        """How many lists stand around the named type."""
        return 0 if self.item is None else 1 + self.item.depth

    @override
    def __str__(self) -> str:
        inner = self.name if self.item is None else f"[{self.item}]"
        return f"{inner}!" if self.non_null else inner


@lru_cache(maxsize=4096)
def _parse(text: str) -> TypeRef:
    non_null = text.endswith("!")
    inner = text[:-1] if non_null else text
    if inner.startswith("[") and inner.endswith("]"):
        item = _parse(inner[1:-1])
        return TypeRef(item.name, non_null, item)
    if not inner.isidentifier():
        raise ValueError(f"`{text}` is not a printed type")
    return TypeRef(inner, non_null, None)


def json_type(ref: TypeRef, leaf: Any) -> Any:
    """Return the Python type that decodes `ref` when its named type decodes as `leaf`; nulls are allowed everywhere.

    Nulls in non-null places are judged later, against the API schema's types (GraphQL section 6.4.4).
    """
    inner = leaf if ref.item is None else list[json_type(ref.item, leaf)]  # type: ignore[misc]  # built at run time
    return inner if inner is Any else inner | None


def strict_json_type(ref: TypeRef, leaf: Any) -> Any:
    """Return the Python type that decodes `ref` and refuses null where the reference is non-null."""
    inner = leaf if ref.item is None else list[strict_json_type(ref.item, leaf)]  # type: ignore[misc]  # built at run time
    return inner if ref.non_null or inner is Any else inner | None


@dataclass(frozen=True, slots=True)
class SchemaTypes:
    """The questions that execution asks of the API schema."""

    schema: GraphQLSchema

    def leaf(self, name: str) -> Any:
        """Return the Python type of a leaf: strict for built-in scalars and enums, anything for custom scalars."""
        if name in BUILT_IN:
            return BUILT_IN[name]
        return str if isinstance(self.schema.type_map.get(name), GraphQLEnumType) else Any

    def enum_values(self, name: str) -> frozenset[str] | None:
        """Return the values of an enum that clients may see, or None for any other type."""
        named = self.schema.type_map.get(name)
        return frozenset(named.values) if isinstance(named, GraphQLEnumType) else None

    def is_composite(self, name: str) -> bool:
        """Say whether a type has fields: its values are objects, even where no field is left to be shown."""
        return is_composite_type(self.schema.type_map.get(name))
