"""One connection to one origin: one request at a time, and one answer to each.

Bytes that no request asked for end the connection, and so does anything after an answer. An answer without a length
ends with the connection; one that ends before its length is lost.
"""

from __future__ import annotations

import asyncio
from typing import Protocol

from typing_extensions import override

from federation.execution.transport.errors import BadMessageError, LostError, TransportError
from federation.execution.transport.heads import KnownHeads
from federation.execution.transport.limits import TransportLimits
from federation.execution.transport.message import Exchange
from federation.execution.transport.reader import AnswerReader


class Owner(Protocol):
    """Who gets a connection back."""

    def released(self, connection: Connection) -> None:
        """Take back a connection that may be used again."""
        ...

    def lost(self, connection: Connection, unanswered: Exchange | None) -> None:
        """Forget a connection; `unanswered` may be sent again on another one."""
        ...


class Connection(asyncio.Protocol):
    """Speaks HTTP/1.1 as a client. `idle_since` is set by the owner."""

    def __init__(self, owner: Owner, limits: TransportLimits, heads: KnownHeads) -> None:
        """Belong to a pool."""
        self.idle_since = 0.0
        self._owner = owner
        self._limits = limits
        self._heads = heads
        self._transport: asyncio.Transport | None = None
        self._exchange: Exchange | None = None
        self._reader: AnswerReader | None = None
        self._answered = False
        self._gone = False

    @property
    def usable(self) -> bool:
        """Whether another request may be sent."""
        return self._transport is not None and not self._gone and not self._transport.is_closing()

    def start(self, exchange: Exchange) -> None:
        """Send a request; the connection is busy until it is released or lost."""
        self._exchange = exchange
        self._reader = AnswerReader(self._limits, exchange.sink, self._heads)
        exchange.abandon = self.abort
        if self._transport is not None:
            self._transport.write(exchange.wire)

    def abort(self) -> None:
        """End the connection now."""
        if self._transport is not None:
            self._transport.abort()

    def close(self) -> None:
        """End the connection in good order."""
        if self._transport is not None:
            self._transport.close()

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]  # a stream protocol is given a stream transport

    @override
    def data_received(self, data: bytes) -> None:
        exchange, reader = self._exchange, self._reader
        if exchange is None or reader is None:
            self.abort()
            return
        try:
            reader.feed(data)
        except BadMessageError as error:
            self._exchange = None
            _fail(exchange, error)
            self.abort()
            return
        if reader.streaming and not exchange.future.done():
            exchange.answer(reader.answer())
        if reader.complete:
            self._exchange = None
            # Given back before the answer is: what the caller asks next may use this very connection.
            self._answered = True
            if reader.may_continue() and self.usable:
                self._owner.released(self)
            else:
                self.abort()
            _succeed(exchange, reader)

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._gone = True
        exchange, reader, self._exchange = self._exchange, self._reader, None
        if exchange is None or reader is None:
            self._owner.lost(self, None)
        elif exc is None and reader.ends_with_connection():
            self._owner.lost(self, None)
            _succeed(exchange, reader)
        elif self._answered and not reader.begun and exchange.may_be_resent():
            self._owner.lost(self, exchange)
        else:
            self._owner.lost(self, None)
            _fail(exchange, LostError("the connection ended before the answer did"))


def _succeed(exchange: Exchange, reader: AnswerReader) -> None:
    exchange.abandon = None
    if reader.streaming and exchange.sink is not None:
        exchange.forget_deadline()
        exchange.sink(b"")
    else:
        exchange.answer(reader.answer())


def _fail(exchange: Exchange, error: TransportError) -> None:
    exchange.abandon = None
    if exchange.sink is not None and exchange.future.done():
        exchange.forget_deadline()
        exchange.sink(b"")
    exchange.fail(error)
