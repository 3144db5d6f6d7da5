"""A server's connection that answers endpoints itself and leaves every other path to an ASGI application.

It is uvicorn's connection, which speaks HTTP/1.1, keeps connections, and drains them at the end, and three things more:

* a request for an endpoint is collected, answered by one task, and written with one call;
* a head must arrive in time and may not grow without end; neither does uvicorn see to;
* a body that comes with its head needs no timer; only one that comes later is waited for.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from http import HTTPStatus
from typing import Any, cast
from urllib.parse import unquote

from typing_extensions import override
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from federation.serving.endpoint import Arrived, Endpoint, Fault, Reply, WhenLeft
from federation.serving.limits import ClientLimits

_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_NOTHING_MORE = b"content-length: 0\r\nconnection: close\r\n\r\n"
_log = logging.getLogger("crocevia.serving")


Admits = Callable[[Any], "str | None"]
"""From a client's certificate, in the form of `getpeercert`, to its party; None when it is nobody's who may come in."""


class _Exchange:
    """One request for an endpoint and its answer; the attributes that uvicorn's connection reads have its names."""

    __slots__ = ("body", "endpoint", "head", "keep_alive", "response_complete", "size", "task", "timer")

    def __init__(self, endpoint: Endpoint, head: Arrived, *, keep_alive: bool) -> None:
        self.endpoint = endpoint
        self.head = head
        self.keep_alive = keep_alive
        self.response_complete = False
        self.body: list[bytes] = []
        self.size = 0
        self.timer: asyncio.TimerHandle | None = None
        self.task: asyncio.Task[Reply] | None = None

    def arrived(self) -> Arrived:
        head = self.head
        body = self.body[0] if len(self.body) == 1 else b"".join(self.body)
        return Arrived(head.method, head.path, head.query_string, head.headers, body, head.peer)

    def stop_timer(self) -> None:
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None


