"""The part of a member's schema that one requester may know of (policy R20).

A field is shown if some live grant can reveal it on some row; a type if a field of it is shown; an argument's type if a
field that is shown takes it. Introspection and `_service { sdl }` show nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TypeAlias

from graphql import (
    DocumentNode,
    FieldDefinitionNode,
    GraphQLSchema,
    InputObjectTypeDefinitionNode,
    ObjectTypeDefinitionNode,
    TypeDefinitionNode,
    UnionTypeDefinitionNode,
    build_ast_schema,
    print_ast,
)

from federation.contract.coverage import is_plumbing
from node.policy.forms import CLEAR, FormName
from node.policy.plans import FieldPlan, TypePlan
from node.subgraph.schema import BUILT_IN, MATCHES, ROOT, NodeSchema, innermost
from node.vocabulary.scalars import bind_scalars

PlanOf: TypeAlias = Callable[[str], TypePlan]
"""From a type's name to what the requester may see of it."""

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
    shown = _without_empty({name: node for name, node in kept.items() if node is not None})
    reached = _reachable(shown)
    return DocumentNode(definitions=tuple(node for name, node in shown.items() if name in reached))


def _of_policy(node: TypeDefinitionNode, plans: PlanOf) -> TypeDefinitionNode | None:
    name = node.name.value
    if isinstance(node, InputObjectTypeDefinitionNode):
        return _opened(node, plans)
    if not isinstance(node, ObjectTypeDefinitionNode) or name == ROOT or name in _OWN or is_plumbing(name):
        return node
    plan = plans(name)
    fields = [field for field in node.fields or () if plan.anything and _is_shown(plan, field.name.value)]
    return _with_fields(node, fields)


def _opened(node: InputObjectTypeDefinitionNode, plans: PlanOf) -> InputObjectTypeDefinitionNode | None:
    """Drop from filters and orders the fields that are not shown: they may not be named there either (R21)."""
    name = node.name.value
    of_type = name.removesuffix("Where").removesuffix("OrderBy")
    if of_type == name:
        return node
    plan = plans(of_type)
    fields = tuple(
        field for field in node.fields or () if innermost(field.type) == name or _is_shown(plan, field.name.value)
    )
    if all(innermost(field.type) == name for field in fields):
        return None
    return InputObjectTypeDefinitionNode(
        name=node.name, description=node.description, directives=node.directives, fields=fields
    )


def _is_shown(plan: TypePlan, name: str) -> bool:
    decided = plan.fields.get(name)
    if decided is not None:
        return bool(decided.shown) and decided.may_be_seen and _shows_itself(decided)
    verified = plan.fields.get(name.removesuffix(MATCHES))
    return verified is not None and verified.may_be_seen and _confirms(verified)


def _shows_itself(decided: FieldPlan) -> bool:
    return decided.constant is None or getattr(decided.constant.form, "name", None) is not FormName.VERIFY


def _confirms(decided: FieldPlan) -> bool:
    return any(grant.form == CLEAR or grant.form.name is FormName.VERIFY for grant in decided.grants)


def _without_empty(definitions: Mapping[str, TypeDefinitionNode]) -> dict[str, TypeDefinitionNode]:
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
            fields = [
                _without_closed(field, known)
                for field in node.fields or ()
                if innermost(field.type) in known or innermost(field.type) in BUILT_IN
            ]
            carries = not node.name.value.endswith("Edge") or any(field.name.value == "node" for field in fields)
            carries &= not node.name.value.endswith("Connection") or any(f.name.value == "edges" for f in fields)
            return _with_fields(node, fields) if carries else None
        case UnionTypeDefinitionNode():
            types = tuple(each for each in node.types or () if each.name.value in known)
            return UnionTypeDefinitionNode(name=node.name, types=types, directives=()) if types else None
        case _:
            return node


def _with_fields(
    node: ObjectTypeDefinitionNode, fields: Iterable[FieldDefinitionNode]
) -> ObjectTypeDefinitionNode | None:
    kept = tuple(fields)
    if not kept:
        return None
    return ObjectTypeDefinitionNode(
        name=node.name, description=node.description, interfaces=(), directives=node.directives, fields=kept
    )


def _without_closed(field: FieldDefinitionNode, known: Mapping[str, TypeDefinitionNode]) -> FieldDefinitionNode:
    """Drop the arguments whose type is not shown."""
    arguments = field.arguments or ()
    kept = tuple(each for each in arguments if innermost(each.type) in known or innermost(each.type) in BUILT_IN)
    if len(kept) == len(arguments):
        return field
    return FieldDefinitionNode(
        name=field.name, description=field.description, arguments=kept, type=field.type, directives=field.directives
    )


def _reachable(definitions: Mapping[str, TypeDefinitionNode]) -> set[str]:
    found: set[str] = set()
    waiting = [ROOT]
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
