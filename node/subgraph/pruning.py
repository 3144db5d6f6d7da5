"""Drops from a schema what leads nowhere once some of its fields are gone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from graphql import (
    ConstDirectiveNode,
    EnumTypeDefinitionNode,
    FieldDefinitionNode,
    InputObjectTypeDefinitionNode,
    ListTypeNode,
    NamedTypeNode,
    NonNullTypeNode,
    ObjectTypeDefinitionNode,
    TypeDefinitionNode,
    TypeNode,
    UnionTypeDefinitionNode,
)

BUILT_IN = frozenset({"Int", "Float", "String", "Boolean", "ID"})


def innermost(node: TypeNode) -> str:
    """Return a type's name without lists and non-nulls."""
    inner = node
    while isinstance(inner, (ListTypeNode, NonNullTypeNode)):
        inner = inner.type
    assert isinstance(inner, NamedTypeNode)
    return inner.name.value


def without_empty(definitions: Mapping[str, TypeDefinitionNode]) -> dict[str, TypeDefinitionNode]:
    """Drop types without fields, and whatever leads to them, until nothing changes."""
    current = dict(definitions)
    while True:
        found: dict[str, TypeDefinitionNode] = {}
        for name, node in current.items():
            kept = _leading_somewhere(node, current)
            if kept is not None:
                found[name] = kept
        if found == current:
            return found
        current = found


def _leading_somewhere(node: TypeDefinitionNode, known: Mapping[str, TypeDefinitionNode]) -> TypeDefinitionNode | None:
    match node:
        case ObjectTypeDefinitionNode():
            fields = [_without_closed(field, known) for field in node.fields or () if _is_known(field.type, known)]
            carries = not node.name.value.endswith("Edge") or any(field.name.value == "node" for field in fields)
            carries &= not node.name.value.endswith("Connection") or any(f.name.value == "edges" for f in fields)
            return with_fields(node, fields) if carries else None
        case InputObjectTypeDefinitionNode():
            return _input(node, known)
        case EnumTypeDefinitionNode():
            return node if node.values else None
        case UnionTypeDefinitionNode():
            types = tuple(each for each in node.types or () if each.name.value in known)
            return UnionTypeDefinitionNode(name=node.name, types=types, directives=()) if types else None
        case _:
            return node


def _input(
    node: InputObjectTypeDefinitionNode, known: Mapping[str, TypeDefinitionNode]
) -> InputObjectTypeDefinitionNode | None:
    """Keep an input that tests something itself: combining nothing with nothing is no filter."""
    name = node.name.value
    fields = tuple(field for field in node.fields or () if _is_known(field.type, known))
    if all(innermost(field.type) == name for field in fields):
        return None
    return InputObjectTypeDefinitionNode(
        name=node.name, description=node.description, directives=node.directives, fields=fields
    )


def object_type(
    declared: ObjectTypeDefinitionNode,
    fields: tuple[FieldDefinitionNode, ...],
    directives: tuple[ConstDirectiveNode, ...],
) -> ObjectTypeDefinitionNode:
    """Return a type as declared, with these fields and directives instead."""
    return ObjectTypeDefinitionNode(
        name=declared.name, description=declared.description, interfaces=(), directives=directives, fields=fields
    )


def with_fields(
    node: ObjectTypeDefinitionNode, fields: Iterable[FieldDefinitionNode]
) -> ObjectTypeDefinitionNode | None:
    """Return a type with the fields, None if there are none."""
    kept = tuple(fields)
    return object_type(node, kept, tuple(node.directives or ())) if kept else None


def _without_closed(field: FieldDefinitionNode, known: Mapping[str, TypeDefinitionNode]) -> FieldDefinitionNode:
    """Drop the arguments whose type is not shown."""
    arguments = field.arguments or ()
    kept = tuple(each for each in arguments if _is_known(each.type, known))
    if len(kept) == len(arguments):
        return field
    return FieldDefinitionNode(
        name=field.name, description=field.description, arguments=kept, type=field.type, directives=field.directives
    )


def _is_known(node: TypeNode, known: Mapping[str, TypeDefinitionNode]) -> bool:
    return innermost(node) in known or innermost(node) in BUILT_IN
