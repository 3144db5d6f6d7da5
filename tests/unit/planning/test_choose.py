"""The cheapest combination is chosen, not the cheapest way for each field."""

from __future__ import annotations

from graphql import parse

from federation.planning.plan import Plan
from federation.planning.planner import Planner
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
