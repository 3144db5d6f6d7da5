"""The answers of open mode: one message, server-sent events, or parts."""

from __future__ import annotations

from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import Any

import msgspec

from federation.contract.errors import CroceviaError
from federation.execution.deferred import Payload
from federation.execution.respond import Response
from federation.gateway.open_graph import error_entries
from federation.serving.endpoint import Message, Reply, Send
from federation.serving.http_graphql import Media, refusal, status_of_refusal

_TYPES = {
    Media.JSON: b"application/json; charset=utf-8",
    Media.RESPONSE: b"application/graphql-response+json; charset=utf-8",
    Media.EVENTS: b"text/event-stream; charset=utf-8",
    Media.PARTS: b'multipart/mixed; boundary="-"; deferSpec=20220824',
}


class Begun:
    """Remembers whether an answer was begun: only one that was not can still become a refusal."""

    def __init__(self, send: Send) -> None:
        """Send through the server's own function."""
        self._send = send
        self._begun = False

    async def send(self, message: Message) -> None:
        """Pass a message on."""
        self._begun = True
        await self._send(message)

    async def refuse(self, error: CroceviaError, media: Media) -> None:
        """Answer with an error; an answer that was begun is cut off, which HTTP shows as incomplete."""
        if self._begun:
            raise RuntimeError("the answer was begun and cannot be finished") from error
        await write(self._send, refused(error, media))


def whole(media: Media, body: bytes, status: int = 200) -> Reply:
    """Return an answer of one message."""
    return Reply(status, ((b"content-type", _TYPES[media]),), body)


def refused(error: CroceviaError, media: Media) -> Reply:
    """Return the answer without `data` that an error amounts to."""
    headers = [(b"content-type", _TYPES[media])]
    if error.status is HTTPStatus.METHOD_NOT_ALLOWED:
        headers.append((b"allow", b"GET, POST"))
    if "retryAfter" in error.extensions:
        headers.append((b"retry-after", str(error.extensions["retryAfter"]).encode()))
    return Reply(status_of_refusal(error, media), headers, refusal(error_entries(error)))


async def write(send: Send, reply: Reply) -> None:
    """Write an answer of one message."""
    headers = [*reply.headers, (b"content-length", b"%d" % len(reply.body))]
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": reply.body})


async def write_events(send: Send, responses: AsyncIterator[Response]) -> None:
    """Write one event for every response (GraphQL over SSE, distinct connections mode).

    A stream that breaks off ends with a response that holds the error and nothing else.
    """
    await _start(send, Media.EVENTS)
    try:
        async for response in responses:
            await _piece(send, b"event: next\ndata: %b\n\n" % response.encode())
    except CroceviaError as error:
        await _piece(send, b"event: next\ndata: %b\n\n" % refusal(error_entries(error)))
    await _end(send, b"event: complete\ndata:\n\n")


async def write_parts(send: Send, payloads: AsyncIterator[Payload]) -> None:
    """Write the initial response and every deferred fragment as a part (incremental delivery over HTTP)."""
    await _start(send, Media.PARTS)
    async for payload in payloads:
        content: dict[str, Any] = {}
        if payload.initial is not None:
            content["data"] = payload.initial.data
            if payload.initial.errors:
                content["errors"] = payload.initial.errors
        if payload.incremental:
            content["incremental"] = payload.incremental
        content["hasNext"] = payload.more
        head = b"\r\n---\r\nContent-Type: application/json; charset=utf-8\r\n\r\n"
        await _piece(send, head + msgspec.json.encode(content))
    await _end(send, b"\r\n-----\r\n")


async def _start(send: Send, media: Media) -> None:
    headers = [(b"content-type", _TYPES[media]), (b"cache-control", b"no-store")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})


async def _piece(send: Send, body: bytes) -> None:
    await send({"type": "http.response.body", "body": body, "more_body": True})


async def _end(send: Send, body: bytes) -> None:
    await send({"type": "http.response.body", "body": body})
