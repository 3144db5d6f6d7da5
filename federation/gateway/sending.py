"""Signed messages from the gateway to other processes of the federation."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

from federation.contract.clock import Clock
from federation.execution.transport.client import HttpClient
from federation.execution.transport.message import Endpoint, HttpAnswer
from federation.trust.http_messages import HttpRequest, HttpResponse, single_headers
from federation.trust.http_signatures import RequestBinding, sign_request, verify_response
from federation.trust.keys import KeyLookup, MessageSigner

JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Peer:
    """Another process as the member list has it: where it is, and which keys its answers may be signed with."""

    url: str
    endpoint: Endpoint
    keys: KeyLookup

    @classmethod
    def at(cls, url: str, keys: KeyLookup) -> Self:
        """Return the peer at `url`."""
        return cls(url, Endpoint.parse(url), keys)


@dataclass(frozen=True, slots=True)
class Sender:
    """Signs and posts. `nonce` returns a fresh, unguessable base64url text."""

    client: HttpClient
    signer: MessageSigner
    clock: Clock
    nonce: Callable[[], str]

    def signed(self, peer: Peer, body: bytes) -> HttpRequest:
        """Return a signed POST of JSON to a peer."""
        bare = HttpRequest("POST", peer.url, {"content-type": JSON, "accept": JSON}, body)
        return HttpRequest(
            bare.method,
            bare.target_uri,
            {**bare.headers, **sign_request(bare, self.signer, self.clock, self.nonce())},
            body,
        )

    def post(self, peer: Peer, request: HttpRequest, deadline: float) -> asyncio.Future[HttpAnswer]:
        """Send a request, once: a signature's nonce counts once. See `HttpClient.post`."""
        headers = [(name.encode(), value.encode()) for name, value in request.headers.items()]
        return self.client.post(peer.endpoint, headers, request.body, deadline, repeatable=False)

    def require_answer(self, peer: Peer, request: HttpRequest, answer: HttpAnswer) -> None:
        """Refuse what is not this peer's answer to this request.

        Raises:
            AuthenticationError: the signature, its freshness, the body's digest or the binding does not hold.
            BadInputError: headers that have no one meaning.
        """
        response = HttpResponse(answer.status, single_headers(answer.headers), answer.body)
        verify_response(response, RequestBinding.of(request), peer.keys, self.clock)
