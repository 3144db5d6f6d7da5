"""Signed messages from the gateway to other processes of the federation."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

import msgspec

from federation.contract.clock import Clock
from federation.execution.transport.client import HttpClient
from federation.execution.transport.message import AsItIs, Endpoint, HttpAnswer, Outcome
from federation.trust.http_messages import HttpRequest, HttpResponse, single_headers
from federation.trust.http_signatures import RequestBinding, sign_and_bind, verify_response
from federation.trust.keys import KeyLookup, MessageSigner

JSON = "application/json"
_BARE = {"content-type": JSON, "accept": JSON}
_WIRE = tuple((name.encode(), value.encode()) for name, value in _BARE.items())
_AS_IT_IS = AsItIs()


@dataclass(frozen=True, slots=True)
class Peer:
    """Another process as the member list has it: where it is, and which keys its answers may be signed with."""

    url: str
    endpoint: Endpoint
    keys: KeyLookup

    @classmethod
    def at(cls, url: str, keys: KeyLookup) -> Self:
        """Return the peer at `url`."""
        return cls(url, Endpoint.parse(url).with_headers(_WIRE), keys)


class Signed(msgspec.Struct, frozen=True, gc=False):
    """A signed POST of JSON, ready to be sent: the headers of its signature, and what its answer is bound to."""

    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes
    binding: RequestBinding


@dataclass(frozen=True, slots=True)
class Sender:
    """Signs and posts. `nonce` returns a fresh, unguessable base64url text."""

    client: HttpClient
    signer: MessageSigner
    clock: Clock
    nonce: Callable[[], str]

    def signed(self, peer: Peer, body: bytes) -> Signed:
        """Return a signed POST of JSON to a peer."""
        request = HttpRequest("POST", peer.url, _BARE, body)
        made, binding = sign_and_bind(request, self.signer, self.clock, self.nonce())
        return Signed(tuple([(name.encode(), value.encode()) for name, value in made.items()]), body, binding)

    def post(self, peer: Peer, request: Signed, deadline: float, outcome: Outcome = _AS_IT_IS) -> asyncio.Future[Any]:
        """Send a request, once: a signature's nonce counts once. See `HttpClient.send`."""
        return self.client.send(peer.endpoint, request.headers, request.body, deadline, outcome, repeatable=False)

    def require_answer(self, peer: Peer, request: Signed, answer: HttpAnswer) -> None:
        """Refuse what is not this peer's answer to this request.

        Raises:
            AuthenticationError: the signature, its freshness, the body's digest or the binding does not hold.
            BadInputError: headers that have no one meaning.
        """
        response = HttpResponse(answer.status, single_headers(answer.headers), answer.body)
        verify_response(response, request.binding, peer.keys, self.clock)
