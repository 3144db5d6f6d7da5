"""Asks a member once for what several requests ask at the same time. For open federations only.

There an answer depends on nothing but the question and the headers that go with it. Where every request is signed,
permitted and recorded on its own, two requests are two disclosures and must not be joined.

A client that saw its mutation end sees its effect: queries never join a flight that began before a mutation ended.
"""

from __future__ import annotations

import asyncio
from functools import partial

import msgspec

from federation.contract.errors import CroceviaError
from federation.execution.ports import FetchAnswer, Fetcher, FetchRequest, Headers, as_future
from federation.planning.plan import OperationKind

_Question = tuple[str, bytes, bytes, Headers]


class _Flight:
    """One request on its way, and who else waits for it.

    Whoever asked first holds the request itself, which costs nothing when nobody joins. When the first leaves, the
    others ask again; when nobody waits any more, nothing is asked.
    """

    __slots__ = ("_again", "_inner", "_loop", "_request", "_waiting")

    def __init__(self, inner: Fetcher, request: FetchRequest, pending: asyncio.Future[FetchAnswer]) -> None:
        self._inner = inner
        self._request = request
        self._loop = pending.get_loop()
        self._again: asyncio.Future[FetchAnswer] | None = None
        self._waiting: list[asyncio.Future[FetchAnswer]] = []

    def join(self) -> asyncio.Future[FetchAnswer]:
        waiter: asyncio.Future[FetchAnswer] = self._loop.create_future()
        self._waiting.append(waiter)
        return waiter

    def landed(self, pending: asyncio.Future[FetchAnswer]) -> None:
        if not self._waiting:
            return
        waiting = [waiter for waiter in self._waiting if not waiter.done()]
        if not waiting:
            return
        if pending.cancelled():
            self._ask_again(waiting)
            return
        self._waiting = []
        if (error := pending.exception()) is not None:
            for waiter in waiting:
                waiter.set_exception(error)
            return
        answer = msgspec.structs.replace(pending.result(), read={})
        for waiter in waiting:
            waiter.set_result(answer)

    def _ask_again(self, waiting: list[asyncio.Future[FetchAnswer]]) -> None:
        """Ask for those who wait still; nobody's request is cancelled before, so nobody's leaving is looked for."""
        try:
            self._again = as_future(self._inner.fetch(self._request))
        except CroceviaError as error:
            for waiter in waiting:
                waiter.set_exception(error)
            return
        for waiter in waiting:
            waiter.add_done_callback(self._left)
        self._again.add_done_callback(self.landed)

    def _left(self, waiter: asyncio.Future[FetchAnswer]) -> None:
        """Cancel the request that was made again for those who waited, when the last of them leaves."""
        if waiter.cancelled() and self._again is not None and all(other.done() for other in self._waiting):
            self._again.cancel()


class SharingFetcher:
    """Joins equal queries that are on their way at the same time."""

    def __init__(self, inner: Fetcher) -> None:
        """Send through `inner`."""
        self._inner = inner
        self._flights: dict[_Question, _Flight] = {}

    def fetch(self, request: FetchRequest) -> asyncio.Future[FetchAnswer]:
        """Send the request, or join one that asks the same. See `Fetcher`."""
        if request.kind is not OperationKind.QUERY:
            self._flights.clear()
            pending = as_future(self._inner.fetch(request))
            pending.add_done_callback(lambda _: self._flights.clear())
            return pending
        question = (request.member, request.operation, request.variables, request.passed.headers)
        flight = self._flights.get(question)
        if flight is not None:
            return flight.join()
        pending = as_future(self._inner.fetch(request))
        flight = self._flights[question] = _Flight(self._inner, request, pending)
        pending.add_done_callback(partial(self._landed, question, flight))
        return pending

    def _landed(self, question: _Question, flight: _Flight, pending: asyncio.Future[FetchAnswer]) -> None:
        if self._flights.get(question) is flight:
            del self._flights[question]
        flight.landed(pending)
