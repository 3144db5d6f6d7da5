"""Nothing is computed from what was lost, in whichever of its ways a member says that it failed."""

from __future__ import annotations

from functools import cache
from typing import Any

import msgspec
import pytest
from graphql import parse

from federation.execution.ports import FetchRequest
from federation.execution.respond import Response
from federation.planning.planner import Planner
from tests.support.execution import ScriptedMembers, data_of, run
from tests.support.supergraphs import supergraph

GRAPHS = ("a", "b", "c", "d", "e")
PARCELS = f"""
type Parcel {" ".join(f'@join__type(graph: {name.upper()}, key: "id")' for name in GRAPHS)} {{
  id: ID!
  size: Int @join__field(graph: B)
  price: Int @join__field(graph: B) @join__field(graph: C, external: true) @join__field(graph: D, external: true)
  parts: [Part] @join__field(graph: B) @join__field(graph: C, external: true)
  shipping: Int @join__field(graph: C, requires: "price")
  packing: Int @join__field(graph: C, requires: "parts {{ weight }}")
  tax: Int @join__field(graph: D, requires: "price") @join__field(graph: E, external: true)
  total: Int @join__field(graph: E, requires: "tax")
}}
type Part @join__type(graph: B) @join__type(graph: C) {{
  weight: Int @join__field(graph: B) @join__field(graph: C, external: true)
}}
type Query {" ".join(f"@join__type(graph: {name.upper()})" for name in GRAPHS)} {{
  parcels: [Parcel] @join__field(graph: A)
}}
"""


@cache
def planner() -> Planner:
    return Planner(supergraph(GRAPHS, PARCELS))


def computed(name: str) -> Any:
    """Answer about every representation with what nobody may read of one whose input was lost."""

    def answer(request: FetchRequest) -> Any:
        return {"data": {"_entities": [{name: 999} for _ in sent(request)]}}

    return answer


def sent(request: FetchRequest) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = msgspec.json.decode(request.variables)["representations"]
    return found


async def asked(query: str, answer: Any, **more: Any) -> tuple[Response, ScriptedMembers]:
    """Ask about two parcels, whose prices, sizes and parts `b` answers so."""
    root = {"data": {"parcels": [{"id": "1"}, {"id": "2"}]}}
    members = ScriptedMembers({"a": root, "b": answer, **more})
    response = await run(planner().plan(parse(query)), members, api=planner().supergraph.api_schema)
    return response, members


def places(response: Response) -> set[tuple[str | int, ...]]:
    """Return every place that an error speaks of."""
    return {
        tuple(path)
        for error in response.errors
        for path in (error.get("path", ()), *error["extensions"].get("paths", ()))
    }


ONE = [None, {"price": 2, "size": 1}]
NULL = [{"price": None, "size": 1}, {"price": 2, "size": 1}]
FAILURES: dict[str, tuple[Any, dict[str, Any], list[str]]] = {
    "nothing but an error": (None, {}, []),
    "no entities": ({"_entities": None}, {}, []),
    "an error about the field": ({"_entities": None}, {"path": ["_entities"]}, []),
    "no data, for something inside": (None, {"path": ["_entities", 0, "size"]}, []),
    "an entity lost": ({"_entities": ONE}, {"path": ["_entities", 0]}, ["2"]),
    "an entity lost for another of its fields": ({"_entities": ONE}, {"path": ["_entities", 0, "size"]}, ["2"]),
    "a null, and an error without a path": ({"_entities": NULL}, {}, ["2"]),
}
"""What `b` answers: data, where its error is, and the parcels that `c` may be asked about then."""


