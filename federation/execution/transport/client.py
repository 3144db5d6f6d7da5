"""An HTTP/1.1 client that keeps connections and never reads more than it was told to."""

from __future__ import annotations

import asyncio
import ssl
from typing import Any

from federation.execution.transport.deadlines import Deadlines
from federation.execution.transport.events import EventStream
from federation.execution.transport.limits import TransportLimits
from federation.execution.transport.message import AsItIs, Endpoint, Exchange, Headers, HttpAnswer, Origin, Outcome
from federation.execution.transport.pool import Pool

_AS_IT_IS = AsItIs()


class HttpClient:
    """Posts to endpoints. Redirects are never followed, nothing is pipelined, answers are not decompressed."""

    def __init__(self, limits: TransportLimits, tls: ssl.SSLContext | None = None) -> None:
        """Begin without connections; without `tls`, https endpoints are held to the system's authorities."""
        self._limits = limits
        self._tls = tls
        self._pools: dict[Origin, Pool] = {}
        self._deadlines = Deadlines()

    def post(
        self, endpoint: Endpoint, headers: Headers, body: bytes, deadline: float, *, repeatable: bool
    ) -> asyncio.Future[HttpAnswer]:
        """Send a request and return its future answer.

        Args:
            endpoint: where to; its pool is made on first use.
            headers: names and values beside Host, Accept-Encoding and Content-Length.
            body: the request's content.
            deadline: when the answer must be complete, on the event loop's clock.
            repeatable: whether the request may be sent again when a kept connection was dead.

        Raises (through the future):
            TransportError: see `errors.py`.
        """
        return self.send(endpoint, headers, body, deadline, _AS_IT_IS, repeatable=repeatable)

    def send(
        self,
        endpoint: Endpoint,
        headers: Headers,
        body: bytes,
        deadline: float,
        outcome: Outcome,
        *,
        repeatable: bool,
    ) -> asyncio.Future[Any]:
        """Send a request as `post` does; the outcome turns answers and faults into the future's values and errors."""
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        exchange = Exchange(endpoint.request(headers, body), deadline, future, outcome, repeatable=repeatable)
        self._pool(endpoint.origin).submit(exchange)
        return future

    async def stream(
        self, endpoint: Endpoint, headers: Headers, body: bytes, deadline: float
    ) -> tuple[HttpAnswer, EventStream]:
        """Send a request whose answer is a stream of events, and return its head and the events.

        The deadline is for the head. When the answer is not an event stream it is returned whole, with no events.

        Raises:
            TransportError: see `errors.py`.
        """
        events = EventStream()
        future: asyncio.Future[HttpAnswer] = asyncio.get_running_loop().create_future()
        wire = endpoint.request(headers, body)
        exchange = Exchange(wire, deadline, future, _AS_IT_IS, repeatable=False, sink=events.feed)
        events.abandon = lambda: exchange.abandon() if exchange.abandon is not None else None
        self._pool(endpoint.origin).submit(exchange)
        return await future, events

    def close(self) -> None:
        """End all connections."""
        for pool in self._pools.values():
            pool.close()
        self._pools.clear()
        self._deadlines.stop()

    def _pool(self, origin: Origin) -> Pool:
        pool = self._pools.get(origin)
        if pool is None:
            tls = self._tls or ssl.create_default_context() if origin.scheme == "https" else None
            pool = self._pools[origin] = Pool(origin, self._limits, self._deadlines, tls)
        return pool
