"""Whatever is planned over the audit's supergraphs, every subgraph can validate what it is asked."""

from __future__ import annotations

from functools import cache
from random import Random
from typing import TYPE_CHECKING

import pytest
from graphql import parse, validate
from hypothesis import given, settings
from hypothesis import strategies as st

from federation.composition.supergraph import Supergraph
from federation.planning.errors import UnanswerableError
from federation.planning.planner import Planner, PlannerOptions
from tests.support.operation_writer import operations
from tests.support.subgraph_schemas import subgraph_schema
from tests.support.supergraphs import audit_suites

if TYPE_CHECKING:
    from graphql import GraphQLSchema

SUITES = audit_suites()

pytestmark = [
    pytest.mark.property,
    pytest.mark.skipif(not SUITES, reason="the conformance cases are not beside the repository"),
]

UNANSWERABLE = {"corrupted-supergraph-node-id", "non-resolvable-interface-object"}
"""Suites about supergraphs that composed by mistake: some of their fields cannot be answered."""

ORDER_UNKNOWN = "a variable decides which of them is the first to run"
"""Mutations run in order, and that of these is not known when they are planned."""


@cache
def planner(suite: str) -> Planner:
    return Planner(Supergraph.parse(SUITES[suite]["supergraph"]))


@cache
def schemas(suite: str) -> dict[str, GraphQLSchema]:
    return {one["name"]: subgraph_schema(one["sdl"]) for one in SUITES[suite]["subgraphs"]}


@settings(max_examples=80)
@given(
    suite=st.sampled_from(sorted(SUITES) or [""]), seed=st.integers(0, 2**32 - 1), prefix=st.sampled_from([None, "_k_"])
)
def test_a_subgraph_can_validate_what_it_is_asked(suite: str, seed: int, prefix: str | None) -> None:
    for document, text, _ in operations(planner(suite).supergraph.api_schema, Random(seed), 8):
        try:
            plan = planner(suite).plan(document, None, PlannerOptions(internal_prefix=prefix))
        except UnanswerableError as refused:
            if suite in UNANSWERABLE or ORDER_UNKNOWN in str(refused):
                continue
            raise
        for fetch in plan.fetches:
            problems = validate(schemas(suite)[fetch.member], parse(fetch.operation))
            assert not problems, f"{problems[0].message}\n{text}\n{fetch.member}: {fetch.operation}"
