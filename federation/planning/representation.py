"""Representations: which fields of an entity are sent, and where in the merged tree each of them is read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from federation.planning.operation import TYPENAME
from federation.planning.plan import Reference, RepresentationField
from federation.planning.ways import input_sources, merged_inputs

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from federation.planning.fetches import Use
    from federation.planning.tree import Entry, Input

By = tuple["Input", ...]


def references(use: Use) -> Iterator[Reference]:
    """Yield the ways to refer to the objects that a jump enters: by its own key first, then by others.

    Objects that go by the name of an interface may not tell their types: they are referred to in the ways of all.
    """
    yield _reference(use, use.jump.by, use.types)
    others: dict[object, tuple[By, set[str]]] = {}
    for type_name in sorted(use.types):
        for other in use.others.get(type_name, ()):
            _, names = others.setdefault(tuple(input_sources(other.by)), (other.by, set()))
            names.add(type_name)
    for by, names in others.values():
        if use.jump.known_as is None or names >= use.types:
            yield _reference(use, by, names)


def _reference(use: Use, by: By, names: set[str]) -> Reference:
    """Refer to objects of these types; what the key and a required field select below one field is sent as one."""
    return Reference(
        key=tuple(represented(by, names)),
        fields=tuple(represented(merged_inputs(by + use.jump.inputs), names)),
        on=frozenset() if names >= use.types else frozenset(names),
    )


def represented(inputs: Iterable[Input], types: Iterable[str]) -> Iterator[RepresentationField]:
    """Say where each field of a representation is read; `on` only where not every object has it there."""
    whole = frozenset(types)
    for found in inputs:
        for source, names in _sources(found.entry, whole).items():
            yield RepresentationField(
                name=found.name,
                source=source,
                selections=tuple(_nested(found.children)),
                on=frozenset() if names >= whole else frozenset(names),
            )


def _nested(inputs: tuple[Input, ...]) -> Iterator[RepresentationField]:
    for found in inputs:
        arriving = found.entry.node.arriving
        for source, names in _sources(found.entry, found.on).items():
            yield RepresentationField(
                name=found.name,
                source=source,
                selections=tuple(_nested(found.children)),
                on=frozenset() if names >= arriving or found.name == TYPENAME else frozenset(names),
            )


def _sources(entry: Entry, types: Iterable[str]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for name in sorted(types):
        found.setdefault(entry.source_on(name), set()).add(name)
    return found
