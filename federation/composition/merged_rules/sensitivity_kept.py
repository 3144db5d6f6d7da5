"""No member publishes a field as less sensitive than its owner does."""

from __future__ import annotations

from collections.abc import Iterator

from federation.composition.errors import Finding
from federation.composition.merged import Merged, MergedType
from federation.composition.model import Field
from federation.composition.sensitivity import LEVELS, PRIVACY, rank, stated
from federation.composition.subgraph import ReadSubgraph


def sensitivity_kept(merged: Merged) -> Iterator[Finding]:
    """Whoever states a field's sensitivity states at least what any member states who resolves the field.

    Who resolves a field owns it, and where several do, each binds the others. A member that states nothing weakens
    nothing: the supergraph keeps the strictest level that is stated.
    """
    stating = [subgraph for subgraph in merged.subgraphs if PRIVACY in subgraph.known]
    if not stating:
        return
    names = {subgraph.name for subgraph in stating}
    for type_ in merged.types.values():
        for field_name in type_.fields:
            yield from _field(type_, field_name, names)


def _field(type_: MergedType, field_name: str, stating: set[str]) -> Iterator[Finding]:
    coordinate = f"{type_.name}.{field_name}"
    levels: list[tuple[ReadSubgraph, str]] = []
    owners: list[tuple[ReadSubgraph, str]] = []
    for subgraph, declared in _declared(type_, field_name):
        level = stated(declared.directives) if subgraph.name in stating else None
        if level is None:
            continue
        if level not in LEVELS:
            message = f"`{coordinate}` has sensitivity `{level}`, expected one of {', '.join(LEVELS)}"
            yield subgraph.finding("SENSITIVITY_UNKNOWN", message, coordinate)
            continue
        levels.append((subgraph, level))
        if (type_.name, field_name) not in subgraph.external:
            owners.append((subgraph, level))
    if not owners:
        return
    owner, highest = max(owners, key=lambda item: rank(item[1]))
    for subgraph, level in levels:
        if rank(level) < rank(highest):
            message = f"`{coordinate}` is published as `{level}`, but its owner `{owner.name}` says `{highest}`"
            yield subgraph.finding("SENSITIVITY_WEAKENED", message, coordinate)


def _declared(type_: MergedType, field_name: str) -> Iterator[tuple[ReadSubgraph, Field]]:
    for subgraph, here in type_.places:
        if field_name in here.fields:
            yield subgraph, here.fields[field_name]
