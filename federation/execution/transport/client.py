"""An HTTP/1.1 client that keeps connections and never reads more than it was told to."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable

from federation.execution.transport.limits import TransportLimits
from federation.execution.transport.message import Endpoint, Exchange, Headers, HttpAnswer, Origin
from federation.execution.transport.pool import Pool


class HttpClient:
    """Posts to endpoints. Redirects are never followed, nothing is pipelined, answers are not decompressed."""

    def __init__(self, limits: TransportLimits, tls: ssl.SSLContext | None = None) -> None:
        """Begin without connections; without `tls`, https endpoints are held to the system's authorities."""
        self._limits = limits
        self._tls = tls
        self._pools: dict[Origin, Pool] = {}

    def post(
        self,
        endpoint: Endpoint,
        headers: Headers,
        body: bytes,
        deadline: float,
        *,
        repeatable: bool,
        sink: Callable[[bytes], None] | None = None,
    ) -> asyncio.Future[HttpAnswer]:
        """Send a request and return its future answer.

        Args:
            endpoint: where to; its pool is made on first use.
            headers: names and values beside Host, Accept-Encoding and Content-Length.
            body: the request's content.
            deadline: when the answer must be complete, on the event loop's clock.
            repeatable: whether the request may be sent again when a kept connection was dead.
            sink: gets the pieces of a `text/event-stream` body, b"" at its end.

        Raises (through the future):
            TransportError: see `errors.py`.
        """
        future: asyncio.Future[HttpAnswer] = asyncio.get_running_loop().create_future()
        wire = endpoint.request(headers, body)
        self._pool(endpoint.origin).submit(Exchange(wire, deadline, future, repeatable=repeatable, sink=sink))
        return future

    def close(self) -> None:
        """End all connections."""
        for pool in self._pools.values():
            pool.close()
        self._pools.clear()

    def _pool(self, origin: Origin) -> Pool:
        pool = self._pools.get(origin)
        if pool is None:
            tls = self._tls or ssl.create_default_context() if origin.scheme == "https" else None
            pool = self._pools[origin] = Pool(origin, self._limits, tls)
        return pool
