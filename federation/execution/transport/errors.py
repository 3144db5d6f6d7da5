"""What can go wrong on the wire.

* TransportError
  - ConnectError      no connection: refused, unreachable, name unknown, TLS refused, or too many requests are waiting
  - LostError         the connection ended before the answer did
  - DeadlineError     the answer did not come in time
  - BadMessageError   the bytes are no acceptable HTTP answer: malformed, too large, encoded, switching protocols

Messages name the kind of fault and never an address or a value.
"""

from __future__ import annotations


class TransportError(Exception):
    """Base of all faults on the wire."""


class ConnectError(TransportError):
    """Nothing was sent, because there is no connection."""


class LostError(TransportError):
    """The connection ended before the answer did."""


class DeadlineError(TransportError):
    """The answer did not come in time."""


class BadMessageError(TransportError):
    """The peer sent something that is not an acceptable HTTP answer."""
