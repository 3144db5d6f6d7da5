"""Nonces that the authorisation server gives out, so that a proof cannot be made ahead of time (RFC 9449 section 8).

A nonce is the MAC of a period of time: every process of the gateway knows its own and the others', and keeps none.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field
from typing import Self

from federation.contract.canonical import b64url
from federation.contract.clock import Clock, epoch_seconds

PERIOD = 120
"""Seconds; a nonce is good in the period in which it was given and in the next one."""

_NONCE_BYTES = 18


@dataclass(frozen=True, slots=True)
class DpopNonces:
    """Gives and recognises nonces."""

    clock: Clock
    _key: bytes = field(repr=False)

    @classmethod
    def of(cls, secret: bytes, clock: Clock) -> Self:
        """Return the nonces of a gateway, from a secret that its processes share."""
        return cls(clock, hmac.digest(secret, b"crocevia/dpop-nonce", "sha256"))

    def current(self) -> str:
        """Return the nonce to give now."""
        return self._of(self._period())

    def accepts(self, nonce: str) -> bool:
        """Tell whether a nonce was given in this period or the one before."""
        period = self._period()
        return any(hmac.compare_digest(nonce.encode(), self._of(each).encode()) for each in (period, period - 1))

    def _period(self) -> int:
        return epoch_seconds(self.clock) // PERIOD

    def _of(self, period: int) -> str:
        return b64url(hmac.digest(self._key, period.to_bytes(8), "sha256")[:_NONCE_BYTES])
