"""Stops asking a member that does not answer, and finds out with real requests when it does again.

* Closed: every request passes. Opens after 5 failures in a row, or when fewer than 80 % of the requests of the last 10
  seconds succeeded and there were at least 5.
* Open: nothing passes until the pause is over (1 s, doubled each time up to 60 s, shortened by chance by up to a half).
* Probing: one real request passes. It closes the breaker when it succeeds and opens it again when it fails.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from enum import StrEnum

import msgspec


class State(StrEnum):
    """What a breaker does with requests."""

    CLOSED = "closed"
    OPEN = "open"
    PROBING = "probing"


class BreakerSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When a breaker opens and for how long; times in seconds."""

    in_a_row: int = 5
    success: float = 0.8
    window: float = 10.0
    at_least: int = 5
    first_pause: float = 1.0
    longest_pause: float = 60.0


class Breaker:
    """Watches the requests to one member. Times are seconds on any one steady clock."""

    def __init__(self, settings: BreakerSettings, chance: Callable[[], float]) -> None:
        """Begin closed; `chance` returns numbers from 0 up to 1."""
        self.state = State.CLOSED
        self._settings = settings
        self._chance = chance
        self._failures_in_a_row = 0
        self._recent: deque[tuple[float, bool]] = deque(maxlen=1_000)
        self._pause = settings.first_pause
        self._until = 0.0

    def allows(self, now: float) -> bool:
        """Say whether a request may be sent now; the first after a pause is the probe."""
        if self.state is State.CLOSED:
            return True
        if now < self._until:
            return False
        # A probe whose end is never reported must not close the way for good: the next may go after another pause.
        self.state = State.PROBING
        self._until = now + self._pause
        return True

    def retry_after(self, now: float) -> float:
        """Return the seconds until a request may be tried, 0 when it may be now."""
        return 0.0 if self.state is State.CLOSED else max(0.0, self._until - now)

    def succeeded(self, now: float) -> None:
        """Note a good answer; one to a request from before the breaker opened changes nothing."""
        self._failures_in_a_row = 0
        if self.state is State.CLOSED:
            self._recent.append((now, True))
        elif self.state is State.PROBING:
            self.state = State.CLOSED
            self._pause = self._settings.first_pause
            self._recent.clear()

    def failed(self, now: float) -> None:
        """Note a fault."""
        self._failures_in_a_row += 1
        self._recent.append((now, False))
        if self.state is State.PROBING or (self.state is State.CLOSED and self._is_bad(now)):
            self._open(now)

    def _is_bad(self, now: float) -> bool:
        if self._failures_in_a_row >= self._settings.in_a_row:
            return True
        while self._recent and self._recent[0][0] < now - self._settings.window:
            self._recent.popleft()
        good = sum(ok for _, ok in self._recent)
        return len(self._recent) >= self._settings.at_least and good < self._settings.success * len(self._recent)

    def _open(self, now: float) -> None:
        self.state = State.OPEN
        self._until = now + self._pause * (1 - self._chance() / 2)
        self._pause = min(self._pause * 2, self._settings.longest_pause)
        self._recent.clear()
        self._failures_in_a_row = 0
