"""The subgraphs of the public gateway audit, composed by us, are planned as well as with the audit's supergraphs."""

from __future__ import annotations

from functools import cache

import pytest
from graphql import parse, validate

from federation.composition.compose import compose
from federation.composition.subgraph import Subgraph
from federation.composition.supergraph import Supergraph
from federation.planning.errors import PlanningError
from federation.planning.planner import Planner
from tests.support.audit import Case, cases

CASES = cases()

pytestmark = [
    pytest.mark.conformance,
    pytest.mark.skipif(not CASES, reason="the conformance cases are not beside the repository"),
]


@cache
def composed(suite: str) -> Supergraph:
    subgraphs = next(case.subgraphs for case in CASES if case.suite == suite)
    return compose([Subgraph(item["name"], "", item["sdl"]) for item in subgraphs]).supergraph


@cache
def planner(supergraph: str) -> Planner:
    return Planner(Supergraph.parse(supergraph))


def fetches(supergraph: str, query: str) -> int | None:
    """Return how many fetches a plan has; None when the operation is invalid or cannot be planned."""
    document = parse(query)
    if validate(planner(supergraph).supergraph.api_schema, document):
        return None
    try:
        return len(planner(supergraph).plan(document).fetches)
    except PlanningError:
        return None


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_case_takes_as_many_fetches_as_with_the_audits_supergraph(case: Case) -> None:
    assert fetches(composed(case.suite).sdl, case.query) == fetches(case.supergraph, case.query)
