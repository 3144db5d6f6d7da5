"""Groups, measures, filters over relations, crowds: the same on SQLite and PostgreSQL, and as the policy allows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from graphql import parse

from federation.contract.errors import BadInputError
from federation.contract.graphql_request import GraphQLRequest
from node.data.groups_audit import AskedGroups
from node.data.operation import Asker
from tests.support.both import PURPOSE, On, ran
from tests.support.data import KEYS, SEALER, read
from tests.support.policies import INPS, bundle_of, document, grant

pytestmark = [pytest.mark.integration, pytest.mark.postgres]

CLEAR = dict.fromkeys(("name", "birth", "income", "code"), "clear")
COUNTS: dict[str, object] = {"min_cell": 3, "over": ["name", "birth", "code"]}


def counted(**cells: int) -> list[dict[str, Any]]:
    return [{"name": name, "flag": True} for name, count in cells.items() for _ in range(count)]


def groups(answer: Any) -> Any:
    return answer.data["things"]["groups"]


# --- groups ----------------------------------------------------------------------------------------------------------


def test_groups_are_counted_with_one_statement(on: On) -> None:
    query = "{ things(first: 1) { totalCount groups(by: [name]) { name count __typename } edges { node { name } } } }"
    with on.things(bundle_of(document([grant("g", CLEAR, aggregates=COUNTS)])), counted(a=3, b=4)) as member:
        found = on.run(member.ask(INPS, PURPOSE, query)).data["things"]
        assert len(ran(member)) == 1
    assert [(group["name"], group["count"]) for group in found["groups"]] == [("a", 3), ("b", 4)]
    assert (found["totalCount"], len(found["edges"]), found["groups"][0]["__typename"]) == (7, 1, "ThingGroup")


def test_r25_a_small_group_and_its_complement_are_left_out(on: On) -> None:
    found = on.ask(
        [grant("g", CLEAR, aggregates=COUNTS)],
        counted(a=2, b=3, c=9),
        "{ things { groups(by: [name]) { name count } } }",
    )
    assert groups(found) == [{"name": "c", "count": 9}]


def test_r25_a_filter_does_not_tell_the_group_that_it_leaves_out(on: On) -> None:
    rows = counted(a=9, b=2)
    query = '{ things(where: {name: {eq: "a"}}) { groups { count } } }'
    # All are 11: the nine would say that two are missing.
    assert groups(on.ask([grant("g", CLEAR, aggregates=COUNTS)], rows, query)) == []
    assert groups(on.ask([grant("g", CLEAR, aggregates=COUNTS)], counted(a=9, b=4), query)) == [{"count": 9}]


def test_r22_groups_are_made_of_masked_values(on: On) -> None:
    rows = [{"birth": f"1980-0{month}-01"} for month in (1, 2, 3)] + [
        {"birth": f"1981-0{month}-01"} for month in (1, 2, 3)
    ]
    found = on.ask(
        [grant("g", {"birth": "year"}, aggregates=COUNTS)], rows, "{ things { groups(by: [birth]) { birth count } } }"
    )
    assert groups(found) == [{"birth": "1980", "count": 3}, {"birth": "1981", "count": 3}]


def test_r16_rows_that_are_hidden_are_not_counted(on: On) -> None:
    rows = counted(a=5) + [{"name": "a", "flag": False}] * 4
    hiding = grant("g", CLEAR, aggregates=COUNTS, rows="row.flag == true")
    assert groups(on.ask([hiding], rows, "{ things { groups(by: [name]) { count } } }")) == [{"count": 5}]


@pytest.mark.parametrize(
    ("changes", "query"),
    {
        "no grant allows counts": ({}, "{ things { groups { count } } }"),
        "not over this field": ({"aggregates": COUNTS}, "{ things { groups(by: [income]) { count } } }"),
        "filtered by another field": (
            {"aggregates": COUNTS},
            '{ things(where: {income: {eq: "1"}}) { groups(by: [name]) { count } } }',
        ),
        "an extreme of a masked field": (
            {"aggregates": COUNTS, "see": {**CLEAR, "birth": "year"}},
            "{ things { groups(by: [name]) { min { birth } } } }",
        ),
        "an extreme of a denied field": (
            {"aggregates": {**COUNTS, "over": ["name"]}, "see": {"name": "clear"}},
            "{ things { groups(by: [name]) { max { income } } } }",
        ),
    }.values(),
)
def test_r25_what_may_not_be_counted_or_measured_is_denied(on: On, changes: dict[str, Any], query: str) -> None:
    found = on.ask([grant("g", **{"see": CLEAR, **changes})], counted(a=9), query)
    assert found.data == {"things": {"groups": None}}
    assert [(error["path"], error["extensions"]["code"]) for error in found.errors] == [
        (["things", "groups"], "FIELD_DENIED")
    ]


def test_measures_are_of_clear_values_and_never_of_too_few(on: On) -> None:
    rows = [{"name": "a", "income": value} for value in (1, 2.5, 4)] + [
        {"name": "b", "income": value} for value in (5, None, None)
    ]
    query = "{ things { groups(by: [name]) { name min { income } max { income } avg { income } } } }"
    assert groups(on.ask([grant("g", CLEAR, aggregates=COUNTS)], rows, query)) == [
        {"name": "a", "min": {"income": "1"}, "max": {"income": "4"}, "avg": {"income": "2.50"}},
        {"name": "b", "min": {"income": None}, "max": {"income": None}, "avg": {"income": None}},
    ]


def test_the_same_question_has_the_same_noise(on: On) -> None:
    noise = grant("g", CLEAR, aggregates={**COUNTS, "noise": {"epsilon": 0.2}})
    query = "{ things { groups(by: [name]) { name count } } }"
    one, other = (groups(on.ask([noise], counted(a=40, b=50, c=60), query)) for _ in range(2))
    assert one == other
    assert [group["count"] for group in one] != [40, 50, 60]


def test_too_many_dimensions_are_refused(on: On) -> None:
    with pytest.raises(BadInputError):
        on.ask(
            [grant("g", CLEAR, aggregates=COUNTS)], counted(a=9), "{ things { groups(by: [name, name]) { count } } }"
        )


class AdmitsNothing:
    """An audit that has heard enough."""

    def __init__(self) -> None:
        self.asked: list[AskedGroups] = []

    def admits(self, asked: AskedGroups) -> bool:
        self.asked.append(asked)
        return False


def test_r26_an_audit_sees_what_would_be_told_and_may_refuse_it(on: On) -> None:
    query = '{ things(where: {name: {in: ["a", "b"]}}) { groups(by: [name]) { count } } }'
    audit = AdmitsNothing()
    asker = Asker("inprev", KEYS, SEALER, audit)
    with on.things(bundle_of(document([grant("g", CLEAR, aggregates=COUNTS)])), counted(a=3, b=4)) as member:
        asked_for = GraphQLRequest(query, None, None, {}, {})
        answer = read(on.run(member.plane.answer(parse(query), asked_for, member.plans(INPS, PURPOSE), asker)))
    assert answer.data == {"things": {"groups": None}}
    assert [error["path"] for error in answer.errors] == [["things", "groups"]]
    [asked] = audit.asked
    assert replace(asked, counts={}) == AskedGroups(
        "inprev", PURPOSE, "Thing", ("name",), '{"name":{"in":["a","b"]}}', {}
    )
    assert list(asked.counts.values()) == [3, 4]


# --- filters over relations ------------------------------------------------------------------------------------------

FAMILY: list[dict[str, Any]] = [
    {"name": "Anna", "place": "Bruno", "code": "A1"},
    {"name": "Bruno", "place": None, "code": "B1"},
    {"name": "Carla", "place": "Nobody", "code": "C1"},
]
"""`parts` of a thing are those whose name is its place."""
WITH_PARTS: dict[str, Any] = {"fields": {**document([])["fields"], "parts": {"category": "name"}}}  # type: ignore[dict-item]  # a mapping


def names(found: Any) -> list[str]:
    return [edge["node"]["name"] for edge in found.data["things"]["edges"]]


def test_a_filter_over_a_relation_keeps_rows_that_lead_to_a_row_which_passes(on: On) -> None:
    grants = [grant("g", {**CLEAR, "parts": "clear"})]
    query = "{ things(where: {%s}) { edges { node { name parts { name } } } } }"
    assert names(on.ask(grants, FAMILY, query % 'parts: {name: {startsWith: "Br"}}', **WITH_PARTS)) == ["Anna"]
    assert names(on.ask(grants, FAMILY, query % 'not: {parts: {code: {eq: "B1"}}}', **WITH_PARTS)) == ["Bruno", "Carla"]
    assert names(on.ask(grants, FAMILY, query % "parts: {}", **WITH_PARTS)) == ["Anna"]


def test_r21_a_filter_over_a_denied_relation_or_field_is_refused(on: On) -> None:
    query = '{ things(where: {parts: {code: {eq: "B1"}}}) { edges { node { name } } } }'
    for see in (CLEAR, {"name": "clear", "parts": "clear"}):
        found = on.ask([grant("g", see)], FAMILY, query, **WITH_PARTS)
        assert found.data == {"things": None}
        assert [error["extensions"]["code"] for error in found.errors] == ["FIELD_DENIED"]


def test_r16_a_filter_over_a_relation_does_not_find_hidden_rows(on: On) -> None:
    rows: list[dict[str, Any]] = [{**FAMILY[0], "flag": True}, {**FAMILY[1], "flag": False}]
    hiding = grant("g", {**CLEAR, "parts": "clear"}, rows="row.flag == true")
    query = "{ things(where: {%s}) { edges { node { name } } } }"
    assert names(on.ask([hiding], rows, query % "parts: {}", **WITH_PARTS)) == []
    assert names(on.ask([hiding], rows, query % "not: {parts: {}}", **WITH_PARTS)) == ["Anna"]


# --- documents that the database writes ------------------------------------------------------------------------------


def test_values_of_every_kind_arrive_as_json_has_them(on: On) -> None:
    odd = 'a "quoted" \\ word, ] } à \n and \u0001 more'
    rows: list[dict[str, Any]] = [
        {"name": odd, "birth": "1980-02-30", "income": 12.5, "code": "A1"},
        {"name": "", "birth": "1980"},
    ]
    query = "{ things { edges { node { id a: name Id: code birth income __typename health } } } }"
    found = on.ask([grant("g", CLEAR)], rows, query)
    one, other = (edge["node"] for edge in found.data["things"]["edges"])
    assert (one["id"], one["a"], one["Id"], one["income"]) == (None, odd, "A1", "12.5")
    assert (one["birth"], one["__typename"], one["health"]) == (None, "Thing", None)
    assert (other["a"], other["birth"]) == ("", "1980")


def test_a_response_key_longer_than_a_name_of_the_database_is_whole(on: On) -> None:
    long = "x" * 80
    found = on.ask(
        [grant("g", {**CLEAR, "parts": "clear"})],
        FAMILY,
        f"{{ things {{ edges {{ node {{ parts {{ {long}: name }} }} }} }} }}",
        **WITH_PARTS,
    )
    assert found.data["things"]["edges"][0]["node"]["parts"] == [{long: "Bruno"}]


def test_a_denied_field_below_a_list_has_an_error_at_every_place(on: On) -> None:
    found = on.ask(
        [grant("g", {"name": "clear", "parts": "clear"})],
        FAMILY,
        "{ things { edges { node { parts { name code } } } } }",
        **WITH_PARTS,
    )
    assert [error["path"] for error in found.errors] == [["things", "edges", 0, "node", "parts", 0, "code"]]


# --- crowds: `generalise_k` ------------------------------------------------------------------------------------------

ALIKE = {"k": 3, "quasi_identifiers": ["birth", "income"]}
SEEN: dict[str, object] = {"name": "clear", "birth": "year", "income": {"band": [100]}}


def crowding(
    see: Mapping[str, object] = SEEN, alike: Mapping[str, object] = ALIKE, **changes: object
) -> dict[str, Any]:
    counts = {"min_cell": 1, "over": ["name", "birth", "income"], "generalise_k": dict(alike)}
    return grant("g", {**see}, aggregates=counts, **changes)


def born(year: int, *names: str, income: float | None = 50, **more: Any) -> list[dict[str, Any]]:
    return [
        {"name": name, "birth": f"{year}-0{month}-01", "income": income, "flag": True, **more}
        for month, name in enumerate(names, start=1)
    ]


NAMES = "{ things { totalCount edges { node { name } } } }"


def listed(answer: Any) -> list[str]:
    assert not answer.errors
    found = [edge["node"]["name"] for edge in answer.data["things"]["edges"]]
    assert answer.data["things"].get("totalCount", len(found)) == len(found)
    return found


def test_a_row_is_shown_only_among_k_who_look_alike(on: On) -> None:
    rows = [*born(1980, "a", "b", "c"), *born(1981, "d", "e"), *born(1980, "f", income=150)]
    assert listed(on.ask([crowding()], rows, NAMES)) == ["a", "b", "c"]


def test_what_cannot_be_read_looks_alike_too(on: On) -> None:
    rows = [*born(1980, "a", "b", "c", income=None), *born(1980, "d", "e", income=0), {"name": "f", "flag": True}]
    assert listed(on.ask([crowding()], rows, NAMES)) == ["a", "b", "c"]


def test_a_coarser_form_makes_larger_crowds(on: On) -> None:
    rows = born(1980, "a", "b", "c")
    assert listed(on.ask([crowding({**SEEN, "birth": "month"})], rows, NAMES)) == []
    assert listed(on.ask([crowding(alike={**ALIKE, "k": 4})], rows, NAMES)) == []


def test_numbers_look_alike_however_they_are_written(on: On) -> None:
    rows = [*born(1980, "a", "b", income=100), *born(1980, "c", income=100.0)]
    assert listed(on.ask([crowding({**SEEN, "income": "clear"})], rows, NAMES)) == ["a", "b", "c"]


def test_only_the_rows_that_the_requester_may_see_make_a_crowd(on: On) -> None:
    rows = [*born(1980, "a", "b"), *born(1980, "c", flag=False), *born(1981, "d", "e", "f")]
    assert listed(on.ask([crowding(rows="row.flag == true")], rows, NAMES)) == ["d", "e", "f"]
    hiding = {"prohibitions": [{"id": "p", "hide": "row", "rows": "row.flag == false"}]}
    assert listed(on.ask([crowding()], rows, NAMES, **hiding)) == ["d", "e", "f"]


def test_a_form_that_depends_on_the_row_parts_those_who_look_different(on: On) -> None:
    rows = [*born(1980, "a", "b", "c"), *born(1981, "d", "e", "f", age=50)]
    finer = grant("finer", {"birth": "month"}, rows="row.age > 40")
    assert listed(on.ask([crowding(), finer], rows, NAMES)) == ["a", "b", "c"]


def test_a_field_that_a_prohibition_takes_away_looks_alike(on: On) -> None:
    rows = [*born(1980, "a"), *born(1981, "b"), *born(1982, "c")]
    taking = {"prohibitions": [{"id": "p", "fields": ["birth"], "rows": "row.flag == true"}]}
    assert listed(on.ask([crowding()], rows, NAMES, **taking)) == ["a", "b", "c"]


def test_of_two_live_grants_the_larger_number_holds_over_the_fields_of_both(on: On) -> None:
    rows = born(1980, "a", "b", "c", code="x") + born(1980, "d", code="y")
    other = grant(
        "h", {"code": "clear"}, aggregates={"over": ["code"], "generalise_k": {"k": 2, "quasi_identifiers": ["code"]}}
    )
    assert listed(on.ask([crowding(), other], rows, NAMES)) == ["a", "b", "c"]
    assert listed(on.ask([crowding()], rows, NAMES)) == ["a", "b", "c", "d"]


def test_nothing_that_is_asked_with_a_row_tells_of_one_without_a_crowd(on: On) -> None:
    rows = [*born(1980, "a", "b", "c"), *born(1981, "d", "e", place="a")]
    shown = grant("parts", {"parts": "clear", "id": "clear"})
    governed = {"fields": {**document([])["fields"], "parts": {"category": "family"}, "id": {"category": "identifier"}}}  # type: ignore[dict-item]  # a map

    def asked(query: str) -> Any:
        found = on.ask([crowding(), shown], rows, query, **governed)
        assert not found.errors
        return found.data

    for where in (
        'birth: {eq: "1981"}',
        'name: {startsWith: "d"}',
        'not: {birth: {eq: "1980"}}',
        'parts: {name: {eq: "a"}}',
    ):
        assert asked(f"{{ things(where: {{{where}}}) {{ totalCount edges {{ cursor }} }} }}")["things"] == {
            "totalCount": 0,
            "edges": [],
        }
    [last] = [
        asked("{ things(first: 3, orderBy: [{birth: DESC}]) { pageInfo { hasNextPage } edges { node { name } } } }")
    ]
    assert last["things"] == {"pageInfo": {"hasNextPage": False}, "edges": [{"node": {"name": name}} for name in "abc"]}
    assert asked("{ things { groups(by: [birth]) { birth count } } }")["things"]["groups"] == [
        {"birth": "1980", "count": 3}
    ]
    given = ", ".join(f'{{__typename: "Thing", id: "{number}"}}' for number in (1, 4, 99))
    entities = f"{{ _entities(representations: [{given}]) {{ ... on Thing {{ name }} }} }}"
    assert asked(entities)["_entities"] == [{"name": "a"}, None, None]


def test_a_relation_leads_to_nobody_without_a_crowd(on: On) -> None:
    rows = [*born(1980, "a", "b", "c", place="d"), *born(1981, "d", "e")]
    shown = grant("parts", {"parts": "clear"})
    governed = {"fields": {**document([])["fields"], "parts": {"category": "family"}}}  # type: ignore[dict-item]  # a map
    query = "{ things { edges { node { name parts { name } } } } }"
    found = on.ask([crowding(), shown], rows, query, **governed).data["things"]["edges"]
    assert [edge["node"] for edge in found] == [{"name": name, "parts": []} for name in "abc"]


def test_nobody_is_like_herself_twice(on: On) -> None:
    """Two rows about one person are one person."""
    change = "UPDATE things SET pid = 'v1.siv.c_m999.1'"
    with on.things(bundle_of(document([crowding()])), born(1980, "a", "b", "c")) as member:
        if on.is_postgres:
            on.server.run(change)
        else:
            member.plane.database.connection.execute(change)  # type: ignore[attr-defined]  # the database in memory
        assert listed(on.run(member.ask(INPS, PURPOSE, NAMES))) == []
