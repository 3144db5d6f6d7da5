"""The node's data plane behind HTTP, policy on, without signatures and ledger: `python ours.py DATABASE-URL PORT`."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, MutableMapping
from datetime import date
from functools import cache, partial
from pathlib import Path
from typing import Any, Final

import msgspec
import uvicorn
from graphql import DocumentNode, build_schema, parse, validate

sys.path.insert(0, str(Path(__file__).parents[3]))

from federation.contract.graphql_request import GraphQLRequest  # found through the line above
from node.data.cursors import CursorSealer
from node.data.database import Database, SQLiteDatabase
from node.data.keyed import MaskKeys
from node.data.mapping import Mapping
from node.data.operation import Asker, Prepared
from node.data.plane import DataPlane
from node.data.postgres import PostgreSQLDatabase
from node.policy.bundle import Bundle, load_bundle
from node.policy.compile import PlanCache
from node.policy.requesters import Requester
from node.subgraph.schema import NodeSchema, asked_coordinates
from node.subgraph.visible import visible_schema, visible_sdl
from node.vocabulary.scalars import bind_scalars

DAY: Final = date(2026, 11, 22)
REQUESTER: Final = Requester("national", frozenset({"6.1.e"}), "*")
PURPOSE: Final = "benefit-assessment"
VOCABULARY: Final = """
schema @link(url: "https://specs.apollo.dev/federation/v2.11", import: ["@key"]) { query: Query }
directive @key(fields: federation__FieldSet!, resolvable: Boolean = true) repeatable on OBJECT | INTERFACE
directive @link(url: String!, as: String, for: link__Purpose, import: [link__Import]) repeatable on SCHEMA
scalar federation__FieldSet
scalar link__Import
enum link__Purpose { SECURITY EXECUTION }
scalar PartialDate
type Query {
  citizens(first: Int = 20, after: String): CitizenConnection
  citizen(by: CitizenKey!): Citizen
}
input CitizenKey @oneOf { id: ID taxCode: String }
type Citizen @key(fields: "id") {
  id: ID taxCode: String givenName: String familyName: String dateOfBirth: PartialDate sex: String
  address: Address cases(first: Int = 20): [ServiceCase!]
}
type Address { street: String number: String postCode: String town: String }
type ServiceCase @key(fields: "id") { id: ID title: String status: String openedOn: String }
type CitizenConnection { edges: [CitizenEdge!] pageInfo: PageInfo! totalCount: Int }
type CitizenEdge { cursor: String! node: Citizen }
type PageInfo { hasNextPage: Boolean! hasPreviousPage: Boolean! startCursor: String endCursor: String }
"""
MAPPING: Final = """
member: c_m999
database: {url: "%s"}
types:
  Citizen:
    table: citizen
    key: pid
    subject: pid
    lookups: {taxCode: tax_code}
    attributes: {residency: residency}
    fields:
      {taxCode: tax_code, givenName: given_name, familyName: family_name, sex: sex,
       dateOfBirth: {column: born, date: iso}}
    relations: {address: {to: Address, join: {id: citizen_id}}, cases: {to: ServiceCase, join: {id: citizen_id}}}
  Address:
    table: address
    key: {field: null, column: id, type: int}
    fields: {street: street, number: number, postCode: post_code, town: town}
  ServiceCase:
    table: service_case
    key: {field: id, column: id, type: int}
    fields: {title: title, status: status, openedOn: opened}
roots:
  citizens: {of: Citizen}
"""
CATEGORIES: Final = """
purposes:
  benefit-assessment: {iri: "https://w3id.org/dpv#PublicBenefit", it: "Verifica"}
legal_bases: {"6.1.e": "https://w3id.org/dpv/legal/eu/gdpr#A6-1-e"}
categories: {name: {sensitivity: personal, iri: "https://w3id.org/dpv/pd#Name"}}
requester:
  kind: {enum: [national]}
  basis: {set: legal_bases}
  area: {type: string}
"""


def document(name: str, attributes: str, see: dict[str, str], rows: str, denied: tuple[str, ...] = ()) -> bytes:
    """Return the policy of one type: what may be seen in which form, of which rows, and what is denied."""
    words = {**dict.fromkeys(see, "category: name"), **dict.fromkeys(denied, "category: name, lookup: exact")}
    fields = ", ".join(f"{field}: {{{word}}}" for field, word in words.items())
    shown = ", ".join(f"{field}: {form}" for field, form in see.items())
    return f"""policy: {name}
