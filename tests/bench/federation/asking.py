"""The partner at the other end of the benchmark: questions signed beforehand, so that only answers are measured."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from typing import Any

import httpx
import msgspec

from federation.consumer.commands import Partner
from federation.contract.canonical import b64url
from federation.contract.clock import SystemClock
from federation.demo.layout import Home
from federation.execution.transport.client import HttpClient
from federation.execution.transport.limits import TransportLimits
from federation.execution.transport.message import Endpoint, Headers
from federation.trust.http_messages import HttpRequest
from federation.trust.http_signatures import sign_request
from federation.trust.tokens import dpop_proof, make_dpop

_NONCE_BYTES = 18
_SECONDS = 20.0
_LATE = frozenset({"NODE_TIMEOUT", "NODE_UNAVAILABLE", "EXCHANGE_UNAVAILABLE"})


@dataclass(frozen=True, slots=True)
class Question:
    """One operation asked by one member for one purpose, about each of some citizens (the variable `by`)."""

    name: str
    consumer: str
    purpose: str
    query: str
    citizens: tuple[str, ...]

    def bodies(self) -> list[bytes]:
        """Return the request body for each citizen."""
        return [
            msgspec.json.encode({"query": self.query, "variables": {"by": {"id": citizen}}})
            for citizen in self.citizens
        ]


@dataclass(frozen=True, slots=True)
class Signed:
    """A signed request that nobody sent yet; `number` says which body it is."""

    number: int
    headers: Headers
    body: bytes


class Asker:
    """A partner with a token, who signs as many requests as wanted and then sends them."""

    def __init__(self, home: Home, question: Question) -> None:
        """Play the partner of a question with its own key."""
        self._partner = Partner.open(home.root, question.consumer)
        self._purpose = question.purpose
        self._bodies = question.bodies()
        self._target = self._partner.members.gateway.endpoint
        self._endpoint = Endpoint.parse(self._target)
        self._clock = SystemClock()

    async def signed(self, count: int) -> list[Signed]:
        """Sign `count` requests, citizen by citizen; they are good for a minute."""
        agreement = self._partner.agreement_for(self._purpose)
        async with httpx.AsyncClient(trust_env=False) as http:
            token = await self._partner.client(http)._token(self._purpose, agreement.id)
        return [self._sign(number, body, token) for number, body in islice(cycle(enumerate(self._bodies)), count)]

    def _sign(self, number: int, body: bytes, token: str) -> Signed:
        key, clock = self._partner.key, self._clock
        headers = {"content-type": "application/json", "authorization": f"DPoP {token}"}
        request = HttpRequest("POST", self._target, headers, body)
        proof = make_dpop(dpop_proof("POST", self._target, _nonce(), clock, token), key)
        sent = {**headers, **sign_request(request, key, clock, _nonce()), "dpop": proof, "accept": "application/json"}
        return Signed(number, tuple((name.encode(), value.encode()) for name, value in sent.items()), body)

    async def data(self) -> list[Any]:
        """Ask about every citizen once and return each answer's `data`."""
        client = HttpClient(TransportLimits())
        answers = [await self._ask(client, request) for request in await self.signed(len(self._bodies))]
        client.close()
        return [answer.get("data") for answer in answers]

    async def load(
        self, requests: Sequence[Signed], connections: int, expected: Sequence[Any]
    ) -> tuple[list[float], int]:
        """Send the requests on some connections; return every latency in seconds, and how many a deadline cut off.

        Raises:
            RuntimeError: an answer is neither the expected one nor explained by a member that did not answer in time.
        """
        client = HttpClient(TransportLimits(connections=connections))
        waiting = iter(requests)
        latencies: list[float] = []
        late: list[Signed] = []

        async def one() -> None:
            for request in waiting:
                start = time.perf_counter()
                answer = await self._ask(client, request)
                latencies.append(time.perf_counter() - start)
                if answer.get("data") == expected[request.number]:
                    continue
                if not _LATE & {error["extensions"]["code"] for error in answer.get("errors", ())}:
                    raise RuntimeError(f"an answer under load differs: {str(answer)[:300]}")
                late.append(request)

        await asyncio.gather(*(one() for _ in range(connections)))
        client.close()
        return latencies, len(late)

    async def _ask(self, client: HttpClient, request: Signed) -> Mapping[str, Any]:
        deadline = asyncio.get_running_loop().time() + _SECONDS
        answer = await client.post(self._endpoint, request.headers, request.body, deadline, repeatable=False)
        content: dict[str, Any] = msgspec.json.decode(answer.body)
        return content


def _nonce() -> str:
    return b64url(secrets.token_bytes(_NONCE_BYTES))
