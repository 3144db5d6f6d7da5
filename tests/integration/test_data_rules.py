"""The rules of the policy that the data plane keeps on both databases, each under its number."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest

from federation.contract.errors import BadInputError, QueryTooComplexError, ThresholdError
from node.data.answer import Answer
from node.policy.requesters import Requester
from tests.support.both import PURPOSE, On, ran
from tests.support.data import Member
from tests.support.policies import INPS, bundle_of, document, grant

pytestmark = [pytest.mark.integration, pytest.mark.postgres]

ROWS: list[dict[str, Any]] = [
    {"flag": False, "age": 30, "place": "a", "name": "Anna", "birth": "1980-05-12", "income": 50, "code": "A1"},
    {"flag": True, "age": 40, "place": "b", "name": "Bruno", "birth": "1980-01-31", "income": 150, "code": "B1"},
    {"flag": None, "age": None, "place": None, "name": "Carla", "birth": "1975", "income": None, "code": None},
]


@dataclass(frozen=True)
class Asked:
    """A member on one of the databases, asked and waited for."""

    on: On
    member: Member

    def ask(self, requester: Requester, purpose: str, query: str, *variables: Any, **changes: Any) -> Answer:
        """Answer a query."""
        return self.on.run(self.member.ask(requester, purpose, query, *variables, **changes))

    def entity(self, key: str, fields: str) -> Any:
        """Return one thing's fields."""
        return self.on.run(self.member.entity(INPS, PURPOSE, key, fields, "Thing"))


class Making:
    """Puts members together on one of the databases; the last one's things are there."""

    def __init__(self, on: On, opened: ExitStack) -> None:
        self.on, self._opened = on, opened

    def __call__(
        self, *grants: dict[str, object], rows: list[dict[str, Any]] | None = None, **changes: object
    ) -> Asked:
        bundle = bundle_of(document(list(grants), **changes))
        return Asked(self.on, self._opened.enter_context(self.on.things(bundle, ROWS if rows is None else rows)))


@pytest.fixture
def member(on: On) -> Iterator[Making]:
    with ExitStack() as opened:
        yield Making(on, opened)


def on_both(asked: Asked, statement: str) -> None:
    if asked.on.is_postgres:
        asked.on.server.run(statement)
    else:
        asked.member.plane.database.connection.execute(statement)  # type: ignore[attr-defined]  # it is in memory


def statements(asked: Asked) -> list[str]:
    return ran(asked.member)


def things(asked: Asked, fields: str, variables: dict[str, Any] | None = None) -> Answer:
    query = f"query($r: [_Any!]!) {{ _entities(representations: $r) {{ ... on Thing {{ {fields} }} }} }}"
    given = [{"__typename": "Thing", "id": str(number)} for number in (1, 2, 3)]
    return asked.ask(INPS, PURPOSE, query, {"r": given, **(variables or {})})


def listed(asked: Asked, arguments: str = "", node: str = "name") -> list[Any]:
    answer = asked.ask(INPS, PURPOSE, f"{{ things{arguments} {{ edges {{ node {{ {node} }} }} }} }}")
    assert not answer.errors
    return [edge["node"] for edge in answer.data["things"]["edges"]]


def refused(asked: Asked, arguments: str) -> None:
    answer = asked.ask(INPS, PURPOSE, f"{{ things{arguments} {{ edges {{ node {{ name }} }} }} }}")
    assert answer.data == {"things": None}
    assert [(error["extensions"]["code"], error["path"]) for error in answer.errors] == [("FIELD_DENIED", ["things"])]


# --- decisions -------------------------------------------------------------------------------------------------------


def test_r3_a_grant_whose_rows_are_unknown_does_not_apply(member: Making) -> None:
    asked = member(grant("g", {"name": "clear"}, rows="row.age > 35"))
    assert (things(asked, "name")).data["_entities"] == [None, {"name": "Bruno"}, None]


def test_r3_a_prohibition_whose_rows_are_unknown_denies(member: Making) -> None:
    hiding = [{"id": "p", "fields": ["name"], "rows": "row.flag == true"}]
    asked = member(grant("g", {"name": "clear", "code": "clear"}), prohibitions=hiding)
    found = (things(asked, "name code")).data["_entities"]
    assert [each["name"] for each in found] == ["Anna", None, None]
    assert [each["code"] for each in found] == ["A1", "B1", None]


