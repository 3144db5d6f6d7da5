"""One fixed profile of HTTP message signatures (RFC 9421): everything else is refused.

A request is signed over `"@method" "@target-uri" "content-type" "content-digest"`, and `"authorization"` and
`"crocevia-on-denied"` when it has them, with exactly the parameters created, expires, keyid, alg, nonce and tag
`crocevia-req`. A response is signed over its status, type and digest *and* the signature, digest, method and target of
the request it answers, with exactly created, keyid, alg and tag `crocevia-resp`: an answer moved to another question
does not verify. A message carries one signature, whatever its label; the tag says what it is for. The body counts
through its Content-Digest, which is checked here too.

What is deliberately not checked here: whether the nonce was seen (`federation.trust.replay`), whose key it is and
whether that party may ask (the caller, from the member list).
"""

from __future__ import annotations

import re
from binascii import a2b_base64, b2a_base64
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Self

import msgspec

from federation.contract.clock import Clock, epoch_seconds
from federation.contract.errors import BadInputError, SignatureError, StaleSignatureError
from federation.contract.on_denied import HEADER as ON_DENIED
from federation.trust.http_messages import (
    HttpRequest,
    HttpResponse,
    content_digest,
    is_visible,
    require_content_digest,
)
from federation.trust.keys import KeyLookup, MessageSigner

ALGORITHM = "ecdsa-p256-sha256"
REQUEST_TAG = "crocevia-req"
RESPONSE_TAG = "crocevia-resp"
REQUEST_LABEL = "rq"
RESPONSE_LABEL = "rs"

MAX_LIFETIME = 60
"""Seconds between `created` and `expires` at most."""

SKEW = 30
"""Seconds by which two clocks may differ."""

_JSON = "application/json"
"""What nearly every message is."""

_BARE = '"@method" "@target-uri" "content-type" "content-digest"'
_WHEN_PRESENT = ("authorization", ON_DENIED)
_COVERED_RESPONSE = (
    '("@status" "content-type" "content-digest" '
    '"signature";req;key="{label}" "content-digest";req "@method";req "@target-uri";req)'
)
_REQUEST_PARAMETERS = frozenset({"created", "expires", "keyid", "alg", "nonce", "tag"})
_RESPONSE_PARAMETERS = frozenset({"created", "keyid", "alg", "tag"})

_INPUT = re.compile(
    r"(?P<label>[a-z][a-z0-9_-]{0,31})="
    r"(?P<value>(?P<covered>\([^()]{0,256}\))(?P<parameters>(?:;[a-z]{1,8}=[A-Za-z0-9_\"-]{1,128}){4,6}))"
)
_LONGEST_INPUT = 1_200
"""More than `_INPUT` can match."""
_PARAMETER = re.compile(r';([a-z]+)=(?:(0|[1-9][0-9]{0,10})|"([A-Za-z0-9_-]{1,126})")')
_SIGNATURE = re.compile(r"(?P<label>[a-z][a-z0-9_-]{0,31})=(?P<value>:(?P<base64>[A-Za-z0-9+/]{85}[AQgw]==):)")
"""64 bytes in their one spelling: the last character but two carries two bits, and the other four are zero."""
_NONCE = re.compile(r"[A-Za-z0-9_-]{16,64}")
_METHOD = re.compile(r"[A-Z]{3,16}")
_TARGET = re.compile(r"https?://[\x21\x24-\x3b\x3d\x3f-\x5b\x5d\x5f\x61-\x7a\x7e]{1,2000}")


class VerifiedSignature(msgspec.Struct, frozen=True, gc=False):
    """What a good signature says: who (thumbprint), once (nonce; empty on responses), when (seconds since 1970)."""

    keyid: str
    nonce: str
    created: int
    expires: int


class RequestBinding(msgspec.Struct, frozen=True, gc=False):
    """The parts of a signed request to which its response is bound."""

    label: str
    signature: str
    digest: str
    method: str
    target_uri: str

    @classmethod
    def of(cls, request: HttpRequest) -> Self:
        """Take them from a signed request; the signature itself is not verified here.

        Raises:
            SignatureError: the request carries no signature of the profile.
        """
        found = _SIGNATURE.fullmatch(request.headers.get("signature", ""))
        if found is None:
            raise SignatureError("expected a request with one `Signature` of 64 bytes")
        digest = request.headers.get("content-digest", "")
        if not is_visible(digest):
            raise SignatureError("expected a request with a `Content-Digest`")
        return cls(found["label"], found["value"], digest, request.method, request.target_uri)


def sign_request(request: HttpRequest, signer: MessageSigner, clock: Clock, nonce: str) -> dict[str, str]:
    """Return the headers that sign `request`: Content-Digest, Signature-Input and Signature.

    `nonce` is unguessable base64url, made for this request. The request must have a Content-Type.

    Raises:
        BadInputError: a method, target, header or nonce that the profile cannot sign.
    """
    return sign_and_bind(request, signer, clock, nonce)[0]


