"""The HTTP surface of open mode: one raw ASGI callable, GraphQL over HTTP, nothing between it and the engine.

(1) method, path and headers are judged; (2) the body is read within its limits of size and time; (3) the operation is
prepared and run; (4) one answer is written. Whoever leaves before is noticed, and what was asked for them is cancelled.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from http import HTTPStatus

from federation.contract.errors import BadInputError, CroceviaError, InternalError, NotFoundError, UnavailableError
from federation.contract.graphql_request import GraphQLRequest
from federation.gateway.http_graphql import (
    Accepted,
    BodyTooLargeError,
    Media,
    MediaTypeError,
    MethodError,
    NotAcceptableError,
    SlowBodyError,
    accepted,
    check_content_type,
    query_string_request,
)
from federation.gateway.open_graph import Delivery, OpenGraph
from federation.gateway.open_reply import Begun, Receive, Scope, Send, watched, write, write_events, write_parts
from federation.planning.plan import OperationKind

BODY_SECONDS = 5.0
MOST_AT_ONCE = 512
"""Requests in work; more are told to come back."""

_log = logging.getLogger("crocevia.gateway.open")


class OpenApp:
    """The application of open mode. `close` is called when the server stops."""

    def __init__(self, graph: OpenGraph, close: Callable[[], None]) -> None:
        """Serve a graph at `/graphql`."""
        self._graph = graph
        self._close = close
        self._at_once = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or take part in the server's start and stop."""
        if scope["type"] == "http":
            await self._http(scope, receive, send)
        elif scope["type"] == "lifespan":
            await self._lifespan(receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == "/health":
            await write(send, HTTPStatus.OK, Media.JSON, b'{"status":"ok"}')
            return
        media = Media.JSON
        begun = Begun(send)
        self._at_once += 1
        try:
            headers = _headers(scope)
            wanted = accepted(headers.get(b"accept", b""))
            media = wanted.single
            await self._serve(scope, headers, wanted, receive, begun.send)
        except CroceviaError as error:
            await begun.refuse(error, media)
        except Exception:  # noqa: BLE001  # the border: a defect becomes one constant answer and a log entry
            _log.exception("request failed")
            await begun.refuse(InternalError("the gateway failed"), media)
        finally:
            self._at_once -= 1

    async def _serve(
        self, scope: Scope, headers: dict[bytes, bytes], wanted: Accepted, receive: Receive, send: Send
    ) -> None:
        if scope["path"] != "/graphql":
            raise NotFoundError("expected the path `/graphql`")
        if self._at_once > MOST_AT_ONCE:
            raise UnavailableError("too many requests at once", retryAfter=1)
        request = await self._request(scope, headers, receive)
        prepared = self._graph.prepare(request, Delivery.IN_PARTS if wanted.parts else Delivery.AT_ONCE)
        if scope["method"] == "GET" and prepared.kind is not OperationKind.QUERY:
            raise MethodError("a mutation needs POST")
        with watched(receive):
            if prepared.kind is OperationKind.SUBSCRIPTION:
                if not wanted.events:
                    raise NotAcceptableError("a subscription is answered with text/event-stream only")
                await write_events(send, self._graph.subscribe(prepared, request.variables))
            elif prepared.deferred:
                await write_parts(send, self._graph.run_in_parts(prepared, request.variables))
            else:
                response = await self._graph.run(prepared, request.variables)
                await write(send, HTTPStatus.OK, wanted.single, response.encode())

    async def _request(self, scope: Scope, headers: dict[bytes, bytes], receive: Receive) -> GraphQLRequest:
        limits = self._graph.settings.limits
        if scope["method"] == "GET":
            return query_string_request(scope["query_string"], limits)
        if scope["method"] != "POST":
            raise MethodError("expected GET or POST")
        check_content_type(headers.get(b"content-type", b""))
        if headers.get(b"content-encoding", b"identity") != b"identity":
            raise MediaTypeError("compressed content is not read")
        return GraphQLRequest.parse(await _body(receive, limits.body), limits)

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                await send({"type": "lifespan.startup.complete"})
            else:
                self._close()
                await send({"type": "lifespan.shutdown.complete"})
                return


def _headers(scope: Scope) -> dict[bytes, bytes]:
    """Return the headers that matter.

    Raises:
        BadInputError: one that must be single occurs twice.
    """
    found: dict[bytes, bytes] = {}
    for name, value in scope["headers"]:
        if name in _SINGLE and name in found:
            raise BadInputError(f"header `{name.decode()}` occurs twice")
        if name == b"accept" and name in found:
            found[name] += b"," + value
        else:
            found[name] = value
    return found


_SINGLE = frozenset({b"host", b"content-type", b"content-length", b"content-encoding", b"authorization"})


async def _body(receive: Receive, limit: int) -> bytes:
    """Read the body.

    Raises:
        BodyTooLargeError: it is longer than the limit; the rest is not read.
        SlowBodyError: it takes too long.
    """
    pieces: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(BODY_SECONDS):
            while True:
                message = await receive()
                if message["type"] != "http.request":
                    raise BadInputError("the client left")
                piece = message.get("body", b"")
                size += len(piece)
                if size > limit:
                    raise BodyTooLargeError(f"body is longer than {limit} bytes", limit="body")
                pieces.append(piece)
                if not message.get("more_body", False):
                    return b"".join(pieces)
    except TimeoutError as error:
        raise SlowBodyError(f"body did not arrive within {BODY_SECONDS:g} seconds") from error
