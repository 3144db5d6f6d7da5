"""Costs are stated where something is resolved."""

from __future__ import annotations

from collections.abc import Iterator

from federation.composition.errors import Finding
from federation.composition.model import Kind
from federation.composition.subgraph import ReadSubgraph, has


def costs_valid(subgraph: ReadSubgraph) -> Iterator[Finding]:
    """`@cost` does not stand on fields of interfaces."""
    for type_, declared in subgraph.fields():
        if type_.kind is Kind.INTERFACE and has(declared.directives, "cost"):
            coordinate = f"{type_.name}.{declared.name}"
            yield subgraph.finding(
                "COST_APPLIED_TO_INTERFACE_FIELD",
                f"@cost cannot be on `{coordinate}`, a field of an interface",
                coordinate,
            )
