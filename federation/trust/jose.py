"""Signed JSON tokens (RFC 7515), narrowed to one algorithm, one spelling and known headers.

With `alg` fixed to ES256 and each segment in its one spelling, what is left of a compact JWS is a signature over two
segments; it is made and checked here, and a test keeps a JOSE library of the same opinion.
"""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import Any, TypeVar

import msgspec

from federation.contract.canonical import b64url, canonical, from_b64url
from federation.contract.errors import BadInputError, SignatureError, TokenError
from federation.trust.keys import MessageSigner, VerifyKey

ALGORITHM = "ES256"
MAX_TOKEN_CHARACTERS = 8_192

_COMMON_HEADER = 400
"""Characters; longer ones are not remembered, so that nobody fills the memory."""
_COMPACT = re.compile(r"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)")
_Part = TypeVar("_Part")


def sign_token(header: dict[str, Any], claims: Any, key: MessageSigner) -> str:
    """Return the compact JWS of `claims` (a msgspec Struct); `header` says typ and how the key is found."""
    protected = canonical({**header, "alg": ALGORITHM})
    signing_input = f"{b64url(protected)}.{b64url(canonical(msgspec.to_builtins(claims)))}"
    return f"{signing_input}.{b64url(key.sign(signing_input.encode('ascii')))}"


def read_token(text: str, header: type[_Part]) -> tuple[_Part, bytes]:
    """Return header and payload of a compact JWS whose signature is NOT verified yet.

    `header` is a closed Struct: what it does not name (`jku`, `x5u`, `crit`, `b64`, …) refuses the token.

    Raises:
        TokenError: too long, not three canonical base64url segments, or another header.
    """
    match = _COMPACT.fullmatch(text) if len(text) <= MAX_TOKEN_CHARACTERS else None
    if match is None:
        raise TokenError("token is not a compact JWS of three base64url segments")
    try:
        found: _Part = _known_header(match[1], header) if len(match[1]) <= _COMMON_HEADER else _header(match[1], header)
        payload, _ = from_b64url(match[2]), from_b64url(match[3])
    except BadInputError as error:
        raise TokenError("token has a segment that is not canonical base64url") from error
    return found, payload


def _header(segment: str, kind: type[Any]) -> Any:
    return read_part(from_b64url(segment), kind, "header")


_known_header: Any = lru_cache(maxsize=512)(_header)
"""A header says the same in every token of one key. It is only read here: whether the key counts is asked each time."""


def unverified_payload(text: str) -> bytes:
    """Return the payload of a compact JWS of which nothing is known yet: only to find out whose key to try.

    Raises:
        TokenError: not a compact JWS.
    """
    match = _COMPACT.fullmatch(text) if len(text) <= MAX_TOKEN_CHARACTERS else None
    if match is None:
        raise TokenError("token is not a compact JWS of three base64url segments")
    try:
        return from_b64url(match[2])
    except BadInputError as error:
        raise TokenError("token has a segment that is not canonical base64url") from error


def read_part(content: bytes, kind: type[_Part], name: str) -> _Part:
    """Read JSON into a closed Struct; a key that stands twice is refused, because two readers may take different ones.

    Raises:
        TokenError: not that; the message names the place, never a value.
    """
    try:
        _UNIQUE_KEYS.decode(content.decode())
        return msgspec.json.decode(content, type=kind)
    except (ValueError, RecursionError) as error:  # msgspec's errors are ValueErrors
        raise TokenError(f"token {name} cannot be read") from error


def require_signature(text: str, key: VerifyKey) -> None:
    """Verify a token that `read_token` accepted.

    Raises:
        TokenError: the signature is not this key's.
    """
    signing_input, _, signature = text.rpartition(".")
    try:
        key.verify(from_b64url(signature), signing_input.encode("ascii"))
    except (BadInputError, SignatureError) as error:
        raise TokenError("token signature does not verify") from error


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("duplicate key")
    return found


_UNIQUE_KEYS = json.JSONDecoder(object_pairs_hook=_unique)
