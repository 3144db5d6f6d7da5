"""Fetches over HTTP: a member's endpoint, a request as GraphQL over HTTP has it, faults as errors of the house."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping

from federation.contract.errors import CroceviaError
from federation.execution.answer import failure_of_status, misbehaved, timed_out, unavailable
from federation.execution.ports import FetchAnswer, FetchRequest
from federation.execution.transport.client import HttpClient
from federation.execution.transport.errors import BadMessageError, DeadlineError, TransportError
from federation.execution.transport.events import EventStream
from federation.execution.transport.message import Endpoint, Headers, HttpAnswer
from federation.execution.transport.reader import EVENT_STREAM
from federation.planning.plan import OperationKind

GRAPHQL_HEADERS: Headers = (
    (b"Content-Type", b"application/json"),
    (b"Accept", b"application/graphql-response+json, application/json"),
)

EVENT_HEADERS: Headers = (
    (b"Content-Type", b"application/json"),
    (b"Accept", b"text/event-stream"),
)

OVERLOADED = frozenset({429, 502, 503, 504})
"""Statuses by which a member, or what stands before it, says that it cannot answer now, whatever the body says."""


class HttpFetcher:
    """Asks members at fixed endpoints, without signatures: the fetcher of open federations."""

    def __init__(self, client: HttpClient, endpoints: Mapping[str, Endpoint], headers: Headers = ()) -> None:
        """Use a client; `headers` are sent with every request beside those of GraphQL over HTTP."""
        self._client = client
        self._members = {
            member: (endpoint.with_headers((*GRAPHQL_HEADERS, *headers)), _OfMember(member))
            for member, endpoint in endpoints.items()
        }
        self._streams = {
            member: endpoint.with_headers((*EVENT_HEADERS, *headers)) for member, endpoint in endpoints.items()
        }

    def fetch(self, request: FetchRequest) -> asyncio.Future[FetchAnswer]:
        """Send the request. See `Fetcher`."""
        known = self._members.get(request.member)
        if known is None:
            raise unavailable(request.member)
        endpoint, outcome = known
        repeatable = request.kind is not OperationKind.MUTATION
        passed = request.passed.headers + request.passed.trace
        return self._client.send(endpoint, passed, request.body(), request.deadline, outcome, repeatable=repeatable)

    async def subscribe(self, request: FetchRequest) -> AsyncIterator[FetchAnswer]:
        """Ask for a stream of answers. See `Subscriber`."""
        known = self._members.get(request.member)
        if known is None:
            raise unavailable(request.member)
        outcome = known[1]
        events: EventStream | None = None
        try:
            endpoint = self._streams[request.member]
            passed = request.passed.headers + request.passed.trace
            head, events = await self._client.stream(endpoint, passed, request.body(), request.deadline)
            if head.media_type != EVENT_STREAM:
                yield outcome.answered(head)
                return
            async for data in events:
                yield FetchAnswer(data)
        except TransportError as error:
            raise outcome.failed(error) from error
        finally:
            if events is not None:
                events.close()


class _OfMember:
    """Turns HTTP answers and faults of a member into what execution knows."""

    def __init__(self, member: str) -> None:
        self._member = member

    def answered(self, answer: HttpAnswer) -> FetchAnswer:
        if answer.status in OVERLOADED:
            raise failure_of_status(self._member, answer.status)
        return FetchAnswer(answer.body, answer.status, answer.media_type)

    def failed(self, error: TransportError) -> CroceviaError:
        return fault(self._member, error)


def fault(member: str, error: TransportError) -> CroceviaError:
    """Return the error of the house for a fault on the wire."""
    match error:
        case DeadlineError():
            return timed_out(member)
        case BadMessageError():
            return misbehaved(member)
        case _:
            return unavailable(member)
