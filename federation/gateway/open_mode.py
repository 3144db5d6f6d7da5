"""The HTTP surface of open mode: GraphQL over HTTP, nothing between the connection and the engine.

(1) method, path and headers are judged; (2) the body comes within its limits of size and time; (3) the operation is
prepared and run; (4) one answer is written. Whoever leaves before is noticed, and what was asked for them is cancelled.

Answers that are one message are an `Endpoint`; clients that accept a stream come in as ASGI.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from federation.contract.errors import (
    BadInputError,
    CroceviaError,
    InternalError,
    NotFoundError,
    UnavailableError,
)
from federation.contract.graphql_request import GraphQLRequest
from federation.execution.ports import PassedOn
from federation.gateway.open_access import Believed
from federation.gateway.open_graph import Delivery, OpenGraph, Prepared
from federation.gateway.open_reply import Begun, refused, whole, write, write_events, write_parts
from federation.planning.plan import OperationKind
from federation.serving.endpoint import (
    Arrived,
    Endpoint,
    Fault,
    RawHeaders,
    Receive,
    Reply,
    Scope,
    Send,
    WhenLeft,
    read_body,
    watched,
)
from federation.serving.http_graphql import (
    Accepted,
    Media,
    MediaTypeError,
    MethodError,
    NotAcceptableError,
    accepted,
    check_content_type,
    query_string_request,
)
from federation.trust.arriving import error_of

MOST_AT_ONCE = 512
"""Requests in work; more are told to come back."""

_EVENTS, _PARTS = Media.EVENTS.encode(), Media.PARTS.encode()
_log = logging.getLogger("crocevia.gateway.open")


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that may be run: its operation, variables, and the headers that members receive."""

    prepared: Prepared
    variables: Mapping[str, Any]
    passed: PassedOn