def test_the_most_disclosing_grant_that_applies_gives_the_form(member: Making) -> None:
    asked = member(
        grant("year", {"birth": "year"}),
        grant("month", {"birth": "month"}, rows="row.age >= 30"),
        grant("whole", {"birth": "clear"}, rows="row.age >= 40"),
    )
    found = (things(asked, "birth")).data["_entities"]
    assert [each["birth"] for each in found] == ["1980-05", "1980-01-31", "1975"]


def test_r8_consent_is_of_one_person_purpose_and_consumer_and_ends(member: Making) -> None:
    asked = member(grant("g", {"name": "clear"}, consent="service-notices"))
    execute = partial(on_both, asked)
    for number, purpose, consumer in (
        (1, "service-notices", "NULL"),
        (2, "service-notices", "'aslvs'"),
        (3, "statistics", "NULL"),
    ):
        execute(f"INSERT INTO consents VALUES ({number}, '{purpose}', {consumer}, '2026-01-01', NULL, NULL)")
    assert listed(asked) == [{"name": "Anna"}]
    scribble = () if asked.on.is_postgres else ("withdrawn = 'a scribble'",)  # no date of PostgreSQL
    for change in ("withdrawn = '2026-05-01'", "given = '2026-05-02'", "expires = '2026-04-30'", *scribble):
        execute("UPDATE consents SET given = '2026-01-01', withdrawn = NULL, expires = NULL")
        execute(f"UPDATE consents SET {change}")
        assert listed(asked) == [], change


# --- the shape of the answer -----------------------------------------------------------------------------------------


def test_r12_a_denied_field_is_null_with_an_error_that_says_the_same_for_all(member: Making) -> None:
    asked = member(grant("g", {"name": "clear"}))
    answer = things(asked, "name hidden: income")
    assert answer.data["_entities"][0] == {"name": "Anna", "hidden": None}
    assert {error["message"] for error in answer.errors} == {"the field is denied for this purpose"}
    assert [error["path"] for error in answer.errors] == [["_entities", index, "hidden"] for index in range(3)]
    assert {error["extensions"]["code"] for error in answer.errors} == {"FIELD_DENIED"}


def test_r13_a_denial_that_depends_on_the_row_gives_no_error(member: Making) -> None:
    hiding = [{"id": "p", "fields": ["name"], "rows": "row.flag == true"}]
    asked = member(grant("g", {"name": "clear"}), prohibitions=hiding)
    answer = things(asked, "name")
    assert [each["name"] for each in answer.data["_entities"]] == ["Anna", None, None]
    assert answer.errors == []
    assert [decision.conditional for decision in answer.decisions] == [True]


def test_r14_a_denied_key_leaves_its_object(member: Making) -> None:
    asked = member(grant("g", {"name": "clear"}))
    assert (things(asked, "id name")).data["_entities"][0] == {"id": None, "name": "Anna"}


def test_r15_aliases_fragments_and_directives_change_no_decision(member: Making) -> None:
    asked = member(grant("g", {"name": "clear", "birth": "year"}))
    query = """
      query($r: [_Any!]!, $no: Boolean!) {
        a: _entities(representations: $r) { __typename ... on _Entity { ...T } }
      }
      fragment T on Thing {
        b: birth ... @include(if: true) { birth } x: income @skip(if: true) ... on Thing @include(if: $no) { name }
      }
    """
    given = [{"__typename": "Thing", "id": "1"}]
    answer = asked.ask(INPS, PURPOSE, query, {"r": given, "no": False})
    assert answer.data == {"a": [{"__typename": "Thing", "b": "1980", "birth": "1980"}]}
    assert answer.errors == []


def test_r16_a_hidden_row_is_absent_from_a_list_and_null_among_entities(member: Making) -> None:
    asked = member(grant("g", {"name": "clear"}, rows="row.flag == false"))
    assert listed(asked) == [{"name": "Anna"}]
    assert (things(asked, "name")).data["_entities"] == [{"name": "Anna"}, None, None]


def test_r19_a_value_that_is_none_of_its_scalar_is_null(member: Making) -> None:
    income = None if member.on.is_postgres else "much"  # PostgreSQL's column takes numbers only
    rows: list[dict[str, Any]] = [{"birth": "12/05/1980", "income": income, "name": ""}]
    asked = member(grant("g", {"birth": "clear", "income": "clear", "name": "clear"}), rows=rows)
    assert (things(asked, "birth income name")).data["_entities"][0] == {
        "birth": None,
        "income": None,
        "name": "",
    }


