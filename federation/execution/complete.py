"""Reads the response out of the merged tree the slow way: with paths, errors and exact null propagation.

This is GraphQL section 6.4.3 (value completion) and 6.4.4 (handling field errors) over values that are there already.
It runs only when the generated projection gave up, and it is what that projection is tested against.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Any

from federation.execution.codegen import attribute
from federation.execution.output import OutField, OutNode
from federation.execution.shape import TYPENAME
from federation.execution.types import TypeRef

ResponsePath = tuple[str | int, ...]


class Reason(StrEnum):
    """Why a field has no value."""

    NULL = "a non-null field is null"
    ENUM = "an enum has a value that the schema does not show"
    DENIED = "the field is denied to this consumer"
    UNTYPED = "nobody could say which type the object has"


OnFieldError = Callable[[OutNode, OutField, ResponsePath, Reason], None]
"""Told of a null in a non-null place or an unusable value: the object's node, the field, the path and the reason."""


class _Propagate(Exception):  # noqa: N818  # null propagation is control flow here, as in the specification
    """The nearest nullable parent becomes null."""


def complete(node: OutNode, value: Any, on_error: OnFieldError) -> dict[str, Any] | None:
    """Return the data of a response; None when null propagated to the root."""
    try:
        return _object(node, value, (), on_error)
    except _Propagate:
        return None


def complete_at(node: OutNode, value: Any, path: ResponsePath, on_error: OnFieldError) -> dict[str, Any] | None:
    """Return the data of an object that stands at `path`, as a deferred fragment delivers it."""
    try:
        return _object(node, value, path, on_error)
    except _Propagate:
        return None


def _object(node: OutNode, value: Any, path: ResponsePath, on_error: OnFieldError) -> dict[str, Any]:
    typename = getattr(value, attribute(TYPENAME)) if node.typed else None
    return {
        field.response_name: _field(node, field, value, (*path, field.response_name), on_error)
        for field in node.fields_of(typename)
    }


def _field(node: OutNode, field: OutField, value: Any, path: ResponsePath, on_error: OnFieldError) -> Any:
    if field.literal is not None:
        return field.literal
    if field.denied:
        on_error(node, field, path, Reason.DENIED)
        if field.type.non_null:
            raise _Propagate
        return None
    found = None if field.source is None else getattr(value, attribute(field.source))

    def fail(at: ResponsePath, reason: Reason) -> None:
        on_error(node, field, at, reason)

    def value_of(ref: TypeRef, item: Any, at: ResponsePath) -> Any:
        """Complete one value; a nullable place catches what its insides propagate."""
        try:
            return present(ref, item, at)
        except _Propagate:
            if ref.non_null:
                raise
            return None

    def present(ref: TypeRef, item: Any, at: ResponsePath) -> Any:
        if item is None or (field.node is not None and ref.item is None and not _showable(field.node, item)):
            if ref.non_null:
                fail(at, Reason.NULL)
                raise _Propagate
            return None
        if ref.item is not None:
            inner = ref.item
            return [value_of(inner, each, (*at, index)) for index, each in enumerate(item)]
        if field.node is not None:
            if field.node.needs_typename and _typename(item) is None:
                fail(at, Reason.UNTYPED)
                raise _Propagate
            return _object(field.node, item, at, on_error)
        if field.enum is not None and item not in field.enum:
            fail(at, Reason.ENUM)
            raise _Propagate
        return item

    return value_of(field.type, found, path)


def _showable(node: OutNode, value: Any) -> bool:
    if node.visible is None or not node.typed:
        return True
    typename = _typename(value)
    return typename is None or typename in node.visible


def _typename(value: Any) -> str | None:
    name: str | None = getattr(value, attribute(TYPENAME), None)
    return name
