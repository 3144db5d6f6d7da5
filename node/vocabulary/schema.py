"""The whole vocabulary as one schema: printed as schema.graphql, and parsed back for the nodes to prune.

The Strawberry types are the source; their federation schema is printed once, freed of the machinery that each node
adds for itself (`_service`, `_entities`), completed with the definitions of the federation directives so that the file
stands alone, and put into the order a reader wants: roots, types, filters, scalars.
"""

from collections.abc import Iterable, Iterator
from functools import cache
from typing import Final, cast

import strawberry
from graphql import (
    DefinitionNode,
    DirectiveDefinitionNode,
    DocumentNode,
    GraphQLSchema,
    InputObjectTypeDefinitionNode,
    ObjectTypeDefinitionNode,
    ScalarTypeDefinitionNode,
    SchemaDefinitionNode,
    TypeDefinitionNode,
    build_ast_schema,
    parse,
    print_ast,
)
from strawberry.schema.config import StrawberryConfig
from strawberry.types.scalar import ScalarDefinition

from node.vocabulary.mutation import Mutation
from node.vocabulary.query import Query
from node.vocabulary.scalars import SCALARS, bind_scalars
from node.vocabulary.terms import in_two_languages

# The definitions of https://specs.apollo.dev/federation/v2.11 and https://specs.apollo.dev/link/v1.0 that the
# vocabulary uses: a reader that knows nothing of federation can still build a schema from the file.
_FEDERATION: Final = """
directive @composeDirective(name: String!) repeatable on SCHEMA
directive @key(fields: federation__FieldSet!, resolvable: Boolean = true) repeatable on OBJECT | INTERFACE
directive @link(url: String!, as: String, for: link__Purpose, import: [link__Import]) repeatable on SCHEMA
directive @shareable repeatable on OBJECT | FIELD_DEFINITION
scalar federation__FieldSet
scalar link__Import
enum link__Purpose { SECURITY EXECUTION }
"""
_MACHINERY: Final = frozenset({"_Any", "_Entity", "_Service"})
_MACHINERY_FIELDS: Final = frozenset({"_entities", "_service"})
_ROOTS: Final = ("Query", "Mutation")
_CONNECTION_TYPES: Final = ("Connection", "Edge", "PageInfo", "Group", "Measures", "Means")
# Built into the GraphQL language since its edition of September 2025.
_BUILT_IN_DIRECTIVES: Final = frozenset({"oneOf"})


def printed_schema() -> str:
    """Return the text of schema.graphql."""
    return print_ast(_document()) + "\n"


@cache
def full_schema() -> GraphQLSchema:
    """Return the vocabulary as a schema with strict scalars; directives are read from `ast_node`.

    The schema is shared: build a pruned one from it, never change it.
    """
    return bind_scalars(build_ast_schema(_document()))


@cache
def _document() -> DocumentNode:
    declared = parse(_strawberry_schema().as_str()).definitions
    definitions = [*_without_machinery(declared), *parse(_FEDERATION).definitions]
    return DocumentNode(definitions=tuple(sorted(definitions, key=_reading_order)))


def scalar_map() -> dict[object, ScalarDefinition]:
    """Return the vocabulary's scalars as Strawberry reads annotations."""
    return {
        scalar.python: strawberry.scalar(
            name=scalar.name,
            description=in_two_languages(scalar.en, scalar.it),
            specified_by_url=scalar.specified_by,
            serialize=scalar.serialise,
            parse_value=scalar.parse,
        )
        for scalar in SCALARS
    }


def _strawberry_schema() -> strawberry.federation.Schema:
    types = cast("list[type]", [scalar.python for scalar in SCALARS])  # a NewType stands for its scalar
    return strawberry.federation.Schema(
        query=Query, mutation=Mutation, types=types, config=StrawberryConfig(scalar_map=scalar_map())
    )


def _without_machinery(definitions: Iterable[DefinitionNode]) -> Iterator[DefinitionNode]:
    """Drop what a node adds for itself and what the language already has."""
    for definition in definitions:
        match definition:
            case TypeDefinitionNode() if definition.name.value in _MACHINERY:
                continue
            case DirectiveDefinitionNode() if definition.name.value in _BUILT_IN_DIRECTIVES:
                continue
            case ObjectTypeDefinitionNode() if definition.name.value == "Query":
                kept = tuple(field for field in definition.fields or () if field.name.value not in _MACHINERY_FIELDS)
                yield ObjectTypeDefinitionNode(
                    description=definition.description,
                    name=definition.name,
                    interfaces=definition.interfaces,
                    directives=definition.directives,
                    fields=kept,
                )
            case _:
                yield definition


def _reading_order(definition: DefinitionNode) -> tuple[int, str]:
    """Place roots and types before what serves them, each group by name."""
    match definition:
        case SchemaDefinitionNode():
            return (0, "")
        case ObjectTypeDefinitionNode() if definition.name.value in _ROOTS:
            return (1, str(_ROOTS.index(definition.name.value)))
        case ObjectTypeDefinitionNode() if definition.name.value.endswith(_CONNECTION_TYPES):
            return (4, definition.name.value)
        case ObjectTypeDefinitionNode():
            return (2, definition.name.value)
        case InputObjectTypeDefinitionNode():
            return (3, definition.name.value)
        case ScalarTypeDefinitionNode() if "__" not in definition.name.value:
            return (5, definition.name.value)
        case DirectiveDefinitionNode():
            return (6, definition.name.value)
        case TypeDefinitionNode():
            return (7, definition.name.value)
        case _:
            raise AssertionError(f"the vocabulary declares no {definition.kind}")
