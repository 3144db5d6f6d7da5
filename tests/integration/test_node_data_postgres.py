"""The data plane on PostgreSQL answers as on SQLite, and as the policy's own sentences say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from federation.contract.errors import BadInputError, DatabaseUnavailableError
from node.data.catalogue import Catalogue, ColumnFacts, Family, ForeignKey, read_catalogue
from node.data.doctor import doctor
from node.data.mapping import DatabaseSettings
from node.data.mapping import Mapping as NodeMapping
from node.data.postgres import PostgreSQLDatabase
from node.data.statements import SMALLEST, Statement
from node.policy.bundle import Bundle
from node.policy.decide import Situation
from tests.property.test_policy_decisions import SITUATIONS, bundles
from tests.support.data import THING_MAPPING, Member, thing_member
from tests.support.policies import INPS, bundle_of, document, grant
from tests.support.postgres import THINGS_IN_POSTGRES, Server, postgres_thing_member

pytestmark = [pytest.mark.integration, pytest.mark.postgres]

PURPOSE = "benefit-assessment"
DAY = date(2026, 5, 1)
RAW = st.fixed_dictionaries(
    {
        "name": st.none() | st.sampled_from(["", "Anna", "anna", "Àèì", "Zoe"]),
        "birth": st.sampled_from([None, "1980", "1980-05", "1980-05-12", "1979-12-31", "", "12/05/1980"]),
        "income": st.none() | st.integers(-5, 300) | st.sampled_from([0.5, 99.75, 100.5, 12.25]),
        "health": st.sampled_from([None, "", "C03"]),
        "code": st.sampled_from([None, "A1", "B2"]),
        "flag": st.none() | st.booleans(),
        "age": st.none() | st.integers(0, 110),
        "place": st.sampled_from([None, "", "F205", "M999", "f205"]),
        "tags": st.sets(st.sampled_from(["a", "b", "F205"]), max_size=2),
        "consents": st.sets(st.sampled_from(["statistics", "service-notices", PURPOSE]), max_size=2),
    }
)
ROWS = st.lists(RAW, min_size=1, max_size=5)


@pytest.fixture(scope="module")
def server(postgres: Server) -> Server:
    found = postgres.database("things")
    found.run(THINGS_IN_POSTGRES)
    return found


def told(answer: Any) -> Any:
    return msgspec.json.encode([answer.data, answer.errors, answer.decisions, sorted(answer.subjects)])


def both(
    server: Server,
    bundle: Bundle,
    situation: Situation,
    rows: Sequence[Mapping[str, Any]],
    query: str,
    **variables: Any,
) -> tuple[Any, Any]:
    found = []
    for member in (
        thing_member(bundle, situation.day, rows),
        postgres_thing_member(server, bundle, situation.day, rows),
    ):
        asking = member.ask(situation.requester, situation.purpose, query, variables)
        try:
            found.append(told(server.runner.run(asking)))
        finally:
            server.runner.run(member.plane.database.close())
    return found[0], found[1]


@given(bundles(), SITUATIONS, ROWS)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_entities_are_the_same_on_both_databases(
    server: Server, bundle: Bundle, situation: Situation, rows: list[dict[str, Any]]
) -> None:
    query = """query($r: [_Any!]!) {
      _entities(representations: $r) { ... on Thing { id name birth income health code _k_id: id } }
    }"""
    given_keys = [{"__typename": "Thing", "id": str(number)} for number in range(len(rows) + 1, 0, -1)]
    one, other = both(server, bundle, situation, rows, query, r=given_keys)
    assert one == other


ORDERS = ["name", "birth", "income"]


@given(bundles(), SITUATIONS, ROWS, st.sampled_from(ORDERS), st.sampled_from(["ASC", "DESC"]), st.sampled_from(ORDERS))
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_lists_are_filtered_ordered_and_cut_the_same_on_both_databases(  # everything that a list depends on
    server: Server,
    bundle: Bundle,
    situation: Situation,
    rows: list[dict[str, Any]],
    order: str,
    direction: str,
    filtered: str,
) -> None:
    query = f"""query($where: ThingWhere) {{
      things(first: 2, orderBy: [{{{order}: {direction}}}], where: $where) {{
        totalCount edges {{ cursor node {{ name birth income }} }} pageInfo {{ hasNextPage endCursor }}
      }}
    }}"""
    where = {"or": [{filtered: {"gte": "1"}}, {"not": {filtered: {"eq": "1"}}}]}
    one, other = both(server, bundle, situation, rows, query, where=where)
    assert one == other


def clear_member(server: Server, rows: Sequence[Mapping[str, Any]]) -> Member:
    bundle = bundle_of(document([grant("g", {"name": "clear", "birth": "year", "income": "clear"})]))
    return postgres_thing_member(server, bundle, DAY, rows)


def ask(server: Server, member: Member, query: str, **variables: Any) -> Any:
    try:
        return server.runner.run(member.ask(INPS, PURPOSE, query, variables))
    finally:
        server.runner.run(member.plane.database.close())


def test_every_page_together_is_the_list(server: Server) -> None:
    rows = [{"name": name, "birth": birth} for name in ("b", "a", None, "B") for birth in ("1980-05-12", None)]
    query = """query($after: String) {
      things(first: 3, after: $after, orderBy: [{birth: DESC}, {name: ASC}]) {
        edges { node { name birth } } pageInfo { hasNextPage endCursor }
      }
    }"""
    found: list[Any] = []
    after = None
    for _ in range(4):
        page = ask(server, clear_member(server, rows), query, after=after).data["things"]
        found += [(edge["node"]["birth"], edge["node"]["name"]) for edge in page["edges"]]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    names = ["B", "a", "b", None]
    assert found == [("1980", name) for name in names] + [(None, name) for name in names]


def test_a_list_is_one_statement(server: Server) -> None:
    member = clear_member(server, [{"name": "Anna"}])
    ask(server, member, "{ things { totalCount edges { node { name birth } } } }")
    assert len(member.plane.database.ran) == 1  # type: ignore[attr-defined]  # the tests' own database counts


def test_what_comes_as_text_stays_text(server: Server) -> None:
    attack = "x'; DROP TABLE things; --"
    member = clear_member(server, [{"name": attack}, {"name": "Anna"}])
    query = "query($n: String) { things(where: {name: {eq: $n}}) { edges { node { name } } } }"
    assert ask(server, member, query, n=attack).data["things"]["edges"] == [{"node": {"name": attack}}]


def test_a_filter_beyond_every_number_finds_nothing_and_raises_nothing(server: Server) -> None:
    member = clear_member(server, [{"name": "Anna", "income": 5}])
    query = "query($n: String) { things(where: {income: {gt: $n}}) { edges { node { name } } } }"
    assert ask(server, member, query, n="9" * 60).data["things"]["edges"] == []


def test_the_labels_of_a_band_are_filtered_and_ordered_as_the_texts_they_are(server: Server) -> None:
    rows = [{"name": "a", "income": 50}, {"name": "b", "income": 150}, {"name": "c", "income": 99.5}]
    bundle = bundle_of(document([grant("g", {"name": "clear", "income": {"band": [0, 100, 200]}})]))
    query = """query($where: ThingWhere) {
      things(where: $where, orderBy: [{income: DESC}, {name: ASC}]) { edges { node { name income } } }
    }"""
    for member in (thing_member(bundle, DAY, rows), postgres_thing_member(server, bundle, DAY, rows)):
        found = ask(server, member, query, where={"income": {"in": ["[0,100)", "[100,200)"]}})
        assert [edge["node"]["name"] for edge in found.data["things"]["edges"]] == ["b", "a", "c"]


# --- trouble ---------------------------------------------------------------------------------------------------------


def run_failing(server: Server, url: str, sql: str, timeout: int = 5) -> str:
    database = PostgreSQLDatabase(DatabaseSettings(url, None, timeout))

    async def run() -> None:
        try:
            await database.rows(Statement(sql, {}, None), {})
        finally:
            await database.close()

    with pytest.raises(DatabaseUnavailableError) as refused:
        server.runner.run(run())
    return str(refused.value)


def test_a_server_that_is_not_there_is_a_coded_error(server: Server, tmp_path: object) -> None:
    assert "did not answer" in run_failing(server, f"postgresql://nobody@/none?host={tmp_path}", SMALLEST.sql)


def test_nothing_can_be_written(server: Server) -> None:
    assert "ReadOnly" in run_failing(server, server.url, "INSERT INTO tags VALUES (1, 'Mario Rossi')")


def test_an_error_of_the_server_never_repeats_a_value(server: Server) -> None:
    message = run_failing(server, server.url, "SELECT 'Mario Rossi'::integer")
    assert "Mario" not in message


def test_a_statement_that_takes_too_long_is_given_up(server: Server) -> None:
    assert "Canceled" in run_failing(server, server.url, "SELECT pg_sleep(30)", timeout=1)


def test_a_table_that_changed_under_a_prepared_statement_is_read_again(server: Server) -> None:
    member = clear_member(server, [{"name": "Anna"}])
    query = "{ things { edges { node { name } } } }"
    asking = member.ask(INPS, PURPOSE, query)
    first = server.runner.run(asking)
    server.run("ALTER TABLE things ALTER COLUMN name TYPE varchar(50)")
    second = ask(server, member, query)
    server.run("ALTER TABLE things ALTER COLUMN name TYPE text")
    assert first.data == second.data


def test_a_page_beyond_the_most_is_refused(server: Server) -> None:
    with pytest.raises(BadInputError):
        ask(server, clear_member(server, []), "{ things(first: 1000) { totalCount } }")


MAPPING = """
member: c_m999
database: {url: "postgresql:///x"}
types:
  Thing:
    table: things
    key: n
    attributes: {born: {column: born, date: yyyymmdd}, flag: {column: flag, true_values: ["S"]}}
    fields: {name: name, extra: {column: name, json: "$.a"}}
    relations: {parts: {to: Part, join: {name: thing}}}
    only: [{column: age, is: "30"}]
    lookups: {age: age}
  Part: {table: tags, key: {field: null, column: tag}, type: Thing}
