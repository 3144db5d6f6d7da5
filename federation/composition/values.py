"""Whether a constant in a schema is a value of its type (GraphQL specification, section 3.5 to 3.11)."""

from __future__ import annotations

from collections.abc import Mapping

from graphql import (
    BooleanValueNode,
    EnumValueNode,
    FloatValueNode,
    IntValueNode,
    ListValueNode,
    NullValueNode,
    ObjectValueNode,
    StringValueNode,
    ValueNode,
)

from federation.composition.model import Kind, Type

_INT_BOUND = 2**31


def is_value(node: ValueNode, type_text: str, types: Mapping[str, Type]) -> bool:
    """Say whether a constant fits a printed type; scalars of the schema's own take everything."""
    if type_text.endswith("!"):
        return not isinstance(node, NullValueNode) and is_value(node, type_text[:-1], types)
    if isinstance(node, NullValueNode):
        return True
    if type_text.startswith("["):
        if isinstance(node, ListValueNode):
            return all(is_value(item, type_text[1:-1], types) for item in node.values or ())
        return is_value(node, type_text[1:-1], types)
    declared = types.get(type_text)
    if declared is None:
        return _is_built_in(node, type_text)
    match declared.kind:
        case Kind.ENUM:
            return isinstance(node, EnumValueNode | StringValueNode) and node.value in declared.values
        case Kind.INPUT:
            return isinstance(node, ObjectValueNode) and _is_input(node, declared, types)
        case Kind.SCALAR | Kind.OBJECT | Kind.INTERFACE | Kind.UNION:
            return True


def _is_built_in(node: ValueNode, name: str) -> bool:
    match name:
        case "String":
            return isinstance(node, StringValueNode)
        case "Boolean":
            return isinstance(node, BooleanValueNode)
        case "Int":
            return isinstance(node, IntValueNode) and -_INT_BOUND <= int(node.value) < _INT_BOUND
        case "Float":
            return isinstance(node, IntValueNode | FloatValueNode)
        case "ID":
            return isinstance(node, IntValueNode | StringValueNode)
        case _:
            return True


def _is_input(node: ObjectValueNode, declared: Type, types: Mapping[str, Type]) -> bool:
    given = {item.name.value: item.value for item in node.fields or ()}
    if given.keys() - declared.inputs.keys():
        return False
    if any(item.required and name not in given for name, item in declared.inputs.items()):
        return False
    return all(is_value(value, declared.inputs[name].type, types) for name, value in given.items())
