"""What a register may be made of, on both databases: views, collations, zones, JSON columns, words for codes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from graphql import GraphQLSchema, build_schema

from node.policy.bundle import Bundle, load_bundle
from node.vocabulary.scalars import bind_scalars
from tests.support.both import PURPOSE, On, ran
from tests.support.data import Member
from tests.support.policies import INPS, VOCABULARY, grant, written_yaml

pytestmark = [pytest.mark.integration, pytest.mark.postgres]

SDL = """
schema @link(url: "https://specs.apollo.dev/federation/v2.11", import: ["@key"]) { query: Query }
directive @key(fields: String!) repeatable on OBJECT
directive @link(url: String!, import: [String]) repeatable on SCHEMA
scalar DateTime
enum OrderDirection { ASC DESC }
type Query { entries(first: Int = 20, after: String, where: EntryWhere, orderBy: [EntryOrderBy!]): EntryConnection }
type EntryConnection { edges: [EntryEdge!] pageInfo: PageInfo! totalCount: Int }
type EntryEdge { cursor: String! node: Entry }
type PageInfo { hasNextPage: Boolean! hasPreviousPage: Boolean! startCursor: String endCursor: String }
input StringFilter { eq: String in: [String!] gt: String gte: String lt: String lte: String startsWith: String }
input EntryWhere { name: StringFilter and: [EntryWhere!] or: [EntryWhere!] not: EntryWhere }
input EntryOrderBy @oneOf { name: OrderDirection }
type Entry @key(fields: "id") { id: ID name: String label: String at: DateTime word: String language: String }
"""
MAPPING = """
member: c_m999
database: {url: "sqlite:///unused.db"}
code_lists: {states: {"1": open, "2": closed}}
types:
  Entry:
    table: entries
    key: code
    fields:
      name: name
      label: {concat: [name, {text: "/"}, code]}
      at: {column: at, datetime: iso, offset: "+01:00"}
      word: {column: state, codes: states, otherwise: unknown}
      language: {column: more, json: "$.languages[0]"}
roots:
  entries: {of: Entry, filter: [name], order: [name]}
"""
NAMES = (
    "Zoe",
    "anna",
    "Anna",
    "ANNA",
    "àngelo",
    "Angelo",
    "ångström",
    "zoe",
    "",
    "è",
    "E",
    "e",
    "ß",
    "ss",
    "İ",
    "i",
    "_a",
)
"""Texts that collations order, and some even take for equal, in ways of their own."""


def tables(on: On) -> str:
    """Return a table, in SQLite with a collation that takes `anna` for `Anna`, and the view that the mapping names."""
    collation, moment, json = ("", "timestamptz", "jsonb") if on.is_postgres else ("COLLATE NOCASE", "TEXT", "TEXT")
    rows = ", ".join(
        f"('K{number:02}', '{name}', '{number % 4}', '2026-07-01 00:{number:02}:00+02:00', "
        f"""'{{"languages": ["l{number}"]}}')"""
        for number, name in enumerate(NAMES)
    )
    return f"""
    CREATE TABLE raw (code TEXT PRIMARY KEY, name TEXT {collation}, state TEXT, at {moment}, more {json});
    INSERT INTO raw VALUES {rows};
    CREATE VIEW entries AS SELECT * FROM raw WHERE code <> 'K00';"""


def bundle() -> Bundle:
    see = dict.fromkeys(("id", "name", "label", "at", "word", "language"), "clear")
    head = {"policy": "Entry", "version": 1, "owner": "officer@member.example"}
    fields = {name: {"category": "name"} for name in see}
    entry = {**head, "fields": fields, "grants": [grant("g", see)]}
    return load_bundle({"vocabulary.yaml": written_yaml(VOCABULARY), "types/Entry.yaml": written_yaml(entry)})


def vocabulary() -> GraphQLSchema:
    return bind_scalars(build_schema(SDL, assume_valid_sdl=True))


@pytest.fixture
def member(on: On) -> Iterator[Member]:
    with on.member(vocabulary(), MAPPING, tables(on), bundle()) as opened:
        yield opened


def page(on: On, member: Member, arguments: str, fields: str, **variables: Any) -> Any:
    given = "query($a: String)" if variables else "query"
    query = f"{given} {{ entries({arguments}) {{ edges {{ node {{ {fields} }} }} pageInfo {{ endCursor }} }} }}"
    answer = on.run(member.ask(INPS, PURPOSE, query, variables))
    assert not answer.errors
    return answer.data["entries"]


def nodes(found: Any) -> list[dict[str, Any]]:
    return [edge["node"] for edge in found["edges"]]


@pytest.mark.parametrize(("direction", "size"), [("ASC", 1), ("DESC", 3)])
def test_every_row_stands_on_one_page_whatever_the_collation(on: On, member: Member, direction: str, size: int) -> None:
    found: list[str] = []
    after = None
    while True:
        arguments = f"first: {size}, after: $a, orderBy: [{{name: {direction}}}]"
        got = page(on, member, arguments, "name", a=after)
        if not got["edges"]:
            break
        found += [node["name"] for node in nodes(got)]
        after = got["pageInfo"]["endCursor"]
    assert found == sorted(NAMES[1:], reverse=direction == "DESC")
    # By code point on every server, whatever the language of its own collations: the statement says so.
    assert ('COLLATE "C"' if on.is_postgres else 'COLLATE "BINARY"') in ran(member)[0]


def test_a_filter_takes_texts_as_they_are_written(on: On, member: Member) -> None:
    for where, expected in (
        ('{eq: "anna"}', ["anna"]),
        ('{in: ["ANNA", "SS"]}', ["ANNA"]),
        ('{startsWith: "An"}', ["Anna", "Angelo"]),
        ('{gt: "z"}', ["àngelo", "ångström", "zoe", "è", "ß", "İ"]),
    ):
        got = nodes(page(on, member, f"where: {{name: {where}}}", "name"))
        assert sorted(node["name"] for node in got) == sorted(expected), where


def test_a_view_leaves_out_what_it_leaves_out(on: On, member: Member) -> None:
    ids = [node["id"] for node in nodes(page(on, member, "first: 100", "id"))]
    assert ids == [f"K{number:02}" for number in range(1, len(NAMES))]


def test_an_instant_with_a_zone_is_told_in_utc(on: On, member: Member) -> None:
    assert nodes(page(on, member, "first: 1", "at")) == [{"at": "2026-06-30T22:01:00Z"}]


def test_parts_words_and_json_are_put_together_in_the_statement(on: On, member: Member) -> None:
    assert nodes(page(on, member, "first: 3", "label word language")) == [
        {"label": "anna/K01", "word": "open", "language": "l1"},
        {"label": "Anna/K02", "word": "closed", "language": "l2"},
        {"label": "ANNA/K03", "word": "unknown", "language": "l3"},
    ]
