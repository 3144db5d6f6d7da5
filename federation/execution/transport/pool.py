"""The connections to one origin: reused last in first out, limited in number, with a queue that is limited too."""

from __future__ import annotations

import asyncio
import ssl
from collections import deque

from federation.execution.transport.connection import Connection
from federation.execution.transport.deadlines import Deadlines
from federation.execution.transport.errors import ConnectError
from federation.execution.transport.heads import KnownHeads
from federation.execution.transport.limits import TransportLimits
from federation.execution.transport.message import Exchange, Origin


class Pool:
    """Sends exchanges to one origin. INVARIANT: `_open` counts connections that are being made, busy or idle."""

    def __init__(
        self, origin: Origin, limits: TransportLimits, deadlines: Deadlines, tls: ssl.SSLContext | None
    ) -> None:
        """Begin without connections; `tls` is needed for https."""
        self._origin = origin
        self._limits = limits
        self._deadlines = deadlines
        self._heads = KnownHeads()
        self._tls = tls
        self._loop = asyncio.get_running_loop()
        self._idle: list[Connection] = []
        self._waiting: deque[Exchange] = deque()
        self._open = 0
        self._connecting: set[asyncio.Task[None]] = set()
        self._busy: set[Connection] = set()

    def submit(self, exchange: Exchange) -> None:
        """Send an exchange now, on a new connection soon, or when a connection is free."""
        self._deadlines.watch(exchange)
        self._place(exchange)

    def close(self) -> None:
        """End all connections; what is still asked fails as lost."""
        for task in self._connecting:
            task.cancel()
        for connection in [*self._idle, *self._busy]:
            connection.abort()
        while self._waiting:
            self._waiting.popleft().fail(ConnectError("the client is closing"))

    def released(self, connection: Connection) -> None:
        """Give a free connection to whoever waits longest."""
        self._busy.discard(connection)
        exchange = self._next()
        if exchange is None:
            connection.idle_since = self._loop.time()
            self._idle.append(connection)
        else:
            self._use(connection, exchange)

    def lost(self, connection: Connection, unanswered: Exchange | None) -> None:
        """Forget a connection, and open another for those who still wait."""
        self._open -= 1
        self._busy.discard(connection)
        if connection in self._idle:
            self._idle.remove(connection)
        if unanswered is not None:
            unanswered.resent = True  # a kept connection was dead: ask once more, on a new one
            self._connect(unanswered)
        elif self._open < self._limits.connections and (exchange := self._next()) is not None:
            self._connect(exchange)

    def _place(self, exchange: Exchange) -> None:
        connection = self._reusable(exchange)
        if connection is not None:
            self._use(connection, exchange)
        elif self._idle:
            # All that are idle are too old for this request: a new one takes the place of the oldest, so that a member
            # that is asked now and then does not gather connections which nobody will use.
            self._idle.pop(0).close()
            self._connect(exchange)
        elif self._open < self._limits.connections:
            self._connect(exchange)
        elif len(self._waiting) < self._limits.waiting:
            self._waiting.append(exchange)
        else:
            exchange.fail(ConnectError("too many requests are waiting for a connection"))

    def _reusable(self, exchange: Exchange) -> Connection | None:
        oldest = self._loop.time() - (self._limits.keep_alive if exchange.repeatable else self._limits.fresh)
        while self._idle:
            if self._idle[-1].idle_since < oldest and not exchange.repeatable:
                return None  # still good for requests that may be sent twice
            connection = self._idle.pop()
            if connection.usable and connection.idle_since >= oldest:
                return connection
            connection.close()
        return None

    def _use(self, connection: Connection, exchange: Exchange) -> None:
        self._busy.add(connection)
        connection.start(exchange)

    def _next(self) -> Exchange | None:
        while self._waiting:
            exchange = self._waiting.popleft()
            if not exchange.future.done():
                return exchange
        return None

    def _connect(self, exchange: Exchange) -> None:
        self._open += 1
        task = self._loop.create_task(self._connect_and_use(exchange))
        self._connecting.add(task)
        task.add_done_callback(self._connecting.discard)

    async def _connect_and_use(self, exchange: Exchange) -> None:
        try:
            async with asyncio.timeout(self._limits.connect):
                _, connection = await self._loop.create_connection(
                    lambda: Connection(self, self._limits, self._heads),
                    self._origin.host,
                    self._origin.port,
                    ssl=self._tls if self._origin.scheme == "https" else None,
                )
        except (OSError, TimeoutError, ssl.SSLError, UnicodeError):
            self._open -= 1
            exchange.fail(ConnectError("no connection"))
            if (waiting := self._next()) is not None:
                self._connect(waiting)
            return
        except asyncio.CancelledError:
            self._open -= 1
            exchange.fail(ConnectError("the client is closing"))
            raise
        if exchange.future.done():
            self.released(connection)
        else:
            self._use(connection, exchange)
