"""An HTTP server of a test's own on loopback, one thread for each connection."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

from typing_extensions import override

_POLL_SECONDS: Final = 0.01


class Quiet(BaseHTTPRequestHandler):
    """A handler that says nothing of requests; a subclass answers what is `asked`, by whatever method."""

    @override
    def handle(self) -> None:
        with suppress(ConnectionError):  # a client that goes without a word
            super().handle()

    def asked(self) -> None:
        """Answer a request."""
        raise NotImplementedError

    def _any(self) -> None:
        self.asked()

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = _any  # noqa: N815  # names of http.server

    def body(self) -> bytes:
        """Return what was sent."""
        return self.rfile.read(int(self.headers.get("content-length") or 0))

    def answer(self, status: int, content: bytes, *headers: tuple[str, str]) -> None:
        """Answer whole."""
        self.send_response(status)
        for name, value in (*headers, ("content-length", str(len(content)))):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    @override
    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@contextmanager
def serving(handler: type[Quiet]) -> Iterator[str]:
    """Serve until the context ends; yield the server's origin."""
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(_POLL_SECONDS,), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
