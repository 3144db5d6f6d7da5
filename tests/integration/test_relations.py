"""Relations of every kind on both databases: embedded, joined, many to many; owners, validity, composite keys."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from graphql import build_schema

from node.data.answer import Answer
from node.policy.bundle import load_bundle
from node.policy.requesters import Requester
from node.vocabulary.scalars import bind_scalars
from tests.support.both import PURPOSE, On, ran
from tests.support.data import Member
from tests.support.policies import VOCABULARY, grant

pytestmark = [pytest.mark.integration, pytest.mark.postgres]

NATIONAL = Requester("national", frozenset({"6.1.e"}), "*")

SDL = """
schema @link(url: "https://specs.apollo.dev/federation/v2.11", import: ["@key"]) { query: Query }
directive @key(fields: String!) repeatable on OBJECT
directive @link(url: String!, import: [String]) repeatable on SCHEMA
type Query { files: String }
type Citizen @key(fields: "id") {
  id: ID name: String home: Home homes: [Home!] files(first: Int): [File!] friends: [Friend!]
}
type Home { street: String town: Town }
type Town { name: String }
type File @key(fields: "id") { id: ID title: String citizen: Citizen }
type Friend { name: String }
"""

MAPPING = """
member: c_m999
database: {url: "sqlite:///unused.db"}
types:
  Citizen:
    table: people
    key: pid
    subject: pid
    attributes: {shy: {column: shy, type: bool}}
    fields: {name: name}
    relations:
      home: {to: Home}
      homes: {to: Home}
      files: {to: File, join: {n: person}, order: [-title]}
      friends: {to: Friend, through: {table: knows, join: {n: one}, then: {other: n}}, order: [name]}
  Home:
    present: [street]
    attributes: {shy: {owner: shy}}
    fields: {street: street}
    relations: {town: {to: Town, join: {town: code}}}
  Town: {table: towns, key: {field: null, column: code}, fields: {name: name}}
  File:
    table: files
    key: {field: id, columns: {year: int, number: text}, separator: "/"}
    owner: {to: Citizen, join: {person: n}}
    only: [{column: state, not_in: [draft, null]}]
    valid: {from: since, until: until, date: iso}
    attributes: {shy: {owner: shy}}
    fields: {title: title}
    relations: {citizen: {to: Citizen, join: {person: n}}}
  Friend: {table: people, key: {field: null, column: n, type: int}, subject: pid, fields: {name: name}}
"""

TABLES = """
CREATE TABLE people (n INTEGER PRIMARY KEY, pid TEXT, name TEXT, shy BOOLEAN, street TEXT, town TEXT);
CREATE TABLE towns (code TEXT, name TEXT);
CREATE TABLE files (year INTEGER, number TEXT, person INTEGER, title TEXT, state TEXT, since TEXT, until TEXT);
CREATE TABLE knows (one INTEGER, other INTEGER);
INSERT INTO people VALUES (1, 'p1', 'Anna', FALSE, 'Via Tigli', 'T'), (2, 'p2', 'Bruno', TRUE, NULL, 'T'),
  (3, 'p3', 'Carla', NULL, 'Via Po', 'X');
INSERT INTO towns VALUES ('T', 'Borgoverde');
INSERT INTO files VALUES (2026, 'a', 1, 'first', 'open', NULL, NULL), (2026, 'b', 1, 'second', 'draft', NULL, NULL),
  (2026, 'c', 1, 'third', 'open', '2026-05-01', '2026-05-01'), (2026, 'd', 1, 'past', 'open', NULL, '2026-04-30'),
  (2026, 'e', 1, 'to come', 'open', '2026-05-02', NULL), (2026, 'f', 1, 'odd', 'open', 'soon', NULL),
  (2026, 'g', 2, 'shy', 'open', NULL, NULL), (2026, 'h', 9, 'of nobody', 'open', NULL, NULL),
  (2026, 'i', 1, 'no state', NULL, NULL, NULL);
INSERT INTO knows VALUES (1, 3), (1, 2), (2, 1);
"""


def written_yaml(value: Any) -> bytes:
    # JSON is YAML, without the aliases that a bundle may not hold.
    return json.dumps(value, default=str).encode()


def type_policy(name: str, fields: str, **changes: Any) -> bytes:
    see = dict.fromkeys(fields.split(), "clear")
    written = {
        "policy": name,
        "version": 1,
        "owner": "officer@member.example",
        "fields": {field: {"category": "name"} for field in see},
        "grants": [grant("g", see)],
        **changes,
    }
    return written_yaml(written)


@dataclass(frozen=True)
class Asked:
    """A member on one of the databases."""

    on: On
    member: Member

    def entity(self, key: str, fields: str) -> Any:
        """Return one citizen's fields."""
        return self.on.run(self.member.entity(NATIONAL, PURPOSE, key, fields))

    def answer(self, query: str, variables: dict[str, Any] | None = None) -> Answer:
        """Return an answer."""
        return self.on.run(self.member.ask(NATIONAL, PURPOSE, query, variables))


