"""A first policy bundle for a mapping: every field with its category, and nobody sees any of it.

A bundle must name every field that the node serves (R1); what has no grant is denied. So the starter is safe to run,
and an officer opens it grant by grant, from the example that each document carries as a comment.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Final

from graphql import FieldDefinitionNode, GraphQLSchema, ObjectTypeDefinitionNode, StringValueNode

from node.data.expressions import Age, Expression, OwnerAttribute, PlainType, Truth, Typed, ValueSet
from node.data.mapping import Mapping as NodeMapping
from node.policy.bundle import TYPES_FOLDER, VOCABULARY_FILE
from node.policy.schema_view import SchemaView
from node.subgraph.schema import NodeSchema

_KEY_CATEGORY: Final = "identifier"
_TYPES: Final[Mapping[PlainType, str]] = {PlainType.STR: "str", PlainType.INT: "int", PlainType.BOOL: "bool"}


def starter_bundle(
    mapping: NodeMapping, shared: GraphQLSchema, vocabulary: bytes, owner: str, day: date
) -> dict[str, bytes]:
    """Return the files of a bundle that denies everything, by path.

    Args:
        mapping: what the node serves.
        shared: the shared vocabulary's schema, which says the category of each field.
        vocabulary: the federation's `vocabulary.yaml`, copied as it is.
        owner: whom to ask about the policy.
        day: the day on which the example grant begins.

    Raises:
        MappingError: the mapping does not fit the vocabulary.
    """
    served = SchemaView.parse(NodeSchema.build(shared, mapping).published_sdl)
    files = {VOCABULARY_FILE: vocabulary}
    for name, fields in sorted(served.types.items()):
        lines = _document(name, fields, shared, mapping, owner, day)
        files[f"{TYPES_FOLDER}{name}.yaml"] = ("\n".join(lines) + "\n").encode()
    return files


def _document(
    name: str, fields: Mapping[str, object], shared: GraphQLSchema, mapping: NodeMapping, owner: str, day: date
) -> Iterator[str]:
    declared = shared.type_map[name].ast_node
    assert isinstance(declared, ObjectTypeDefinitionNode)
    definitions = {field.name.value: field for field in declared.fields or ()}
    attributes = {
        word: _type_of(found, mapping)
        for source in mapping.sources_of(name)
        for word, found in source.attributes.items()
    }
    yield f"policy: {name}"
    yield "version: 1"
    yield f"owner: {owner}"
    if attributes:
        written = ", ".join(f"{word}: {kind}" for word, kind in attributes.items())
        yield f"attributes: {{{written}}}   # what conditions may test as row.<name>"
    yield "fields:"
    for field in fields:
        yield f"  {field}: {{category: {_category(definitions[field])}}}"
    yield "grants: []   # nobody sees anything; a first grant looks like this:"
    yield from _example(day, next(iter(fields)))


def _example(day: date, field: str) -> Iterator[str]:
    yield "#  - id: first-grant"
    yield "#    to: {kind: [national]}"
    yield "#    purpose: benefit-assessment"
    yield '#    basis: ["6.1.e"]'
    yield '#    law: "the law that allows it"'
    yield f"#    see: {{{field}: clear}}"
    yield f"#    valid: {{from: {day}, until: {day.year + 1}-12-31}}"
    yield "#    retain: P180D"


def _category(field: FieldDefinitionNode) -> str:
    """Return the category that the vocabulary gives a field; a key has none of its own there."""
    for directive in field.directives or ():
        if directive.name.value == "privacy":
            for argument in directive.arguments or ():
                if argument.name.value == "category" and isinstance(argument.value, StringValueNode):
                    return argument.value.value
    return _KEY_CATEGORY


def _type_of(expression: Expression, mapping: NodeMapping) -> str:
    """Return the type that a policy gives an attribute."""
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