def sign_and_bind(
    request: HttpRequest, signer: MessageSigner, clock: Clock, nonce: str
) -> tuple[dict[str, str], RequestBinding]:
    """Do what `sign_request` does, and say what the response is bound to.

    Raises:
        BadInputError: see `sign_request`.
    """
    created = epoch_seconds(clock)
    digest = content_digest(request.body)
    optional = _present(request.headers)
    parameters = (
        f"{_covered(optional)};created={created};expires={created + MAX_LIFETIME};"
        f'keyid="{signer.kid}";alg="{ALGORITHM}";nonce="{nonce}";tag="{REQUEST_TAG}"'
    )
    if not _NONCE.fullmatch(nonce):
        raise BadInputError("expected a nonce of 16 to 64 base64url characters")
    signature = _value(signer.sign(_request_base(request, optional, digest, parameters)))
    binding = RequestBinding(REQUEST_LABEL, signature, digest, request.method, request.target_uri)
    return _signature_headers(digest, REQUEST_LABEL, parameters, signature), binding


def verify_request(request: HttpRequest, keys: KeyLookup, clock: Clock) -> VerifiedSignature:
    """Verify a request: (1) its form, (2) its freshness, (3) its body, (4) a known key, (5) the signature.

    Raises:
        SignatureError: (1), (4) or (5).
        StaleSignatureError: (2) expired, from the future, or made to live longer than `MAX_LIFETIME`.
        DigestError: (3).
    """
    optional = _present(request.headers)
    said, signature = _read(request.headers, _covered(optional), _request_parameters)  # (1)
    _require_fresh(said.created, said.expires, clock)  # (2)
    digest = require_content_digest(request.headers, request.body)  # (3)
    try:
        base = _request_base(request, optional, digest, said.value)
    except BadInputError as error:
        raise SignatureError(error.message) from error
    _require_signature(said.keyid, signature, base, keys)  # (4) (5)
    return VerifiedSignature(said.keyid, said.nonce, said.created, said.expires)


def sign_response(
    response: HttpResponse, request: RequestBinding, signer: MessageSigner, clock: Clock
) -> dict[str, str]:
    """Return the headers that sign `response` as the answer to `request`: Content-Digest, Signature-Input, Signature.

    Raises:
        BadInputError: a header that the profile cannot sign.
    """
    digest = content_digest(response.body)
    parameters = (
        f"{_covered_response(request.label)};created={epoch_seconds(clock)};"
        f'keyid="{signer.kid}";alg="{ALGORITHM}";tag="{RESPONSE_TAG}"'
    )
    signature = _value(signer.sign(_response_base(response, request, digest, parameters)))
    return _signature_headers(digest, RESPONSE_LABEL, parameters, signature)


def verify_response(
    response: HttpResponse, request: RequestBinding, keys: KeyLookup, clock: Clock
) -> VerifiedSignature:
    """Verify that `response` answers `request`: (1) form, (2) freshness, (3) body, (4) known key, (5) signature.

    Raises:
        SignatureError: (1), (4) or (5); also when it is the answer to another request.
        StaleSignatureError: (2).
        DigestError: (3).
    """
    said, signature = _read(response.headers, _covered_response(request.label), _response_parameters)  # (1)
    _require_fresh(said.created, said.expires, clock)  # (2)
    digest = require_content_digest(response.headers, response.body)  # (3)
    try:
        base = _response_base(response, request, digest, said.value)
    except BadInputError as error:
        raise SignatureError(error.message) from error
    _require_signature(said.keyid, signature, base, keys)  # (4) (5)
    return VerifiedSignature(said.keyid, "", said.created, said.expires)


class _Parameters(msgspec.Struct, frozen=True, gc=False):
    """What a Signature-Input of the profile's form says; `value` is `@signature-params` as it was signed."""

    label: str
    value: str
    covered: str
    keyid: str
    created: int
    expires: int
    nonce: str = ""


def _read(
    headers: Mapping[str, str], covered: str, read: Callable[[str], _Parameters | None]
) -> tuple[_Parameters, bytes]:
    """Return what a message's signature says of itself, and its 64 bytes."""
    text = headers.get("signature-input", "")
    said = read(text) if len(text) <= _LONGEST_INPUT else None
    signature = _SIGNATURE.fullmatch(headers.get("signature", ""))
    if said is None or signature is None or said.label != signature["label"]:
        raise SignatureError("expected one `Signature-Input` and one `Signature` of the profile, under one label")
    if said.covered != covered:
        raise SignatureError(f"expected a signature over {covered}")
    return said, a2b_base64(signature["base64"])


def _request_parameters(text: str) -> _Parameters | None:
    return _parameters(text, _REQUEST_PARAMETERS, REQUEST_TAG)


@lru_cache(maxsize=256)
def _response_parameters(text: str) -> _Parameters | None:
    """Read what a response says: without a nonce, it is the same text for all responses of one key in one second.

    Nothing is judged here but the form, so what is remembered holds for ever.
    """
    return _parameters(text, _RESPONSE_PARAMETERS, RESPONSE_TAG)


