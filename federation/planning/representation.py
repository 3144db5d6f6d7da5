"""Representations: which fields of an entity are sent, and where in the merged tree each of them is read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from federation.planning.operation import TYPENAME
from federation.planning.plan import RepresentationField

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from federation.planning.tree import Entry, Input


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