class OpenApp:
    """The application of open mode. `close` is called when the server stops."""

    def __init__(self, graph: OpenGraph, close: Callable[[], None]) -> None:
        """Serve a graph at `/graphql`."""
        self._graph = graph
        self._close = close
        self._at_once = 0
        self._believed = graph.settings.believed or Believed()
        self._single = _SINGLE.union(graph.settings.passing.names, filter(None, [self._believed.header]))
        self._question = Endpoint(
            path="/graphql",
            limit=graph.settings.limits.body,
            answer=self._answer,
            refuse=self._never_whole,
            takes=_wants_one_message,
            when_left=WhenLeft.CANCEL,
        )
        self.endpoints = (self._question,)
        """What is served straight from the connection."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or take part in the server's start and stop."""
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif scope["type"] == "http" and scope["path"] == "/health":
            await write(send, whole(Media.JSON, b'{"status":"ok"}'))
        elif scope["type"] == "http" and scope["path"] != "/graphql":
            await write(send, refused(NotFoundError("expected the path `/graphql`"), Media.JSON))
        elif scope["type"] == "http" and _wants_one_message(scope["method"], scope["headers"]):
            await self._question(scope, receive, send)
        elif scope["type"] == "http":
            await self._stream(scope, receive, send)

    async def _answer(self, arrived: Arrived) -> Reply:
        """Answer a request with one message."""
        media = Media.JSON
        self._at_once += 1
        try:
            headers = _headers(arrived.headers, self._single)
            wanted = accepted(headers.get(b"accept", b""))
            media = wanted.single
            asked = self._asked(arrived, headers, wanted)
            response = await self._graph.run(asked.prepared, asked.variables, asked.passed)
            return whole(media, response.encode())
        except CroceviaError as error:
            return refused(error, media)
        except Exception:  # noqa: BLE001  # the border: a defect becomes one constant answer and a log entry
            _log.exception("request failed")
            return refused(InternalError("the gateway failed"), media)
        finally:
            self._at_once -= 1

    async def _stream(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a client that accepts events or parts; also with one message, where the operation has no more."""
        begun = Begun(send)
        media = Media.JSON
        self._at_once += 1
        try:
            headers = _headers(scope["headers"], self._single)
            wanted = accepted(headers.get(b"accept", b""))
            media = wanted.single
            body = await self._body(receive)
            arrived = Arrived(scope["method"], scope["path"], scope["query_string"], scope["headers"], body)
            asked = self._asked(arrived, headers, wanted)
            with watched(receive):
                await self._write(begun.send, asked, wanted)
        except CroceviaError as error:
            await begun.refuse(error, media)
        except Exception:  # noqa: BLE001  # the border: a defect becomes one constant answer and a log entry
            _log.exception("request failed")
            await begun.refuse(InternalError("the gateway failed"), media)
        finally:
            self._at_once -= 1

    async def _write(self, send: Send, asked: Asked, wanted: Accepted) -> None:
        if asked.prepared.kind is OperationKind.SUBSCRIPTION:
            await write_events(send, self._graph.subscribe(asked.prepared, asked.variables, asked.passed))
        elif asked.prepared.deferred:
            await write_parts(send, self._graph.run_in_parts(asked.prepared, asked.variables, asked.passed))
        else:
            response = await self._graph.run(asked.prepared, asked.variables, asked.passed)
            await write(send, whole(wanted.single, response.encode()))

    def _asked(self, arrived: Arrived, headers: dict[bytes, bytes], wanted: Accepted) -> Asked:
        """Judge the request and prepare its operation, (1) to (3) before it is run."""
        if self._at_once > MOST_AT_ONCE:
            raise UnavailableError("too many requests at once", retryAfter=1)
        request = self._request(arrived, headers)
        delivery = Delivery.IN_PARTS if wanted.parts else Delivery.AT_ONCE
        prepared = self._graph.prepare(request, delivery, self._believed.claims(headers))
        if arrived.method == "GET" and prepared.kind is not OperationKind.QUERY:
            raise MethodError("a mutation needs POST")
        if prepared.kind is OperationKind.SUBSCRIPTION and not wanted.events:
            raise NotAcceptableError("a subscription is answered with text/event-stream only")
        return Asked(prepared, request.variables, self._graph.settings.passing.of_request(headers))

    def _request(self, arrived: Arrived, headers: dict[bytes, bytes]) -> GraphQLRequest:
        limits = self._graph.settings.limits
        if arrived.method == "GET":
            return query_string_request(arrived.query_string, limits)
        if arrived.method != "POST":
            raise MethodError("expected GET or POST")
        check_content_type(headers.get(b"content-type", b""))
        if headers.get(b"content-encoding", b"identity") != b"identity":
            raise MediaTypeError("compressed content is not read")
        return GraphQLRequest.parse(arrived.body, limits)

    async def _body(self, receive: Receive) -> bytes:
        body = await read_body(receive, self._question.limit)
        if isinstance(body, Fault):
            raise error_of(body, self._question.limit)
        return body

    def _never_whole(self, arrived: Arrived, fault: Fault) -> Reply:
        """Refuse a request whose body was too long, too slow, or never ended."""
        try:
            media = accepted(_headers(arrived.headers, self._single).get(b"accept", b"")).single
        except CroceviaError as error:
            return refused(error, Media.JSON)
        return refused(error_of(fault, self._question.limit), media)

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                await send({"type": "lifespan.startup.complete"})
            else:
                self._close()
                await send({"type": "lifespan.shutdown.complete"})
                return


def _wants_one_message(_: str, headers: RawHeaders) -> bool:
    """Say whether a client accepts nothing that comes in several pieces."""
    return not any(name == b"accept" and (_EVENTS in value or _PARTS in value) for name, value in headers)


def _headers(raw: RawHeaders, single: frozenset[bytes]) -> dict[bytes, bytes]:
    """Return the headers that matter.

    Raises:
        BadInputError: one that must be single occurs twice.
    """
    found: dict[bytes, bytes] = {}
    for name, value in raw:
        if name in single and name in found:
            raise BadInputError(f"header `{name.decode()}` occurs twice")
        if name == b"accept" and name in found:
            found[name] += b"," + value
        else:
            found[name] = value
    return found


_SINGLE = frozenset(
    {b"host", b"content-type", b"content-length", b"content-encoding", b"authorization", b"traceparent"}
)
