"""What the transport allows a member to do before it hangs up."""

from __future__ import annotations

import msgspec


class TransportLimits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Sizes in bytes, times in seconds, counts per origin (scheme, host and port)."""

    body: int = 8_000_000
    head: int = 16_384
    headers: int = 100
    connections: int = 64
    waiting: int = 1_024
    connect: float = 1.0
    keep_alive: float = 15.0
    fresh: float = 1.0
    """A request that must not be sent twice uses only connections that answered this recently."""