@contextmanager
def opened(on: On, tables: str) -> Iterator[Asked]:
    hiding = {
        "attributes": {"shy": "bool"},
        "prohibitions": [{"id": "p", "hide": "row", "rows": "row.shy == true"}],
    }
    files = {
        "vocabulary.yaml": written_yaml(VOCABULARY),
        "types/Citizen.yaml": type_policy("Citizen", "id name home homes files friends"),
        "types/Home.yaml": type_policy("Home", "street town", **hiding),
        "types/Town.yaml": type_policy("Town", "name"),
        "types/File.yaml": type_policy("File", "id title citizen", **hiding),
        "types/Friend.yaml": type_policy("Friend", "name"),
    }
    vocabulary = bind_scalars(build_schema(SDL, assume_valid_sdl=True))
    with on.member(vocabulary, MAPPING, tables, load_bundle(files)) as member:
        yield Asked(on, member)


@pytest.fixture
def asked(on: On) -> Iterator[Asked]:
    with opened(on, TABLES) as found:
        yield found


def test_an_embedded_object_is_part_of_the_row_and_absent_without_its_columns(asked: Asked) -> None:
    anna = asked.entity("p1", "home { street town { name } } homes { street }")
    home = {"street": "Via Tigli", "town": {"name": "Borgoverde"}}
    assert anna == {"home": home, "homes": [{"street": "Via Tigli"}]}
    assert (asked.entity("p2", "home { street }"))["home"] is None


def test_an_embedded_object_obeys_its_own_policy_by_the_attributes_of_its_row(asked: Asked) -> None:
    carla = asked.entity("p3", "name home { street } homes { street }")
    assert carla == {"name": "Carla", "home": None, "homes": []}


def test_a_join_that_leads_nowhere_is_null(on: On) -> None:
    with opened(on, TABLES + "UPDATE people SET shy = false;") as asked:
        assert asked.entity("p3", "home { town { name } }")["home"] == {"town": None}


def test_only_rows_that_count_today_are_listed_in_the_mappings_order(asked: Asked) -> None:
    found = asked.entity("p1", "files { id title } few: files(first: 1) { title }")
    assert found["files"] == [{"id": "2026/c", "title": "third"}, {"id": "2026/a", "title": "first"}]
    assert found["few"] == [{"title": "third"}]


def test_many_to_many_goes_through_the_table_between(asked: Asked) -> None:
    assert (asked.entity("p1", "friends { name }"))["friends"] == [{"name": "Bruno"}, {"name": "Carla"}]


def test_a_composite_key_finds_its_row_and_whom_it_is_about(asked: Asked) -> None:
    query = "query($r: [_Any!]!) { _entities(representations: $r) { ... on File { id title citizen { name } } } }"
    keys = ("2026/a", "2026", "x/a", "2026/b", "2026/g", "2026/h", "2026/a/a")
    given = [{"__typename": "File", "id": key} for key in keys]
    answer = asked.answer(query, {"r": given})
    first = {"id": "2026/a", "title": "first", "citizen": {"name": "Anna"}}
    assert answer.data["_entities"] == [first, None, None, None, None, None, None]
    assert answer.subjects == {"p1"}


def test_a_thousand_keys_of_one_or_two_columns_are_one_statement_whatever_is_below_them(on: On) -> None:
    people = ", ".join(f"({n}, 'q{n}', 'N{n}', FALSE, 'Via Tigli', 'T')" for n in range(10, 1_010))
    files = ", ".join(f"(2025, 'f{n}', {n}, 'T{n}', 'open', NULL, NULL)" for n in range(10, 1_010))
    friends = ", ".join(f"({n}, 1)" for n in range(10, 1_010))
    more = f"INSERT INTO people VALUES {people}; INSERT INTO files VALUES {files}; INSERT INTO knows VALUES {friends};"
    query = """query($r: [_Any!]!) { _entities(representations: $r) {
      ... on Citizen { name home { street town { name } } files { title } friends { name } }
      ... on File { title citizen { name friends { name } } } } }"""
    citizens = [{"__typename": "Citizen", "id": f"q{n}"} for n in range(1_009, 9, -1)]
    titles = [{"__typename": "File", "id": f"2025/f{n}"} for n in range(10, 1_010)]
    friend = [{"name": "Anna"}]
    home = {"street": "Via Tigli", "town": {"name": "Borgoverde"}}
    with opened(on, TABLES + more) as asked:
        found = asked.answer(query, {"r": citizens}).data["_entities"]
        assert len(ran(asked.member)) == 1
        assert found[::999] == [
            {"name": f"N{n}", "home": home, "files": [{"title": f"T{n}"}], "friends": friend} for n in (1_009, 10)
        ]
        found = asked.answer(query, {"r": titles}).data["_entities"]
        assert len(ran(asked.member)) == 2
        assert found[::999] == [
            {"title": f"T{n}", "citizen": {"name": f"N{n}", "friends": friend}} for n in (10, 1_009)
        ]
        mixed = asked.answer(query, {"r": [*citizens[:500], *titles[:500]]}).data["_entities"]
        assert len(ran(asked.member)) == 4  # one for each type
        assert None not in mixed


def test_everybody_who_is_touched_is_a_subject(asked: Asked) -> None:
    query = "query($r: [_Any!]!) { _entities(representations: $r) { ... on Citizen { friends { name } } } }"
    answer = asked.answer(query, {"r": [{"__typename": "Citizen", "id": "p1"}]})
    assert answer.subjects == {"p1", "p2", "p3"}
