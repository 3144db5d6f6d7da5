"""What every server of the federation does: read requests within bounds, refuse by code, run until told to stop."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, TypeVar

import uvicorn

from federation.contract.errors import (
    BadInputError,
    ConfigurationError,
    CroceviaError,
    InternalError,
    QueryTooComplexError,
    RateLimitedError,
)
from federation.contract.settings import host_and_port
from federation.trust.http_messages import HttpRequest, single_headers

_Answer = TypeVar("_Answer")

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


async def or_refusal(
    answering: Awaitable[_Answer], refused: Callable[[CroceviaError], _Answer], log: logging.Logger
) -> _Answer:
    """Return the answer, or what `refused` makes of the refusal; a defect of ours says nothing of itself."""
    try:
        return await answering
    except CroceviaError as error:
        return refused(error)
    except Exception:  # the last line before a caller that must learn nothing from a defect
        log.exception("a request failed")
        return refused(InternalError("the request failed here; the log says more"))


def run_server(open_app: Callable[[], Any], listen: str) -> None:
    """Serve the application that `open_app` makes on `host:port` until a signal ends the process.

    What the application opens belongs to the event loop it runs on, so it is made there, and only once the address is
    ours. What is in work when the signal comes is finished first.

    Raises:
        ConfigurationError: the address cannot be listened on; names it and the way out.
    """
    bound = _bound(listen)

    async def run() -> None:
        config = uvicorn.Config(
            open_app(),
            http="httptools",  # refuses what smuggles a second request; the other parser does not
            ws="none",
            access_log=False,  # paths and addresses are not for logs
            server_header=False,
            log_level="warning",
            timeout_keep_alive=75,
            timeout_graceful_shutdown=10,
        )
        await uvicorn.Server(config).serve(sockets=[bound])

    with bound:
        asyncio.run(run())


def _bound(listen: str) -> socket.socket:
    """Return a socket that has the address; it begins to listen when the server starts."""
    host, port = host_and_port(listen)
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        bound = socket.socket(family, kind, protocol)
    except OSError as error:
        raise ConfigurationError(f"`listen` is `{listen}`, which is no address of this machine") from error
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(address)
    except OSError as error:
        bound.close()
        raise ConfigurationError(
            f"`{listen}` cannot be listened on ({error.strerror}); stop what does, or change `listen` in the settings"
        ) from error
    return bound


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
