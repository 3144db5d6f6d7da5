"""How much a plan may return at most: lists multiply, entities count at every member, directives say more."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
from graphql import parse

from federation.composition.compose import compose
from federation.composition.subgraph import Subgraph
from federation.composition.supergraph import Supergraph
from federation.planning.estimate import Estimate
from federation.planning.planner import Planner

HEAD = """extend schema @link(url: "https://specs.apollo.dev/federation/v2.9",
  import: ["@key", "@cost", "@listSize", "@shareable"])
"""
PEOPLE = (
    HEAD
    + """
type Query {
  person(id: ID!): Person
  people(first: Int = 20, after: String): People
  some(page: Int, size: Int): [Person!] @listSize(assumedSize: 7, slicingArguments: ["page", "size"])
  sized(limit: Int): Sized @listSize(slicingArguments: ["limit"], sizedFields: ["rows"])
  being: Being
  searched(text: String @cost(weight: 9)): Person @cost(weight: 3)
}
type People { edges: [Edge!] kinds: [Kind!] }
type Edge { node: Person }
type Kind { name: String }
type Sized { rows: [Person!] }
type Person @key(fields: "id") { id: ID! name: String children(first: Int): [Person!] homes: [Home!] grid: [[Home!]!] }
type Home @cost(weight: 5) { street: String map: String @cost(weight: 2) }
interface Being { name: String }
type Cat implements Being { name: String owners(first: Int): [Person!] }
type Dog implements Being { name: String owner: Person owners(first: Int): [Person!] }
"""
)
TAXES = HEAD + 'type Person @key(fields: "id") { id: ID! returns(last: Int = 3): [Return!] } type Return { year: Int }'

COSTS: dict[str, tuple[str, dict[str, Any], int]] = {
    "one": ('{ person(id: "a") { id name } }', {}, 1),
    "a default": ("{ people { edges { node { id } } } }", {}, 1 + 20 + 20),
    "a number": ("{ people(first: 3) { edges { node { id } } } }", {}, 1 + 3 + 3),
    "a variable": ("query($n: Int) { people(first: $n) { edges { node { id } } } }", {"n": 50}, 1 + 50 + 50),
    "a variable that is not given": ("query($n: Int) { people(first: $n) { edges { node { id } } } }", {}, 41),
    "a variable that is null": ("query($n: Int) { people(first: $n) { edges { node { id } } } }", {"n": None}, 201),
    "null": ("{ people(first: null) { edges { node { id } } } }", {}, 1 + 100 + 100),
    "less than nothing": ("query($n: Int) { people(first: $n) { edges { node { id } } } }", {"n": -5}, 1 + 100 + 100),
    "nothing, of an assumed size": ("{ some(page: 0, size: -1) { id } }", {}, 7),
    "nothing, of a sized field": ("{ sized(limit: 0) { rows { id } } }", {}, 1 + 100),
    "a connection's other list": ("{ people(first: 3) { kinds { name } } }", {}, 1 + 100),
    "a list of which nothing is said": ('{ person(id: "a") { homes { street } } }', {}, 1 + 100 * 5),
    "lists in lists": ('{ person(id: "a") { children(first: 4) { children(first: 5) { id } } } }', {}, 1 + 4 + 20),
    "a list of lists": ('{ person(id: "a") { grid { street } } }', {}, 1 + 100 * 100 * 5),
    "a leaf with a weight": ('{ person(id: "a") { homes { map } } }', {}, 1 + 100 * (5 + 2)),
    "a field and an argument with weights": ('{ searched(text: "x") { name } }', {}, 9 + 3),
    "an argument that is not given": ("{ searched { name } }", {}, 3),
    "an assumed size": ("{ some { id } }", {}, 7),
    "the greater of two arguments": ("{ some(page: 2, size: 30) { id } }", {}, 30),
    "a sized field": ("{ sized(limit: 6) { rows { id } } }", {}, 1 + 6),
    "entities": ('{ person(id: "a") { returns { year } } }', {}, 1 + (1 + 3)),
    "entities of a page": (
        "query($n: Int) { people(first: $n) { edges { node { name returns(last: 2) { year } } } } }",
        {"n": 10},
        (1 + 10 + 10) + 10 * (1 + 2),
    ),
    "entities of lists in lists": (
        '{ person(id: "a") { children(first: 4) { children(first: 5) { returns(last: 1) { year } } } } }',
        {},
        (1 + 4 + 20) + 20 * (1 + 1),
    ),
    "under an alias": ('{ p: person(id: "a") { c: children(first: 2) { r: returns { year } } } }', {}, 3 + 2 * (1 + 3)),
    "what may be skipped": (
        'query($no: Boolean!) { person(id: "a") { homes @skip(if: $no) { street } } }',
        {"no": True},
        501,
    ),
    "the dearest of several types": (
        "{ being { name ... on Cat { owners { id } } ... on Dog { owner { id } } } }",
        {},
        1 + 100,
    ),
    "entities of the longest of several types' lists": (
        """{ being {
          ... on Cat { x: owners(first: 50) { returns { year } } }
          ... on Dog { x: owners(first: 2) { returns { year } } }
        } }""",
        {},
        1 + 50 + 2 * 50 * (1 + 3),
    ),
    "entities of the longest list, by a variable": (
        """query($n: Int) { being {
          ... on Dog { x: owners(first: 2) { returns { year } } }
          ... on Cat { x: owners(first: $n) { returns { year } } }
        } }""",
        {"n": 50},
        1 + 50 + 2 * 50 * (1 + 3),
    ),
}


@cache
def supergraph() -> Supergraph:
    return compose([Subgraph("people", "", PEOPLE), Subgraph("taxes", "", TAXES)]).supergraph


def estimated(query: str) -> Estimate:
    plan = Planner(supergraph()).plan(parse(query), None)
    return Estimate.of(plan, supergraph(), {"people": 100}, 10)


@pytest.mark.parametrize("case", COSTS)
def test_an_estimate_is_the_objects_that_an_answer_may_have(case: str) -> None:
    query, variables, cost = COSTS[case]
    assert estimated(query).most(variables) == cost


def test_an_estimate_without_variables_is_made_once() -> None:
    assert estimated("{ people { edges { node { id } } } }").fixed == 41
    assert estimated("query($n: Int) { people(first: $n) { edges { node { id } } } }").fixed is None
