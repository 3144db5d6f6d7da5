"""The GraphQL types that a bundle must cover, read from SDL without validating it (policy R1, R14, R19)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self

from graphql import GraphQLError, ListTypeNode, NamedTypeNode, NonNullTypeNode, TypeNode, parse
from graphql.language import ObjectTypeDefinitionNode, ObjectTypeExtensionNode

from federation.contract.coverage import is_plumbing
from node.policy.errors import PolicyError
from node.policy.messages import message

_ROOTS: Final = frozenset({"Query", "Mutation", "Subscription", "_Service", "PageInfo"})
_MATCHES: Final = "Matches"
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
                if name not in _ROOTS and not is_plumbing(name):
                    fields = types.setdefault(name, {})
                    keyed |= {name for directive in definition.directives or () if directive.name.value == _KEY}
                    for field in definition.fields or ():
                        fields[field.name.value] = _shape(field.type)
        return cls({name: _without_matches(fields) for name, fields in types.items()}, frozenset(keyed))


def _shape(node: TypeNode) -> FieldShape:
    nullable = not isinstance(node, NonNullTypeNode)
    inner = node.type if isinstance(node, NonNullTypeNode) else node
    is_list = isinstance(inner, ListTypeNode)
    while isinstance(inner, (ListTypeNode, NonNullTypeNode)):
        inner = inner.type
    assert isinstance(inner, NamedTypeNode)
    return FieldShape(inner.name.value, is_list, nullable)


def _without_matches(fields: Mapping[str, FieldShape]) -> dict[str, FieldShape]:
    """Leave out `<field>Matches`: it is decided under the coordinate of its field."""
    return {
        name: shape
        for name, shape in fields.items()
        if not (name.endswith(_MATCHES) and name.removesuffix(_MATCHES) in fields)
    }