version: 1
owner: privacy@member.example
attributes: {{{attributes}}}
fields: {{{fields}}}
grants:
  - {{id: benefits, to: {{kind: [national]}}, purpose: benefit-assessment, basis: ["6.1.e"], law: "L. 328/2000 art. 25",
     {rows}see: {{{shown}}}, valid: {{from: 2026-01-01, until: 2027-12-31}}, retain: P180D}}
""".encode()


def bundle() -> Bundle:
    """Return the policy: a mask on the date of birth, a row predicate, a tax code that is denied."""
    citizen = dict.fromkeys(("id", "givenName", "familyName", "sex", "address", "cases"), "clear") | {
        "dateOfBirth": "year"
    }
    address = dict.fromkeys(("street", "number", "postCode", "town"), "clear")
    case = dict.fromkeys(("id", "title", "status", "openedOn"), "clear")
    resident = "rows: 'row.residency == \"resident\"', "
    return load_bundle(
        {
            "vocabulary.yaml": CATEGORIES.encode(),
            "types/Citizen.yaml": document("Citizen", "residency: str", citizen, resident, ("taxCode",)),
            "types/Address.yaml": document("Address", "", address, ""),
            "types/ServiceCase.yaml": document("ServiceCase", "", case, ""),
        }
    )


def plane_on(url: str, vocabulary: str = VOCABULARY, mapped: str = MAPPING, policy: Bundle | None = None) -> DataPlane:
    """Open the data plane on a register; `policy` is `bundle` unless given."""
    mapping = Mapping.parse(mapped % url)
    policy = policy or bundle()
    schema = NodeSchema.build(
        bind_scalars(build_schema(vocabulary, assume_valid_sdl=True)),
        mapping,
        asked_coordinates(policy.types.values()),
    )
    database: Database = (
        PostgreSQLDatabase(mapping.database)
        if mapping.database.is_postgres
        else SQLiteDatabase(Path(url.removeprefix("sqlite:///")), mapping.database.statement_timeout)
    )
    return DataPlane(
        schema.schema,
        schema.entity_keys,
        Prepared.of(mapping, database.dialect),
        database,
        partial(visible_schema, schema),
        partial(visible_sdl, schema),
    )


class App:
    """Answers `POST /graphql`."""

    def __init__(self, plane: DataPlane, policy: Bundle | None = None) -> None:
        """Compile the policy for the one requester of the benchmark."""
        self._plane = plane
        self._cache = PlanCache(policy or bundle())
        self._asker = Asker("inprev", MaskKeys(b"k" * 32, lambda plain, _data: plain, "2026"), CursorSealer(b"c" * 64))
        self._parsed = cache(self._parse)

    def _parse(self, query: str) -> DocumentNode:
        document = parse(query)
        errors = validate(self._plane.schema, document)
        if errors:
            raise errors[0]
        return document

    async def answer(self, body: bytes) -> bytes:
        """Return the body of an answer."""
        sent = msgspec.json.decode(body)
        asked = GraphQLRequest(sent["query"], None, None, sent.get("variables") or {}, {})
        answer = await self._plane.answer(
            self._parsed(sent["query"]),
            asked,
            lambda type_name: self._cache.plan(type_name, REQUESTER, PURPOSE, DAY),
            self._asker,
        )
        return msgspec.json.encode({"data": answer.data, "errors": answer.errors})

    async def __call__(
        self,
        scope: MutableMapping[str, Any],
        receive: Callable[[], Awaitable[MutableMapping[str, Any]]],
        send: Callable[[MutableMapping[str, Any]], Awaitable[None]],
    ) -> None:
        """Serve one request (ASGI)."""
        if scope["type"] != "http":
            raise RuntimeError("only http is served")
        body = b""
        while (message := await receive()).get("more_body") or message.get("body"):
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        answered = await self.answer(body)
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(answered)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": answered})


if __name__ == "__main__":
    uvicorn.run(
        App(plane_on(sys.argv[1])), port=int(sys.argv[2]), log_level="warning", access_log=False, lifespan="off"
    )
