"""The GraphQL types that a bundle must cover, read from SDL without validating it (policy R1, R14, R19)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self

from graphql import GraphQLError, ListTypeNode, NamedTypeNode, NonNullTypeNode, TypeNode, parse
from graphql.language import ObjectTypeDefinitionNode, ObjectTypeExtensionNode

from federation.contract.governed import is_governed_field, is_governed_type
from node.policy.errors import PolicyError
from node.policy.messages import message

_KEY: Final = "key"


@dataclass(frozen=True, slots=True)
class FieldShape:
    """The type of a field: the name inside, whether it is a list, whether it may be null."""

    type_name: str
    is_list: bool
    nullable: bool


@dataclass(frozen=True, slots=True)
class SchemaView:
    """The governed types of a schema with their fields; roots and the plumbing of connections are not governed."""

    types: Mapping[str, Mapping[str, FieldShape]]
    keyed: frozenset[str] = frozenset()  # the types with a key, whose objects can be asked for one by one

    @classmethod
    def parse(cls, sdl: str) -> Self:
        """Read SDL; directives need not be defined, and `extend type` counts.

        Raises:
            PolicyError: the text is not GraphQL SDL.
        """
        try:
            document = parse(sdl, no_location=True)
        except GraphQLError as error:
            line = error.locations[0].line if error.locations else 1
            told = message("schema is not valid SDL at line {line}: {problem}", line=line, problem=error.message)
            raise PolicyError(told) from error
        types: dict[str, dict[str, FieldShape]] = {}
        keyed: set[str] = set()
        for definition in document.definitions:
            if isinstance(definition, (ObjectTypeDefinitionNode, ObjectTypeExtensionNode)):
                name = definition.name.value
                if is_governed_type(name):
                    fields = types.setdefault(name, {})
                    keyed |= {name for directive in definition.directives or () if directive.name.value == _KEY}
                    for field in definition.fields or ():
                        fields[field.name.value] = _shape(field.type)
        governed = {
            name: {field: shape for field, shape in fields.items() if is_governed_field(field, fields)}
            for name, fields in types.items()
        }
        return cls(governed, frozenset(keyed))


def _shape(node: TypeNode) -> FieldShape:
    nullable = not isinstance(node, NonNullTypeNode)
    inner = node.type if isinstance(node, NonNullTypeNode) else node
    is_list = isinstance(inner, ListTypeNode)
    while isinstance(inner, (ListTypeNode, NonNullTypeNode)):
        inner = inner.type
    assert isinstance(inner, NamedTypeNode)
    return FieldShape(inner.name.value, is_list, nullable)
