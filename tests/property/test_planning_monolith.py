"""Federated = monolith: a plan over a random split of a random schema gives the answer of the merged schema."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from federation.composition.supergraph import Supergraph
from federation.planning.explain import explain
from federation.planning.planner import Planner, PlannerOptions
from tests.support.federation_world import World, operations
from tests.support.planning import run_plan

OPERATIONS = 10

pytestmark = pytest.mark.property


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), prefix=st.sampled_from([None, "_k_"]))
def test_a_plan_answers_as_the_merged_schema_does(seed: int, prefix: str | None) -> None:
    random = Random(seed)
    world = World(random)
    options = PlannerOptions(internal_prefix=prefix, labels=frozenset(world.labels))
    planner = Planner(Supergraph.parse(world.supergraph_sdl()), options)
    for document, text, variables in operations(world.merged, random, OPERATIONS):
        expected, refusals = world.answer(text, variables)
        assert not refusals
        plan = planner.plan(document)
        answer = run_plan(plan, world.ask, variables, world.merged)
        assert not answer.errors, explain(plan)
        assert answer.data == expected, explain(plan)
