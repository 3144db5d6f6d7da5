"""Cursors: where a page ends, sealed so that nobody can read, make or move one (policy R24)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from federation.contract.canonical import b64url, from_b64url
from federation.contract.errors import BadInputError


@dataclass(frozen=True, slots=True)
class CursorSealer:
    """Seals cursors with AES-SIV (RFC 5297), which needs no nonce: the same place has the same cursor.

    `key` is the node's own, of 64 bytes; a cursor does not outlive it.
    """

    key: bytes = field(repr=False)

    def seal(self, place: Sequence[Any], bound_to: Sequence[str]) -> str:
        """Return the cursor of a place in a list, readable only with the same `bound_to`."""
        sealed = AESSIV(self.key).encrypt(msgspec.json.encode(place), [part.encode() for part in bound_to])
        return b64url(sealed)

    def open(self, cursor: str, bound_to: Sequence[str]) -> list[Any]:
        """Return the place that a cursor stands for.

        Raises:
            BadInputError: the cursor is not of this list, order, requester, purpose or policy.
        """
        try:
            sealed = from_b64url(cursor)  # one spelling only: what was changed in any place is no cursor
            place = msgspec.json.decode(AESSIV(self.key).decrypt(sealed, [part.encode() for part in bound_to]))
        except (ValueError, InvalidTag, BadInputError, msgspec.DecodeError) as error:
            raise BadInputError("`after` is not a cursor of this list, order, purpose and policy") from error
        if not isinstance(place, list):
            raise BadInputError("`after` is not a cursor of this list, order, purpose and policy")
        return place