@pytest.mark.parametrize(("data", "where", "left"), FAILURES.values(), ids=FAILURES.keys())
async def test_an_input_is_lost_with_the_answer_the_entity_or_the_field(
    data: Any, where: dict[str, Any], left: list[str]
) -> None:
    answer = {"data": data, "errors": [{"message": "no", **where}]}
    response, members = await asked("{ parcels { size shipping } }", answer, c=computed("shipping"))
    assert [one["id"] for request in members.variables("c") for one in request["representations"]] == left
    parcels = data_of(response)["parcels"]
    assert [str(number + 1) for number, one in enumerate(parcels) if one["shipping"] is not None] == left
    gone = {
        ("parcels", number, name) for number, one in enumerate(parcels) for name, value in one.items() if value is None
    }
    assert gone <= places(response)


async def test_an_entity_that_its_member_does_not_know_has_nulls_which_are_sent_as_they_are() -> None:
    answer = {"data": {"_entities": ONE}}
    response, members = await asked("{ parcels { shipping } }", answer, c=computed("shipping"))
    assert data_of(response) == {"parcels": [{"shipping": 999}, {"shipping": 999}]}
    assert [one["price"] for one in members.variables("c")[0]["representations"]] == [None, 2]


async def test_a_list_with_an_item_that_was_lost_is_lost_and_one_with_a_null_in_the_data_is_not() -> None:
    parts = {"parts": [{"weight": 1}, None]}
    answer = {
        "data": {"_entities": [parts, parts]},
        "errors": [{"message": "no", "path": ["_entities", 0, "parts", 1]}],
    }
    response, members = await asked("{ parcels { packing } }", answer, c=computed("packing"))
    assert data_of(response) == {"parcels": [{"packing": None}, {"packing": 999}]}
    assert [one["id"] for one in members.variables("c")[0]["representations"]] == ["2"]
    assert ("parcels", 0, "packing") in places(response)


async def test_two_members_that_are_asked_with_the_same_both_know_that_a_part_of_it_was_lost() -> None:
    data = {"_entities": [{"price": None}, {"price": 2}]}
    answer = {"data": data, "errors": [{"message": "no", "path": ["_entities", 0, "price"]}]}
    response, members = await asked(
        "{ parcels { shipping tax total } }", answer, c=computed("shipping"), d=computed("tax"), e=computed("total")
    )
    nothing = {"shipping": None, "tax": None, "total": None}
    assert data_of(response) == {"parcels": [nothing, dict.fromkeys(nothing, 999)]}
    assert [one["id"] for one in members.variables("e")[0]["representations"]] == ["2"]
    assert {("parcels", 0, name) for name in nothing} <= places(response)


async def test_an_input_is_lost_with_the_key_by_which_it_would_have_been_asked_for() -> None:
    text = """
    type Parcel
      @join__type(graph: A, key: "id") @join__type(graph: A, key: "code")
      @join__type(graph: B, key: "code") @join__type(graph: C, key: "id")
    {
      id: ID! @join__field(graph: A) @join__field(graph: C)
      code: ID @join__field(graph: A) @join__field(graph: B)
      price: Int @join__field(graph: B) @join__field(graph: C, external: true)
      shipping: Int @join__field(graph: C, requires: "price")
    }
    type Query @join__type(graph: A) @join__type(graph: B) @join__type(graph: C) {
      parcels: [Parcel] @join__field(graph: A)
    }
    """
    of = Planner(supergraph(("a", "b", "c"), text))
    root = {
        "data": {"parcels": [{"id": "1", "code": None}, {"id": "2", "code": "y"}]},
        "errors": [{"message": "no", "path": ["parcels", 0, "code"]}],
    }
    prices = {"data": {"_entities": [{"price": 5}]}}
    members = ScriptedMembers({"a": root, "b": prices, "c": computed("shipping")})
    response = await run(of.plan(parse("{ parcels { shipping } }")), members, api=of.supergraph.api_schema)
    assert data_of(response) == {"parcels": [{"shipping": None}, {"shipping": 999}]}
    assert [one["id"] for one in members.variables("c")[0]["representations"]] == ["2"]
    assert ("parcels", 0, "shipping") in places(response)