class Connection(HttpToolsProtocol):
    """One client's connection; `endpoints` are found by the path as it is written."""

    cycle: Any
    """What is in work, or was last: uvicorn's own or an `_Exchange`; None before the first."""

    def __init__(
        self,
        *arguments: Any,
        endpoints: Mapping[bytes, Endpoint],
        limits: ClientLimits,
        admits: Admits | None = None,
        **named: Any,
    ) -> None:
        """Begin before the client has said anything; with `admits`, the channel is mutual TLS."""
        super().__init__(*arguments, **named)
        self._endpoints = endpoints
        self._limits = limits
        self._admits = admits
        self._certificate: Any = None
        self._direct: _Exchange | None = None
        self._head_timer: asyncio.TimerHandle | None = None
        self._idle_timer: asyncio.TimerHandle | None = None
        self._idle_since = 0.0
        self._head_bytes = 0
        self._in_head = True

    # the head: uvicorn waits for it for ever

    @override
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        super().connection_made(transport)
        if self._admits is not None:
            self._certificate = transport.get_extra_info("peercert")
        self._head_timer = self.loop.call_later(self._limits.head_seconds, self._give_up)

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_head_timer()
        if self._idle_timer is not None:
            self._idle_timer.cancel()
        direct, self._direct = self._direct, None
        if isinstance(self.cycle, _Exchange):
            self.cycle = None  # nothing is left for uvicorn to end
        if direct is not None:
            direct.stop_timer()
            if direct.task is not None and direct.endpoint.when_left is WhenLeft.CANCEL:
                direct.task.cancel()
        super().connection_lost(exc)

    @override
    def data_received(self, data: bytes) -> None:
        if self._in_head:
            self._head_bytes += len(data)
            most = self._limits.head
            if self._head_bytes > most and b"\r\n\r\n" not in data[:most]:
                self.transport.write(STATUS_LINE[HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE] + _NOTHING_MORE)
                self._give_up()
                return
        super().data_received(data)
        if self._in_head and self._head_timer is None and self._head_bytes:
            self._head_timer = self.loop.call_later(self._limits.head_seconds, self._give_up)
        direct = self._direct
        if direct is not None and direct.task is None and direct.timer is None:
            direct.timer = self.loop.call_later(self._limits.body_seconds, self._refuse, direct, Fault.TOO_SLOW)

    def _stop_head_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _give_up(self) -> None:
        if not self.transport.is_closing():
            self.transport.close()

    def _look_if_idle(self) -> None:
        """End a connection on which nothing came for long; one timer looks again and again, whatever is answered."""
        self._idle_timer = None
        if self.transport.is_closing() or self._direct is not None or self._idle_since == 0.0:
            return
        left = self._idle_since + self.timeout_keep_alive - self.loop.time()
        if left <= 0:
            self._give_up()
        else:
            self._idle_timer = self.loop.call_later(left, self._look_if_idle)

    # called by the parser

    @override
    def on_message_begin(self) -> None:
        self.url = b""
        self.expect_100_continue = False
        self.headers = []
        self._idle_since = 0.0

    def _leave_to_the_application(self) -> None:
        """Have uvicorn go on with a head that is read."""
        read = self.url, self.expect_100_continue, self.headers
        super().on_message_begin()
        self.url, self.expect_100_continue, self.headers = read
        self.scope["headers"] = self.headers
        super().on_headers_complete()

    @override
    def on_headers_complete(self) -> None:
        self._in_head = False
        if self._head_timer is not None:
            self._stop_head_timer()
        peer = None
        if self._admits is not None:
            peer = self._admits(self._certificate)
            if peer is None:  # asked for every request: who leaves the federation keeps no open channel
                self.transport.abort()
                return
        path, _, query = self.url.partition(b"?")
        endpoint = self._endpoints.get(path)
        idle = self.cycle is None or self.cycle.response_complete
        if endpoint is None or not idle:
            self._leave_to_the_application()
            return
        method = self.parser.get_method().decode("ascii")
        if not endpoint.takes(method, self.headers):
            self._leave_to_the_application()
            return
        head = Arrived(method, unquote(path.decode("ascii")), query, self.headers, b"", peer)
        keep_alive = self.parser.get_http_version() != "1.0" and self.parser.should_keep_alive()
        direct = _Exchange(endpoint, head, keep_alive=keep_alive)
        self._direct = direct
        self.cycle = direct
        if self.expect_100_continue:
            self.transport.write(_CONTINUE)

    @override
    def on_body(self, body: bytes) -> None:
        direct = self._direct
        if direct is None or self.cycle is not direct:
            super().on_body(body)
            return
        if direct.response_complete:
            return
        direct.size += len(body)
        if direct.size > direct.endpoint.limit:
            self._refuse(direct, Fault.TOO_LONG)
            return
        direct.body.append(body)

    @override
    def on_message_complete(self) -> None:
        self._in_head, self._head_bytes = True, 0
        direct = self._direct
        if direct is None or self.cycle is not direct:
            super().on_message_complete()
            return
        if direct.response_complete:
            return
        direct.stop_timer()
        if len(self.tasks) >= self._limits.in_work:
            self._write(direct, direct.endpoint.refuse(direct.head, Fault.BUSY))
            return
        task = self.loop.create_task(direct.endpoint.answer(direct.arrived()))
        direct.task = task
        self.tasks.add(task)  # type: ignore[arg-type]  # uvicorn only counts and cancels them
        task.add_done_callback(partial(self._answered, direct))

    # answering

    def _answered(self, direct: _Exchange, task: asyncio.Task[Reply]) -> None:
        self.tasks.discard(task)
        if direct is not self._direct:
            if not task.cancelled() and (error := task.exception()) is not None:
                _log.error("an endpoint failed", exc_info=error)
            return  # the client has left
        if task.cancelled():
            self._give_up()
            return
        error = task.exception()
        if error is not None:  # endpoints do not raise: the last line before a client that must learn nothing from it
            _log.error("an endpoint failed", exc_info=error)
            direct.keep_alive = False
            self._write(direct, Reply(500, (), b""))
            return
        self._write(direct, task.result())

    def _refuse(self, direct: _Exchange, fault: Fault) -> None:
        """Answer a request that never became whole; the rest of it is not read, so the connection ends."""
        direct.keep_alive = False
        self._write(direct, direct.endpoint.refuse(direct.head, fault))

    def _write(self, direct: _Exchange, reply: Reply) -> None:
        direct.stop_timer()
        direct.response_complete = True
        self._direct = None
        parts = [STATUS_LINE[reply.status]]
        for name, value in (*self.server_state.default_headers, *reply.headers):
            parts += (name, b": ", value, b"\r\n")
        end = b"\r\n\r\n" if direct.keep_alive else b"\r\nconnection: close\r\n\r\n"
        parts += (b"content-length: %d" % len(reply.body), end, reply.body)
        self.transport.write(b"".join(parts))
        if not direct.keep_alive:
            self._give_up()
        if self.pipeline:
            self.on_response_complete()
            return
        self.server_state.total_requests += 1
        self._idle_since = self.loop.time()
        if self._idle_timer is None:
            self._idle_timer = self.loop.call_later(self.timeout_keep_alive, self._look_if_idle)


def answering(
    endpoints: Iterable[Endpoint], admits: Admits | None = None, limits: ClientLimits | None = None
) -> type[asyncio.Protocol]:
    """Return what makes connections that answer these endpoints: uvicorn's setting `http`."""
    known = {endpoint.path.encode(): endpoint for endpoint in endpoints}
    made = partial(Connection, endpoints=known, admits=admits, limits=limits or ClientLimits())
    return cast("type[asyncio.Protocol]", made)
