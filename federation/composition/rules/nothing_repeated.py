"""Types, fields, arguments and values are declared once."""

from __future__ import annotations

from collections.abc import Iterator

from federation.composition.errors import Finding
from federation.composition.subgraph import ReadSubgraph


def nothing_repeated(subgraph: ReadSubgraph) -> Iterator[Finding]:
    """Nothing is declared twice (seen while reading, where it still shows)."""
    yield from subgraph.faults
