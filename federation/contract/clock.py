"""Time as an argument: the one place where the wall clock is read."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Protocol
from zoneinfo import ZoneInfo

ROME = ZoneInfo("Europe/Rome")
"""Validity windows of policies and agreements are read in this zone (policy R7)."""


class Clock(Protocol):
    """Tells the time; a test passes a `FixedClock`."""

    def now(self) -> datetime:
        """Return the instant, with a zone."""
        ...


@dataclass(frozen=True, slots=True)
class SystemClock:
    """The machine's clock, in UTC."""

    def now(self) -> datetime:
        """Return the machine's instant."""
        return datetime.fromtimestamp(time.time(), UTC)


@dataclass(slots=True)
class FixedClock:
    """A clock that stands still until somebody sets `instant`."""

    instant: datetime

    def now(self) -> datetime:
        """Return the instant that was set."""
        return self.instant


def epoch_seconds(clock: Clock) -> int:
    """Return the instant as whole seconds since 1970, as JWT `iat` and RFC 9421 `created` want it."""
    if type(clock) is SystemClock:
        return int(time.time())  # asked ten times in a request: the way through a calendar costs more than the rest
    return int(clock.now().timestamp())


def day_in_rome(instant: datetime) -> date:
    """Return the calendar day on which policies and agreements are judged (policy R7)."""
    return instant.astimezone(ROME).date()


def rfc3339(instant: datetime) -> str:
    """Return the instant as RFC 3339 in UTC with milliseconds and a capital Z (ModI RAC)."""
    return instant.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
