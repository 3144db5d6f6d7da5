"""Signed JSON tokens (RFC 7515), narrowed to one algorithm, one spelling and known headers."""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import Any, TypeVar

import msgspec
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from federation.contract.canonical import canonical, from_b64url
from federation.contract.errors import BadInputError, TokenError
from federation.trust.keys import SigningKey, VerifyKey

ALGORITHM = "ES256"
MAX_TOKEN_CHARACTERS = 8_192

_COMPACT = re.compile(r"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)")
_Part = TypeVar("_Part")


def sign_token(header: dict[str, Any], claims: Any, key: SigningKey) -> str:
    """Return the compact JWS of `claims` (a msgspec Struct); `header` says typ and how the key is found."""
    payload = canonical(msgspec.to_builtins(claims))
    return jws.serialize_compact({**header, "alg": ALGORITHM}, payload, _private(key), algorithms=[ALGORITHM])


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
        segments = [from_b64url(segment) for segment in match.groups()]
    except BadInputError as error:
        raise TokenError("token has a segment that is not canonical base64url") from error
    return read_part(segments[0], header, "header"), segments[1]


def read_part(content: bytes, kind: type[_Part], name: str) -> _Part:
    """Read JSON into a closed Struct; a key that stands twice is refused, because two readers may take different ones.

    Raises:
        TokenError: not that; the message names the place, never a value.
    """
    try:
        json.loads(content, object_pairs_hook=_unique)
        return msgspec.json.decode(content, type=kind)
    except (ValueError, RecursionError) as error:  # msgspec's errors are ValueErrors
        raise TokenError(f"token {name} cannot be read") from error


def require_signature(text: str, key: VerifyKey) -> None:
    """Verify a token that `read_token` accepted.

    Raises:
        TokenError: the signature is not this key's.
    """
    try:
        jws.deserialize_compact(text, _public(key.kid, *_coordinates(key)), algorithms=[ALGORITHM])
    except (JoseError, ValueError) as error:
        raise TokenError("token signature does not verify") from error


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("duplicate key")
    return found


def _coordinates(key: VerifyKey) -> tuple[str, str]:
    jwk = key.public_jwk()
    return jwk["x"], jwk["y"]


@lru_cache(maxsize=1024)
def _public(kid: str, x: str, y: str) -> ECKey:
    """Keep the library's own form of the keys in use; `kid` is only part of the cache's key."""
    assert kid
    return ECKey.import_key({"kty": "EC", "crv": "P-256", "x": x, "y": y})


def _private(key: SigningKey) -> ECKey:
    return ECKey.import_key({**key.private_jwk()})
