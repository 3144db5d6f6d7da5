"""Federated = monolith: a random split of a random schema answers as the merged schema does.

The reference executor of `tests/support/planning.py` and the gateway's own engine both run every plan. Values that
cannot be had, mutations, contexts and override labels are part of the worlds; see `tests/support/federation_world.py`.
`CROCEVIA_WORLDS` sets how many worlds are tried: long runs are made with thousands.
"""

from __future__ import annotations

import os
from random import Random
from typing import Any

import pytest
from graphql import DocumentNode, lexicographic_sort_schema, print_schema
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from federation.composition.satisfiability import unsatisfied
from federation.composition.supergraph import Supergraph
from federation.planning.errors import UnanswerableError
from federation.planning.explain import explain
from federation.planning.plan import OperationKind, Plan
from federation.planning.planner import Planner
from tests.support.federation_world import World
from tests.support.nested_keys import NestedKeysBuilder
from tests.support.null_keys import NullKeysBuilder
from tests.support.operation_writer import operations
from tests.support.planning import run_plan
from tests.support.world_gateway import answer, explained, options_of, shown

WORLDS = int(os.environ.get("CROCEVIA_WORLDS", "60"))
OPERATIONS = 10

pytestmark = pytest.mark.property


@settings(max_examples=WORLDS)
@given(seed=st.integers(0, 2**32 - 1), prefix=st.sampled_from([None, "_k_"]))
def test_a_plan_answers_as_the_merged_schema_does(seed: int, prefix: str | None) -> None:
    random = Random(seed)
    world = World(random)
    check(world, Supergraph.parse(world.supergraph_sdl()), random, prefix)


@settings(max_examples=WORLDS // 2)
@given(seed=st.integers(0, 2**32 - 1), prefix=st.sampled_from([None, "_k_"]))
def test_entities_that_own_each_other_answer_as_the_merged_schema_does(seed: int, prefix: str | None) -> None:
    random = Random(seed)
    world = World(random, NestedKeysBuilder)
    supergraph = Supergraph.parse(world.supergraph_sdl())
    assume(not any(unsatisfied(supergraph)))
    check(world, supergraph, random, prefix)


@settings(max_examples=WORLDS // 2)
@given(seed=st.integers(0, 2**32 - 1))
def test_objects_of_which_some_keys_are_null_answer_as_the_merged_schema_does(seed: int) -> None:
    random = Random(seed)
    world = World(random, NullKeysBuilder)
    check(world, Supergraph.parse(world.supergraph_sdl()), random, None)


def check(world: World, supergraph: Supergraph, random: Random, prefix: str | None) -> None:
    """Ask a world some operations: plan, engine and reference executor answer as the merged schema does."""
    assert print_schema(lexicographic_sort_schema(supergraph.api_schema)) == print_schema(
        lexicographic_sort_schema(world.merged)
    )
    planner = Planner(supergraph, options_of(world, supergraph, prefix))
    for document, text, variables in operations(world.merged, random, OPERATIONS):
        plan = planned(planner, document)
        if plan is None:
            continue
        expected, lost = world.answer(text, variables)
        changes = list(world.changes)
        world.restore()
        check_engine(world, plan, variables, expected, lost)
        if plan.kind is OperationKind.MUTATION:
            assert world.changes == changes, explain(plan)
        world.restore()
        if not world.broken:
            assert run_plan(plan, world.ask, variables, world.merged).data == expected, explain(plan)
        world.restore()


def planned(planner: Planner, document: DocumentNode) -> Plan | None:
    """Plan an operation; None for a mutation whose order depends on a variable, the one kind that is refused."""
    try:
        return planner.plan(document)
    except UnanswerableError as error:
        if "a variable decides which of them is the first to run" in str(error):
            return None
        raise


def check_engine(world: World, plan: Plan, variables: dict[str, Any], expected: Any, lost: list[Any]) -> None:
    """The engine answers the same, and says of everything that was lost why."""
    data, errors = answer(world, plan, variables, world.merged)
    assert data == expected, explain(plan)
    # A subgraph that knows an interface as an object is asked for more than is shown, and may report errors about that.
    assert not errors or world.broken or world.denied, explain(plan)
    assert all(explained(shown(data, path), errors) for path in lost), explain(plan)
