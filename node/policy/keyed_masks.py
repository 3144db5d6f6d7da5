"""Masks that need a key, as functions of that key; they run in the node, after projection (policy section 4).

Keys are derived from one master per node, so that what one consumer receives for one purpose cannot be joined with
what another receives, or with another purpose or epoch. A form's `scope` names a shared derivation instead: whoever
holds the same scope receives the same identifiers, because the policy says so by name.
"""

from __future__ import annotations

import hmac
import re
from base64 import b32encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, TypeAlias

Seal: TypeAlias = Callable[[bytes, Sequence[bytes]], bytes]
"""Deterministic authenticated encryption of a value with associated data: AES-SIV (RFC 5297), given by the node."""

_FULL_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_PSEUDONYM_BYTES: Final = 20  # 160 bits: base32 without padding, 32 characters
_SHARED: Final = "*"  # stands where a consumer would; no member has this code


@dataclass(frozen=True, slots=True)
class KeyScope:
    """For whom a key is derived."""

    consumer: str
    purpose: str
    epoch: str


def derive_key(master: bytes, use: str, scope: KeyScope, shared: str | None, governed: str) -> bytes:
    """Return the key of one use: HMAC-SHA256 of `v1|consumer|purpose|epoch|type` under the node's master.

    Args:
        master: the node's secret, 32 bytes.
        use: the form's name; every use but `pseudonym` is a part of its own, so that two forms never share a key.
        scope: consumer, purpose and epoch.
        shared: the form's named scope, which then stands for consumer and purpose.
        governed: the type (pseudonym, token) or coordinate (hash, date_shift) the key is for.

    Raises:
        ValueError: a part holds the separator.
    """
    holder = (scope.consumer, scope.purpose) if shared is None else (_SHARED, shared)
    parts = ("v1", *(() if use == "pseudonym" else (use,)), *holder, scope.epoch, governed)
    # INVARIANT: different parts give different text. Member codes, purposes and coordinates never hold a `|`.
    if any("|" in part for part in parts):
        raise ValueError("expected names without `|` for the derivation of a key")
    return hmac.digest(master, "|".join(parts).encode(), "sha256")


def pseudonym(key: bytes, value: object) -> str | None:
    """Return the first 160 bits of HMAC-SHA256 of the identifier, in base32; null stays null."""
    if value is None:
        return None
    digest = hmac.digest(key, str(value).encode("utf-8", "surrogatepass"), "sha256")
    return b32encode(digest[:_PSEUDONYM_BYTES]).decode("ascii")


keyed_hash = pseudonym
"""`hash` is the same function under a key of its own: an unkeyed hash would fall to a dictionary."""


def date_shift(key: bytes, days: int, subject: str, value: object) -> str | None:
    """Move an ISO date by the subject's own number of days, between `-days` and `days`; anything else gives null.

    All dates of one subject move together, so their order and distances stay.
    """
    digest = hmac.digest(key, subject.encode("utf-8", "surrogatepass"), "sha256")
    shift = int.from_bytes(digest[:8]) % (2 * days + 1) - days
    text = value.isoformat()[:10] if isinstance(value, date) else value
    if not isinstance(text, str) or not _FULL_DATE.fullmatch(text):
        return None
    try:
        return (date.fromisoformat(text) + timedelta(days=shift)).isoformat()
    except (ValueError, OverflowError):
        return None


def token(seal: Seal, scope: KeyScope, shared: str | None, governed: str, value: object) -> str | None:
    """Return the identifier sealed for one consumer and purpose, in base32; only the sealing node opens it again."""
    if value is None:
        return None
    return b32encode(seal(str(value).encode("utf-8", "surrogatepass"), token_data(scope, shared, governed))).decode()


def token_data(scope: KeyScope, shared: str | None, governed: str) -> tuple[bytes, ...]:
    """Return the associated data of a token: with a wrong consumer or purpose it does not open."""
    holder = (scope.consumer, scope.purpose) if shared is None else (_SHARED, shared)
    return tuple(part.encode() for part in ("token", *holder, governed))
