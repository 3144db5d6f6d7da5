"""Fetches over HTTP: a member's endpoint, a request as GraphQL over HTTP has it, faults as errors of the house."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from federation.execution.answer import failure_of_status, misbehaved, timed_out, unavailable
from federation.execution.ports import FetchAnswer, FetchRequest
from federation.execution.transport.client import HttpClient
from federation.execution.transport.errors import BadMessageError, DeadlineError, TransportError
from federation.execution.transport.message import Endpoint, Headers, HttpAnswer
from federation.planning.plan import OperationKind

GRAPHQL_HEADERS: Headers = (
    (b"Content-Type", b"application/json"),
    (b"Accept", b"application/graphql-response+json, application/json"),
)

OVERLOADED = frozenset({429, 502, 503, 504})
"""Statuses by which a member, or what stands before it, says that it cannot answer now, whatever the body says."""


class HttpFetcher:
    """Asks members at fixed endpoints, without signatures: the fetcher of open federations."""

    def __init__(self, client: HttpClient, endpoints: Mapping[str, Endpoint], headers: Headers = ()) -> None:
        """Use a client; `headers` are sent with every request beside those of GraphQL over HTTP."""
        self._client = client
        self._endpoints = endpoints
        self._headers = (*GRAPHQL_HEADERS, *headers)

    def fetch(self, request: FetchRequest) -> asyncio.Future[FetchAnswer]:
        """Send the request. See `Fetcher`."""
        outer: asyncio.Future[FetchAnswer] = asyncio.get_running_loop().create_future()
        endpoint = self._endpoints.get(request.member)
        if endpoint is None:
            outer.set_exception(unavailable(request.member))
            return outer
        inner = self._client.post(
            endpoint,
            self._headers,
            request.body(),
            request.deadline,
            repeatable=request.kind is not OperationKind.MUTATION,
        )

        def arrived(done: asyncio.Future[HttpAnswer]) -> None:
            if outer.done() or done.cancelled():
                return
            error = done.exception()
            if error is not None:
                outer.set_exception(fault(request.member, error))
                return
            answer = done.result()
            if answer.status in OVERLOADED:
                outer.set_exception(failure_of_status(request.member, answer.status))
            else:
                outer.set_result(FetchAnswer(answer.body, answer.status, answer.media_type))

        inner.add_done_callback(arrived)
        outer.add_done_callback(lambda _: inner.cancel())
        return outer


def fault(member: str, error: BaseException) -> BaseException:
    """Return the error of the house for a fault on the wire; anything else is a defect and stays what it is."""
    match error:
        case DeadlineError():
            return timed_out(member)
        case BadMessageError():
            return misbehaved(member)
        case TransportError():
            return unavailable(member)
        case _:
            return error
