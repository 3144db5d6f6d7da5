"""Arguments that objects above fill: how they are planned, asked, and what is lost when they are."""

from __future__ import annotations

import asyncio
from functools import cache
from typing import Any

import msgspec
import pytest
from graphql import parse

from federation.composition.compose import Composed, compose
from federation.composition.errors import CompositionError
from federation.composition.subgraph import Subgraph
from federation.contract.errors import NodeUnavailableError
from federation.execution.compiled import CompiledPlan
from federation.execution.execute import execute
from federation.execution.ports import FetchRequest
from federation.execution.run import Outside
from federation.planning.explain import explain, print_fetches, print_paths
from federation.planning.planner import Planner
from tests.support.execution import ScriptedMembers

HEAD = """extend schema @link(url: "https://specs.apollo.dev/federation/v2.8",
  import: ["@key", "@context", "@fromContext", "@external"])
"""
BANK = (
    HEAD
    + """
type Query { customers: [Customer!]! me: Customer! }
type Customer @key(fields: "id") @context(name: "customer") {
  id: ID!
  currency: String @external
  last: Payment
  payments: [Payment!]!
}
type Payment @key(fields: "id") {
  id: ID!
  shown(in: String @fromContext(field: "$customer { currency }"), digits: Int): String
}
"""
)
PREFERENCES = HEAD + 'type Customer @key(fields: "id") { id: ID! currency: String }'
NOTES = HEAD + 'type Payment @key(fields: "id") { id: ID! note: String } type Query { payment: Payment }'


def composed(*sdls: str) -> Composed:
    return compose([Subgraph(name, "", sdl) for name, sdl in zip("abc", sdls, strict=False)])


@cache
def planner() -> Planner:
    return Planner(composed(BANK.replace(" @external", ""), PREFERENCES.replace(" currency: String", "")).supergraph)


def test_the_value_is_read_on_the_object_above_and_given_to_an_entry_of_its_own() -> None:
    stages = planner().stages(parse("{ me { last { shown(digits: 2) } } }"))
    assert explain(stages.plan) == PLAN.strip("\n")
    assert "given in by Query/me/currency" in print_paths(stages)
    assert "given in by Query/me/currency" in print_fetches(stages)


PLAN = """
query
  fetch 0 from a
    {
      me {
        last {
          id
        }
        currency
      }
    }
  fetch 1 from a after 0
    $r_0_0: Payment { id }
      of me.last
    $in_0_0: currency, 1 above
    query ($r_0_0: [_Any!]!, $in_0_0: String) {
      _e_0_0: _entities(representations: $r_0_0) {
        ... on Payment {
          shown(digits: 2, in: $in_0_0)
        }
      }
    }
"""


def run(text: str, script: Any) -> tuple[Any, list[dict[str, Any]], ScriptedMembers]:
    members = ScriptedMembers(script)

    async def answer() -> Any:
        deadline = asyncio.get_running_loop().time() + 5
        plan = CompiledPlan(planner().plan(parse(text)), planner().supergraph.api_schema)
        return msgspec.json.decode((await execute(plan, {}, Outside(members), deadline)).encode())

    found = asyncio.run(answer())
    return found["data"], found.get("errors", []), members


def customers(*currencies: str | None) -> list[dict[str, Any]]:
    return [
        {"payments": [{"id": f"{index}a"}, {"id": f"{index}b"}], "currency": currency}
        for index, currency in enumerate(currencies)
    ]


def test_each_distinct_value_is_asked_with_once_and_all_in_one_request() -> None:
    def script(request: FetchRequest) -> Any:
        if not request.representations:
            return {"data": {"customers": customers("EUR", "CHF", "EUR", None)}}
        sent = msgspec.json.decode(request.variables)
        return {
            "data": {
                f"_e_0_{number}": [
                    {"shown": f"{one['id']} in {sent[f'in_0_{number}']}"} for one in sent[f"r_0_{number}"]
                ]
                for number in range(3)
            }
        }

    data, errors, members = run("{ customers { payments { shown } } }", {"a": script})
    assert not errors
    assert [[one["shown"] for one in customer["payments"]] for customer in data["customers"]] == [
        ["0a in EUR", "0b in EUR"],
        ["1a in CHF", "1b in CHF"],
        ["2a in EUR", "2b in EUR"],
        ["3a in None", "3b in None"],
    ]
    assert len(members.requests) == 2


def test_a_value_that_was_lost_is_not_asked_with_and_the_loss_is_explained() -> None:
    def script(request: FetchRequest) -> Any:
        if not request.representations:
            lost = [{"message": "no", "path": ["customers", 0, "currency"]}]
            return {"data": {"customers": customers(None, "CHF")}, "errors": lost}
        return {"data": {"_e_0_0": [{"shown": "x"}, {"shown": "y"}]}}

    data, errors, _ = run("{ customers { payments { shown } } }", {"a": script})
    assert [[one["shown"] for one in customer["payments"]] for customer in data["customers"]] == [
        [None, None],
        ["x", "y"],
    ]
    assert {error["extensions"]["member"] for error in errors} == {"a"}
    assert [error["path"] for error in errors if error["path"][-1] == "shown"] == [
        ["customers", 0, "payments", 0, "shown"],
        ["customers", 0, "payments", 1, "shown"],
    ]


def test_a_member_that_fails_costs_only_the_fields_with_the_context() -> None:
    def script(request: FetchRequest) -> Any:
        return NodeUnavailableError("down") if request.representations else {"data": {"customers": customers("EUR")}}

    data, errors, _ = run("{ customers { payments { id shown } } }", {"a": script})
    assert data == {"customers": [{"payments": [{"id": "0a", "shown": None}, {"id": "0b", "shown": None}]}]}
    assert errors[0]["extensions"]["affected"] == 2


def test_a_field_is_unsatisfiable_where_no_object_above_sets_its_context() -> None:
    with pytest.raises(CompositionError) as refused:
        composed(BANK.replace(" @external", ""), NOTES)
    (finding,) = refused.value.findings
    assert finding.code == "SATISFIABILITY_ERROR"
    assert finding.coordinates == ("Payment.shown",)
    assert "argument `in` from context `a__customer`" in finding.message
