"""Finds the places of the client's response that an object of the merged tree, or a member's error path, stands for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from federation.execution.codegen import attribute
from federation.execution.complete import ResponsePath
from federation.execution.fold import Wanted
from federation.execution.output import OutField, OutNode
from federation.execution.shape import TYPENAME, fields
from federation.planning.plan import Each, Key, OnType, Path

Place = tuple[Any, OutNode | None, ResponsePath]
"""An object, the node by which the response shows it (None when it is internal), and the path of what is shown."""


def places(node: OutNode | None, value: Any, path: Path, at: ResponsePath = ()) -> Iterator[Place]:
    """Yield every object that a plan's path leads to, once for every place where the response shows it."""
    if value is None:
        return
    if not path:
        yield value, node, at
        return
    step, rest = path[0], path[1:]
    match step:
        case Key(name):
            inner = getattr(value, attribute(name), None)
            shown = list(_showing(node, value, name))
            for field in shown:
                yield from places(field.node, inner, rest, (*at, field.response_name))
            if not shown:
                yield from places(None, inner, rest, at)
        case Each():
            for index, item in enumerate(value):
                yield from places(node, item, rest, at if node is None else (*at, index))
        case OnType(names):
            if typename_of(value) in names:
                yield from places(node, value, rest, at)


def follow(node: OutNode | None, value: Any, path: Sequence[str | int], at: ResponsePath) -> Iterator[ResponsePath]:
    """Yield the response paths of a member's error path, as far as the response shows it."""
    if not path or node is None or value is None:
        yield at
        return
    step, rest = path[0], path[1:]
    if isinstance(step, int):
        if isinstance(value, list) and 0 <= step < len(value):
            yield from follow(node, value[step], rest, (*at, step))
        else:
            yield at
        return
    shown = [] if isinstance(value, list) else list(_showing(node, value, step))
    for field in shown:
        inner = getattr(value, attribute(step), None)
        below = (*at, field.response_name)
        if field.node is None:
            yield (*below, *(index for index in rest if isinstance(index, int)))
        else:
            yield from follow(field.node, inner, rest, below)
    if not shown:
        yield at


def missing(node: OutNode | None, value: Any, selections: Sequence[Wanted], at: ResponsePath) -> Iterator[ResponsePath]:
    """Yield the shown fields of an object that a fetch's selections should have filled and that are null."""
    if node is None or value is None:
        return
    for wanted in fields(selections):
        if wanted.key == TYPENAME and node.needs_typename and typename_of(value) is None:
            yield at  # without its type, nothing of the object can be shown
        for field in _showing(node, value, wanted.key):
            inner = getattr(value, attribute(wanted.key), None)
            yield from _missing(field.node, inner, wanted.selections, (*at, field.response_name))


def _missing(
    node: OutNode | None, value: Any, selections: Sequence[Wanted] | None, at: ResponsePath
) -> Iterator[ResponsePath]:
    if value is None:
        yield at
    elif node is not None and selections is not None:
        if isinstance(value, list):
            for index, item in enumerate(value):
                yield from _missing(node, item, selections, (*at, index))
        else:
            yield from missing(node, value, selections, at)


def typename_of(value: Any) -> str | None:
    """Return an object's typename, None when it is unknown."""
    name: str | None = getattr(value, attribute(TYPENAME), None)
    return name


def _showing(node: OutNode | None, value: Any, key: str) -> Iterator[OutField]:
    """Yield the fields under which the response shows an object's source key."""
    if node is not None:
        for field in node.fields_of(typename_of(value)):
            if field.source == key:
                yield field
