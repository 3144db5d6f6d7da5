"""Canonical JSON (RFC 8785): one byte string for one value, so that a digest or signature means the value."""

from __future__ import annotations

import hashlib
from base64 import b64decode
from binascii import a2b_base64, b2a_base64
from typing import Any

import rfc8785

from federation.contract.errors import BadInputError

_TO_URL = bytes.maketrans(b"+/", b"-_")
_FROM_URL = bytes.maketrans(b"-_", b"+/")


def canonical(value: Any) -> bytes:
    """Return `value` (JSON types only) in the canonical form of RFC 8785.

    Raises:
        BadInputError: the value holds something JSON has no form for, or an integer beyond 2**53.
    """
    try:
        return rfc8785.dumps(value)
    except rfc8785.CanonicalizationError as error:
        raise BadInputError("value has no canonical JSON form (RFC 8785)") from error


def sha256_hex(content: bytes) -> str:
    """Return the SHA-256 of `content` in lower-case hex."""
    return hashlib.sha256(content).hexdigest()


def sha256_digest(content: bytes) -> str:
    """Return `sha256:` and the hex digest, the form in which the ledger and answers name a content."""
    return f"sha256:{sha256_hex(content)}"


def b64url(content: bytes) -> str:
    """Return base64url without padding (RFC 4648 section 5; RFC 7515 section 2)."""
    return b2a_base64(content, newline=False).translate(_TO_URL, b"=").decode("ascii")


def from_b64url(text: str) -> bytes:
    """Read base64url without padding, and only its canonical form.

    Raises:
        BadInputError: a foreign character, padding, or trailing bits that are not zero.
    """
    try:
        content = a2b_base64((text + "=" * (-len(text) % 4)).encode("ascii").translate(_FROM_URL))
    except ValueError as error:
        raise BadInputError("expected base64url without padding") from error
    if b64url(content) != text:
        raise BadInputError("expected canonical base64url without padding")
    return content


def from_b64(text: str) -> bytes:
    """Read standard base64 with padding (RFC 4648 section 4).

    Raises:
        BadInputError: the text is not base64.
    """
    try:
        return b64decode(text, validate=True)
    except ValueError as error:
        raise BadInputError("expected base64") from error
