"""Server-sent events as they come in: the events of GraphQL over SSE, bounded in size and number.

Distinct connections mode: `next` carries one GraphQL answer, `complete` ends the stream, comments keep it alive.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from federation.execution.transport.errors import BadMessageError, LostError, TransportError

LONGEST_EVENT = 1_000_000
"""Bytes of one event."""

MOST_WAITING = 256
"""Events that may wait for a slow reader before the stream is given up."""


class EventStream:
    """An asynchronous iterator over the data of `next` events. `close` hangs up."""

    def __init__(self) -> None:
        """Begin before the first byte; `abandon` is set by whoever sends the request."""
        self.abandon: Callable[[], None] | None = None
        self._buffer = b""
        self._events: deque[bytes] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self._end: TransportError | StopAsyncIteration | None = None

    def feed(self, piece: bytes) -> None:
        """Take the next piece of the body; b"" is its end."""
        if self._end is not None:
            return
        if not piece:
            self._finish(LostError("the stream ended without saying so"))
            return
        *events, self._buffer = (self._buffer + piece).replace(b"\r\n", b"\n").split(b"\n\n")
        for event in events:
            self._take(event)
        if len(self._buffer) > LONGEST_EVENT:
            self._refuse("an event is too long")

    def close(self) -> None:
        """Hang up."""
        self._end = self._end or StopAsyncIteration()
        if self.abandon is not None:
            self.abandon()

    def __aiter__(self) -> EventStream:
        return self

    async def __anext__(self) -> bytes:
        """Return the next event's data.

        Raises:
            TransportError: the stream broke, or its events are unacceptable.
        """
        while not self._events:
            if self._end is not None:
                raise self._end
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
        return self._events.popleft()

    def _take(self, event: bytes) -> None:
        if self._end is not None:
            return
        kind, data = b"message", []
        for line in event.split(b"\n"):
            name, _, value = line.partition(b":")
            value = value.removeprefix(b" ")
            if name == b"event":
                kind = value
            elif name == b"data":
                data.append(value)
        if kind == b"complete":
            self._finish(StopAsyncIteration())
        elif data and (kind in {b"next", b"message"}):
            if len(self._events) >= MOST_WAITING:
                self._refuse("too many events wait for a slow reader")
                return
            self._events.append(b"\n".join(data))
            self._wake()

    def _refuse(self, reason: str) -> None:
        self._finish(BadMessageError(reason))
        if self.abandon is not None:
            self.abandon()

    def _finish(self, end: TransportError | StopAsyncIteration) -> None:
        self._end = end
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
