"""HTTP messages as signatures see them: one value for each header, exact body bytes."""

from __future__ import annotations

import re
from binascii import b2a_base64
from collections.abc import Iterable, Mapping
from functools import lru_cache
from hashlib import sha256

import msgspec

from federation.contract.errors import BadInputError, DigestError
from federation.contract.messages import ConsumerRequest

SINGLE_HEADERS = frozenset(
    {
        "agid-jwt-signature",
        "agid-jwt-trackingevidence",
        "authorization",
        "content-digest",
        "content-encoding",
        "content-length",
        "content-type",
        "digest",
        "dpop",
        "host",
        "signature",
        "signature-input",
        "transfer-encoding",
    }
)
"""Headers whose repetition two readers may understand differently (RFC 9112 section 3.2; RFC 9449 section 4.3)."""

_COMMON_NAME = 40
_DIGEST = re.compile(r"sha-256=:[A-Za-z0-9+/]{43}=:")


class HttpRequest(msgspec.Struct, frozen=True, gc=False):
    """A request; header names are lower-case, `target_uri` is absolute and the receiver's own idea of where it is.

    `peer` is the party whose channel it came over, None where channels are not mutual TLS.
    """

    method: str
    target_uri: str
    headers: Mapping[str, str]
    body: bytes
    peer: str | None = None

    @classmethod
    def of_consumer(cls, request: ConsumerRequest) -> HttpRequest:
        """Return the consumer's request as it travels inside a gateway's.

        Raises:
            BadInputError: its body is not base64.
        """
        return cls(request.method, request.target_uri, request.headers, request.body_bytes())


class HttpResponse(msgspec.Struct, frozen=True, gc=False):
    """A response; header names are lower-case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def single_headers(raw: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Return the headers of a raw message, names in lower case; repeated ones are joined by a comma where that is safe.

    Raises:
        BadInputError: a header in `SINGLE_HEADERS` is repeated, or a name or value is not visible ASCII.
    """
    found: dict[str, str] = {}
    for raw_name, raw_value in raw:
        try:
            name, single = _named(raw_name) if len(raw_name) <= _COMMON_NAME else _name(raw_name)
            value = raw_value.decode("ascii").strip(" \t")
        except UnicodeDecodeError as error:
            raise BadInputError("expected headers in visible ASCII") from error
        if name in found:
            if single:
                raise BadInputError(f"header `{name}` is repeated")
            value = f"{found[name]}, {value}"
        if single and not (value and value.isprintable()):  # what is ASCII and stripped is visible then
            raise BadInputError(f"header `{name}` is empty or not visible ASCII")
        found[name] = value
    return found


def _name(raw: bytes) -> tuple[str, bool]:
    """Return a header's name in lower case, and whether it may stand once only.

    Raises:
        UnicodeDecodeError: the name is not ASCII.
    """
    name = raw.decode("ascii").lower()
    return name, name in SINGLE_HEADERS


_named = lru_cache(maxsize=512)(_name)
"""The same few names come with every message; long ones are not remembered, so that nobody fills the memory."""


def is_visible(value: str) -> bool:
    """Tell whether a header value is visible ASCII without space around it, so that it is signed as it stands."""
    # Printable ASCII is exactly U+0020 to U+007E.
    return value.isascii() and value.isprintable() and bool(value) and value[0] != " " != value[-1]


def content_digest(body: bytes) -> str:
    """Return the Content-Digest of a body (RFC 9530 section 2), sha-256 alone."""
    return f"sha-256=:{b2a_base64(sha256(body).digest(), newline=False).decode('ascii')}:"


def require_content_digest(headers: Mapping[str, str], body: bytes) -> str:
    """Return the message's Content-Digest once it is that of the body.

    Raises:
        DigestError: missing, not exactly one sha-256, or of another body.
    """
    value, own = headers.get("content-digest", ""), content_digest(body)
    if value == own:
        return own
    if not _DIGEST.fullmatch(value):
        raise DigestError("expected a header `Content-Digest: sha-256=:…:` (RFC 9530)")
    raise DigestError("body is not the one that `Content-Digest` names")
