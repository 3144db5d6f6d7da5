"""Keys that select below themselves: of a field that the key leads to, and of types that own each other."""

from __future__ import annotations

import pytest
from graphql import parse

from federation.planning.errors import UnanswerableError
from federation.planning.explain import explain
from federation.planning.planner import Planner
from tests.support.supergraphs import supergraph

TENANTS = """
type House
  @join__type(graph: LAND) @join__type(graph: TAX, key: "owner { code }") @join__type(graph: DEBT, key: "owner { id }")
{
  owner: Person @join__field(graph: LAND) @join__field(graph: TAX) @join__field(graph: DEBT)
}
type Person @join__type(graph: LAND) @join__type(graph: TAX) @join__type(graph: DEBT) {
  id: ID! @join__field(graph: LAND) @join__field(graph: DEBT)
  code: ID! @join__field(graph: DEBT) @join__field(graph: TAX)
  arrears: Int @join__field(graph: DEBT)
  income: Int @join__field(graph: TAX)
}
type Query @join__type(graph: LAND) @join__type(graph: TAX) @join__type(graph: DEBT) {
  house: House @join__field(graph: LAND)
}
"""
"""A person has no key: `arrears` and `income` are had by entering the house, whose keys select below `owner`."""

MUTUAL = """
type House @join__type(graph: LAND, key: "owner { code }") @join__type(graph: TAX, key: "owner { code }") {
  owner: Person
  rooms: Int @join__field(graph: LAND)
}
type Person @join__type(graph: LAND, key: "home { rooms }") @join__type(graph: TAX, key: "home { rooms }") {
  code: ID @join__field(graph: LAND)
  home: House
}
type Query @join__type(graph: LAND) @join__type(graph: TAX) { house: House @join__field(graph: TAX) }
"""
"""Each key is had by the other type's key only, which begins nowhere."""


def test_a_key_that_selects_below_the_field_it_leads_to_is_used() -> None:
    plan = Planner(supergraph(("land", "tax", "debt"), TENANTS)).plan(parse("{ house { owner { arrears } } }"))
    assert [fetch.member for fetch in plan.fetches] == ["land", "debt"]
    assert "$representations: House { owner { id } }" in explain(plan)
    assert "... on House { owner { arrears } }" in plan.fetches[1].operation


def test_such_keys_follow_one_another_and_enter_once() -> None:
    planner = Planner(supergraph(("land", "tax", "debt"), TENANTS))
    plan = planner.plan(parse("{ house { owner { income arrears } } }"))
    assert [fetch.member for fetch in plan.fetches] == ["land", "debt", "tax"]
    assert [len(fetch.entities) for fetch in plan.fetches] == [0, 1, 1]
    assert "$representations: House { owner { code } }" in explain(plan)


def test_keys_that_need_each_other_for_ever_are_refused_with_the_reason() -> None:
    planner = Planner(supergraph(("land", "tax"), MUTUAL))
    with pytest.raises(UnanswerableError, match="the object comes from tax, and no key leads from there to land"):
        planner.plan(parse("{ house { rooms } }"))
