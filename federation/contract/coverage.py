"""What an operation asks for, as field coordinates with arguments: the measure of scope and of agreements.

The consumer signs an operation on the API schema; the gateway asks each node a smaller one on the node's schema. Both
are measured here in the same unit, so that "asks for no more than" is set inclusion.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLCompositeType,
    GraphQLError,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    get_named_type,
    is_abstract_type,
    is_composite_type,
    is_object_type,
)
from graphql.execution.values import get_argument_values

from federation.contract import changes, policy_view
from federation.contract.canonical import sha256_digest
from federation.contract.coordinates import FieldCoordinate
from federation.contract.errors import BadInputError, DocumentError
from federation.contract.graphql_request import variable_values

_META_FIELDS = frozenset({"__typename", "__schema", "__type"})


@dataclass(frozen=True, slots=True)
class AskedField:
    """One field of one operation: where in the schema, with which arguments, under which response key.

    `arguments` is JSON with defaults filled in and variables replaced, keys sorted; two equal texts ask the same.
    """

    coordinate: FieldCoordinate
    arguments: str
    response_key: str


def operation_of(document: DocumentNode, name: str | None) -> OperationDefinitionNode:
    """Return the operation to run (GraphQL section 6.1, GetOperation).

    Raises:
        DocumentError: there is none of that name, or several and no name.
    """
    operations = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
    if name is None:
        if len(operations) == 1:
            return operations[0]
        raise DocumentError(f"document holds {len(operations)} operations; say which by `operationName`")
    for operation in operations:
        if operation.name and operation.name.value == name:
            return operation
    raise DocumentError("document holds no operation of the name given in `operationName`")


def asked_fields(
    schema: GraphQLSchema, document: DocumentNode, operation_name: str | None, variables: Mapping[str, Any]
) -> frozenset[AskedField]:
    """Return every field the operation may select, on every concrete type it may reach.

    Fields under `@skip` and `@include` count whatever the variables say: scope is about what may be asked, and a
    narrower operation asks less. The document must have been validated against `schema`.

    Raises:
        BadInputError: a variable's value does not fit its type; the message names the variable only.
    """
    operation = operation_of(document, operation_name)
    values = variable_values(schema, operation.variable_definitions or (), variables)
    root = schema.get_root_type(operation.operation)
    if root is None:
        raise DocumentError(f"the schema has no {operation.operation.value} operations")
    fragments = {node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)}
    return frozenset(_Walk(schema, fragments, values).fields(root, operation.selection_set))


@dataclass(frozen=True, slots=True)
class _Walk:
    schema: GraphQLSchema
    fragments: Mapping[str, FragmentDefinitionNode]
    variables: Any

    def fields(self, parent: GraphQLCompositeType, selections: SelectionSetNode) -> Iterator[AskedField]:
        for node in selections.selections:
            match node:
                case FieldNode():
                    yield from self._field(parent, node)
                case InlineFragmentNode():
                    yield from self.fields(self._condition(node, parent), node.selection_set)
                case FragmentSpreadNode():
                    fragment = self.fragments[node.name.value]
                    yield from self.fields(self._condition(fragment, parent), fragment.selection_set)
                case _:
                    raise DocumentError("document holds a selection of a kind that GraphQL does not know")

    def _field(self, parent: GraphQLCompositeType, node: FieldNode) -> Iterator[AskedField]:
        name = node.name.value
        if name in _META_FIELDS:
            return
        for concrete in self._reached(parent):
            definition = concrete.fields[name]
            try:
                arguments = get_argument_values(definition, node, self.variables)
            except GraphQLError as error:
                raise BadInputError(f"arguments of `{concrete.name}.{name}` do not fit its definition") from error
            text = msgspec.json.encode(arguments, enc_hook=str, order="deterministic").decode()
            yield AskedField(FieldCoordinate(concrete.name, name), text, (node.alias or node.name).value)
            below = get_named_type(definition.type)
            if node.selection_set and is_composite_type(below):
                yield from self.fields(below, node.selection_set)

    def _condition(self, node: InlineFragmentNode | FragmentDefinitionNode, parent: Any) -> GraphQLCompositeType:
        if node.type_condition is None:
            return parent  # type: ignore[no-any-return]  # an inline fragment without a condition
        named = self.schema.type_map[node.type_condition.name.value]
        if not is_composite_type(named):
            raise DocumentError("a fragment stands on a type that has no fields")
        return named

    def _reached(self, parent: GraphQLCompositeType) -> Iterator[Any]:
        """Policy R18: a field of an interface is asked of every type that implements it."""
        if is_abstract_type(parent):
            yield from self.schema.get_possible_types(parent)
        elif is_object_type(parent):
            yield parent


def operation_digest(query: str, operation_name: str | None) -> str:
    """Name an operation's text, without its variables, as ledgers and replays know it."""
    return sha256_digest(f"{operation_name or ''}\n{query}".encode())


def is_plumbing(type_name: str) -> bool:
    """Say whether policies and agreements do not name a type's fields.

    It only carries others (Relay connections), counts a list by groups, which the policy of the listed type decides, or
    tells of rules and of nobody (`myFields`), or of changes (`changes`), each of which its own fields' policies decide.
    """
    return (
        type_name == "PageInfo"
        or type_name.endswith(("Connection", "Edge", "Group", "Measures", "Means"))
        or type_name in policy_view.TYPES
        or type_name in changes.TYPES
    )