def _parameters(text: str, names: frozenset[str], tag: str) -> _Parameters | None:
    """Read a Signature-Input; None when it is not of the profile's form.

    Raises:
        SignatureError: other parameters, or one of another kind, than the profile has.
    """
    found = _INPUT.fullmatch(text)
    if found is None:
        return None
    pairs = _PARAMETER.findall(found["parameters"])
    values: dict[str, int | str] = {name: string or int(number) for name, number, string in pairs}
    if len(pairs) != found["parameters"].count(";") or len(pairs) != len(names) or values.keys() != names:
        raise SignatureError(f"expected the signature parameters {', '.join(sorted(names))}, each once")
    if values["alg"] != ALGORITHM or values["tag"] != tag:
        raise SignatureError(f"expected a signature by `{ALGORITHM}` with tag `{tag}`")
    created = _number(values, "created")
    return _Parameters(
        found["label"],
        found["value"],
        found["covered"],
        _text(values, "keyid"),
        created,
        _number(values, "expires") if "expires" in names else created + MAX_LIFETIME,
        _text(values, "nonce") if "nonce" in names else "",
    )


def _number(values: Mapping[str, int | str], name: str) -> int:
    value = values[name]
    if not isinstance(value, int):
        raise SignatureError(f"expected the signature parameter `{name}` to be a number")
    return value


def _text(values: Mapping[str, int | str], name: str) -> str:
    value = values[name]
    if not isinstance(value, str):
        raise SignatureError(f"expected the signature parameter `{name}` to be a string")
    return value


def _present(headers: Mapping[str, str]) -> tuple[str, ...]:
    """Return which headers a request's signature covers beside those that it always does."""
    return tuple([name for name in _WHEN_PRESENT if name in headers])


@lru_cache(maxsize=4)
def _covered(optional: tuple[str, ...]) -> str:
    names = "".join([f' "{name}"' for name in optional])
    return f"({_BARE}{names})"


@lru_cache(maxsize=64)
def _covered_response(label: str) -> str:
    return _COVERED_RESPONSE.format(label=label)


def _request_base(request: HttpRequest, optional: tuple[str, ...], digest: str, parameters: str) -> bytes:
    """Return the signature base of a request (RFC 9421 section 2.5)."""
    _require_signable(request.method, request.target_uri)
    more = "".join([f'"{name}": {_visible_header(request.headers, name)}\n' for name in optional]) if optional else ""
    return (
        f'"@method": {request.method}\n'
        f'"@target-uri": {request.target_uri}\n'
        f'"content-type": {_visible_header(request.headers, "content-type")}\n'
        f'"content-digest": {digest}\n'
        f'{more}"@signature-params": {parameters}'
    ).encode("ascii")


def _response_base(response: HttpResponse, request: RequestBinding, digest: str, parameters: str) -> bytes:
    """Return the signature base of a response bound to its request (RFC 9421 sections 2.4 and 2.5)."""
    _require_signable(request.method, request.target_uri)
    return (
        f'"@status": {response.status}\n'
        f'"content-type": {_visible_header(response.headers, "content-type")}\n'
        f'"content-digest": {digest}\n'
        f'"signature";req;key="{request.label}": {request.signature}\n'
        f'"content-digest";req: {request.digest}\n'
        f'"@method";req: {request.method}\n'
        f'"@target-uri";req: {request.target_uri}\n'
        f'"@signature-params": {parameters}'
    ).encode("ascii")


@lru_cache(maxsize=1024)
def _require_signable(method: str, target_uri: str) -> None:
    """Refuse what could not stand in a signature base; a method and target that may stand there always may.

    Raises:
        BadInputError: see the messages.
    """
    if not _METHOD.fullmatch(method):
        raise BadInputError("expected a method of capital letters")
    if not _TARGET.fullmatch(target_uri):
        raise BadInputError("expected an absolute `http` or `https` target without fragment")


def _visible_header(headers: Mapping[str, str], name: str) -> str:
    value = headers.get(name, "")
    if value != _JSON and not is_visible(value):
        raise BadInputError(f"expected a header `{name}` of visible ASCII")
    return value


def _require_fresh(created: int, expires: int, clock: Clock) -> None:
    now = epoch_seconds(clock)
    if created > now + SKEW:
        raise StaleSignatureError(f"signature was made {created - now} seconds in the future; check the clocks")
    if expires < now - SKEW:
        raise StaleSignatureError(f"signature expired {now - expires} seconds ago; sign the request again")
    if not created <= expires <= created + MAX_LIFETIME:
        raise StaleSignatureError(f"expected a signature that lives at most {MAX_LIFETIME} seconds")


def _require_signature(keyid: str, signature: bytes, base: bytes, keys: KeyLookup) -> None:
    key = keys(keyid)
    if key is None:
        raise SignatureError("signature is by a key that is not known here, or not valid now")
    key.verify(signature, base)


def _value(signature: bytes) -> str:
    """Return a signature as a byte sequence of structured fields (RFC 8941 section 3.3.5)."""
    return f":{b2a_base64(signature, newline=False).decode('ascii')}:"


def _signature_headers(digest: str, label: str, parameters: str, signature: str) -> dict[str, str]:
    return {
        "content-digest": digest,
        "signature-input": f"{label}={parameters}",
        "signature": f"{label}={signature}",
    }
