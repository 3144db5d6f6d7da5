"""The cheapest combination is chosen, not the cheapest way for each field."""

from __future__ import annotations

import pytest
from graphql import parse

from federation.planning.plan import Plan
from federation.planning.planner import Planner, PlannerOptions
from tests.support.supergraphs import supergraph

SHARED = supergraph(
    ("a", "b", "c", "d"),
    """
    type User
      @join__type(graph: A, key: "id") @join__type(graph: B, key: "id")
      @join__type(graph: C, key: "id") @join__type(graph: D, key: "id")
    {
      id: ID!
      w: Int @join__field(graph: B) @join__field(graph: D)
      x: Int @join__field(graph: B) @join__field(graph: C)
      y: Int @join__field(graph: C) @join__field(graph: D)
      z: Int @join__field(graph: B)
      deep: Int @join__field(graph: D, requires: "x")
    }
    type Query @join__type(graph: A) @join__type(graph: B) @join__type(graph: C) @join__type(graph: D) {
      user: User @join__field(graph: A)
      both: User @join__field(graph: A) @join__field(graph: B)
    }
    """,
)


def plan_of(text: str) -> Plan:
    return Planner(SHARED).plan(parse(text))


def members(text: str) -> list[str]:
    return [fetch.member for fetch in plan_of(text).fetches]


def test_fields_that_several_members_share_are_had_from_as_few_as_possible() -> None:
    assert members("{ user { w y } }") == ["a", "d"]
    assert sorted(members("{ user { w x y z } }")) in (["a", "b", "c"], ["a", "b", "d"])


def test_a_root_field_is_taken_where_the_rest_is() -> None:
    assert members("{ both { id } }") in (["a"], ["b"])
    assert members("{ both { id z x w } }") == ["b"]


def test_a_requirement_is_had_from_the_member_that_is_asked_anyway() -> None:
    assert members("{ user { deep z } }") == ["a", "b", "d"]
    assert members("{ user { deep y } }")[-1] == "d"


def test_requests_of_one_level_do_not_wait_for_each_other() -> None:
    plan = plan_of("{ user { z y } }")
    assert [fetch.after for fetch in plan.fetches] == [(), (0,), (0,)]


def test_the_same_operation_has_the_same_plan_every_time() -> None:
    assert len({repr(plan_of("{ user { w x y z deep } both { y } }")) for _ in range(5)}) == 1


RING = [f"s{number}" for number in range(12)]
"""Every subgraph shares a field with each of its two neighbours, so that no decision tells all others."""


def ring() -> Planner:
    types = " ".join(f'@join__type(graph: {name.upper()}, key: "id")' for name in ("a", *RING))
    fields = "\n".join(
        f"f{number}: Int @join__field(graph: {name.upper()}) @join__field(graph: {RING[number - 1].upper()})"
        for number, name in enumerate(RING)
    )
    query = "type Query @join__type(graph: A) { user: User @join__field(graph: A) }"
    return Planner(supergraph(("a", *RING), f"type User {types} {{ id: ID! {fields} }} {query}"))


@pytest.mark.parametrize(("budget", "requests", "most"), [(30, 12, 150), (50_000, 7, 1_300)])
def test_the_search_ends_with_its_budget_or_when_nothing_can_be_cheaper(budget: int, requests: int, most: int) -> None:
    operation = parse(f"{{ user {{ {' '.join(f'f{number}' for number in range(len(RING)))} }} }}")
    stages = ring().stages(operation, options=PlannerOptions(budget=budget))
    assert stages.parts[0].choice.proved == (budget > most)
    assert stages.parts[0].choice.weighed < most
    assert stages.plan.best_effort == (budget < most)
    assert len(stages.plan.fetches) == requests
