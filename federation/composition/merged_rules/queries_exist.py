"""A graph can be asked something."""

from __future__ import annotations

from collections.abc import Iterator

from federation.composition.errors import Finding
from federation.composition.merged import Merged


def queries_exist(merged: Merged) -> Iterator[Finding]:
    """Some subgraph has a query field."""
    query = merged.types.get("Query")
    if query is None or not query.fields:
        yield Finding("NO_QUERIES", "no subgraph has a query field")
