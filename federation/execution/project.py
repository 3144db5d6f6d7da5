"""Generated code that reads the response out of the merged tree when nothing is wrong with it.

Where a null stands in a non-null place, an enum has a value that clients may not see, or a typename is not one of the
possible ones, the generated code gives up with `Bail` and `complete.py`, which knows paths and errors, starts again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NoReturn

import msgspec

from federation.execution.codegen import Source, attribute
from federation.execution.output import OutField, OutNode
from federation.execution.shape import TYPENAME
from federation.execution.types import TypeRef

Project = Callable[[Any], Any]
"""Turns a merged object into a Struct that encodes as the response; raises `Bail`."""


class Bail(Exception):  # noqa: N818  # it is a signal between two files of this package, not an error
    """The merged tree does not fit the API schema's types somewhere."""


def bail() -> NoReturn:
    """Give up from inside an expression."""
    raise Bail


def projector(node: OutNode) -> Project:
    """Return the function that projects the objects of a node."""
    source = Source()
    source.line(0, "def project(o):")
    give_up = source.constant(bail, "bail")
    if node.typed and (node.needs_typename or node.visible is not None):
        source.line(1, f"t = o.{attribute(TYPENAME)}")
    if node.typed and node.needs_typename:
        source.line(1, f"if t is None: {give_up}()")
    if node.needs_typename and not node.typed:
        source.line(1, f"{give_up}()")
    if node.typed and node.visible is not None:
        source.line(1, f"if t is not None and t not in {source.constant(node.visible, 'visible')}: {give_up}()")
    for variant in node.variants:
        indent = 1
        if variant.names is not None:
            if not node.typed:
                continue
            source.line(1, f"if t in {source.constant(variant.names, 'names')}:")
            indent = 2
        _return(source, indent, variant.fields, give_up)
    project: Project = source.function("project")
    return project


def _return(source: Source, indent: int, fields: Sequence[OutField], give_up: str) -> None:
    names = [f"a{index}" for index in range(len(fields))]
    rename = {name: field.response_name for name, field in zip(names, fields, strict=True)}
    struct = source.constant(
        msgspec.defstruct("Out", [(name, Any) for name in names], rename=rename or None, gc=False), "Out"
    )
    values = [_value(source, indent, field, give_up) for field in fields]
    source.line(indent, f"return {struct}({', '.join(values)})")


def _value(source: Source, indent: int, field: OutField, give_up: str) -> str:
    """Write what must be checked before, and return the expression of the field's value."""
    if field.literal is not None:
        return source.constant(field.literal, "name")
    if field.source is None:
        if field.type.non_null:
            source.line(indent, f"{give_up}()")
        return "None"
    read = f"o.{attribute(field.source)}"
    if field.node is None and _needs_no_check(field.type, field.enum):
        return read
    variable = source.fresh("x")
    source.line(indent, f"{variable} = {read}")
    if field.passes:
        if field.type.non_null:
            source.line(indent, f"if {variable} is None: {give_up}()")
        return variable
    leaf = "{0}"
    if field.node is not None:
        leaf = source.constant(projector(field.node), "project") + "({0})"
    elif field.enum is not None:
        leaf = f"({{0}} if {{0}} in {source.constant(field.enum, 'enum')} else {give_up}())"
    return _expression(variable, field.type, leaf, give_up, 0)


def _needs_no_check(ref: TypeRef, enum: frozenset[str] | None) -> bool:
    if ref.non_null or enum is not None:
        return False
    return ref.item is None or _needs_no_check(ref.item, enum)


def _expression(variable: str, ref: TypeRef, leaf: str, give_up: str, depth: int) -> str:
    if ref.item is None:
        present = leaf.format(variable)
    else:
        item = f"e{depth}"
        present = f"[{_expression(item, ref.item, leaf, give_up, depth + 1)} for {item} in {variable}]"
    absent = f"{give_up}()" if ref.non_null else "None"
    return f"({present} if {variable} is not None else {absent})"
