"""Subgraph schemas as their servers have them: from federation SDL to an executable schema with `_entities`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphql import (
    DocumentNode,
    InterfaceTypeExtensionNode,
    ObjectTypeDefinitionNode,
    ObjectTypeExtensionNode,
    SchemaDefinitionNode,
    SchemaExtensionNode,
    build_ast_schema,
    extend_schema,
    parse,
)

if TYPE_CHECKING:
    from graphql import DefinitionNode, GraphQLSchema

ROOTS = ("Query", "Mutation", "Subscription")


def subgraph_schema(sdl: str) -> GraphQLSchema:
    """Build the schema that a subgraph with this SDL serves; federation directives are left unchecked."""
    definitions = [
        node
        for node in parse(sdl, no_location=True).definitions
        if not isinstance(node, SchemaDefinitionNode | SchemaExtensionNode)
    ]
    named = {node.name.value for node in definitions if type(node).__name__.endswith("DefinitionNode")}  # type: ignore[attr-defined] # all have names
    extended = {node.name.value for node in definitions if type(node).__name__.endswith("ExtensionNode")}  # type: ignore[attr-defined] # all have names
    missing = "\n".join(_empty(definitions, name) for name in sorted(extended - named))
    query = "" if "Query" in named | extended else "type Query { _empty: Boolean }"
    entities = sorted({name for node in definitions if (name := _entity(node)) is not None})
    served = f"scalar _Any\nunion _Entity = {' | '.join(entities)}" if entities else ""
    root = "extend type Query { _entities(representations: [_Any!]!): [_Entity]! }" if entities else ""
    base = parse(f"{missing}\n{query}\n{served}\nscalar FieldSet", no_location=True)
    base_nodes = [node for node in definitions if type(node).__name__.endswith("DefinitionNode")]
    rest = [node for node in definitions if type(node).__name__.endswith("ExtensionNode")]
    schema = build_ast_schema(
        DocumentNode(definitions=(*base.definitions, *base_nodes)), assume_valid=True, assume_valid_sdl=True
    )
    more = parse(root, no_location=True).definitions if root else ()
    document = DocumentNode(definitions=(*rest, *more))
    return extend_schema(schema, document, assume_valid=True, assume_valid_sdl=True) if rest or more else schema


def _empty(definitions: list[DefinitionNode], name: str) -> str:
    """Define what a document only extends."""
    for node in definitions:
        if isinstance(node, InterfaceTypeExtensionNode) and node.name.value == name:
            return f"interface {name}"
        if isinstance(node, ObjectTypeExtensionNode) and node.name.value == name:
            return f"type {name}"
    return f"union {name}"


def _entity(node: DefinitionNode) -> str | None:
    """Return the name of an object type that has a key."""
    if not isinstance(node, ObjectTypeDefinitionNode | ObjectTypeExtensionNode):
        return None
    return node.name.value if any(one.name.value == "key" for one in node.directives or ()) else None
