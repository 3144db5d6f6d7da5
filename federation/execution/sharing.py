"""Asks a member once for what several requests ask at the same time. For open federations only.

There an answer depends on nothing but the question. Where every request is signed, permitted and recorded on its own,
two requests are two disclosures and must not be joined.

A client that saw its mutation end sees its effect: queries never join a flight that began before a mutation ended.
"""

from __future__ import annotations

import asyncio

from federation.execution.ports import FetchAnswer, Fetcher, FetchRequest
from federation.planning.plan import OperationKind

_Question = tuple[str, bytes, bytes]


class _Flight:
    """One request on its way, and who waits for it; it is cancelled when nobody does any more."""

    __slots__ = ("_pending", "_waiting", "over")

    def __init__(self, pending: asyncio.Future[FetchAnswer]) -> None:
        self.over = False
        self._pending = pending
        self._waiting: list[asyncio.Future[FetchAnswer]] = []
        pending.add_done_callback(self._landed)

    def join(self) -> asyncio.Future[FetchAnswer]:
        waiter: asyncio.Future[FetchAnswer] = self._pending.get_loop().create_future()
        self._waiting.append(waiter)
        waiter.add_done_callback(self._left)
        return waiter

    def _landed(self, pending: asyncio.Future[FetchAnswer]) -> None:
        self.over = True
        waiting, self._waiting = self._waiting, []
        for waiter in waiting:
            if waiter.done():
                continue
            if pending.cancelled():
                waiter.cancel()
            elif (error := pending.exception()) is not None:
                waiter.set_exception(error)
            else:
                waiter.set_result(pending.result())

    def _left(self, waiter: asyncio.Future[FetchAnswer]) -> None:
        if waiter.cancelled() and all(other.done() for other in self._waiting):
            self.over = True
            self._pending.cancel()


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
            pending = asyncio.ensure_future(self._inner.fetch(request))
            pending.add_done_callback(lambda _: self._flights.clear())
            return pending
        question = (request.member, request.operation, request.variables)
        flight = self._flights.get(question)
        if flight is None or flight.over:
            pending = asyncio.ensure_future(self._inner.fetch(request))
            flight = self._flights[question] = _Flight(pending)
            pending.add_done_callback(lambda _: self._landed(question, flight))
        return flight.join()

    def _landed(self, question: _Question, flight: _Flight) -> None:
        if self._flights.get(question) is flight:
            del self._flights[question]
