"""A plan over real sockets with one polite and one hostile member: bounded time, nothing of the hostile answer."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache

import pytest

from federation.execution.compiled import CompiledPlan
from federation.execution.execute import execute
from federation.execution.members import HttpFetcher
from federation.execution.ports import FetchRequest
from federation.execution.resilient import ResilienceSettings, ResilientFetcher
from federation.execution.respond import Response
from federation.execution.run import Outside
from federation.execution.transport.client import HttpClient
from federation.execution.transport.limits import TransportLimits
from federation.execution.transport.message import Endpoint
from federation.planning.plan import OperationKind, Plan
from tests.support.execution import (
    API,
    data_of,
    entities,
    entity_fetch,
    leaf,
    node,
    path,
    plan,
    root_fetch,
    shown,
)
from tests.support.raw_server import Behaviour, Talk, answer, serving

pytestmark = pytest.mark.integration

SECONDS = 0.5


def shop() -> Plan:
    here = path("products", "*")
    return plan(
        [
            root_fetch("a", node("products", "[Product]", leaf("id", "ID!"), leaf("name"))),
            entity_fetch(1, "b", entities([here], leaf("price", "Int"))),
        ],
        shown("products", "[Product]", shown("name"), shown("price", "Int")),
    )


async def polite(talk: Talk) -> None:
    await talk.send(answer(b'{"data":{"products":[{"id":"1","name":"Table"},{"id":"2","name":"Couch"}]}}'))


@asynccontextmanager
async def federation(hostile: Behaviour) -> AsyncIterator[ResilientFetcher]:
    client = HttpClient(TransportLimits(body=200_000))
    async with serving(polite) as a, serving(hostile) as b:
        members = {
            "a": Endpoint.parse(f"http://127.0.0.1:{a.port}/"),
            "b": Endpoint.parse(f"http://127.0.0.1:{b.port}/"),
        }
        try:
            yield ResilientFetcher(HttpFetcher(client, members), ResilienceSettings(), lambda: 0.0)
        finally:
            client.close()


async def ask(fetcher: ResilientFetcher) -> Response:
    outside = Outside(fetcher, on_answer=fetcher.discredit, retries=fetcher.retries)
    return await execute(compiled(), {}, outside, asyncio.get_running_loop().time() + SECONDS)


@cache
def compiled() -> CompiledPlan:
    """Return the plan, ready to run: half a second is for the members."""
    made = CompiledPlan(shop(), API)
    made.form({})
    return made


def saying(body: bytes, status: bytes = b"200 OK", media: bytes = b"application/json") -> Behaviour:
    async def say(talk: Talk) -> None:
        await talk.send(answer(body, status=status, media=media))

    return say


async def hanging(_: Talk) -> None:
    await asyncio.sleep(10)


async def dripping(talk: Talk) -> None:
    await talk.send(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n")
    while True:
        await talk.send(b" ", pause=0.05)


async def resetting(talk: Talk) -> None:
    talk.reset()


async def endless(talk: Talk) -> None:
    await talk.send(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n")
    while True:
        await talk.send(b" " * 65536)


async def compressed(talk: Talk) -> None:
    await talk.send(answer(BOMB, b"Content-Encoding: gzip"))


async def hundred_megabytes(talk: Talk) -> None:
    await talk.send(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100000000\r\n\r\n")
    for _ in range(100):
        await talk.send(b" " * 1_000_000)


BOMB = gzip.compress(b" " * 10_000_000, 1)
WRONG = json.dumps({"data": {"_entities": [{"price": "ten"}, {"price": 666}]}}).encode()
HOSTILE: dict[str, tuple[Behaviour, str]] = {
    "hanging": (hanging, "NODE_TIMEOUT"),
    "dripping": (dripping, "NODE_TIMEOUT"),
    "resetting": (resetting, "NODE_UNAVAILABLE"),
    "endless": (endless, "NODE_MISBEHAVED"),
    "a wrong type": (saying(WRONG), "NODE_MISBEHAVED"),
    "HTML": (saying(b"<html>666</html>", media=b"text/html"), "NODE_MISBEHAVED"),
    "an overloaded proxy": (saying(b"666", b"503 Service Unavailable"), "NODE_UNAVAILABLE"),
    "a server error": (saying(b"666", b"500 Internal Server Error", b"text/plain"), "NODE_MISBEHAVED"),
    "a redirect": (saying(b"666", b"302 Found", b"text/plain"), "NODE_MISBEHAVED"),
    "truncated JSON": (saying(b'{"data":{"_entities":[{"price":666'), "NODE_MISBEHAVED"),
    "100 MB": (hundred_megabytes, "NODE_MISBEHAVED"),
    "a gzip bomb": (compressed, "NODE_MISBEHAVED"),
    "a missing key": (saying(b'{"data":{"_entities":[{},{"price":666}]}}'), "NODE_MISBEHAVED"),
    "a key twice": (
        saying(b'{"data":{"_entities":[null,null]},"data":{"_entities":[{"price":666}]}}'),
        "NODE_MISBEHAVED",
    ),
    "one entity too few": (saying(b'{"data":{"_entities":[{"price":666}]}}'), "NODE_MISBEHAVED"),
    "one entity too many": (saying(b'{"data":{"_entities":[{"price":666},null,null]}}'), "NODE_MISBEHAVED"),
    "JSON without end": (saying(b'{"data":' + b"[" * 100_000), "NODE_MISBEHAVED"),
    "no UTF-8": (saying(b'{"data":{"_entities":[{"price":666},{"price":\xff}]}}'), "NODE_MISBEHAVED"),
}


@pytest.mark.parametrize(("behaviour", "code"), HOSTILE.values(), ids=HOSTILE.keys())
async def test_a_hostile_member_costs_its_fields_within_the_deadline(behaviour: Behaviour, code: str) -> None:
    async with federation(behaviour) as fetcher:
        loop = asyncio.get_running_loop()
        start = loop.time()
        response = await ask(fetcher)
        assert loop.time() - start < SECONDS + 0.1
        assert data_of(response) == {"products": [{"name": "Table", "price": None}, {"name": "Couch", "price": None}]}
        assert [(error["extensions"]["code"], error["extensions"]["member"]) for error in response.errors] == [
            (code, "b")
        ]
        assert "666" not in str(response.errors)


async def test_what_nobody_asked_for_is_dropped_and_costs_nothing() -> None:
    entity = {"price": 10, "taxCode": "666", "__proto__": {}, "name": "666"}
    body = {"data": {"_entities": [entity, entity], "more": 666}, "extensions": {"stack": "666"}}
    async with federation(saying(json.dumps(body).encode())) as fetcher:
        response = await ask(fetcher)
    assert data_of(response) == {"products": [{"name": "Table", "price": 10}, {"name": "Couch", "price": 10}]}
    assert response.errors == []


async def test_a_member_that_keeps_failing_is_left_alone_and_the_rest_is_answered() -> None:
    async with federation(resetting) as fetcher:
        for _ in range(12):
            response = await ask(fetcher)
            assert [product["name"] for product in data_of(response)["products"]] == ["Table", "Couch"]
        assert {member: str(state) for member, state in fetcher.states().items()} == {"a": "closed", "b": "open"}


async def test_events_of_a_member_arrive_one_by_one() -> None:
    async def events(talk: Talk) -> None:
        await talk.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
        for number in range(3):
            event = b"event: next\ndata: [%d]\n\n" % number
            await talk.send(b"%x\r\n%b\r\n" % (len(event), event), pause=0.01)
        event = b"event: complete\ndata:\n\n"
        await talk.send(b"%x\r\n%b\r\n0\r\n\r\n" % (len(event), event))

    client = HttpClient(TransportLimits())
    async with serving(events) as server:
        fetcher = HttpFetcher(client, {"a": Endpoint.parse(f"http://127.0.0.1:{server.port}/")})
        deadline = asyncio.get_running_loop().time() + 1
        request = FetchRequest(0, "a", OperationKind.SUBSCRIPTION, b'"subscription { x }"', b"{}", deadline)
        assert [found.body async for found in fetcher.subscribe(request)] == [b"[0]", b"[1]", b"[2]"]
        assert b"Accept: text/event-stream" in server.requests[0][0]
    client.close()
