"""A fetcher around a fetcher: a breaker for each member, so that a sick one is left alone until it answers again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial

from federation.contract.errors import NodeMisbehavedError, NodeTimeoutError, NodeUnavailableError
from federation.execution.answer import unavailable
from federation.execution.breaker import Breaker, BreakerSettings, State
from federation.execution.ports import Answered, FetchAnswer, Fetcher, FetchRequest, as_future
from federation.execution.retry import RetryBudget

_FAULTS = (NodeUnavailableError, NodeTimeoutError, NodeMisbehavedError)


@dataclass(frozen=True, slots=True)
class ResilienceSettings:
    """How breakers open, and how many requests may be repeated."""

    breaker: BreakerSettings = field(default_factory=BreakerSettings)
    retry_share: float = 0.2


class ResilientFetcher:
    """Keeps one breaker for each member. `retries` is the budget that runs spend; see `Outside.retries`."""

    def __init__(self, inner: Fetcher, settings: ResilienceSettings, chance: Callable[[], float]) -> None:
        """Send through `inner`; `chance` returns numbers from 0 up to 1."""
        self.retries = RetryBudget(settings.retry_share)
        self._inner = inner
        self._settings = settings
        self._chance = chance
        self._breakers: dict[str, Breaker] = {}

    def around(self, inner: Fetcher) -> ResilientFetcher:
        """Return a fetcher that sends through another inner one and shares breakers and budget with this."""
        other = ResilientFetcher(inner, self._settings, self._chance)
        other.retries, other._breakers = self.retries, self._breakers
        return other

    def states(self) -> Mapping[str, State]:
        """Return the state of every breaker, for health and metrics."""
        return {member: breaker.state for member, breaker in self._breakers.items()}

    def discredit(self, answered: Answered) -> None:
        """Count an answer that execution had to discard as a fault of its member: an `OnAnswer` callback."""
        if isinstance(answered.failure, NodeMisbehavedError):
            self._breaker(answered.member).failed(asyncio.get_running_loop().time())

    def fetch(self, request: FetchRequest) -> asyncio.Future[FetchAnswer]:
        """Send the request. See `Fetcher`.

        Raises:
            NodeUnavailableError: at once, when the member's breaker is open.
        """
        loop = asyncio.get_running_loop()
        breaker = self._breaker(request.member)
        if not breaker.allows(loop.time()):
            raise unavailable(request.member)
        pending = as_future(self._inner.fetch(request))
        pending.add_done_callback(partial(_note, breaker))
        return pending

    def _breaker(self, member: str) -> Breaker:
        breaker = self._breakers.get(member)
        if breaker is None:
            breaker = self._breakers[member] = Breaker(self._settings.breaker, self._chance)
        return breaker


def _note(breaker: Breaker, ended: asyncio.Future[FetchAnswer]) -> None:
    if ended.cancelled():
        return
    error, now = ended.exception(), ended.get_loop().time()
    if error is None:
        breaker.succeeded(now)
    elif isinstance(error, _FAULTS):
        breaker.failed(now)