# --- inference -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments",
    [
        '(where: {income: {eq: "50"}})',
        '(where: {not: {income: {eq: "50"}}})',
        '(where: {or: [{name: {eq: "Anna"}}, {and: [{income: {gt: "1"}}]}]})',
        "(orderBy: [{name: ASC}, {income: DESC}])",
        "(where: {code: {in: []}})",
        '(where: {code: {lt: "m"}})',  # a field that may only be verified is not found by halves
        "(orderBy: [{code: ASC}])",
        '(where: {birth: {lte: "2008-05-01"}})',  # nor one of which only an age may be asked
    ],
)
def test_r21_a_denied_field_may_not_be_named_in_filter_or_order(member: Making, arguments: str) -> None:
    asked = member(grant("g", {"name": "clear", "code": "verify", "birth": {"age_over": [18]}}))
    refused(asked, arguments)
    assert statements(asked) == []


@pytest.mark.parametrize(
    "where",
    [
        "{name: {in: [" + ", ".join(f'"n{number}"' for number in range(201)) + "]}}",
        "{or: [" + ", ".join('{name: {eq: "Anna"}}' for _ in range(201)) + "]}",
        "{and: [" + ", ".join("{}" for _ in range(201)) + "]}",
        "{not: " * 10 + '{name: {eq: "Anna"}}' + "}" * 10,
    ],
)
def test_a_filter_too_large_for_a_database_is_the_askers_fault(member: Making, where: str) -> None:
    asked = member(grant("g", {"name": "clear"}))
    with pytest.raises(QueryTooComplexError) as too_large:
        listed(asked, f"(where: {where})")
    assert too_large.value.extensions["limit"] == "where"
    assert statements(asked) == []


def test_a_filter_as_large_as_may_be_is_answered(member: Making) -> None:
    asked = member(grant("g", {"name": "clear"}))
    names = ", ".join(f'"n{number}"' for number in range(199))
    assert listed(asked, f'(where: {{name: {{in: ["Bruno", {names}]}}}})') == [{"name": "Bruno"}]
    assert listed(asked, "(where: " + "{not: " * 8 + '{name: {eq: "Bruno"}}' + "}" * 8 + ")")


def test_r22_filter_and_order_see_the_masked_value(member: Making) -> None:
    asked = member(grant("g", {"name": "clear", "birth": "year"}))
    assert listed(asked, '(where: {birth: {eq: "1980"}})') == [{"name": "Anna"}, {"name": "Bruno"}]
    assert listed(asked, '(where: {birth: {eq: "1980-05-12"}})') == []
    assert listed(asked, '(where: {birth: {gt: "1980"}})') == []
    # Anna was born later in 1980 than Bruno: the order of years does not tell.
    assert listed(asked, "(orderBy: [{birth: DESC}])") == [{"name": "Anna"}, {"name": "Bruno"}, {"name": "Carla"}]


def test_r22_a_value_hidden_in_some_rows_is_null_to_filters(member: Making) -> None:
    hiding = [{"id": "p", "fields": ["name"], "rows": "row.flag == true"}]
    asked = member(grant("g", {"name": "clear", "code": "clear"}), prohibitions=hiding)
    assert listed(asked, '(where: {name: {eq: "Bruno"}})') == []
    assert listed(asked, '(where: {not: {name: {eq: "Anna"}}})') == []
    assert [each["name"] for each in listed(asked, "(orderBy: [{name: DESC}])")] == ["Anna", None, None]


def test_r27_sorting_by_a_pseudonym_tells_nothing_of_the_original(member: Making) -> None:
    """The key of a mask is not in the database: it could sort by the original only, so nobody may sort by the mask."""
    asked = member(grant("g", {"name": "clear", "code": "pseudonym"}))
    refused(asked, "(orderBy: [{code: ASC}])")
    refused(asked, '(where: {code: {gt: "A1"}})')
    assert statements(asked) == []
    shown = [each["code"] for each in listed(asked, "(orderBy: [{name: ASC}])", "code")]
    turned = member(grant("g", {"name": "clear", "code": "pseudonym"}), rows=list(reversed(ROWS)))
    assert shown == [each["code"] for each in listed(turned, "(orderBy: [{name: ASC}])", "code")]


