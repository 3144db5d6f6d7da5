"""The server's connections, spoken to over real sockets by clients that are slow, hasty, long-winded or gone."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import dataclass, field

import pytest
import uvicorn
import uvloop
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from typing_extensions import override

from federation.serving.connection import answering
from federation.serving.endpoint import Arrived, Endpoint, Fault, RawHeaders, Reply, WhenLeft
from federation.serving.limits import ClientLimits
from federation.serving.server import ACCEPTED_IN_A_TURN, endpoints_of, listening

LIMIT = 1_000
pytestmark = pytest.mark.integration


@dataclass
class Echo:
    """Answers with the body it got, after `seconds`; remembers what became of each request."""

    seconds: float = 0.0
    begun: int = 0
    finished: int = 0
    cancelled: int = 0
    faults: list[Fault] = field(default_factory=list)
    began: asyncio.Event = field(default_factory=asyncio.Event)

    async def answer(self, arrived: Arrived) -> Reply:
        self.begun += 1
        self.began.set()
        if arrived.body == b"fail":
            raise ValueError("a defect")
        try:
            await asyncio.sleep(self.seconds)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        self.finished += 1
        return Reply(200, ((b"x-path", arrived.path.encode()),), arrived.body)

    def refuse(self, _: Arrived, fault: Fault) -> Reply:
        self.faults.append(fault)
        return Reply(413 if fault is Fault.TOO_LONG else 408, (), fault.name.encode())

    def endpoint(self, when_left: WhenLeft = WhenLeft.FINISH) -> Endpoint:
        return Endpoint("/echo", LIMIT, self.answer, self.refuse, _takes, when_left)


def _takes(method: str, headers: RawHeaders) -> bool:
    return method == "POST" and (b"accept", b"text/event-stream") not in headers


async def _other(_: Request) -> PlainTextResponse:
    return PlainTextResponse("through the application")


@dataclass
class Talk:
    """A client's side of one connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def say(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def hear(self) -> tuple[int, dict[str, str], bytes]:
        head = (await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), 3)).decode().split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in head[1:] if line)
        body = await self.reader.readexactly(int(headers.get("content-length", "0")))
        return int(head[0].split(" ")[1]), headers, body

    async def ended(self) -> bool:
        return await asyncio.wait_for(self.reader.read(), 3) == b""


@asynccontextmanager
async def serving(
    endpoint: Endpoint, keep_alive: int = 5, limits: ClientLimits | None = None
) -> AsyncIterator[tuple[int, uvicorn.Server]]:
    """Run a server for one endpoint, and everything else through Starlette."""
    app = Starlette(routes=[Route("/echo", endpoint), Route("/other", _other)])
    config = uvicorn.Config(
        app,
        port=0,
        http=answering(endpoints_of(app), limits=limits),
        ws="none",
        log_level="error",
        timeout_graceful_shutdown=2,
        timeout_keep_alive=keep_alive,
    )
    server = uvicorn.Server(config)
    running = asyncio.create_task(server._serve())
    while not server.started:  # noqa: ASYNC110  # uvicorn has no event for it
        await asyncio.sleep(0.01)
    try:
        yield server.servers[0].sockets[0].getsockname()[1], server
    finally:
        server.should_exit = True
        await running


@asynccontextmanager
async def talking(port: int) -> AsyncIterator[Talk]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield Talk(reader, writer)
    finally:
        writer.close()


def posted(body: bytes, *headers: bytes, version: bytes = b"1.1") -> bytes:
    lines = b"".join(b"%b\r\n" % header for header in headers)
    return b"POST /echo HTTP/%b\r\nhost: x\r\ncontent-length: %d\r\n%b\r\n%b" % (version, len(body), lines, body)


async def test_a_connection_answers_one_request_after_the_other() -> None:
    async with serving(Echo().endpoint()) as (port, _), talking(port) as talk:
        for body in (b"one", b"two", b""):
            await talk.say(posted(body))
            status, headers, heard = await talk.hear()
            assert (status, heard, headers["x-path"]) == (200, body, "/echo")


