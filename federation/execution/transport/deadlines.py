"""Ends exchanges whose time has come, or whose caller went away: one timer for all, none while there are none.

An exchange that nobody waits for any more is thus ended within a tick; until then its answer may still come whole, and
the connection stays good.
"""

from __future__ import annotations

import asyncio

from federation.execution.transport.errors import DeadlineError
from federation.execution.transport.message import Exchange

TICK = 0.02
"""Seconds between two looks, and so the most by which an exchange may outlive its deadline or its caller."""


class Deadlines:
    """The exchanges of one client that are on their way."""

    def __init__(self) -> None:
        """Begin with none."""
        self._running: set[Exchange] = set()
        self._timer: asyncio.TimerHandle | None = None

    def watch(self, exchange: Exchange) -> None:
        """Begin to watch an exchange, until it is answered or has failed."""
        self._running.add(exchange)
        exchange.unwatch = self._running.discard
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(TICK, self._look)

    def stop(self) -> None:
        """Look no more; what still runs is ended by whoever stops."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        for exchange in [each for each in self._running if each.deadline <= now or each.future.cancelled()]:
            expire(exchange)
        self._timer = loop.call_later(TICK, self._look) if self._running else None


def expire(exchange: Exchange) -> None:
    """Tell whoever waits that the answer did not come in time, and hang up.

    The rest of an answer that nobody reads would otherwise meet the next request.
    """
    abandon, exchange.abandon = exchange.abandon, None
    exchange.fail(DeadlineError("the answer did not come in time"))
    if abandon is not None:
        abandon()
