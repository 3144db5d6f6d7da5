"""A partner's own system as a proxy: signs whatever an outside program asks, and passes it on as it is.

Programs that know GraphQL over HTTP but no signatures can so be pointed at the gateway, or at a node.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import httpx
from typing_extensions import override

from federation.contract.clock import SystemClock
from federation.contract.errors import BadInputError
from federation.trust.http_messages import HttpRequest
from federation.trust.http_signatures import sign_request
from federation.trust.tokens import dpop_proof, make_dpop
from tests.support.demo import nonce, token
from tests.support.loopback import Quiet, serving

if TYPE_CHECKING:
    from federation.consumer.commands import Partner
    from tests.support.demo import RunningDemo

_OWN = frozenset({"host", "connection", "content-length", "keep-alive", "transfer-encoding"})
"""Headers of a connection, which each side has of its own."""


@dataclass(frozen=True, slots=True)
class Signing:
    """Who signs, for which purpose, and for whom: `target` is the URL of a GraphQL endpoint."""

    demo: RunningDemo
    partner: Partner
    purpose: str
    target: str

    def headers(self, method: str, uri: str, given: dict[str, str], body: bytes) -> dict[str, str]:
        """Return the headers of a request with a token, a fresh proof of possession and a signature."""
        clock, access = SystemClock(), token(self.demo, self.partner, self.purpose)
        bare = {**given, "authorization": f"DPoP {access}"}
        proof = make_dpop(dpop_proof(method, uri.partition("?")[0], nonce(), clock, access), self.partner.key)
        try:
            signature = sign_request(HttpRequest(method, uri, bare, body), self.partner.key, clock, nonce())
        except BadInputError:  # no content type: what such a signature would cover does not exist
            signature = {}
        return {**bare, **signature, "dpop": proof}


@contextmanager
def signing_proxy(signing: Signing) -> Iterator[str]:
    """Serve the proxy on loopback, and yield its URL."""
    with httpx.Client(trust_env=False, timeout=10) as http:

        class Handler(Quiet):
            @override
            def asked(self) -> None:
                body = self.body()
                uri = signing.target + self.path.removeprefix("/graphql")
                given = {name.lower(): value for name, value in self.headers.items() if name.lower() not in _OWN}
                headers = signing.headers(self.command, uri, given, body)
                answer = http.request(self.command, uri, headers=headers, content=body)
                said = [each for each in answer.headers.items() if each[0] not in {*_OWN, "content-encoding"}]
                self.answer(answer.status_code, answer.content, *said)

        with serving(Handler) as origin:
            yield f"{origin}/graphql"
