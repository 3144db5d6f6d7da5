"""Objects whose key is null in the data: by what else they are looked up, and what is never asked for it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from graphql import parse

from federation.planning.explain import explain, print_fetches
from federation.planning.planner import Planner, PlannerOptions
from tests.support.execution import ScriptedMembers, data_of, run
from tests.support.supergraphs import supergraph

GRAPHS = ("people", "mail", "tax")

PEOPLE = """
type Person
  @join__type(graph: PEOPLE, key: "id") @join__type(graph: PEOPLE, key: "email")
  @join__type(graph: MAIL, key: "id") @join__type(graph: MAIL, key: "email")
  @join__type(graph: TAX, key: "home { street number }") @join__type(graph: TAX, key: "id")
{
  id: ID
  email: ID @join__field(graph: PEOPLE) @join__field(graph: MAIL)
  home: Home @join__field(graph: PEOPLE) @join__field(graph: TAX)
  name: String @join__field(graph: PEOPLE) @join__field(graph: MAIL, external: true)
  letters: Int @join__field(graph: MAIL)
  greeting: String @join__field(graph: MAIL, requires: "name")
  debt: Int @join__field(graph: TAX)
}
type Home @join__type(graph: PEOPLE) @join__type(graph: TAX) { street: String! number: Int }
type Query @join__type(graph: PEOPLE) @join__type(graph: MAIL) @join__type(graph: TAX) {
  people: [Person] @join__field(graph: PEOPLE)
}
"""


PLAN = """\
query
  fetch 0 from people
    {
      people {
        id
        email
      }
    }
  fetch 1 from mail after 0
    $representations: Person { id } else { email }
      of people.@
    query ($representations: [_Any!]!) {
      _entities(representations: $representations) {
        ... on Person {
          letters
        }
      }
    }"""


def planner(text: str = PEOPLE, graphs: tuple[str, ...] = GRAPHS) -> Planner:
    return Planner(supergraph(graphs, text))


def answered(of: Planner, query: str, script: dict[str, Any]) -> tuple[Any, ScriptedMembers]:
    """Run a query against scripted members: the data, and who was asked what."""
    members = ScriptedMembers(script)
    response = asyncio.run(run(of.plan(parse(query)), members, api=of.supergraph.api_schema))
    return data_of(response), members


def test_a_plan_names_the_keys_to_try_where_the_first_is_null() -> None:
    assert explain(planner().plan(parse("{ people { letters } }"))) == PLAN


def test_the_fetch_graph_shows_the_other_keys() -> None:
    stages = planner().stages(parse("{ people { letters } }"))
    assert "people/@ as Person by { id } else { email }" in print_fetches(stages)


def test_an_object_with_a_null_key_is_looked_up_by_another_key_in_the_same_request() -> None:
    people = [{"id": "1", "email": "a@x"}, {"id": None, "email": "b@x"}, {"id": None, "email": None}]
    letters = {"data": {"_entities": [{"letters": 1}, {"letters": 2}]}}
    data, members = answered(
        planner(), "{ people { letters } }", {"people": {"data": {"people": people}}, "mail": letters}
    )
    assert data == {"people": [{"letters": 1}, {"letters": 2}, {"letters": None}]}
    assert members.variables("mail") == [
        {"representations": [{"__typename": "Person", "id": "1"}, {"__typename": "Person", "email": "b@x"}]}
    ]


def test_what_is_required_goes_with_whichever_key_is_there() -> None:
    people = [{"id": None, "email": "b@x", "name": None}, {"id": "1", "email": None, "name": "Ada"}]
    greetings = {"data": {"_entities": [{"greeting": "?"}, {"greeting": "Ada!"}]}}
    data, members = answered(
        planner(), "{ people { greeting } }", {"people": {"data": {"people": people}}, "mail": greetings}
    )
    assert data == {"people": [{"greeting": "?"}, {"greeting": "Ada!"}]}
    assert members.variables("mail")[0]["representations"] == [
        {"__typename": "Person", "email": "b@x", "name": None},
        {"__typename": "Person", "id": "1", "name": "Ada"},
    ]


def test_a_composite_key_with_a_null_inside_is_not_a_key() -> None:
    text = explain(planner().plan(parse("{ people { debt } }")))
    assert "Person { id } else { home { street, number } }" in text, text
    people = [
        {"id": None, "home": {"street": "Elm", "number": 3}},
        {"id": None, "home": {"street": "Oak", "number": None}},
        {"id": None, "home": None},
    ]
    debts = {"data": {"_entities": [{"debt": 7}]}}
    data, members = answered(planner(), "{ people { debt } }", {"people": {"data": {"people": people}}, "tax": debts})
    assert data == {"people": [{"debt": 7}, {"debt": None}, {"debt": None}]}
    assert members.variables("tax")[0]["representations"] == [
        {"__typename": "Person", "home": {"street": "Elm", "number": 3}}
    ]


def test_no_other_key_is_asked_for_where_the_first_is_never_null() -> None:
    text = explain(planner(PEOPLE.replace("  id: ID\n", "  id: ID!\n")).plan(parse("{ people { letters } }")))
    assert "else" not in text
    assert "email" not in text


def test_no_key_is_tried_after_one_that_is_never_null() -> None:
    three = PEOPLE.replace("  id: ID\n", "  id: ID!\n").replace(
        '@join__type(graph: TAX, key: "id")',
        '@join__type(graph: TAX, key: "home { street }") @join__type(graph: TAX, key: "id")',
    )
    assert "$representations: Person { id }\n" in explain(planner(three).plan(parse("{ people { debt } }")))


def test_nobody_else_is_asked_for_another_key() -> None:
    text = PEOPLE.replace(
        "email: ID @join__field(graph: PEOPLE) @join__field(graph: MAIL)",
        "email: ID @join__field(graph: MAIL) @join__field(graph: TAX)",
    ).replace('@join__type(graph: PEOPLE, key: "email")', "")
    assert "else" not in explain(planner(text).plan(parse("{ people { letters } }")))


def test_in_privacy_mode_a_second_identifier_is_never_disclosed() -> None:
    of = planner()
    plan = of.plan(parse("{ people { letters } }"), None, PlannerOptions(internal_prefix="_k_"))
    assert "email" not in explain(plan)


def test_other_keys_hold_for_the_types_that_have_them() -> None:
    text = """
    interface Pet @join__type(graph: HOMES) { name: String }
    type Dog implements Pet @join__implements(graph: HOMES, interface: "Pet")
      @join__type(graph: HOMES, key: "id") @join__type(graph: VETS, key: "id") @join__type(graph: VETS, key: "chip")
    { id: ID chip: ID name: String @join__field(graph: HOMES) weight: Int @join__field(graph: VETS) }
    type Cat implements Pet @join__implements(graph: HOMES, interface: "Pet")
      @join__type(graph: HOMES, key: "id") @join__type(graph: VETS, key: "id")
    { id: ID name: String @join__field(graph: HOMES) weight: Int @join__field(graph: VETS) }
    type Query @join__type(graph: HOMES) @join__type(graph: VETS) { pets: [Pet] @join__field(graph: HOMES) }
    """
    of = planner(text, ("homes", "vets"))
    query = "{ pets { ... on Dog { weight } ... on Cat { weight } } }"
    assert "each { id } else { chip } on Dog" in explain(of.plan(parse(query)))
    pets = [
        {"__typename": "Dog", "id": None, "chip": "7"},
        {"__typename": "Cat", "id": None},
        {"__typename": "Cat", "id": "3"},
    ]
    weights = {"data": {"_entities": [{"weight": 9}, {"weight": 4}]}}
    data, members = answered(of, query, {"homes": {"data": {"pets": pets}}, "vets": weights})
    assert data == {"pets": [{"weight": 9}, {"weight": None}, {"weight": 4}]}
    assert members.variables("vets")[0]["representations"] == [
        {"__typename": "Dog", "chip": "7"},
        {"__typename": "Cat", "id": "3"},
    ]


def test_a_key_that_its_member_reports_an_error_for_may_be_replaced_by_another() -> None:
    people = {
        "data": {"people": [{"id": None, "email": "a@x"}, {"id": None, "email": None}]},
        "errors": [{"message": "no", "path": ["people", n, "id"]} for n in (0, 1)],
    }
    of = planner()
    members = ScriptedMembers({"people": people, "mail": {"data": {"_entities": [{"letters": 2}]}}})
    response = asyncio.run(run(of.plan(parse("{ people { letters } }")), members, api=of.supergraph.api_schema))
    assert data_of(response) == {"people": [{"letters": 2}, {"letters": None}]}
    assert [error["path"] for error in response.errors] == [["people", 0], ["people", 1], ["people", 1, "letters"]]


# Two defects that null keys led to


def test_a_key_and_a_required_field_below_one_field_are_sent_as_one() -> None:
    text = """
    type House @join__type(graph: LAND, key: "owner { id }") @join__type(graph: TAX, key: "owner { id }") {
      owner: Person
      tax: Int @join__field(graph: TAX, requires: "owner { name }")
    }
    type Person @join__type(graph: LAND) @join__type(graph: TAX) {
      id: ID
      name: String @join__field(graph: LAND) @join__field(graph: TAX, external: true)
    }
    type Query @join__type(graph: LAND) @join__type(graph: TAX) { houses: [House] @join__field(graph: LAND) }
    """
    houses: list[dict[str, Any]] = [{"owner": {"id": "1", "name": "Ada"}}, {"owner": {"id": "2", "name": None}}]
    script = {"land": {"data": {"houses": houses}}, "tax": {"data": {"_entities": [{"tax": 5}, {"tax": 6}]}}}
    data, members = answered(planner(text, ("land", "tax")), "{ houses { tax } }", script)
    assert data == {"houses": [{"tax": 5}, {"tax": 6}]}
    assert [one["owner"] for one in members.variables("tax")[0]["representations"]] == [one["owner"] for one in houses]


@pytest.mark.parametrize("query", ["{ pets { ... on Dog { weight } ... on Cat { weight } } }"])
def test_a_key_that_types_have_in_two_shapes_is_looked_for_on_each_type_where_it_is(query: str) -> None:
    text = """
    interface Pet @join__type(graph: HOMES) { name: String }
    type Dog implements Pet @join__implements(graph: HOMES, interface: "Pet")
      @join__type(graph: HOMES, key: "id") @join__type(graph: VETS, key: "id")
    { id: ID! name: String @join__field(graph: HOMES) weight: Int @join__field(graph: VETS) }
    type Cat implements Pet @join__implements(graph: HOMES, interface: "Pet")
      @join__type(graph: HOMES, key: "id") @join__type(graph: VETS, key: "id")
    { id: ID name: String @join__field(graph: HOMES) weight: Int @join__field(graph: VETS) }
    type Query @join__type(graph: HOMES) @join__type(graph: VETS) { pets: [Pet] @join__field(graph: HOMES) }
    """
    pets = [{"__typename": "Dog", "id_2": "1"}, {"__typename": "Cat", "id": "2"}, {"__typename": "Cat", "id": None}]
    script = {"homes": {"data": {"pets": pets}}, "vets": {"data": {"_entities": [{"weight": 9}, {"weight": 4}]}}}
    data, _ = answered(planner(text, ("homes", "vets")), query, script)
    assert data == {"pets": [{"weight": 9}, {"weight": 4}, {"weight": None}]}
