"""Small data planes for tests: a table of things with every kind of attribute, and the demo's members."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cache, partial
from pathlib import Path
from typing import Any, Final, Self

import msgspec
from graphql import GraphQLSchema, build_schema, parse, validate

from federation.contract.errors import ValidationError
from federation.contract.graphql_request import GraphQLRequest
from node.data.answer import Answer
from node.data.cursors import CursorSealer
from node.data.database import Database
from node.data.dialects import SQLITE, Dialect
from node.data.keyed import MaskKeys
from node.data.mapping import Mapping as NodeMapping
from node.data.objects import PlanOf
from node.data.operation import Asker, Prepared
from node.data.plane import DataPlane
from node.data.statements import Statement
from node.policy.bundle import Bundle
from node.policy.compile import PlanCache
from node.policy.requesters import Requester
from node.subgraph.schema import NodeSchema, asked_coordinates
from node.subgraph.visible import visible_schema, visible_sdl
from node.vocabulary.scalars import bind_scalars
from node.vocabulary.schema import full_schema

KEYS: Final = MaskKeys(b"k" * 32, lambda plain, data: bytes(reversed(plain)) + b"".join(data), "2026")
SEALER: Final = CursorSealer(b"c" * 64)

THING_VOCABULARY: Final = """
schema @link(url: "https://specs.apollo.dev/federation/v2.11", import: ["@key"]) { query: Query }
directive @key(fields: federation__FieldSet!, resolvable: Boolean = true) repeatable on OBJECT | INTERFACE
directive @link(url: String!, as: String, for: link__Purpose, import: [link__Import]) repeatable on SCHEMA
scalar federation__FieldSet
scalar link__Import
enum link__Purpose { SECURITY EXECUTION }
scalar PartialDate
scalar Banded
enum OrderDirection { ASC DESC }
type Query {
  things(first: Int = 20, after: String, where: ThingWhere, orderBy: [ThingOrderBy!]): ThingConnection
}
type Thing @key(fields: "id") {
  id: ID
  name: String
  birth: PartialDate
  income: Banded
  health: String
  code: String
  parts(first: Int): [Thing!]
}
type ThingConnection {
  edges: [ThingEdge!] pageInfo: PageInfo! totalCount: Int groups(by: [ThingDimension!]): [ThingGroup!]
}
enum ThingDimension { name birth income health code }
type ThingGroup {
  count: Int name: String birth: PartialDate income: Banded health: String code: String
  min: ThingMeasures max: ThingMeasures avg: ThingMeans
}
type ThingMeasures { name: String birth: PartialDate income: Banded }
type ThingMeans { income: Banded }
type ThingEdge { cursor: String! node: Thing }
type PageInfo { hasNextPage: Boolean! hasPreviousPage: Boolean! startCursor: String endCursor: String }
input StringFilter { eq: String in: [String!] gt: String gte: String lt: String lte: String startsWith: String }
input ThingWhere {
  name: StringFilter birth: StringFilter income: StringFilter health: StringFilter code: StringFilter
  parts: ThingWhere
  and: [ThingWhere!] or: [ThingWhere!] not: ThingWhere
}
input ThingOrderBy @oneOf {
  name: OrderDirection birth: OrderDirection income: OrderDirection health: OrderDirection code: OrderDirection
}
"""

THING_MAPPING: Final = """
member: c_m999
database: {url: "sqlite:///unused.db"}
types:
  Thing:
    table: things
    key: {field: id, column: n, type: int}
    subject: pid
    attributes:
      flag: {column: flag, type: bool}
      age: {column: age, type: int}
      place: {column: place}
      tags: {set: tag, table: tags, join: {n: thing}}
    fields: {name: name, birth: birth, income: income, health: health, code: code}
    relations: {parts: {to: Thing, join: {place: name}}}
consent:
  of: Thing
  table: consents
  join: {n: thing}
  purpose: purpose
  consumer: consumer
  given: given
  withdrawn: withdrawn
  expires: expires
roots:
  things:
    of: Thing
    filter: [name, birth, income, health, code, parts.name, parts.code]
    order: [name, birth, income, health, code]
    groups: [name, birth, income, health, code]
    measures: [name, birth, income]