"""


def examined(server: Server, text: str) -> list[str]:
    mapping = NodeMapping.parse(text)
    database = server.open()
    try:
        return [found.text("node.yaml") for found in server.runner.run(doctor(mapping, database, DAY))]
    finally:
        server.runner.run(database.close())


def test_the_doctor_names_every_type_that_postgresql_would_refuse(server: Server) -> None:
    server.run("ALTER TABLE things ADD born date")
    found = examined(server, MAPPING)
    server.run("ALTER TABLE things DROP born")
    assert [line for line in found if ": error:" in line] == [
        "node.yaml:6: error: `Thing.key` compares `n` of type bigint with text; write `type: int` [TYPE_MISFIT]",
        (
            "node.yaml:6: error: `Thing.only` compares `age` of type integer with another type; "
            "write the value as that type has it [TYPE_MISFIT]"
        ),
        "node.yaml:6: error: look-up `Thing.age` needs a column of text; `age` is of type integer [TYPE_MISFIT]",
        "node.yaml:8: error: `Thing.born` reads a column of type date; write `date: iso` [TYPE_MISFIT]",
        (
            'node.yaml:8: error: `Thing.flag` reads a Boolean column; write `true_values: ["true"]`, '
            "or `type: bool` in an attribute [TYPE_MISFIT]"
        ),
        (
            "node.yaml:10: error: `Thing.parts` joins `name` with `thing`, of types text and bigint; "
            "join through a view that converts one [TYPE_MISFIT]"
        ),
    ]


def test_the_doctor_refuses_the_day_of_a_moment_that_has_a_zone(server: Server) -> None:
    server.run("ALTER TABLE things ADD seen timestamptz")
    found = examined(server, THING_MAPPING.replace("birth: birth,", "birth: {column: seen, date: iso},", 1))
    server.run("ALTER TABLE things DROP seen")
    assert [line for line in found if ": error:" in line] == [
        (
            "node.yaml:14: error: `Thing.birth` reads the day of a moment, which depends on the zone; "
            "give a view that says in which [TYPE_MISFIT]"
        )
    ]


def test_the_doctor_says_that_a_role_could_write(server: Server) -> None:
    found = examined(server, THING_MAPPING)
    assert any("this role could change `things`" in line and "[RIGHTS_TOO_WIDE]" in line for line in found)
    assert not [line for line in found if ": error:" in line]


def test_the_catalogue_tells_columns_indexes_keys_and_comments(server: Server) -> None:
    server.run("""CREATE TABLE parts (n bigint REFERENCES things, made date);
                  COMMENT ON COLUMN parts.made IS 'the day it was made'; CREATE INDEX ON parts (n, made);""")
    database = server.open()

    async def read() -> Catalogue:
        try:
            return await read_catalogue(database)
        finally:
            await database.close()

    catalogue = server.runner.run(read())
    server.run("DROP TABLE parts")
    parts, things = catalogue.table("parts"), catalogue.table("things")
    assert parts is not None
    assert things is not None
    assert parts.columns["made"] == ColumnFacts(
        "made", "date", Family.DATE, nullable=True, comment="the day it was made"
    )
    assert parts.foreign_keys == (ForeignKey(("n",), "things", ("n",)),)
    assert parts.is_indexed(["n"])
    assert not parts.is_unique(["n"])
    assert things.primary_key == ("n",)