async def test_a_request_may_come_byte_by_byte() -> None:
    async with serving(Echo().endpoint()) as (port, _), talking(port) as talk:
        for byte in posted(b"hello"):
            await talk.say(bytes([byte]))
        assert (await talk.hear())[2] == b"hello"


async def test_a_chunked_body_is_put_together() -> None:
    async with serving(Echo().endpoint()) as (port, _), talking(port) as talk:
        await talk.say(
            b"POST /echo HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n"
        )
        assert (await talk.hear())[2] == b"abc"


async def test_requests_sent_ahead_are_answered_in_order() -> None:
    async with serving(Echo(seconds=0.02).endpoint()) as (port, _), talking(port) as talk:
        await talk.say(posted(b"first") + posted(b"second") + posted(b"third"))
        assert [(await talk.hear())[2] for _ in range(3)] == [b"first", b"second", b"third"]


async def test_other_paths_and_requests_that_the_endpoint_leaves_go_to_the_application() -> None:
    async with serving(Echo().endpoint()) as (port, _), talking(port) as talk:
        await talk.say(b"GET /other HTTP/1.1\r\nhost: x\r\n\r\n")
        assert (await talk.hear())[2] == b"through the application"
        await talk.say(posted(b"streams", b"accept: text/event-stream"))
        assert (await talk.hear())[2] == b"streams"
        await talk.say(posted(b"again"))
        assert (await talk.hear())[2] == b"again"


async def test_a_client_that_waits_for_leave_to_send_its_body_gets_it() -> None:
    async with serving(Echo().endpoint()) as (port, _), talking(port) as talk:
        head, body = posted(b"later", b"expect: 100-continue").split(b"\r\n\r\n")
        await talk.say(head + b"\r\n\r\n")
        assert (await talk.hear())[0] == 100
        await talk.say(body)
        assert (await talk.hear())[2] == b"later"


@pytest.mark.parametrize("asked", [posted(b"x", b"connection: close"), posted(b"x", version=b"1.0")])
async def test_a_connection_ends_when_the_client_wants_no_more(asked: bytes) -> None:
    async with serving(Echo().endpoint()) as (port, _), talking(port) as talk:
        await talk.say(asked)
        status, headers, _ = await talk.hear()
        assert (status, headers["connection"]) == (200, "close")
        assert await talk.ended()


async def test_a_body_over_the_limit_is_refused_while_it_comes() -> None:
    echo = Echo()
    async with serving(echo.endpoint()) as (port, _), talking(port) as talk:
        await talk.say(b"POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000\r\n\r\n" + b"x" * (LIMIT + 1))
        assert (await talk.hear())[0] == 413
        assert await talk.ended()
    assert (echo.begun, echo.faults) == (0, [Fault.TOO_LONG])


async def test_a_body_that_does_not_come_is_not_waited_for() -> None:
    echo = Echo()
    async with serving(echo.endpoint(), limits=ClientLimits(body_seconds=0.1)) as (port, _), talking(port) as talk:
        await talk.say(posted(b"whole")[:-2])
        assert (await talk.hear())[0] == 408
        assert await talk.ended()
    assert (echo.begun, echo.faults) == (0, [Fault.TOO_SLOW])


@pytest.mark.parametrize("said", [b"", b"POST /echo HTTP/1.1\r\nhost:"], ids=["nothing", "half a head"])
async def test_a_head_that_does_not_come_is_not_waited_for(said: bytes) -> None:
    async with serving(Echo().endpoint(), limits=ClientLimits(head_seconds=0.1)) as (port, _), talking(port) as talk:
        await talk.say(said)
        assert await talk.ended()


