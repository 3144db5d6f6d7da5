"""Signed requests as they arrive at a server: read whole, within bounds, with headers that have one meaning."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from federation.contract.errors import BadInputError, QueryTooComplexError, RateLimitedError
from federation.trust.http_messages import HttpRequest, single_headers

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]

MAX_HEADERS = 100
BODY_SECONDS = 5.0
"""A body that takes longer is not waited for: no server limits this time by itself."""


class ClientLeftError(BadInputError):
    """The client closed the connection before its request was complete."""


async def read_request(
    scope: MutableMapping[str, Any], receive: Receive, origin: str, limit: int, seconds: float = BODY_SECONDS
) -> HttpRequest:
    """Return the request of an ASGI scope.

    `origin` is this server's own idea of where it is; what the client says in `Host` decides nothing. `limit` is in
    bytes.

    Raises:
        BadInputError: repeated or unreadable headers, an encoded body, or a client that left.
        QueryTooComplexError: the body is longer than `limit`.
        RateLimitedError: the body did not arrive in time.
    """
    if len(scope["headers"]) > MAX_HEADERS:
        raise BadInputError(f"request has more than {MAX_HEADERS} headers")
    headers = single_headers(scope["headers"])
    if headers.get("content-encoding", "identity") != "identity":
        raise BadInputError("body must not be encoded; send it with `Content-Encoding: identity`")
    try:
        async with asyncio.timeout(seconds):
            body = await _body(receive, limit)
    except TimeoutError as error:
        raise RateLimitedError(f"body did not arrive within {seconds:g} seconds", retryAfter=1) from error
    return HttpRequest(scope["method"], origin + scope["path"], headers, body)


async def _body(receive: Receive, limit: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientLeftError("client left before its request was complete")
        part = message.get("body", b"")
        size += len(part)
        if size > limit:
            raise QueryTooComplexError(f"body is longer than {limit} bytes", limit="body")
        parts.append(part)
        if not message.get("more_body", False):
            return b"".join(parts)
