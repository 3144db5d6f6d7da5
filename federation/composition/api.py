"""The API schema: what clients of a supergraph may see, with the federation's own machinery taken out."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from graphql import (
    ConstDirectiveNode,
    DirectiveDefinitionNode,
    DocumentNode,
    EnumTypeDefinitionNode,
    FieldDefinitionNode,
    InputObjectTypeDefinitionNode,
    InputValueDefinitionNode,
    InterfaceTypeDefinitionNode,
    ObjectTypeDefinitionNode,
    SchemaDefinitionNode,
    SchemaExtensionNode,
    TypeDefinitionNode,
    UnionTypeDefinitionNode,
)

from federation.composition.model import named, type_text

if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Set as AbstractSet

    from graphql import DefinitionNode

    from federation.composition.links import Link

STANDARD_DIRECTIVES = frozenset({"deprecated", "specifiedBy", "oneOf", "skip", "include"})
EXECUTABLE_LOCATIONS = frozenset(
    {
        "QUERY",
        "MUTATION",
        "SUBSCRIPTION",
        "FIELD",
        "FRAGMENT_DEFINITION",
        "FRAGMENT_SPREAD",
        "INLINE_FRAGMENT",
        "VARIABLE_DEFINITION",
    }
)
_SHOWN = frozenset({"deprecated", "specifiedBy", "oneOf"})


def internal_document(document: DocumentNode, links: tuple[Link, ...]) -> DocumentNode:
    """Return the document without the machinery of linked specifications; inaccessible elements stay."""
    return _filtered(document, links, frozenset())


def api_document(document: DocumentNode, links: tuple[Link, ...]) -> DocumentNode:
    """Return the document without the machinery and without what is `@inaccessible` (inaccessible v0.2)."""
    hiding = next((link.directive("inaccessible") for link in links if link.name == "inaccessible"), "inaccessible")
    return _filtered(document, links, frozenset({hiding}))


def _filtered(document: DocumentNode, links: tuple[Link, ...], hiding: AbstractSet[str]) -> DocumentNode:
    """Keep what belongs to no linked specification and carries no directive of `hiding`."""
    foreign = [link for link in links if link.name]
    kept: list[DefinitionNode] = []
    gone: set[str] = set()
    for node in document.definitions:
        match node:
            case DirectiveDefinitionNode():
                name = node.name.value
                if name not in STANDARD_DIRECTIVES and not any(link.owns_directive(name) for link in foreign):
                    kept.append(node)
            case TypeDefinitionNode():
                name = node.name.value
                if any(link.owns_type(name) for link in foreign) or _hidden(node.directives, hiding):
                    gone.add(name)
                else:
                    kept.append(node)
            case SchemaExtensionNode():
                pass  # extensions of the schema only link
            case _:
                kept.append(node)
    stripped = (_stripped(node, hiding, gone) for node in kept)
    return DocumentNode(definitions=tuple(node for node in stripped if node is not None))


def _hidden(applied: Iterable[ConstDirectiveNode] | None, hiding: AbstractSet[str]) -> bool:
    return any(node.name.value in hiding for node in applied or ())


def _stripped(node: DefinitionNode, hiding: AbstractSet[str], gone: AbstractSet[str]) -> DefinitionNode | None:
    """Return a definition without its hidden parts and without directives that only the federation reads."""
    match node:
        case SchemaDefinitionNode():
            operations = tuple(item for item in node.operation_types or () if item.type.name.value not in gone)
            return replace(node, directives=(), operation_types=operations)
        case DirectiveDefinitionNode():
            locations = tuple(item for item in node.locations or () if item.value in EXECUTABLE_LOCATIONS)
            return (
                replace(node, locations=locations, arguments=_inputs(node.arguments, hiding, gone))
                if locations
                else None
            )
        case ObjectTypeDefinitionNode() | InterfaceTypeDefinitionNode():
            interfaces = tuple(item for item in node.interfaces or () if item.name.value not in gone)
            fields = tuple(
                replace(item, directives=_shown(item.directives), arguments=_inputs(item.arguments, hiding, gone))
                for item in node.fields or ()
                if not _out_of_sight(item, hiding, gone)
            )
            return replace(node, directives=_shown(node.directives), interfaces=interfaces, fields=fields)
        case InputObjectTypeDefinitionNode():
            return replace(node, directives=_shown(node.directives), fields=_inputs(node.fields, hiding, gone))
        case UnionTypeDefinitionNode():
            members = tuple(item for item in node.types or () if item.name.value not in gone)
            return replace(node, directives=_shown(node.directives), types=members)
        case EnumTypeDefinitionNode():
            values = tuple(
                replace(item, directives=_shown(item.directives))
                for item in node.values or ()
                if not _hidden(item.directives, hiding)
            )
            return replace(node, directives=_shown(node.directives), values=values)
        case TypeDefinitionNode():
            return replace(node, directives=_shown(node.directives))
        case _:
            return None


def _inputs(
    nodes: Iterable[InputValueDefinitionNode] | None, hiding: AbstractSet[str], gone: AbstractSet[str]
) -> tuple[InputValueDefinitionNode, ...]:
    return tuple(
        replace(item, directives=_shown(item.directives))
        for item in nodes or ()
        if not _out_of_sight(item, hiding, gone)
    )


def _out_of_sight(
    node: FieldDefinitionNode | InputValueDefinitionNode, hiding: AbstractSet[str], gone: AbstractSet[str]
) -> bool:
    return _hidden(node.directives, hiding) or named(type_text(node.type)) in gone


def _shown(applied: Iterable[ConstDirectiveNode] | None) -> tuple[ConstDirectiveNode, ...]:
    return tuple(node for node in applied or () if node.name.value in _SHOWN)
