"""How much patience a server has with its clients."""

from __future__ import annotations

import msgspec


class ClientLimits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The table `[clients]` of a process's settings: times in seconds, `head` in bytes.

    A head has `head_seconds` from its first byte to its last, and from the connection to the first byte. A connection
    on which nothing comes for `idle` is ended; what is in work when the process is told to stop has `drain` to finish.
    Of more than `in_work` requests at once the process refuses those that come last, rather than let all wait until
    none is answered in time.
    """

    head: int = 65_536
    head_seconds: float = 10.0
    body_seconds: float = 5.0
    idle: int = 75
    drain: int = 10
    in_work: int = 128
