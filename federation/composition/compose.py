"""Composition: subgraph schemas in, supergraph or explained errors out.

1. read      `subgraph`   each schema and its links
2. merge     here         types, fields, arguments, inputs, enums; findings where subgraphs contradict each other
3. write     `join_sdl`   the supergraph in the join specification
4. read back `supergraph` what every consumer of a supergraph reads, so that ours is as good as anybody's
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from federation.composition.errors import CompositionError, Finding
from federation.composition.join_sdl import write_supergraph
from federation.composition.merging import merge
from federation.composition.subgraph import ReadSubgraph, Subgraph
from federation.composition.supergraph import Supergraph

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class Composed:
    """A composition that succeeded; `hints` say what is allowed and still worth a look."""

    supergraph: Supergraph
    hints: tuple[Finding, ...]


def compose(subgraphs: Sequence[Subgraph]) -> Composed:
    """Compose subgraphs.

    Raises:
        CompositionError: with every finding, each under the code that federation users know.
    """
    read = [ReadSubgraph.read(subgraph) for subgraph in subgraphs]
    merged = merge(read)
    if merged.errors:
        raise CompositionError(merged.errors)
    return Composed(Supergraph.parse(write_supergraph(read, merged)), tuple(merged.hints))
