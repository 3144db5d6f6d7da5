"""An interface asks every type that it reaches; a fragment on one type keeps its own decision (policy R18)."""

from __future__ import annotations

from functools import cache

import msgspec
import pytest
from graphql import GraphQLInterfaceType, GraphQLObjectType, GraphQLUnionType, parse, validate_schema

from federation.composition.compose import compose
from federation.composition.subgraph import Subgraph
from federation.composition.supergraph import Supergraph
from federation.contract.coverage import AskedField, asked_fields
from federation.contract.errors import ScopeError
from federation.contract.graphql_request import GraphQLRequest
from federation.contract.identifiers import MemberId
from federation.contract.members import AgreedProvider, Agreement
from federation.gateway.questions import Questions
from federation.gateway.settings import GatewayLimits
from federation.planning.plan import Plan
from node.enforcement.scope import EntityKeys, require_within_consumers_operation
from tests.support.parties import Parties

SDL = """
interface Notice { title: String protocol: String }
type Fine implements Notice { title: String protocol: String amount: Int }
type Permit implements Notice { title: String protocol: String }
type Seal { number: Int }
union Act = Permit | Seal
type Query { notices: [Notice] acts: [Act] }
"""
OPEN = ("Query.notices", "Query.acts", "Permit.title", "Permit.protocol", "Fine.protocol", "Fine.amount")
"""Titles of permits only; protocol numbers of both; nothing of seals."""


@cache
def supergraph() -> Supergraph:
    return compose([Subgraph("c_m999", "https://c-m999.example/graphql", SDL)]).supergraph


def opened(*coordinates: str) -> tuple[Questions, Agreement]:
    provider = AgreedProvider(MemberId("c_m999"), coordinates)
    return Questions(supergraph(), GatewayLimits()), msgspec.structs.replace(Parties().agreement, providers=(provider,))


def planned(query: str) -> Plan:
    questions, agreement = opened(*OPEN)
    return questions.question(GraphQLRequest(query, None, None, {}, {}), agreement).plan.plan


def denied(plan: Plan) -> set[str]:
    return {field.coordinate for field in plan.response[0].selections if field.denied}


SELECTIONS: dict[str, set[str]] = {
    "{ notices { protocol } }": set(),
    "{ notices { title } }": {"Notice.title"},
    "{ notices { ... on Notice { title } } }": {"Notice.title"},
    "{ notices { ... on Permit { title } } }": set(),
    "{ notices { ... on Fine { title } ... on Permit { title } } }": {"Fine.title"},
    "{ acts { ... on Notice { title } } }": set(),  # fines are no acts: only permits are reached
    "{ acts { ... on Permit { title } ... on Seal { number } } }": {"Seal.number"},
    "{ notices { title ... on Permit { title } } }": {"Fine.title", "Permit.title"},  # one name, the stricter holds
}


@pytest.mark.parametrize("query", SELECTIONS)
def test_r18_an_interface_selection_needs_every_type_that_it_reaches(query: str) -> None:
    assert denied(planned(query)) == SELECTIONS[query]


def test_r18_what_one_type_denies_is_asked_of_no_type_through_the_interface() -> None:
    [fetch] = planned("{ notices { title protocol } }").fetches
    assert "title" not in fetch.operation
    assert "protocol" in fetch.operation


def test_r18_a_consumer_is_shown_the_interface_as_far_as_every_type_is_agreed() -> None:
    questions, agreement = opened(*OPEN)
    shown = questions.shown(agreement)
    assert validate_schema(shown) == []
    kinds = {name: shown.type_map[name] for name in ("Notice", "Fine", "Permit")}
    fields = {
        name: set(kind.fields)
        for name, kind in kinds.items()
        if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType)
    }
    assert fields == {"Notice": {"protocol"}, "Fine": {"protocol", "amount"}, "Permit": {"title", "protocol"}}
    act = shown.type_map["Act"]
    assert isinstance(act, GraphQLUnionType)
    assert [each.name for each in act.types] == ["Permit"]


def test_r18_an_interface_of_which_nothing_is_agreed_is_not_shown() -> None:
    questions, agreement = opened("Query.acts", "Permit.title")
    shown = questions.shown(agreement)
    assert validate_schema(shown) == []
    assert "Notice" not in shown.type_map
    permit = shown.type_map["Permit"]
    assert isinstance(permit, GraphQLObjectType)
    assert list(permit.interfaces) == []


def asked(query: str) -> frozenset[AskedField]:
    return asked_fields(supergraph().api_schema, parse(query), None, {})


SIGNED = "{ notices { protocol ... on Permit { title } } }"


@pytest.mark.parametrize("query", ["{ notices { protocol } }", "{ notices { ... on Permit { title protocol } } }"])
def test_r18_a_node_answers_what_was_signed_of_a_type(query: str) -> None:
    require_within_consumers_operation(asked(query), asked(SIGNED), EntityKeys({}))


@pytest.mark.parametrize("query", ["{ notices { title } }", "{ notices { ... on Fine { title } } }"])
def test_r18_a_fragment_on_one_type_signs_nothing_of_the_others(query: str) -> None:
    with pytest.raises(ScopeError, match=r"Fine\.title"):
        require_within_consumers_operation(asked(query), asked(SIGNED), EntityKeys({}))
