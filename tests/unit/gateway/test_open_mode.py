"""Open mode over ASGI without a socket: GraphQL over HTTP, limits, streams."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from hashlib import sha256
from typing import Any

import pytest

from federation.composition.supergraph import Supergraph
from federation.contract.errors import ConfigurationError
from federation.contract.graphql_request import Limits
from federation.execution.ports import FetchAnswer, FetchRequest, PassedOn
from federation.gateway.documents import Others, TrustedDocuments
from federation.gateway.open_graph import OpenGraph, OpenSettings
from federation.gateway.open_mode import OpenApp
from federation.gateway.passing import Passing
from tests.support.join import JOIN

SDL = (
    JOIN.replace("{\n  query: Query\n}", "{\n  query: Query mutation: Mutation subscription: Subscription\n}")
    + """
enum join__Graph { A @join__graph(name: "a", url: "http://a/") B @join__graph(name: "b", url: "http://b/") }
type Query @join__type(graph: A) @join__type(graph: B) { item(id: ID): Item @join__field(graph: A) }
type Mutation @join__type(graph: A) { rename(name: String!): Item }
type Subscription @join__type(graph: A) { changed: Item }
type Item @join__type(graph: A, key: "id") @join__type(graph: B, key: "id") {
  id: ID!
  name: String @join__field(graph: A)
  price: Int @join__field(graph: B)
}
"""
)
ITEM = {"__typename": "Item", "id": "1", "name": "Table"}


class Members:
    """Answers as `a` and `b` would, and streams two changes."""

    def __init__(self) -> None:
        self.asked: list[FetchRequest] = []
        self.hold: asyncio.Event | None = None

    async def fetch(self, request: FetchRequest) -> FetchAnswer:
        self.asked.append(request)
        if self.hold is not None:
            await self.hold.wait()
        if request.member == "b":
            return FetchAnswer(b'{"data":{"_entities":[{"__typename":"Item","price":10}]}}')
        root = "rename" if b"rename" in request.operation else "item"
        return FetchAnswer(json.dumps({"data": {root: ITEM}}).encode())

    async def subscribe(self, request: FetchRequest) -> AsyncIterator[FetchAnswer]:
        self.asked.append(request)
        for _ in range(2):
            yield FetchAnswer(json.dumps({"data": {"changed": ITEM}}).encode())


class Answer:
    """What an application sent."""

    def __init__(self, messages: list[Any]) -> None:
        start = messages[0]
        self.status: int = start["status"]
        self.headers = dict(start["headers"])
        self.media = self.headers[b"content-type"].split(b";")[0].decode()
        self.pieces = [message["body"] for message in messages[1:]]
        self.body = b"".join(self.pieces)

    @property
    def json(self) -> Any:
        return json.loads(self.body)


async def call(
    body: bytes | Any = None,
    *,
    method: str = "POST",
    members: Members | None = None,
    query: str = "",
    headers: dict[str, str] | None = None,
    limits: Limits | None = None,
    path: str = "/graphql",
    settings: OpenSettings | None = None,
) -> Answer:
    members = members or Members()
    settings = settings or OpenSettings(limits=limits or Limits())
    app = OpenApp(OpenGraph(Supergraph.parse(SDL), members, settings, source=members), lambda: None)
    given = {"host": "x", "content-type": "application/json", **(headers or {})}
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "query_string": query.encode(),
        "headers": [(name.encode(), value.encode()) for name, value in given.items()],
    }
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    messages = [{"type": "http.request", "body": content, "more_body": False}]
    sent: list[Any] = []

    async def receive() -> Any:
        if messages:
            return messages.pop()
        await asyncio.Event().wait()
        raise AssertionError

    async def send(message: Any) -> None:
        sent.append(message)

    await app(scope, receive, send)
    return Answer(sent)


RESPONSE = {"accept": "application/graphql-response+json"}


async def test_a_query_is_joined_and_answered() -> None:
    answer = await call({"query": "{ item { name price } }"})
    assert (answer.status, answer.media) == (200, "application/json")
    assert answer.json == {"data": {"item": {"name": "Table", "price": 10}}}


async def test_an_operation_is_planned_once() -> None:
    members = Members()
    graph = OpenGraph(Supergraph.parse(SDL), members, OpenSettings())
    app = OpenApp(graph, lambda: None)
    del app
    answer = await call({"query": "query($id: ID) { item(id: $id) { id } }", "variables": {"id": "7"}}, members=members)
    assert answer.json == {"data": {"item": {"id": "1"}}}
    assert json.loads(members.asked[0].variables) == {"id": "7"}


ACCEPTS = {
    "nothing": ("", "application/json"),
    "anything": ("*/*", "application/json"),
    "json": ("application/json", "application/json"),
    "the new type": ("application/graphql-response+json", "application/graphql-response+json"),
    "the new type first": (
        "application/graphql-response+json, application/json;q=0.9",
        "application/graphql-response+json",
    ),
    "json preferred": ("application/graphql-response+json;q=0.5, application/json", "application/json"),
    "a browser": ("text/html,application/xhtml+xml,*/*;q=0.8", "application/json"),
}


@pytest.mark.parametrize(("accept", "media"), ACCEPTS.values(), ids=ACCEPTS.keys())
async def test_the_media_type_is_one_that_the_client_accepts(accept: str, media: str) -> None:
    answer = await call({"query": "{ __typename }"}, headers={"accept": accept})
    assert (answer.status, answer.media) == (200, media)
    assert answer.headers[b"content-type"].endswith(b"; charset=utf-8")


REFUSED: dict[str, tuple[dict[str, Any], int, str]] = {
    "no JSON": ({"body": b"{"}, 400, "BAD_USER_INPUT"),
    "an empty body": ({"body": b""}, 400, "BAD_USER_INPUT"),
    "a batch": ({"body": b"[]"}, 400, "BAD_USER_INPUT"),
    "a duplicate key": ({"body": b'{"query":"{ __typename }","query":"{ item { id } }"}'}, 400, "BAD_USER_INPUT"),
    "no UTF-8": ({"body": b'{"query":"\xff"}'}, 400, "BAD_USER_INPUT"),
    "a lone surrogate in a query": (
        {"body": b'{"query":"{ item(id: \\"\\ud800\\") { id } }"}'},
        400,
        "BAD_USER_INPUT",
    ),
    "no query": ({"body": b"{}"}, 400, "BAD_USER_INPUT"),
    "a syntax error": ({"body": {"query": "{"}}, 400, "GRAPHQL_PARSE_FAILED"),
    "an unknown field": ({"body": {"query": "{ nothing }"}}, 400, "GRAPHQL_VALIDATION_FAILED"),
    "a wrong variable": (
        {"body": {"query": "query($id: ID) { item(id: $id) { id } }", "variables": {"id": {}}}},
        400,
        "BAD_USER_INPUT",
    ),
    "an unknown operation": (
        {"body": {"query": "query A { __typename }", "operationName": "B"}},
        400,
        "BAD_USER_INPUT",
    ),
    "two operations without a name": (
        {"body": {"query": "query A { __typename } query B { __typename }"}},
        400,
        "BAD_USER_INPUT",
    ),
    "plain text": ({"body": b"{ __typename }", "headers": {"content-type": "text/plain"}}, 415, "BAD_USER_INPUT"),
    "a form": (
        {"body": b"query={__typename}", "headers": {"content-type": "application/x-www-form-urlencoded"}},
        415,
        "BAD_USER_INPUT",
    ),
    "another charset": (
        {"body": b"{}", "headers": {"content-type": "application/json; charset=utf-16"}},
        415,
        "BAD_USER_INPUT",
    ),
    "a compressed body": ({"body": b"{}", "headers": {"content-encoding": "gzip"}}, 415, "BAD_USER_INPUT"),
    "too long a body": ({"body": b" " * 1001, "limits": Limits(body=1000)}, 413, "BODY_TOO_LARGE"),
    "PUT": ({"body": b"{}", "method": "PUT"}, 405, "BAD_USER_INPUT"),
    "a mutation by GET": (
        {"method": "GET", "query": "query=mutation{rename(name:%22x%22){id}}"},
        405,
        "BAD_USER_INPUT",
    ),
    "a parameter twice": ({"method": "GET", "query": "query={__typename}&query={__typename}"}, 400, "BAD_USER_INPUT"),
    "variables that are no JSON": ({"method": "GET", "query": "query={__typename}&variables={"}, 400, "BAD_USER_INPUT"),
    "another path": ({"body": b"{}", "path": "/x"}, 404, "NOT_FOUND"),
    "too deep": (
        {"body": {"query": "{ a " * 20 + "}" * 20}, "limits": Limits(depth=10)},
        400,
        "QUERY_TOO_COMPLEX",
    ),
    "too many aliases": (
        {"body": {"query": "{" + " ".join(f"a{n}: __typename" for n in range(40)) + "}"}},
        400,
        "QUERY_TOO_COMPLEX",
    ),
    "too dear": (
        {"body": {"query": "{ item { name price } }"}, "settings": OpenSettings(cost=1)},
        400,
        "QUERY_TOO_COMPLEX",
    ),
    "a subscription without a stream": ({"body": {"query": "subscription { changed { id } }"}}, 406, "BAD_USER_INPUT"),
}


@pytest.mark.parametrize(("request_parts", "status", "code"), REFUSED.values(), ids=REFUSED.keys())
async def test_what_cannot_be_answered_is_refused_before_any_member_is_asked(
    request_parts: dict[str, Any], status: int, code: str
) -> None:
    members = Members()
    parts = {**request_parts, "headers": {**RESPONSE, **request_parts.get("headers", {})}}
    answer = await call(parts.pop("body", b""), members=members, **parts)
    assert (answer.status, answer.json["errors"][0]["extensions"]["code"]) == (status, code)
    assert "data" not in answer.json
    assert members.asked == []


async def test_what_costs_no_more_than_is_allowed_is_answered() -> None:
    answer = await call({"query": "{ item { name price } }"}, settings=OpenSettings(cost=2))
    assert answer.json == {"data": {"item": {"name": "Table", "price": 10}}}


async def test_a_refusal_to_a_client_of_plain_json_is_200_when_the_request_was_well_formed() -> None:
    assert (await call({"query": "{"})).status == 200
    assert (await call({"query": "{ nothing }"})).status == 200
    assert (await call(b"{")).status == 400


async def test_nothing_acceptable_is_406() -> None:
    assert (await call({"query": "{ __typename }"}, headers={"accept": "image/png"})).status == 406


async def test_a_query_may_come_in_the_url() -> None:
    query = "query=query(%24id:ID){item(id:%24id){id}}&variables={%22id%22:%221%22}"
    answer = await call(b"", method="GET", query=query)
    assert answer.json == {"data": {"item": {"id": "1"}}}


async def test_introspection_is_answered_without_members() -> None:
    members = Members()
    answer = await call({"query": '{ __type(name: "Item") { fields { name } } __typename }'}, members=members)
    assert answer.json["data"]["__type"]["fields"] == [{"name": "id"}, {"name": "name"}, {"name": "price"}]
    assert answer.json["data"]["__typename"] == "Query"
    assert members.asked == []


async def test_deferred_fragments_come_in_parts_where_they_are_accepted() -> None:
    query = '{ item { name ... @defer(label: "p") { price } } }'
    answer = await call({"query": query}, headers={"accept": "multipart/mixed; deferSpec=20220824, application/json"})
    assert answer.media == "multipart/mixed"
    parts = [json.loads(part.split(b"\r\n\r\n", 1)[1]) for part in answer.pieces[:-1]]
    assert parts == [
        {"data": {"item": {"name": "Table"}}, "hasNext": True},
        {"incremental": [{"data": {"price": 10}, "path": ["item"], "label": "p"}], "hasNext": False},
    ]
    assert answer.pieces[-1] == b"\r\n-----\r\n"


async def test_deferred_fragments_come_at_once_otherwise() -> None:
    answer = await call({"query": "{ item { name ... @defer { price } } }"})
    assert answer.json == {"data": {"item": {"name": "Table", "price": 10}}}


async def test_a_subscription_is_a_stream_of_joined_events() -> None:
    answer = await call({"query": "subscription { changed { name price } }"}, headers={"accept": "text/event-stream"})
    event = b'event: next\ndata: {"data":{"changed":{"name":"Table","price":10}}}\n\n'
    assert answer.media == "text/event-stream"
    assert answer.pieces == [event, event, b"event: complete\ndata:\n\n"]


TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


async def test_members_receive_the_headers_that_were_named_and_the_trace() -> None:
    members = Members()
    settings = OpenSettings(passing=Passing.of(["Authorization"]))
    headers = {"authorization": "Bearer x", "cookie": "secret", "traceparent": TRACE, "tracestate": "a=1"}
    await call({"query": "{ item { name price } }"}, members=members, settings=settings, headers=headers)
    assert len(members.asked) == 2
    for request in members.asked:
        assert request.passed.headers == ((b"authorization", b"Bearer x"),)
        assert request.passed.trace == ((b"traceparent", TRACE.encode()), (b"tracestate", b"a=1"))


async def test_a_trace_that_is_malformed_and_headers_that_nobody_named_go_no_further() -> None:
    members = Members()
    await call({"query": "{ item { name } }"}, members=members, headers={"traceparent": "00-0-0-0", "cookie": "secret"})
    assert members.asked[0].passed == PassedOn()


@pytest.mark.parametrize("name", ["Content-Length", "host", "connection", "proxy-authorization", "a b", "", "é"])
def test_a_header_of_one_connection_cannot_be_passed_on(name: str) -> None:
    with pytest.raises(ConfigurationError):
        Passing.of([name])


ITEM_NAME = "{ item { name } }"
DIGEST = "sha256:" + sha256(ITEM_NAME.encode()).hexdigest()


def trusted(others: Others) -> OpenSettings:
    content = json.dumps({"item": ITEM_NAME, DIGEST: ITEM_NAME}).encode()
    return OpenSettings(documents=TrustedDocuments.parse(content, others))


@pytest.mark.parametrize("name", ["item", DIGEST])
async def test_a_trusted_document_is_run_by_its_id(name: str) -> None:
    answer = await call({"documentId": name}, settings=trusted(Others.REFUSED))
    assert answer.json == {"data": {"item": {"name": "Table"}}}


@pytest.mark.parametrize(
    ("body", "others", "status"),
    [
        ({"documentId": "other"}, Others.RUN, 400),
        ({"query": ITEM_NAME}, Others.REFUSED, 400),
        ({"query": ITEM_NAME}, Others.RUN, 200),
    ],
)
async def test_other_documents_are_run_only_where_that_was_chosen(body: Any, others: Others, status: int) -> None:
    answer = await call(body, settings=trusted(others))
    assert answer.status == status
    if status != 200:
        assert answer.json["errors"][0]["extensions"]["code"] == "PERSISTED_DOCUMENT_NOT_FOUND"


NO_DOCUMENTS = [b"{", b"[]", b'{"a": 1}', b'{"sha256:00": "{ a }"}', b'{"a": "{ a }", "a": "{ b }"}']


@pytest.mark.parametrize("content", NO_DOCUMENTS)
def test_a_file_of_trusted_documents_that_cannot_be_trusted_is_refused(content: bytes) -> None:
    with pytest.raises(ConfigurationError):
        TrustedDocuments.parse(content, Others.RUN)


async def test_health_is_answered() -> None:
    assert (await call(b"", method="GET", path="/health")).json == {"status": "ok"}