async def test_a_connection_that_stays_idle_is_ended() -> None:
    async with serving(Echo().endpoint(), keep_alive=1) as (port, _), talking(port) as talk:
        await talk.say(posted(b"once"))
        assert (await talk.hear())[2] == b"once"
        await asyncio.sleep(0.7)
        await talk.say(posted(b"twice"))
        assert (await talk.hear())[2] == b"twice"
        await asyncio.sleep(0.7)
        await talk.say(posted(b"still there"))
        assert (await talk.hear())[2] == b"still there"
        assert await talk.ended()


async def test_a_head_without_end_is_refused() -> None:
    async with serving(Echo().endpoint()) as (port, _), talking(port) as talk:
        await talk.say(b"POST /echo HTTP/1.1\r\nhost: x\r\n")
        await talk.say(b"".join(b"x-filler-%d: %b\r\n" % (number, b"y" * 1_000) for number in range(66)))
        assert (await talk.hear())[0] == 431


@pytest.mark.parametrize("when_left", WhenLeft)
async def test_what_becomes_of_a_request_whose_client_left(when_left: WhenLeft) -> None:
    echo = Echo(seconds=0.1)
    async with serving(echo.endpoint(when_left)) as (port, _):
        async with talking(port) as talk:
            await talk.say(posted(b"x"))
            await echo.began.wait()
        await asyncio.sleep(0.2)
    expected = (1, 0) if when_left is WhenLeft.FINISH else (0, 1)
    assert (echo.finished, echo.cancelled) == expected


async def test_more_than_can_be_in_work_is_refused_at_once_and_the_connection_kept() -> None:
    echo = Echo(seconds=0.3)
    async with serving(echo.endpoint(), limits=ClientLimits(in_work=2)) as (port, _), AsyncExitStack() as stack:
        talks = [await stack.enter_async_context(talking(port)) for _ in range(3)]
        for talk in talks:
            await talk.say(posted(b"a"))
        assert sorted([(await talk.hear())[0] for talk in talks]) == [200, 200, 408]
        assert echo.faults == [Fault.BUSY]
        for talk in talks:
            await talk.say(posted(b"b"))
            assert (await talk.hear())[0] == 200


def test_a_crowd_that_comes_at_once_is_let_in_within_a_few_turns() -> None:
    crowd = 4 * ACCEPTED_IN_A_TURN

    async def turns() -> int:
        let_in, turns = list[asyncio.Protocol](), 0
        loop = asyncio.get_running_loop()

        class Client(asyncio.Protocol):
            @override
            def connection_made(self, transport: asyncio.BaseTransport) -> None:
                let_in.append(self)
                transport.close()

        bound = socket.create_server(("127.0.0.1", 0))
        servers = [await loop.create_server(Client, sock=each) for each in listening(bound)]
        async with AsyncExitStack() as stack:
            for _ in range(crowd):
                stack.enter_context(closing(socket.create_connection(bound.getsockname())))
            while len(let_in) < crowd:
                await asyncio.sleep(0)
                turns += 1
            for server in servers:
                server.close()
        return turns

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        assert runner.run(turns()) <= 8


async def test_a_defect_is_a_bare_500_and_the_end_of_the_connection() -> None:
    async with serving(Echo().endpoint()) as (port, _), talking(port) as talk:
        await talk.say(posted(b"fail"))
        status, _, body = await talk.hear()
        assert (status, body) == (500, b"")
        assert await talk.ended()


async def test_what_is_in_work_is_finished_when_the_server_stops() -> None:
    echo = Echo(seconds=0.2)
    async with serving(echo.endpoint()) as (port, server), talking(port) as talk:
        await talk.say(posted(b"in work"))
        await echo.began.wait()
        server.should_exit = True
        assert (await talk.hear())[2] == b"in work"
        assert await talk.ended()


async def test_bytes_that_are_no_http_are_refused() -> None:
    async with serving(Echo().endpoint()) as (port, _), talking(port) as talk:
        await talk.say(b"\x16\x03\x01 this is no HTTP\r\n\r\n")
        assert (await talk.hear())[0] == 400
