"""Contexts are set where they are read, and give what is asked for."""

from __future__ import annotations

import re
from collections.abc import Iterator

from federation.composition.context import ContextUse, context_uses, contexts
from federation.composition.errors import Finding
from federation.composition.fieldset import FieldSet, FieldSetError, Fragment
from federation.composition.model import BUILT_IN_SCALARS, Kind, named
from federation.composition.subgraph import ReadSubgraph, applied, has
from federation.composition.subtyping import Lattice

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9]*")


def contexts_valid(subgraph: ReadSubgraph) -> Iterator[Finding]:
    """Context names are plain, every context that is read is set, and what is read is one value of the right type."""
    set_on = contexts(subgraph)
    for name, types in set_on.items():
        if not _NAME.fullmatch(name):
            message = f"context name `{name}` must be of letters and digits, and begin with a letter"
            yield subgraph.finding("CONTEXT_NAME_INVALID", message, *types)
    for use in context_uses(subgraph):
        yield from _use(subgraph, use, set_on)


def _use(subgraph: ReadSubgraph, use: ContextUse, set_on: dict[str, tuple[str, ...]]) -> Iterator[Finding]:
    where = use.coordinate
    if use.context is None:
        message = f"`{where}`: @fromContext must begin with `$` and the name of a context, got `{use.text}`"
        yield subgraph.finding("NO_CONTEXT_IN_SELECTION", message, where)
        return
    if use.context not in set_on:
        yield subgraph.finding("CONTEXT_NOT_SET", f"`{where}` reads context `{use.context}`, which is never set", where)
        return
    if not use.selection:
        yield subgraph.finding("NO_CONTEXT_IN_SELECTION", f"`{where}` selects nothing from its context", where)
        return
    above = [name for name in use.type_.interfaces if use.field.name in _fields_of(subgraph, name)]
    if above:
        message = f"`{where}`: @fromContext cannot be used on a field that interface `{above[0]}` asks for"
        yield subgraph.finding("CONTEXT_NOT_SET", message, where)
    if use.type_.kind is Kind.INTERFACE:
        message = f"`{where}`: @fromContext cannot be used on fields of interfaces"
        yield subgraph.finding("CONTEXT_NOT_SET", message, where)
    if use.argument.default is not None:
        message = f"`{where}` is filled from a context and cannot have a default value"
        yield subgraph.finding("CONTEXT_NOT_SET", message, where)
    if not any(key.flag("resolvable", default=True) for key in applied(use.type_.directives, "key")):
        message = f"`{use.type_.name}` reads a context and so must have a resolvable key, to be entered again"
        yield subgraph.finding("CONTEXT_NO_RESOLVABLE_KEY", message, where)
    lattice = Lattice.over(subgraph.types)
    for name in set_on[use.context]:
        for problem in _selection(subgraph, use, name, lattice):
            yield subgraph.finding("CONTEXT_INVALID_SELECTION", f"`{where}`, read from `{name}`: {problem}", where)


def _fields_of(subgraph: ReadSubgraph, name: str) -> frozenset[str]:
    found = subgraph.types.get(name)
    return frozenset() if found is None else frozenset(found.fields)


def _selection(subgraph: ReadSubgraph, use: ContextUse, type_name: str, lattice: Lattice) -> Iterator[str]:
    try:
        selections = use.selections(type_name)
    except FieldSetError as error:
        yield str(error)
        return
    leaves = [_leaf(subgraph, type_name, selections)]
    if not selections:
        members = subgraph.implementations.get(type_name, ())
        leaves = [_leaf(subgraph, name, inner) for name in members if (inner := use.selections(name))]
        if not leaves:
            yield f"nothing is selected on `{type_name}`"
    for found in leaves:
        if found is None:
            yield "exactly one field must be selected, down to a leaf, without aliases and directives"
        elif not lattice.fits(found.rstrip("!"), use.argument.type.rstrip("!")):
            yield f"`{found}` does not fit `{use.argument.type}`"


def _leaf(subgraph: ReadSubgraph, type_name: str, selections: FieldSet) -> str | None:
    """Return the printed type of the one leaf that is selected, or None when it is not just one."""
    type_ = subgraph.types.get(type_name)
    if len(selections) != 1 or type_ is None or isinstance(only := selections[0], Fragment):
        return None
    declared = type_.fields.get(only.name)
    if declared is None or only.directives or only.alias is not None or has(declared.directives, "interfaceObject"):
        return None
    below = named(declared.type)
    if below in BUILT_IN_SCALARS or subgraph.types[below].kind in {Kind.SCALAR, Kind.ENUM}:
        return declared.type if not only.selections else None
    inner = _leaf(subgraph, below, only.selections)
    return f"[{inner}]" if inner is not None and declared.type.startswith("[") else inner
