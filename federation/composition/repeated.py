"""Finds what a document declares twice; a model, which puts declarations together, no longer shows it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from graphql import DirectiveDefinitionNode, DocumentNode, TypeDefinitionNode, TypeExtensionNode
from graphql.language import ast


def repetitions(document: DocumentNode) -> Iterator[str]:
    """Yield a message for every type, directive, field, argument or value that is declared twice."""
    types: set[str] = set()
    directives: set[str] = set()
    parts: dict[str, set[str]] = {}
    for node in document.definitions:
        if isinstance(node, DirectiveDefinitionNode):
            if node.name.value in directives:
                yield f"there can be only one directive `@{node.name.value}`"
            directives.add(node.name.value)
        elif isinstance(node, TypeDefinitionNode | TypeExtensionNode):
            name = node.name.value
            if isinstance(node, TypeDefinitionNode):
                if name in types:
                    yield f"there can be only one type `{name}`"
                types.add(name)
            yield from _members(name, node, parts.setdefault(name, set()))


def _members(name: str, node: ast.TypeSystemDefinitionNode | ast.TypeExtensionNode, seen: set[str]) -> Iterator[str]:
    """Yield what a type declares twice, in this part of it or in an earlier one."""
    for member in (*(getattr(node, "fields", None) or ()), *(getattr(node, "values", None) or ())):
        coordinate = f"{name}.{member.name.value}"
        if member.name.value in seen:
            yield f"`{coordinate}` can only be declared once"
        seen.add(member.name.value)
        arguments = getattr(member, "arguments", None)
        if arguments:
            yield from _twice(coordinate, (item.name.value for item in arguments))


def _twice(coordinate: str, names: Iterable[str]) -> Iterator[str]:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            yield f"argument `{coordinate}({name}:)` can only be declared once"
        seen.add(name)