def test_r24_pages_count_visible_rows_and_a_cursor_serves_who_got_it(member: Making) -> None:
    rows = [{"flag": n % 2 == 1, "name": f"n{n:02}"} for n in range(30)]
    asked = member(grant("g", {"name": "clear"}, rows="row.flag == false", purpose="social-benefit"), rows=rows)
    query = """query($after: String) { things(first: 6, after: $after, orderBy: [{name: DESC}]) {
      totalCount pageInfo { hasNextPage hasPreviousPage endCursor } edges { cursor node { name } } } }"""
    names: list[str] = []
    after = None
    while True:
        page = (asked.ask(INPS, PURPOSE, query, {"after": after})).data["things"]
        assert page["totalCount"] == 15
        assert page["pageInfo"]["hasPreviousPage"] is (after is not None)
        names += [edge["node"]["name"] for edge in page["edges"]]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    assert names == [f"n{n:02}" for n in range(28, -1, -2)]
    for consumer, purpose in (("aslvs", PURPOSE), ("inprev", "social-benefit")):
        with pytest.raises(BadInputError):
            asked.ask(INPS, purpose, query, {"after": after}, consumer=consumer)
    with pytest.raises(BadInputError):
        asked.ask(INPS, PURPOSE, query, {"after": "x" + str(after)})
    assert "n0" not in str(after)


def test_pages_go_on_after_nulls_and_equal_values(member: Making) -> None:
    rows = [{"name": name, "code": code} for name in (None, "b", "a") for code in ("1", "2", None)]
    asked = member(grant("g", {"name": "clear", "code": "clear"}), rows=rows)
    query = """query($after: String) { things(first: 2, after: $after, orderBy: [{name: ASC}, {code: DESC}]) {
      pageInfo { hasNextPage endCursor } edges { node { name code } } } }"""
    found: list[tuple[Any, Any]] = []
    after, more = None, True
    while more:
        page = (asked.ask(INPS, PURPOSE, query, {"after": after})).data["things"]
        found += [(edge["node"]["name"], edge["node"]["code"]) for edge in page["edges"]]
        after, more = page["pageInfo"]["endCursor"], page["pageInfo"]["hasNextPage"]
    assert found == [(name, code) for name in ("a", "b", None) for code in ("2", "1", None)]


@pytest.mark.parametrize("first", [-1, 101])
def test_a_page_has_at_most_a_hundred(member: Making, first: int) -> None:
    with pytest.raises(BadInputError, match="`first` is from 0 to 100"):
        listed(member(grant("g", {"name": "clear"})), f"(first: {first})")


# --- what is never read ----------------------------------------------------------------------------------------------


def test_r29_a_denied_column_stands_in_no_statement(member: Making) -> None:
    asked = member(grant("g", {"name": "clear"}))
    things(asked, "name a: income b: code c: birth")
    [statement] = statements(asked)
    assert "name" in statement
    assert not [word for word in ("income", "code", "birth") if word in statement]


def test_r29_hidden_and_absent_rows_run_the_same_statement(member: Making) -> None:
    asked = member(grant("g", {"name": "clear"}, rows="row.flag == false"))
    for key in ("2", "77"):
        assert asked.entity(key, "name") is None
    first, second = statements(asked)
    assert first == second


def test_values_are_parameters_and_never_text(member: Making) -> None:
    asked = member(grant("g", {"name": "clear"}, rows='row.place == "somewhere"'))
    listed(asked, '(where: {name: {startsWith: "secret"}})')
    assert not [word for word in ("secret", "somewhere") if word in statements(asked)[0]]


# --- keys, keyed masks, decisions ------------------------------------------------------------------------------------


def test_a_join_key_is_given_and_recorded_whatever_the_policy_says_of_the_field(member: Making) -> None:
    answer = things(member(grant("g", {"name": "clear"})), "_k_key: id id")
    assert answer.data["_entities"][0] == {"_k_key": "1", "id": None}
    assert sorted((one.coordinate, one.form, one.join_key) for one in answer.decisions) == [
        ("Thing.id", "clear", True),
        ("Thing.id", "deny", False),
    ]


def test_a_keyed_mask_is_stable_for_a_consumer_and_differs_between_consumers(member: Making) -> None:
    asked = member(grant("g", {"code": "pseudonym", "name": "hash"}))
    found = [
        (asked.ask(INPS, PURPOSE, "{ things(first: 1) { edges { node { code name } } } }", consumer=consumer)).data
        for consumer in ("inprev", "inprev", "aslvs")
    ]
    nodes = [each["things"]["edges"][0]["node"] for each in found]
    assert nodes[0] == nodes[1]
    assert nodes[0]["code"] != nodes[2]["code"]
    assert nodes[0]["name"] != nodes[2]["name"]
    assert "A1" not in str(nodes)
    refused(asked, '(where: {code: {eq: "A1"}})')


