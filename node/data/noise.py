"""Noise on counts, where a policy asks for it: discrete Laplace, drawn from a key, so that a repeat gets the same."""

from __future__ import annotations

import hmac
from math import floor, log
from typing import Final

_UNIT: Final = 2.0**-53


def noisy(count: int, epsilon: float, key: bytes, what: str) -> int:
    """Return a count with two-sided geometric noise of scale 1/epsilon, never below zero.

    Args:
        count: one person changes it by one at most.
        epsilon: how much one answer may tell, above 0.
        key: of 32 bytes, the node's own.
        what: names the count: requester, purpose, policy, question and cell. The same name draws the same noise.
    """
    drawn = hmac.digest(key, f"crocevia/noise\n{what}".encode(), "sha512")
    return max(0, count + _geometric(drawn[:8], epsilon) - _geometric(drawn[8:16], epsilon))


def _geometric(drawn: bytes, epsilon: float) -> int:
    """Return a geometric number by inversion: P(n) = (1 - q) q^n with q = exp(-epsilon)."""
    uniform = ((int.from_bytes(drawn) >> 11) + 1) * _UNIT  # in (0, 1]
    return floor(log(uniform) / -epsilon)
