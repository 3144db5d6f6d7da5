"""How many questions a consumer may ask for one purpose in a minute, and what it is told about that.

The agreement's daily quota (`quotas.py`) is what its parties signed; this is the gateway's own fence, against a
consumer whose loop has run away. Worker processes share the counts, and a restart forgets none.
"""

from __future__ import annotations

import msgspec

from federation.contract.clock import Clock, day_in_rome, epoch_seconds
from federation.contract.errors import RateLimitedError
from federation.trust.counters import Counters

_SECONDS = 60


class RateSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`per_minute` counts the questions of one consumer for one purpose."""

    per_minute: int = 60_000


class Standing(msgspec.Struct, frozen=True):
    """What is left of a budget: `reset` is in seconds from now, as `Retry-After` is."""

    limit: int
    remaining: int
    reset: int

    def headers(self) -> tuple[tuple[bytes, bytes], ...]:
        """Return what an answer says about it."""
        return (
            (b"x-ratelimit-limit", b"%d" % self.limit),
            (b"x-ratelimit-remaining", b"%d" % self.remaining),
            (b"x-ratelimit-reset", b"%d" % self.reset),
        )


class RateExceededError(RateLimitedError):
    """A consumer's budget for a purpose is used up for this minute; `standing` says when the next one begins."""

    def __init__(self, standing: Standing) -> None:
        super().__init__(
            f"the {standing.limit} questions a minute for this purpose are used up",
            retryAfter=standing.reset,
            scope="purpose",
        )
        self.standing = standing


def count_question(consumer: str, purpose: str, settings: RateSettings, counters: Counters, clock: Clock) -> Standing:
    """Count one question and say what is left of its minute.

    Raises:
        RateExceededError: the minute's questions are used up.
        UnavailableError: it cannot be counted, so it cannot be allowed.
    """
    minute, passed = divmod(epoch_seconds(clock), _SECONDS)
    name = f"rate:{consumer}:{purpose}:{minute}"
    used = counters.add(name, day_in_rome(clock.now()), settings.per_minute)
    left = _SECONDS - passed
    if used is None:
        raise RateExceededError(Standing(settings.per_minute, 0, left))
    return Standing(settings.per_minute, settings.per_minute - used, left)
