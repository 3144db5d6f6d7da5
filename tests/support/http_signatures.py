"""Signed messages for tests, and the independent library as their oracle."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from http_message_signatures import (
    HTTPMessageVerifier,
    HTTPSignatureComponentResolver,
    HTTPSignatureKeyResolver,
    algorithms,
)
from http_message_signatures.exceptions import HTTPMessageSignaturesException
from typing_extensions import override

from federation.contract.clock import FixedClock
from federation.trust.http_messages import HttpRequest, HttpResponse
from federation.trust.http_signatures import RequestBinding, sign_request, sign_response
from federation.trust.keys import SigningKey, VerifyKey

NOW = dt.datetime.now(dt.UTC).replace(microsecond=0)  # the library reads the machine's clock, we a fixed one
CLOCK = FixedClock(NOW)
CONSUMER = SigningKey.generate()
NODE = SigningKey.generate()
NONCE = "bm9uY2Utb2YtdGhlLXJlcXVlc3Q"


def keys(kid: str) -> VerifyKey | None:
    """Look up the two keys of these tests."""
    return {CONSUMER.kid: CONSUMER.public(), NODE.kid: NODE.public()}.get(kid)


def signed_request(body: bytes = b'{"query":"{ citizen { id } }"}', **headers: str) -> HttpRequest:
    """Return a consumer's signed request."""
    bare = {"content-type": "application/json", "authorization": "DPoP ey.ey.sig", **headers}
    request = HttpRequest("POST", "https://gateway.example/graphql", bare, body)
    return with_headers(request, sign_request(request, CONSUMER, CLOCK, NONCE))


def signed_response(request: HttpRequest, body: bytes = b'{"data":{"citizen":null}}') -> HttpResponse:
    """Return a node's signed answer to `request`."""
    response = HttpResponse(200, {"content-type": "application/graphql-response+json"}, body)
    added = sign_response(response, RequestBinding.of(request), NODE, CLOCK)
    return HttpResponse(200, {**response.headers, **added}, body)


def with_headers(request: HttpRequest, added: Mapping[str, str]) -> HttpRequest:
    """Return the request with more headers."""
    return HttpRequest(request.method, request.target_uri, {**request.headers, **added}, request.body)


@dataclass
class LibraryRequest:
    """A request in the library's shape."""

    method: str
    url: str
    headers: dict[str, str]


@dataclass
class LibraryResponse:
    """A response in the library's shape."""

    status_code: int
    headers: dict[str, str]
    request: LibraryRequest


class _Keys(HTTPSignatureKeyResolver):
    @override
    def resolve_public_key(self, key_id: str) -> Any:
        found = keys(key_id)
        return None if found is None else found._public

    @override
    def resolve_private_key(self, key_id: str) -> Any:
        raise AssertionError(key_id)


def library_accepts(message: HttpRequest | HttpResponse, request: HttpRequest | None = None) -> bool:
    """Tell whether the library verifies the message, with the components of our profile required."""
    verifier = HTTPMessageVerifier(
        signature_algorithm=algorithms.ECDSA_P256_SHA256,
        key_resolver=_Keys(),
        component_resolver_class=HTTPSignatureComponentResolver,
    )
    verifier.max_clock_skew = dt.timedelta(days=1)  # a test may run long after its message was signed
    common = ["content-type", "content-digest"]
    if isinstance(message, HttpRequest):
        shaped: Any = LibraryRequest(message.method, message.target_uri, dict(message.headers))
        required = ["@method", "@target-uri", *common]
        if "authorization" in message.headers:
            required.append("authorization")
        tag = "crocevia-req"
    else:
        assert request is not None
        asked = LibraryRequest(request.method, request.target_uri, dict(request.headers))
        shaped = LibraryResponse(message.status, dict(message.headers), asked)
        label = request.headers.get("signature", "").partition("=")[0]
        bound = (f'"signature";req;key="{label}"', '"content-digest";req', '"@method";req', '"@target-uri";req')
        required = ["@status", *common, *bound]
        tag = "crocevia-resp"
    try:
        verifier.verify(shaped, expect_tag=tag, require_components=required, body=message.body)
    except HTTPMessageSignaturesException:
        return False
    return True
