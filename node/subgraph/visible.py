"""The part of a member's schema that one requester may know of (policy R20).

A field is shown if some live grant can reveal it on some row; a type if a field of it is shown; an argument's type if a
field that is shown takes it. Introspection and `_service { sdl }` show nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TypeAlias

from graphql import (
    DocumentNode,
    EnumTypeDefinitionNode,
    GraphQLSchema,
    InputObjectTypeDefinitionNode,
    ObjectTypeDefinitionNode,
    TypeDefinitionNode,
    UnionTypeDefinitionNode,
    build_ast_schema,
    print_ast,
)

from federation.contract.coverage import is_plumbing
from federation.contract.governed import asks_about
from node.policy.forms import PREDICATES, form_of_question
from node.policy.plans import FieldPlan, TypePlan
from node.subgraph.pruning import innermost, with_fields, without_empty
from node.subgraph.schema import COUNT, GROUPS, MUTATION, ROOT, NodeSchema, narrowed
from node.vocabulary.scalars import bind_scalars

PlanOf: TypeAlias = Callable[[str], TypePlan]
"""From a type's name to what the requester may see of it."""

_OF_A_TYPE = ("Where", "OrderBy", "Dimension", "Group", "Measures", "Means", "Connection")
"""How types are called that are about the fields of another."""
_OWN: frozenset[str] = frozenset({"_Service", "_Any"})


def visible_schema(node_schema: NodeSchema, plans: PlanOf) -> GraphQLSchema:
    """Return the schema for introspection by one requester."""
    return bind_scalars(build_ast_schema(_visible(node_schema, plans), assume_valid_sdl=True))


def visible_sdl(node_schema: NodeSchema, plans: PlanOf) -> str:
    """Return the SDL that `_service` shows one requester."""
    return print_ast(_visible(node_schema, plans)) + "\n"


def _visible(node_schema: NodeSchema, plans: PlanOf) -> DocumentNode:
    definitions = {
        node.name.value: node for node in node_schema.document.definitions if isinstance(node, TypeDefinitionNode)
    }
    kept = {name: _of_policy(node, plans) for name, node in definitions.items()}
    shown = without_empty({name: node for name, node in kept.items() if node is not None})
    reached = _reachable(shown)
    return DocumentNode(definitions=tuple(node for name, node in shown.items() if name in reached))


def _of_policy(node: TypeDefinitionNode, plans: PlanOf) -> TypeDefinitionNode | None:
    name = node.name.value
    of_type = next((name.removesuffix(end) for end in _OF_A_TYPE if name.endswith(end)), None)
    if of_type is not None:
        return _opened(node, of_type, plans)
    if not isinstance(node, ObjectTypeDefinitionNode) or name in {ROOT, MUTATION} or name in _OWN or is_plumbing(name):
        return node
    plan = plans(name)
    fields = [field for field in node.fields or () if plan.anything and _is_shown(plan, field.name.value)]
    return with_fields(node, fields)


def _opened(node: TypeDefinitionNode, of_type: str, plans: PlanOf) -> TypeDefinitionNode:
    """Drop from filters, orders and groups the fields that are not shown: they may not be named there either (R21)."""
    plan = plans(of_type)
    shown = frozenset(name for name in plan.fields if _is_shown(plan, name))
    match node:
        case EnumTypeDefinitionNode():  # what groups are made by
            return narrowed(node, shown.intersection(plan.aggregates.over) if plan.aggregates else frozenset())
        case ObjectTypeDefinitionNode() if node.name.value.endswith("Connection"):
            told = {field.name.value for field in node.fields or ()} - ({GROUPS} if plan.aggregates is None else set())
            return narrowed(node, frozenset(told))
        case _:
            return narrowed(node, shown | {COUNT})


def _is_shown(plan: TypePlan, name: str) -> bool:
    decided = plan.fields.get(name)
    if decided is not None:
        return bool(decided.shown) and decided.may_be_seen and _shows_itself(decided)
    asked = plan.fields.get(asks_about(name) or name)
    form = form_of_question(name)
    return asked is not None and form is not None and asked.may_be_seen and bool(asked.asked_by(form))


def _shows_itself(decided: FieldPlan) -> bool:
    return decided.constant is None or getattr(decided.constant.form, "name", None) not in PREDICATES


def _reachable(definitions: Mapping[str, TypeDefinitionNode]) -> set[str]:
    found: set[str] = set()
    waiting = [ROOT, MUTATION]
    while waiting:
        name = waiting.pop()
        if name in found or name not in definitions:
            continue
        found.add(name)
        waiting += _mentioned(definitions[name])
    return found


def _mentioned(node: TypeDefinitionNode) -> Iterator[str]:
    match node:
        case ObjectTypeDefinitionNode():
            for field in node.fields or ():
                yield innermost(field.type)
                yield from (innermost(argument.type) for argument in field.arguments or ())
        case InputObjectTypeDefinitionNode():
            yield from (innermost(field.type) for field in node.fields or ())
        case UnionTypeDefinitionNode():
            yield from (each.name.value for each in node.types or ())
        case _:
            return
