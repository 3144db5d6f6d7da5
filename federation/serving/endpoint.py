"""A path that takes whole requests and gives whole answers: what gateway, exchange and nodes answer all day.

An endpoint is served straight from the connection (`connection.py`), without a framework between the socket and it. It
is an ASGI application as well, so that tests and pipelined requests reach it like any other route.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterator, MutableMapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from enum import Enum
from typing import Any

import msgspec

from federation.serving.limits import ClientLimits

RawHeaders = Sequence[tuple[bytes, bytes]]
Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

WATCH_AFTER = 0.1
"""Seconds after which the connection is watched: most requests end before and need no watcher."""

BODY_SECONDS = ClientLimits().body_seconds
"""A body that takes longer is not waited for, where another server than ours reads it."""


class Arrived(msgspec.Struct, frozen=True):
    """A whole request; header names are in lower case, `path` is decoded and without the query string.

    `peer` is the party of the client's certificate, None where the channel is not mutual TLS.
    """

    method: str
    path: str
    query_string: bytes
    headers: RawHeaders
    body: bytes
    peer: str | None = None

    def header(self, name: bytes) -> bytes:
        """Return the value of a header, the first if it is repeated, nothing if it is missing."""
        for known, value in self.headers:
            if known == name:
                return value
        return b""


class Reply(msgspec.Struct, frozen=True):
    """A whole answer; its length is written by the server."""

    status: int
    headers: RawHeaders
    body: bytes


class Fault(Enum):
    """Why a request is refused before anybody looks at it; its body is then empty."""

    TOO_LONG = "the body is longer than the limit"
    TOO_SLOW = "the body did not arrive in time"
    LEFT = "the client left before its request was complete"
    BUSY = "as much is in work as the process takes"


class WhenLeft(Enum):
    """What becomes of a request whose client has left."""

    FINISH = "it is finished and recorded"
    CANCEL = "it is cancelled"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One path; `limit` is in bytes of the body.

    `answer` must not raise; `refuse` answers what never became a request; `takes` says which requests are for it when
    the same path also serves others, such as streams.
    """

    path: str
    limit: int
    answer: Callable[[Arrived], Coroutine[Any, Any, Reply]]
    refuse: Callable[[Arrived, Fault], Reply]
    takes: Callable[[str, RawHeaders], bool] = lambda method, _: method == "POST"
    when_left: WhenLeft = WhenLeft.FINISH

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as an ASGI application."""
        arrived = Arrived(scope["method"], scope["path"], scope["query_string"], scope["headers"], b"")
        body = await read_body(receive, self.limit)
        if isinstance(body, Fault):
            reply = self.refuse(arrived, body)
        else:
            arrived = Arrived(arrived.method, arrived.path, arrived.query_string, arrived.headers, body)
            with watched(receive) if self.when_left is WhenLeft.CANCEL else nullcontext():
                reply = await self.answer(arrived)
        headers = [*reply.headers, (b"content-length", b"%d" % len(reply.body))]
        await send({"type": "http.response.start", "status": reply.status, "headers": headers})
        await send({"type": "http.response.body", "body": reply.body})


@contextmanager
def watched(receive: Receive) -> Iterator[None]:
    """Cancel what runs inside when the client leaves."""
    loop = asyncio.get_running_loop()
    me = asyncio.current_task()
    watchers: list[asyncio.Task[None]] = []
    timer = loop.call_later(WATCH_AFTER, lambda: watchers.append(loop.create_task(_watch(receive, me))))
    try:
        yield
    finally:
        timer.cancel()
        for watcher in watchers:
            watcher.cancel()


async def _watch(receive: Receive, waiting: asyncio.Task[Any] | None) -> None:
    message = await receive()
    if message["type"] == "http.disconnect" and waiting is not None:
        waiting.cancel()


async def read_body(receive: Receive, limit: int) -> bytes | Fault:
    """Read the body of an ASGI request: at most `limit` bytes, within `BODY_SECONDS`."""
    parts: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(BODY_SECONDS):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    return Fault.LEFT
                part = message.get("body", b"")
                size += len(part)
                if size > limit:
                    return Fault.TOO_LONG
                parts.append(part)
                if not message.get("more_body", False):
                    return b"".join(parts)
    except TimeoutError:
        return Fault.TOO_SLOW
