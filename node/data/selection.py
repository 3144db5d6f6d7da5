"""What an operation selects, as a tree without fragments: the form in which it is compiled to SQL.

Fragments are merged, `@skip` and `@include` resolved and arguments coerced as GraphQL section 6.3 says, so that an
alias, a fragment or a directive can never change a decision (policy R15).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLIncludeDirective,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    GraphQLSkipDirective,
    GraphQLString,
    GraphQLUnionType,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableNode,
    get_named_type,
    is_list_type,
    is_non_null_type,
    print_ast,
)
from graphql.execution.values import VariableValues, get_argument_values, get_directive_values

from federation.contract.coverage import operation_of
from federation.contract.errors import BadInputError
from federation.contract.graphql_request import variable_values

TYPENAME: Final = "__typename"
_BATCH: Final = "[_Any!]!"
"""The type of `_entities(representations:)` (Apollo Federation subgraph specification)."""


@dataclass(frozen=True, slots=True)
class Selected:
    """One field of the answer.

    `arguments` are coerced; `unsaid` are those of them that stand there by the schema's default alone. `type` is its
    GraphQL type; `below` holds the selections on its object type, None for values; for a union it is empty, and `on`
    holds the selections of each of its types.
    """

    response_key: str
    field: str
    arguments: Mapping[str, Any]
    type: GraphQLOutputType
    below: tuple[Selected, ...] | None
    on: Mapping[str, tuple[Selected, ...]]
    unsaid: frozenset[str] = frozenset()

    @property
    def type_name(self) -> str:
        """The name of the type without lists and non-nulls."""
        return str(get_named_type(self.type).name)

    @property
    def is_list(self) -> bool:
        """Whether a list is answered."""
        return bool(is_list_type(self.type.of_type if is_non_null_type(self.type) else self.type))


def selected_roots(
    schema: GraphQLSchema, document: DocumentNode, operation_name: str | None, variables: Mapping[str, Any]
) -> tuple[Selected, ...]:
    """Return what an operation selects on the query root. The document must have been validated against the schema.

    Raises:
        DocumentError: there is no operation of that name.
        BadInputError: it is no query, or a variable or argument does not fit; no value is repeated.
    """
    return _selected(schema, document, operation_name, variables, "query", schema.query_type)


def selected_writes(
    schema: GraphQLSchema, document: DocumentNode, operation_name: str | None, variables: Mapping[str, Any]
) -> tuple[Selected, ...]:
    """Return what an operation selects on the mutation root; as `selected_roots`."""
    return _selected(schema, document, operation_name, variables, "mutation", schema.mutation_type)


def _selected(
    schema: GraphQLSchema,
    document: DocumentNode,
    operation_name: str | None,
    variables: Mapping[str, Any],
    kind: str,
    root: GraphQLObjectType | None,
) -> tuple[Selected, ...]:
    operation = operation_of(document, operation_name)
    if operation.operation.value != kind or root is None:
        raise BadInputError(f"{operation.operation.value} operations are not answered by this node")
    fragments = {node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)}
    walk = _Walk(schema, fragments, variable_values(schema, operation.variable_definitions or (), variables))
    return walk.fields(root, [operation.selection_set])


def coerced_variables(
    schema: GraphQLSchema, operation: OperationDefinitionNode, variables: Mapping[str, Any]
) -> Mapping[str, Any]:
    """Return the variables as their types have them, defaults filled in.

    Raises:
        BadInputError: one does not fit its type; no value is repeated.
    """
    representations = {
        each.variable.name.value for each in operation.variable_definitions or () if print_ast(each.type) == _BATCH
    }
    # A thousand keys are a list of a scalar that takes anything: to look at each is the greater part of their price.
    known = {name: variables[name] for name in representations if _is_batch(variables.get(name))}
    others = [each for each in operation.variable_definitions or () if each.variable.name.value not in known]
    coerced: Mapping[str, Any] = variable_values(schema, others, variables).coerced if others else {}
    return {**coerced, **known}


def _is_batch(value: Any) -> bool:
    return isinstance(value, list) and None not in value


@dataclass(frozen=True, slots=True)
class _Walk:
    schema: GraphQLSchema
    fragments: Mapping[str, FragmentDefinitionNode]
    variables: VariableValues

    def fields(self, kind: GraphQLObjectType, sets: Iterable[SelectionSetNode]) -> tuple[Selected, ...]:
        """Return the fields on one object type, merged by response key in the order of first appearance."""
        grouped: dict[str, list[FieldNode]] = {}
        seen: set[str] = set()
        for each in sets:
            self._collect(kind, each, grouped, seen)
        return tuple(self._field(kind, key, nodes) for key, nodes in grouped.items())

    def _collect(
        self, kind: GraphQLObjectType, selections: SelectionSetNode, grouped: dict[str, list[FieldNode]], seen: set[str]
    ) -> None:
        """CollectFields of GraphQL section 6.3.2."""
        for node in selections.selections:
            if not self._wanted(node):
                continue
            match node:
                case FieldNode():
                    grouped.setdefault((node.alias or node.name).value, []).append(node)
                case InlineFragmentNode():
                    if node.type_condition is None or self._applies(node.type_condition.name.value, kind):
                        self._collect(kind, node.selection_set, grouped, seen)
                case FragmentSpreadNode():
                    fragment = self.fragments[node.name.value]
                    if node.name.value not in seen and self._applies(fragment.type_condition.name.value, kind):
                        seen.add(node.name.value)
                        self._collect(kind, fragment.selection_set, grouped, seen)
                case _:
                    raise BadInputError("document holds a selection of a kind that GraphQL does not know")

    def _wanted(self, node: Any) -> bool:
        skip = get_directive_values(GraphQLSkipDirective, node, self.variables)
        if skip and skip["if"]:
            return False
        include = get_directive_values(GraphQLIncludeDirective, node, self.variables)
        return not include or bool(include["if"])

    def _field(self, kind: GraphQLObjectType, key: str, nodes: list[FieldNode]) -> Selected:
        name = nodes[0].name.value
        if name == TYPENAME:
            return Selected(key, name, {}, GraphQLString, None, {})
        definition = kind.fields[name]
        try:
            arguments = get_argument_values(definition, nodes[0], self.variables)
        except GraphQLError as error:
            raise BadInputError(f"arguments of `{kind.name}.{name}` do not fit its definition") from error
        unsaid = self._unsaid(nodes[0], arguments)
        sets = [node.selection_set for node in nodes if node.selection_set]
        below = get_named_type(definition.type)
        match below:
            case GraphQLObjectType():
                return Selected(key, name, arguments, definition.type, self.fields(below, sets), {}, unsaid)
            case GraphQLUnionType():
                on = {each.name: self.fields(each, sets) for each in below.types}
                return Selected(key, name, arguments, definition.type, (), on, unsaid)
            case _:
                return Selected(key, name, arguments, definition.type, None, {}, unsaid)

    def _unsaid(self, node: FieldNode, arguments: Mapping[str, Any]) -> frozenset[str]:
        """Return the arguments that the document leaves out, or gives by a variable that has no value."""
        said = {
            each.name.value
            for each in node.arguments or ()
            if not isinstance(each.value, VariableNode) or each.value.name.value in self.variables.coerced
        }
        return frozenset(arguments) - said

    def _applies(self, condition: str, kind: GraphQLObjectType) -> bool:
        """DoesFragmentTypeApply of GraphQL section 6.3.2; a node's only abstract type is the union of its entities."""
        named = self.schema.type_map[condition]
        return condition == kind.name or (isinstance(named, GraphQLUnionType) and kind in named.types)
