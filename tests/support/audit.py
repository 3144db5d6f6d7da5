"""Runs the public gateway audit, whose subgraphs run as an outside program, through the whole of open mode.

The program's address is in `CROCEVIA_AUDIT_URL`; the cases lie beside the repository.
"""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from federation.composition.supergraph import Supergraph
from federation.contract.errors import CroceviaError, NodeTimeoutError
from federation.contract.graphql_request import GraphQLRequest
from federation.execution.members import HttpFetcher
from federation.execution.ports import FetchAnswer, FetchRequest
from federation.execution.transport.client import HttpClient
from federation.execution.transport.limits import TransportLimits
from federation.execution.transport.message import Endpoint
from federation.gateway.open_graph import Delivery, OpenGraph, OpenSettings, error_entries
from tests.support.composition import audit

URL = os.environ.get("CROCEVIA_AUDIT_URL", "").rstrip("/")
ABSENT = "CROCEVIA_AUDIT_URL is not set: the audit's subgraphs are an outside program"

LATE = 0.02
"""Seconds after which a slow member has failed: later than those that were asked with it answer."""

REQUEST_ID = "27a163c571fc1"


@dataclass(frozen=True, slots=True)
class Case:
    """One case of the audit."""

    suite: str
    number: int
    supergraph: str
    subgraphs: tuple[dict[str, str], ...]
    query: str
    expected: Any
    errors: bool | None

    @property
    def name(self) -> str:
        return f"{self.suite}-{self.number}"


def cases() -> list[Case]:
    """Return all cases, in the order of the file."""
    return [
        Case(
            suite["name"],
            number,
            suite["supergraph"],
            tuple(suite["subgraphs"]),
            test["query"],
            test["expected_data"],
            test["errors"],
        )
        for suite in audit()
        for number, test in enumerate(suite["tests"])
    ]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of a case."""

    data: Any
    errors: list[dict[str, Any]]
    fetches: int
    passed: bool


Failing = Mapping[str, CroceviaError | bytes | Callable[[Any], Any]]
"""Members that fail: by an error, with this as the body of their answer, or by altering the data in it."""


class _Counting:
    def __init__(self, inner: HttpFetcher, failing: Failing) -> None:
        self.inner = inner
        self.failing = failing
        self.count = 0

    def fetch(self, request: FetchRequest) -> Awaitable[FetchAnswer]:
        self.count += 1
        match self.failing.get(request.member):
            case None:
                return self.inner.fetch(request)
            case bytes() as body:
                answer: asyncio.Future[FetchAnswer] = asyncio.get_running_loop().create_future()
                answer.set_result(FetchAnswer(body))
                return answer
            case NodeTimeoutError() as error:
                return self._late(error)
            case CroceviaError() as error:
                raise error
            case alter:
                return self._altered(request, alter)

    @staticmethod
    async def _late(error: CroceviaError) -> FetchAnswer:
        await asyncio.sleep(LATE)
        raise error

    async def _altered(self, request: FetchRequest, alter: Callable[[Any], Any]) -> FetchAnswer:
        answer = await self.inner.fetch(request)
        whole = msgspec.json.decode(answer.body)
        return FetchAnswer(msgspec.json.encode({**whole, "data": alter(whole.get("data"))}))


async def judge(case: Case, supergraph: str | None = None, failing: Failing | None = None) -> Verdict:
    """Run a case, with the audit's own supergraph or another one of the same subgraphs, some of which fail."""
    client = HttpClient(TransportLimits())
    endpoints = {item["name"]: Endpoint.parse(URL + item["path"]) for item in case.subgraphs}
    fetcher = _Counting(HttpFetcher(client, endpoints), failing or {})
    graph = OpenGraph(Supergraph.parse(supergraph or case.supergraph), fetcher, OpenSettings())
    # The audit remembers every request's identifier as long as it runs: a second run asks under another one.
    fresh = secrets.token_hex(7)
    request = GraphQLRequest(case.query.replace(REQUEST_ID, fresh), None, None, {}, {})
    data: Any = None
    try:
        response = await graph.run(graph.prepare(request, Delivery.AT_ONCE), {})
        answer = msgspec.json.encode(response.data).replace(fresh.encode(), REQUEST_ID.encode())
        data, errors = msgspec.json.decode(answer), response.errors
    except CroceviaError as error:
        errors = error_entries(error)
    finally:
        client.close()
    passed = data == case.expected and (case.errors is None or case.errors == bool(errors))
    return Verdict(data, errors, fetcher.count, passed)
