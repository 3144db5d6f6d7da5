"""Runs an application until a signal ends the process: its address, its event loop, its connections."""

from __future__ import annotations

import asyncio
import gc
import inspect
import signal
import socket
import ssl
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import uvicorn
import uvloop
from typing_extensions import override

from federation.contract.errors import ConfigurationError
from federation.contract.settings import host_and_port
from federation.serving.connection import Admits, answering
from federation.serving.endpoint import Endpoint
from federation.serving.limits import ClientLimits
from federation.serving.workers import run_workers

ACCEPTED_IN_A_TURN = 16
"""Connections that are let in in one turn of the event loop, however many come: a turn is long when much is in work."""
_YOUNG_OBJECTS = 20_000
"""Requests make many small objects and hardly a cycle: the collector need not look after every 700 of them."""


@dataclass(frozen=True, slots=True)
class Secured:
    """Mutual TLS: the context of the server's side, and who may come in."""

    context: ssl.SSLContext
    admits: Admits


def run_server(
    open_app: Callable[[], Any],
    listen: str,
    clients: ClientLimits,
    workers: int = 1,
    secured: Callable[[], Secured | None] = lambda: None,
) -> None:
    """Serve the application that `open_app` makes on `host:port` until a signal asks the process to end, then return.

    Nothing new is accepted after the signal; what is in work is answered first, within `clients.drain`.

    What the application opens belongs to the event loop it runs on, so it is made there, awaited where it must be, and
    only once the address is ours; `secured` is asked after it. Its endpoints are served straight from the connection.
    With several `workers` each process makes its own application, and all accept from one address.

    Raises:
        ConfigurationError: the address cannot be listened on; names it and the way out.
    """
    bound = _bound(listen)

    async def run(opened: Callable[[], None]) -> None:
        made = open_app()
        app = await made if inspect.isawaitable(made) else made
        opened()
        settle_memory()
        found = secured()
        context = None if found is None else found.context
        config = uvicorn.Config(
            app,
            http=answering(endpoints_of(app), None if found is None else found.admits, clients),
            ssl_context_factory=None if context is None else lambda _config, _default: context,
            ws="none",
            access_log=False,  # paths and addresses are not for logs
            server_header=False,
            log_level="warning",
            timeout_keep_alive=clients.idle,
            timeout_graceful_shutdown=clients.drain,
        )
        await _Server(config).serve(sockets=listening(bound))

    def work(opened: Callable[[], None]) -> None:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(run(opened))

    with bound:
        run_workers(work, workers)


class _Server(uvicorn.Server):
    """A server that has ended when a signal asked it to; uvicorn's own raises the signal again, as if it had failed."""

    @contextmanager
    @override
    def capture_signals(self) -> Iterator[None]:
        before = {number: signal.signal(number, self.handle_exit) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def listening(bound: socket.socket) -> list[socket.socket]:
    """Return sockets of one address from which an event loop may accept; the server closes them.

    libuv accepts one connection in a turn from each socket that it watches. With a single one, clients who come faster
    than turns pass wait in the kernel's queue, where nobody sees nor refuses them, and are answered long after they
    cared.
    """
    return [bound, *(bound.dup() for _ in range(1, ACCEPTED_IN_A_TURN))]


def endpoints_of(app: Any) -> Iterable[Endpoint]:
    """Return the endpoints that an application names itself, or has among its routes, as Starlette does."""
    if hasattr(app, "endpoints"):
        return list(app.endpoints)
    found = (getattr(route, "endpoint", None) for route in getattr(app, "routes", ()))
    return [each for each in found if isinstance(each, Endpoint)]


def settle_memory() -> None:
    """Tell the collector that what exists now stays: it looks at new objects only, and not too often."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG_OBJECTS, 20, 20)


def _bound(listen: str) -> socket.socket:
    """Return a socket that has the address; it begins to listen when the server starts."""
    host, port = host_and_port(listen)
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        bound = socket.socket(family, kind, protocol)
    except OSError as error:
        raise ConfigurationError(f"`listen` is `{listen}`, which is no address of this machine") from error
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(address)
    except OSError as error:
        bound.close()
        raise ConfigurationError(
            f"`{listen}` cannot be listened on ({error.strerror}); stop what does, or change `listen` in the settings"
        ) from error
    return bound