def test_a_row_chooses_between_a_keyed_mask_and_the_value(member: Making) -> None:
    asked = member(grant("all", {"code": "pseudonym"}), grant("some", {"code": "clear"}, rows="row.age == 40"))
    codes = [each["code"] for each in (things(asked, "code")).data["_entities"]]
    assert codes[1] == "B1"
    assert codes[2] is None
    assert len(codes[0]) == 32


def test_a_decision_names_form_grants_law_and_the_shortest_retention(member: Making) -> None:
    asked = member(
        grant("long", {"birth": "year"}, retain="P2Y", law="a long law"),
        grant("short", {"birth": "month"}, retain="P30D", law="a short law", rows="row.age == 30"),
    )
    [decision] = (things(asked, "birth")).decisions
    assert (decision.coordinate, decision.form, decision.conditional) == ("Thing.birth", "month", True)
    assert decision.grants == ("short", "long")
    assert decision.law == ("a short law", "a long law")
    assert decision.retain == "P30D"


def test_subjects_are_those_of_visible_rows(member: Making) -> None:
    answer = things(member(grant("g", {"name": "clear"}, rows="row.flag == false")), "name")
    assert answer.subjects == {"v1.siv.c_m999.1"}


def test_a_value_is_confirmed_where_it_may_be_verified(member: Making) -> None:
    hiding = [{"id": "p", "fields": ["code"], "rows": "row.flag == true"}]
    asked = member(grant("g", {"code": "verify", "name": "clear"}), prohibitions=hiding)
    answer = things(asked, 'codeMatches(value: "A1") code')
    assert [each["codeMatches"] for each in answer.data["_entities"]] == [True, None, None]
    assert len(answer.errors) == 3  # the plain field is denied everywhere


AGES = "adult: birthReached(years: 18) old: birthReached(years: 46) birth"


def test_an_age_is_told_for_the_thresholds_of_the_grant_only(member: Making) -> None:
    hiding = [{"id": "p", "fields": ["birth"], "rows": 'row.place == "b"'}]
    asked = member(grant("g", {"birth": {"age_over": [18, 46]}, "name": "clear"}), prohibitions=hiding)
    answer = things(asked, AGES)
    assert answer.data["_entities"] == [
        {"adult": True, "old": False, "birth": None},  # 46 on 12 May
        {"adult": None, "old": None, "birth": None},
        {"adult": None, "old": None, "birth": None},  # of this one the place is not known
    ]
    assert [decision.form for decision in answer.decisions if decision.coordinate == "Thing.birth"] == [
        "age_over",
        "deny",
    ]
    with pytest.raises(ThresholdError) as refused:
        things(asked, "birthReached(years: 21)")
    assert refused.value.extensions == {"thresholds": [18, 46]}
    assert "1980" not in str(refused.value)


def test_an_age_of_a_partial_or_missing_date_is_told_where_it_is_sure(member: Making) -> None:
    born = ("1980", "2008", "2008-05", "2008-04", "1899-12-31", "", None)
    rows = [{"flag": True, "birth": each} for each in born]
    asked = member(grant("g", {"birth": {"age_over": [18]}}), rows=rows)
    query = "{ things { edges { node { birthReached(years: 18) } } } }"
    found = asked.ask(INPS, PURPOSE, query).data["things"]["edges"]
    assert [edge["node"]["birthReached"] for edge in found] == [True, None, None, True, True, None, None]


def test_a_consumer_who_sees_the_date_may_ask_for_any_age(member: Making) -> None:
    asked = member(grant("a", {"birth": {"age_over": [18]}}), grant("c", {"birth": "clear"}, rows="row.flag == false"))
    found = things(asked, "old: birthReached(years: 46) adult: birthReached(years: 18)").data["_entities"]
    assert found == [
        {"old": False, "adult": True},
        {"old": None, "adult": True},
        {"old": None, "adult": True},
    ]
    with pytest.raises(ThresholdError):
        things(asked, "birthReached(years: 100)")


def test_unknown_repeated_and_odd_representations_keep_their_places(member: Making) -> None:
    asked = member(grant("g", {"name": "clear"}))
    given: list[Any] = [
        {"__typename": "Thing", "id": key} for key in ("2", "x", "9999999999999999999", "2", "01", "-1")
    ]
    given += [{"__typename": "Nothing", "id": "1"}, {"__typename": "Thing"}, {"__typename": "Thing", "id": 1}, "text"]
    query = "query($r: [_Any!]!) { _entities(representations: $r) { ... on Thing { name } } }"
    found = (asked.ask(INPS, PURPOSE, query, {"r": given})).data["_entities"]
    bruno = {"name": "Bruno"}
    assert found == [bruno, None, None, bruno, None, None, None, None, None, None]
