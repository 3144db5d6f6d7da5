"""`crocevia gateway serve --subgraphs` as its own process, between a client and two subgraphs on real sockets."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

from tests.support.raw_server import RawServer, Talk, answer, serving

ROOT = Path(__file__).parents[2]
LINK = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.5", import: ["@key", "@authenticated"])\n'
PRODUCTS = LINK + (
    'type Query { product: Product } type Product @key(fields: "id") { id: ID! name: String cost: Int @authenticated }'
)
PRICES = LINK + 'type Product @key(fields: "id") { id: ID! price: Int }'
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
QUESTION = {"query": "{ product { name price } }"}
START_SECONDS = 30
"""A busy machine needs some seconds to import everything."""


async def products(talk: Talk) -> None:
    await talk.send(answer(b'{"data":{"product":{"__typename":"Product","id":"1","name":"Table","cost":7}}}'))


async def prices(talk: Talk) -> None:
    if b"_service" in talk.body:
        await talk.send(answer(json.dumps({"data": {"_service": {"sdl": PRICES}}}).encode()))
    else:
        await talk.send(answer(b'{"data":{"_entities":[{"__typename":"Product","price":10}]}}'))


def command(listed: Path, port: int) -> list[str]:
    return [
        *(sys.executable, "-m", "crocevia", "gateway", "serve", "--subgraphs", str(listed)),
        *("--listen", f"127.0.0.1:{port}", "--pass-header", "authorization", "--scopes-header", "x-scopes"),
    ]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def started(folder: Path, subgraphs: dict[str, dict[str, str]], port: int) -> asyncio.subprocess.Process:
    (folder / "products.graphql").write_text(PRODUCTS)
    listed = folder / "subgraphs.json"
    listed.write_text(json.dumps(subgraphs))
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return await asyncio.create_subprocess_exec(
        *command(listed, port), cwd=folder, env=environment, stderr=asyncio.subprocess.PIPE
    )


async def until_it_serves(client: httpx.AsyncClient, process: asyncio.subprocess.Process) -> None:
    async with asyncio.timeout(START_SECONDS):
        while True:
            assert process.returncode is None
            try:
                await client.get("/health")
            except httpx.ConnectError:
                await asyncio.sleep(0.05)
            else:
                return


@asynccontextmanager
async def gateway(
    folder: Path, one: RawServer, other: RawServer
) -> AsyncIterator[tuple[httpx.AsyncClient, asyncio.subprocess.Process]]:
    """Run the command until the block ends: of `products` the schema is a file, `prices` is asked for its own."""
    port = free_port()
    subgraphs = {
        "products": {"url": f"http://127.0.0.1:{one.port}/graphql", "sdl": "products.graphql"},
        "prices": {"url": f"http://127.0.0.1:{other.port}/graphql"},
    }
    process = await started(folder, subgraphs, port)
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
            await until_it_serves(client, process)
            yield client, process
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        _, said = await process.communicate()
    assert b"/graphql: no tokens" in said
    assert process.returncode == 0, said


def header(head: bytes, name: bytes) -> list[bytes]:
    lines = (line.partition(b":") for line in head.split(b"\r\n")[1:])
    return [value.strip() for key, _, value in lines if key.lower() == name]


async def test_the_command_joins_two_subgraphs_and_passes_on_the_headers_it_was_told_to(tmp_path: Path) -> None:
    async with serving(products) as one, serving(prices) as other, gateway(tmp_path, one, other) as (client, _):
        sent = {"authorization": "Bearer of-one", "x-private": "stays here", "traceparent": TRACE}
        response = await client.post("/graphql", json=QUESTION, headers=sent)
        assert response.json() == {"data": {"product": {"name": "Table", "price": 10}}}
        described, asked = other.requests
        assert b"_service" in described[1]
        assert header(described[0], b"authorization") == []
        for head in (one.requests[0][0], asked[0]):
            assert header(head, b"authorization") == [b"Bearer of-one"]
            assert header(head, b"traceparent") == [TRACE.encode()]
            assert header(head, b"x-private") == []


async def test_clients_with_other_headers_never_share_a_request(tmp_path: Path) -> None:
    both = asyncio.Event()
    waiting: list[Talk] = []

    async def together(talk: Talk) -> None:
        waiting.append(talk)
        if len(waiting) == 2:
            both.set()
        await both.wait()
        await products(talk)

    async with serving(together) as one, serving(prices) as other, gateway(tmp_path, one, other) as (client, _):
        async with asyncio.timeout(10):
            answers = await asyncio.gather(
                *(client.post("/graphql", json=QUESTION, headers={"authorization": who}) for who in ("one", "other"))
            )
        assert [each.json()["data"]["product"]["price"] for each in answers] == [10, 10]
        assert sorted(header(head, b"authorization")[0] for head, _ in one.requests) == [b"one", b"other"]


async def test_a_subgraph_that_does_not_tell_its_schema_is_named_and_nothing_is_served(tmp_path: Path) -> None:
    closed = free_port()
    process = await started(tmp_path, {"prices": {"url": f"http://127.0.0.1:{closed}/graphql"}}, free_port())
    async with asyncio.timeout(START_SECONDS):
        _, said = await process.communicate()
    assert process.returncode not in (0, None)
    told = " ".join(said.decode().split())
    assert "subgraph `prices`" in told
    assert "Traceback" not in told


async def test_a_signal_lets_what_is_in_work_be_answered_and_nothing_new_come_in(tmp_path: Path) -> None:
    held, asked = asyncio.Event(), asyncio.Event()

    async def slow(talk: Talk) -> None:
        asked.set()
        await held.wait()
        await products(talk)

    async with serving(slow) as one, serving(prices) as other, gateway(tmp_path, one, other) as (client, process):
        async with asyncio.timeout(20):
            question = asyncio.create_task(client.post("/graphql", json=QUESTION))
            await asked.wait()
            process.send_signal(signal.SIGTERM)
            await until_nothing_comes_in(client)
            held.set()
            assert (await question).json() == {"data": {"product": {"name": "Table", "price": 10}}}
            assert await process.wait() == 0


async def until_nothing_comes_in(client: httpx.AsyncClient) -> None:
    while True:
        async with httpx.AsyncClient(base_url=client.base_url, trust_env=False) as another:
            try:
                await another.get("/health")
            except httpx.ConnectError:
                return
        await asyncio.sleep(0.05)


async def test_a_field_that_asks_for_a_known_client_is_denied_unless_a_proxy_says_who_it_is(tmp_path: Path) -> None:
    async with serving(products) as one, serving(prices) as other, gateway(tmp_path, one, other) as (client, _):
        question = {"query": "{ product { cost } }"}
        unknown = (await client.post("/graphql", json=question)).json()
        assert unknown["data"] == {"product": {"cost": None}}
        assert unknown["errors"][0]["extensions"] == {"code": "FIELD_DENIED"}
        known = await client.post("/graphql", json=question, headers={"x-scopes": ""})
        assert known.json() == {"data": {"product": {"cost": 7}}}
        twice = await client.post("/graphql", json=question, headers=[("x-scopes", ""), ("x-scopes", "admin")])
        assert twice.status_code == 400
