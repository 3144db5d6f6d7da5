"""What a rule is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from federation.composition.errors import Finding
from federation.composition.subgraph import ReadSubgraph


class Rule(Protocol):
    """A rule that one subgraph keeps by itself: reads it, yields findings, changes nothing, knows no other rule."""

    def __call__(self, subgraph: ReadSubgraph, /) -> Iterator[Finding]:
        """Yield a finding for every place where the subgraph breaks the rule."""
