"""A fetcher around a fetcher: a breaker for each member, and one retry of queries within a budget.

Nothing is sent twice at the same time (no hedging): every request is a disclosure that a member records.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from federation.contract.errors import CroceviaError, NodeMisbehavedError, NodeTimeoutError, NodeUnavailableError
from federation.execution.answer import unavailable
from federation.execution.breaker import Breaker, BreakerSettings, State
from federation.execution.ports import Answered, FetchAnswer, Fetcher, FetchRequest
from federation.execution.retry import RetryBudget
from federation.planning.plan import OperationKind

SHORTEST_TIME_FOR_A_RETRY = 0.05
"""Seconds that must be left; with less, asking again only adds load."""

_FAULTS = (NodeUnavailableError, NodeTimeoutError, NodeMisbehavedError)


@dataclass(frozen=True, slots=True)
class ResilienceSettings:
    """How breakers open and how many requests may be repeated."""

    breaker: BreakerSettings = field(default_factory=BreakerSettings)
    retry_share: float = 0.2


class ResilientFetcher:
    """Keeps one breaker for each member and one retry budget for all. `chance` returns numbers from 0 up to 1."""

    def __init__(self, inner: Fetcher, settings: ResilienceSettings, chance: Callable[[], float]) -> None:
        """Send through `inner`."""
        self._inner = inner
        self._settings = settings
        self._chance = chance
        self._budget = RetryBudget(settings.retry_share)
        self._breakers: dict[str, Breaker] = {}

    def around(self, inner: Fetcher) -> ResilientFetcher:
        """Return a fetcher that sends through another inner one and shares breakers and budget with this."""
        other = ResilientFetcher(inner, self._settings, self._chance)
        other._budget, other._breakers = self._budget, self._breakers
        return other

    def states(self) -> Mapping[str, State]:
        """Return the state of every breaker, for health and metrics."""
        return {member: breaker.state for member, breaker in self._breakers.items()}

    def discredit(self, answered: Answered) -> None:
        """Count an answer that execution had to discard as a fault of its member: an `OnAnswer` callback."""
        if isinstance(answered.failure, NodeMisbehavedError):
            self._breaker(answered.member).failed(asyncio.get_running_loop().time())

    def fetch(self, request: FetchRequest) -> asyncio.Future[FetchAnswer]:
        """Send the request unless its member's breaker is open. See `Fetcher`."""
        loop = asyncio.get_running_loop()
        attempt = _Attempt(self._inner, request, self._breaker(request.member), self._budget, loop)
        self._budget.earn()
        attempt.start()
        return attempt.outer

    def _breaker(self, member: str) -> Breaker:
        breaker = self._breakers.get(member)
        if breaker is None:
            breaker = self._breakers[member] = Breaker(self._settings.breaker, self._chance)
        return breaker


class _Attempt:
    """One request and its one retry, driven by callbacks: no task."""

    __slots__ = ("_breaker", "_budget", "_inner", "_loop", "_pending", "_request", "_retried", "outer")

    def __init__(
        self,
        inner: Fetcher,
        request: FetchRequest,
        breaker: Breaker,
        budget: RetryBudget,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self._inner = inner
        self._request = request
        self._breaker = breaker
        self._budget = budget
        self._loop = loop
        self._retried = False
        self._pending: asyncio.Future[FetchAnswer] | None = None
        self.outer: asyncio.Future[FetchAnswer] = loop.create_future()
        self.outer.add_done_callback(self._left)

    def start(self) -> None:
        if not self._breaker.allows(self._loop.time()):
            self.outer.set_exception(unavailable(self._request.member))
            return
        try:
            self._pending = asyncio.ensure_future(self._inner.fetch(self._request))
        except CroceviaError as error:
            self._failed(error)
            return
        self._pending.add_done_callback(self._ended)

    def _ended(self, pending: asyncio.Future[FetchAnswer]) -> None:
        if self.outer.done() or pending.cancelled():
            return
        error = pending.exception()
        if error is not None:
            self._failed(error)
            return
        self._breaker.succeeded(self._loop.time())
        self.outer.set_result(pending.result())

    def _failed(self, error: BaseException) -> None:
        if isinstance(error, _FAULTS):
            self._breaker.failed(self._loop.time())
            if self._may_retry(error):
                self._retried = True
                self.start()
                return
        self.outer.set_exception(error)

    def _may_retry(self, error: BaseException) -> bool:
        """Retry a query once, after a connection fault, while there is time and budget and the breaker is closed."""
        return (
            isinstance(error, NodeUnavailableError)
            and not self._retried
            and self._request.kind is OperationKind.QUERY
            and self._breaker.state is State.CLOSED
            and self._request.deadline - self._loop.time() > SHORTEST_TIME_FOR_A_RETRY
            and self._budget.spend()
        )

    def _left(self, outer: asyncio.Future[FetchAnswer]) -> None:
        if outer.cancelled() and self._pending is not None:
            self._pending.cancel()
