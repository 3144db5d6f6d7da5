"""What an operation asks for, as field coordinates with arguments: the measure of scope and of agreements.

The consumer signs an operation on the API schema; the gateway asks each node a smaller one on the node's schema. Both
are measured here in the same unit, so that "asks for no more than" is set inclusion.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self

import msgspec
from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLCompositeType,
    GraphQLError,
    GraphQLField,
    GraphQLSchema,
    InlineFragmentNode,
    ListValueNode,
    ObjectValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    ValueNode,
    VariableDefinitionNode,
    VariableNode,
    get_named_type,
    is_abstract_type,
    is_composite_type,
    is_object_type,
)
from graphql.execution.values import VariableValues, get_argument_values

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
    """Return every field the operation may select, on every concrete type it may reach; see `Measured`."""
    return Measured.of(schema, document, operation_name).asked(variables)


@dataclass(frozen=True, slots=True)
class Measured:
    """What an operation asks for, as far as its text says: only arguments that hold variables are left open.

    Fields under `@skip` and `@include` count whatever the variables say: scope is about what may be asked, and a
    narrower operation asks less.
    """

    schema: GraphQLSchema
    variables: tuple[VariableDefinitionNode, ...]
    fixed: frozenset[AskedField]
    varying: tuple[_Selected, ...]

    @classmethod
    def of(cls, schema: GraphQLSchema, document: DocumentNode, operation_name: str | None) -> Self:
        """Measure an operation of a document that was validated against `schema`.

        Raises:
            DocumentError: there is no such operation, or the schema has none of its kind.
            BadInputError: an argument without variables does not fit its definition.
        """
        operation = operation_of(document, operation_name)
        root = schema.get_root_type(operation.operation)
        if root is None:
            raise DocumentError(f"the schema has no {operation.operation.value} operations")
        fragments = {node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)}
        walked = _Walk(schema, fragments).fields(root, operation.selection_set)
        selected = {(each.type_name, id(each.node)): each for each in walked}.values()  # a fragment may come again
        return cls(
            schema,
            tuple(operation.variable_definitions or ()),
            frozenset(each.asked(None) for each in selected if not each.varies),
            tuple(each for each in selected if each.varies),
        )

    def asked(self, variables: Mapping[str, Any]) -> frozenset[AskedField]:
        """Return every field that the operation asks for with these variables.

        Raises:
            BadInputError: a variable's value does not fit its type; the message names the variable only.
        """
        values = variable_values(self.schema, self.variables, variables)
        return self.fixed.union(each.asked(values) for each in self.varying)


@dataclass(frozen=True, slots=True)
class _Selected:
    """A field of an operation on one concrete type; `varies` where an argument holds a variable."""

    type_name: str
    node: FieldNode
    definition: GraphQLField
    varies: bool

    def asked(self, values: VariableValues | None) -> AskedField:
        name = self.node.name.value
        try:
            arguments = get_argument_values(self.definition, self.node, values)
        except GraphQLError as error:
            raise BadInputError(f"arguments of `{self.type_name}.{name}` do not fit its definition") from error
        text = msgspec.json.encode(arguments, enc_hook=str, order="deterministic").decode()
        return AskedField(FieldCoordinate(self.type_name, name), text, (self.node.alias or self.node.name).value)


@dataclass(frozen=True, slots=True)
class _Walk:
    schema: GraphQLSchema
    fragments: Mapping[str, FragmentDefinitionNode]

    def fields(self, parent: GraphQLCompositeType, selections: SelectionSetNode) -> Iterator[_Selected]:
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

    def _field(self, parent: GraphQLCompositeType, node: FieldNode) -> Iterator[_Selected]:
        name = node.name.value
        if name in _META_FIELDS:
            return
        for concrete in self._reached(parent):
            definition = concrete.fields[name]
            varies = any(_holds_variable(argument.value) for argument in node.arguments or ())
            yield _Selected(concrete.name, node, definition, varies)
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


def _holds_variable(value: ValueNode) -> bool:
    match value:
        case VariableNode():
            return True
        case ListValueNode():
            return any(_holds_variable(each) for each in value.values)
        case ObjectValueNode():
            return any(_holds_variable(each.value) for each in value.fields)
        case _:
            return False


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
