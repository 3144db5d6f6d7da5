"""Composition: subgraph schemas in, supergraph or explained errors out.

1. read      `reading`         each schema: its links, directives under canonical names, root types under usual ones
2. validate  `rules`           each schema by itself: GraphQL's rules, then, once v1 is `upgrading`, the federation's
3. merge     `merging`         types, fields, arguments, inputs, enums, directives
4. check     `merged_rules`    what only shows when all are together
5. write     `join_sdl`        the supergraph in the join specification
6. read back `supergraph`      what every consumer of a supergraph reads, so that ours is as good as anybody's
7. satisfy   `satisfiability`  every operation that clients may ask can be answered

A stage that finds errors is the last one: what follows would only repeat them.
"""

from __future__ import annotations

import gc
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from federation.composition.errors import CompositionError, Finding
from federation.composition.join_sdl import write_supergraph
from federation.composition.merged import Merged
from federation.composition.merged_rules.queries_exist import queries_exist
from federation.composition.merged_rules.specified import contradictions
from federation.composition.merging import merge
from federation.composition.reading import read_subgraph
from federation.composition.rules.specified import DEFINITIONS, FEDERATION, GRAPHQL, violations
from federation.composition.satisfiability import unsatisfied
from federation.composition.subgraph import ReadSubgraph, Subgraph
from federation.composition.supergraph import Supergraph
from federation.composition.upgrading import upgrade


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
    return Composer().compose(subgraphs)


@dataclass(frozen=True, slots=True)
class _Alone:
    """What a schema is by itself, and what is wrong with it."""

    read: ReadSubgraph
    findings: tuple[Finding, ...]


@dataclass(slots=True)
class Composer:
    """Composes again and again: a schema that stood in the last composition is neither read nor checked again.

    INVARIANT: what is kept about a schema depends on its `Subgraph` and its name in `join__Graph`, and on no other.
    """

    _known: dict[tuple[Subgraph, str], _Alone] = field(default_factory=dict)

    def compose(self, subgraphs: Sequence[Subgraph]) -> Composed:
        """Compose subgraphs. Raises as `compose` does."""
        with _collector_at_rest():
            alone = self._each(subgraphs)
            _refuse(finding for each in alone for finding in each.findings)
            upgraded = upgrade([each.read for each in alone])
            _refuse(finding for each in upgraded for finding in violations(each, FEDERATION) if each.first_version)
            merged = _merged(upgraded)
            supergraph = Supergraph.parse(write_supergraph(merged))
            _refuse(unsatisfied(supergraph))
            return Composed(supergraph, tuple(merged.hints))

    def _each(self, subgraphs: Sequence[Subgraph]) -> list[_Alone]:
        """Read and check all schemas, so that the faults of all are reported together."""
        ordered = sorted(subgraphs, key=lambda subgraph: subgraph.name)
        known: dict[tuple[Subgraph, str], _Alone] = {}
        faults: list[Finding] = []
        for key in zip(ordered, _enums(ordered), strict=True):
            try:
                known[key] = self._known.get(key) or _alone(*key)
            except CompositionError as error:
                faults += error.findings
        self._known = known
        _refuse(faults)
        return list(known.values())


def _alone(subgraph: Subgraph, enum: str) -> _Alone:
    """Read and check a schema by itself; how a v1 schema reads in v2 takes all the others to say."""
    read = read_subgraph(subgraph, enum)
    groups = (DEFINITIONS, GRAPHQL) if read.first_version else (DEFINITIONS, GRAPHQL, FEDERATION)
    return _Alone(read, tuple(violations(read, *groups)))


@contextmanager
def _collector_at_rest() -> Iterator[None]:
    """Keep the garbage collector from walking what is being made: all of it is in use until the end."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _refuse(findings: Iterable[Finding]) -> None:
    found = tuple(findings)
    if found:
        raise CompositionError(found)


def _enums(subgraphs: Sequence[Subgraph]) -> list[str]:
    """Return a value of `join__Graph` for each subgraph: its name in capitals, numbered where two look alike."""
    values: list[str] = []
    for subgraph in subgraphs:
        plain = re.sub(r"[^A-Z0-9_]", "_", subgraph.name.upper())
        if plain[:1].isdigit():
            plain = f"_{plain}"
        value, number = plain, 0
        while value in values:
            number += 1
            value = f"{plain}_{number}"
        values.append(value)
    names = [subgraph.name for subgraph in subgraphs]
    _refuse(
        Finding("INVALID_SUBGRAPH_NAME", f"there are several subgraphs called `{name}`", (name,))
        for name in dict.fromkeys(names)
        if names.count(name) > 1
    )
    return values


def _merged(subgraphs: Sequence[ReadSubgraph]) -> Merged:
    merged = merge(subgraphs)
    _refuse([*merged.errors, *queries_exist(merged)])
    _refuse(contradictions(merged))
    return merged
