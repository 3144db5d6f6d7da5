"""Policy R20: a requester is shown the fields that some live grant can reveal to it, and no others."""

from __future__ import annotations

from datetime import date

import pytest
from graphql import GraphQLEnumType, GraphQLInputObjectType, GraphQLObjectType, build_schema, validate_schema

from federation.contract.governed import asks_about
from node.data.objects import PlanOf
from node.policy.compile import PlanCache
from node.policy.requesters import Requester
from node.subgraph.schema import NodeSchema
from node.subgraph.visible import visible_schema, visible_sdl
from tests.support.policies import DEMO_MEMBERS, demo
from tests.unit.subgraph.test_schema import built

DAY = date(2026, 11, 22)
REQUESTERS = {
    "national": (Requester("national", frozenset({"6.1.e"}), "*"), "benefit-assessment"),
    "school": (Requester("school", frozenset({"6.1.e"}), "M999"), "school-enrolment"),
    "statistics": (Requester("statistics", frozenset({"6.1.e", "9.2.j"}), "*"), "statistics"),
    "social": (Requester("social", frozenset({"6.1.e"}), "M999"), "social-support"),
    "nobody": (Requester("region", frozenset({"6.1.c"}), "*"), "emergency-care"),
}


def plans(member: str, who: str) -> PlanOf:
    cache = PlanCache(demo(member))
    requester, purpose = REQUESTERS[who]
    return lambda type_name: cache.plan(type_name, requester, purpose, DAY)


def fields(node: NodeSchema, plan: PlanOf, type_name: str) -> set[str]:
    kind = visible_schema(node, plan).type_map.get(type_name)
    return set(kind.fields) if isinstance(kind, (GraphQLObjectType, GraphQLInputObjectType)) else set()


@pytest.mark.parametrize("who", REQUESTERS)
@pytest.mark.parametrize("member", DEMO_MEMBERS)
def test_r20_every_visible_schema_is_valid_and_within_the_plans(member: str, who: str) -> None:
    node, plan = built(member), plans(member, who)
    shown = visible_schema(node, plan)
    assert validate_schema(shown) == []
    assert validate_schema(build_schema(visible_sdl(node, plan), assume_valid_sdl=True)) == []
    for name, kind in shown.type_map.items():
        if isinstance(kind, GraphQLObjectType) and name in demo(member).types:
            granted = {field for field, decided in plan(name).fields.items() if decided.may_be_seen}
            assert {asks_about(field) or field for field in kind.fields} <= granted


def test_r20_a_field_that_may_only_be_verified_shows_as_its_match() -> None:
    social = fields(built("c_m999"), plans("c_m999", "social"), "Citizen")
    assert "taxCodeMatches" in social
    assert "taxCode" not in social
    school = fields(built("c_m999"), plans("c_m999", "school"), "Citizen")
    assert not school & {"taxCode", "taxCodeMatches", "maritalStatus"}


def test_r20_filters_and_orders_name_shown_fields_only() -> None:
    node, plan = built("c_m999"), plans("c_m999", "statistics")
    opened = {"dateOfBirth", "sex", "citizenship", "maritalStatus"}
    assert fields(node, plan, "CitizenWhere") == opened | {"residence", "and", "or", "not"}
    assert fields(node, plan, "ResidenceWhere") == {"municipality", "and", "or", "not"}
    assert fields(node, plan, "CitizenOrderBy") == opened


def test_r20_groups_show_to_whom_a_grant_allows_counts() -> None:
    node = built("c_m999")
    dimensions = visible_schema(node, plans("c_m999", "statistics")).type_map["CitizenDimension"]
    assert isinstance(dimensions, GraphQLEnumType)
    assert set(dimensions.values) == {"dateOfBirth", "sex", "citizenship", "maritalStatus"}
    others = visible_schema(node, plans("c_m999", "social"))
    assert "CitizenGroup" not in others.type_map
    assert "groups" not in fields(node, plans("c_m999", "social"), "CitizenConnection")


def test_r20_who_may_see_nothing_learns_of_nothing() -> None:
    node, plan = built("inprev"), plans("inprev", "nobody")
    assert fields(node, plan, "Query") == {"_service", "changes", "myFields", "whyDenied"}
    assert "Citizen" not in visible_sdl(node, plan)