"""

THING_TABLES: Final = """
CREATE TABLE things (n INTEGER PRIMARY KEY, pid, flag, age, place, name, birth, income, health, code);
CREATE TABLE tags (thing INTEGER, tag TEXT);
CREATE TABLE consents (thing INTEGER, purpose TEXT, consumer TEXT, given TEXT, withdrawn TEXT, expires TEXT);
"""


def read(answer: Answer) -> Answer:
    """Return an answer whose data is as the asker reads it: documents of the database are opened."""
    return replace(answer, data=msgspec.json.decode(msgspec.json.encode(answer.data)))


@dataclass(slots=True)
class MemoryDatabase:
    """A database in memory that counts and keeps the statements it ran."""

    connection: sqlite3.Connection
    dialect: Dialect = SQLITE
    ran: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, script: str) -> Self:
        """Create the tables of a script."""
        connection = sqlite3.connect(":memory:")
        connection.executescript(script)
        return cls(connection)

    async def rows(self, statement: Statement, values: Mapping[str, Any]) -> Sequence[Sequence[Any]]:
        """Run a statement."""
        self.ran.append(statement.sql)
        return self.connection.execute(statement.sql, statement.with_values(values)).fetchall()

    async def close(self) -> None:
        """Forget everything."""
        self.connection.close()


@dataclass(slots=True)
class Member:
    """A node's schema, policy and data, asked without the network."""

    schema: NodeSchema
    plane: DataPlane
    bundle: Bundle
    day: date
    _plans: PlanCache = field(init=False)

    def __post_init__(self) -> None:
        self._plans = PlanCache(self.bundle)

    def plans(self, requester: Requester, purpose: str) -> PlanOf:
        """Return what a requester may see."""
        return lambda type_name: self._plans.plan(type_name, requester, purpose, self.day)

    async def ask(  # a test names all that a decision depends on
        self,
        requester: Requester,
        purpose: str,
        query: str,
        variables: Mapping[str, Any] | None = None,
        consumer: str = "inprev",
    ) -> Answer:
        """Answer a query.

        Raises:
            ValidationError: it does not fit the schema.
        """
        document = parse(query)
        errors = validate(self.plane.schema, document)
        if errors:
            raise ValidationError(errors[0].message)
        asked = GraphQLRequest(query, None, None, dict(variables or {}), {})
        plans = self.plans(requester, purpose)
        return read(await self.plane.answer(document, asked, plans, Asker(consumer, KEYS, SEALER)))

    async def entity(
        self, requester: Requester, purpose: str, key: str, fields: str, type_name: str = "Citizen"
    ) -> Any:  # as above
        """Return one entity's fields."""
        query = f"query($r: [_Any!]!) {{ _entities(representations: $r) {{ ... on {type_name} {{ {fields} }} }} }}"
        answer = await self.ask(requester, purpose, query, {"r": [{"__typename": type_name, "id": key}]})
        return answer.data["_entities"][0]


def member_of(vocabulary: GraphQLSchema, mapping: NodeMapping, database: Database, bundle: Bundle, day: date) -> Member:
    """Put a member together."""
    schema = NodeSchema.build(vocabulary, mapping, asked_coordinates(bundle.types.values()))
    plane = DataPlane(
        schema.schema,
        schema.entity_keys,
        Prepared.of(mapping, database.dialect, schema.custom),
        database,
        partial(visible_schema, schema),
        partial(visible_sdl, schema),
    )
    return Member(schema, plane, bundle, day)


@cache
def thing_vocabulary() -> GraphQLSchema:
    """Return a vocabulary of one type."""
    return bind_scalars(build_schema(THING_VOCABULARY, assume_valid_sdl=True))


def thing_member(bundle: Bundle, day: date, rows: Iterable[Mapping[str, Any]], mapping: str = THING_MAPPING) -> Member:
    """Return a member that has a table of things, with their tags (a set) and consents (purposes)."""
    database = MemoryDatabase.of(THING_TABLES)
    fill_things(database, dict(enumerate(rows, start=1)))
    return member_of(thing_vocabulary(), NodeMapping.parse(mapping), database, bundle, day)


def fill_things(database: MemoryDatabase, rows: Mapping[int, Mapping[str, Any]]) -> None:
    """Let the tables hold these things, by their numbers, and no others."""
    database.connection.executescript("DELETE FROM things; DELETE FROM tags; DELETE FROM consents;")
    columns = ("flag", "age", "place", "name", "birth", "income", "health", "code")
    for number, row in rows.items():
        values = [number, f"v1.siv.c_m999.{number}", *(row.get(name) for name in columns)]
        database.connection.execute(f"INSERT INTO things VALUES ({','.join('?' * len(values))})", values)
        database.connection.executemany(
            "INSERT INTO tags VALUES (?, ?)", [(number, tag) for tag in sorted(row.get("tags") or ())]
        )
        database.connection.executemany(
            "INSERT INTO consents VALUES (?, ?, NULL, '2025-01-01', NULL, NULL)",
            [(number, purpose) for purpose in row.get("consents") or ()],
        )


def demo_member(folder: Path, bundle: Bundle, day: date, url: str | None = None) -> Member:
    """Return a member of the demo; `folder` holds its node.yaml and its register, unless `url` is another's."""
    mapping = NodeMapping.parse((folder / "node.yaml").read_text(encoding="utf-8"))
    if url is not None:
        mapping = replace(mapping, database=replace(mapping.database, url=url))
    schema = NodeSchema.build(full_schema(), mapping, asked_coordinates(bundle.types.values()))
    plane = DataPlane.open(schema, mapping, folder, partial(visible_schema, schema), partial(visible_sdl, schema))
    return Member(schema, plane, bundle, day)
