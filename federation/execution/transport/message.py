"""Requests and answers as values, and where they go."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, Self
from urllib.parse import urlsplit

import msgspec

from federation.execution.transport.errors import TransportError

Headers = Sequence[tuple[bytes, bytes]]

_NAME = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(rb"[\t\x20-\x7e\x80-\xff]*")
_TARGET = re.compile(r"[!-~]*")


class Origin(msgspec.Struct, frozen=True, gc=False):
    """Where connections lead: one pool each (RFC 9110 section 4.3.1)."""

    scheme: str
    host: str
    port: int


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A member's URL, with the start of every request to it written once."""

    origin: Origin
    head: bytes

    @classmethod
    def parse(cls, url: str) -> Self:
        """Read an http or https URL without user information.

        Raises:
            ValueError: another scheme, no host, or characters that do not belong into a URL.
        """
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname or "@" in parts.netloc:
            raise ValueError("expected an http or https URL with a host and without user information")
        if not _TARGET.fullmatch(url):
            raise ValueError("expected a URL of printable ASCII characters")
        port = parts.port or (443 if parts.scheme == "https" else 80)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        head = f"POST {target} HTTP/1.1\r\nHost: {parts.netloc}\r\nAccept-Encoding: identity\r\n"
        return cls(Origin(parts.scheme, parts.hostname, port), head.encode("ascii"))

    def with_headers(self, headers: Headers) -> Self:
        """Return the endpoint with headers that every request has.

        Raises:
            ValueError: see `request`.
        """
        return type(self)(self.origin, self.head + b"".join(_line(name, value) for name, value in headers))

    def request(self, headers: Headers, body: bytes) -> bytes:
        """Return the whole message.

        Raises:
            ValueError: a header name or value could end its line (RFC 9110 section 5.5).
        """
        lines = [_line(name, value) for name, value in headers] if headers else ()
        return b"".join((self.head, *lines, b"Content-Length: %d\r\n\r\n" % len(body), body))


def _line(name: bytes, value: bytes) -> bytes:
    if not _NAME.fullmatch(name) or not _VALUE.fullmatch(value):
        raise ValueError("expected header names and values without control characters")
    return b"%b: %b\r\n" % (name, value)


class HttpAnswer(msgspec.Struct, frozen=True, gc=False):
    """A complete answer. Header names are as they came; `media_type` is lower case and without parameters."""

    status: int
    media_type: str
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes


class Outcome(Protocol):
    """What becomes of an exchange: its future's value or error."""

    def answered(self, answer: HttpAnswer) -> Any:
        """Return the future's value; what this raises becomes the future's error."""
        ...

    def failed(self, error: TransportError) -> Exception:
        """Return the future's error."""
        ...


class AsItIs:
    """The outcome of an exchange whose caller wants the answer and the fault themselves."""

    def answered(self, answer: HttpAnswer) -> HttpAnswer:
        """Return the answer."""
        return answer

    def failed(self, error: TransportError) -> TransportError:
        """Return the fault."""
        return error


class Exchange:
    """One request on its way: what to send, until when, and the future that waits.

    `repeatable` requests may be sent a second time when a kept connection turns out to be dead. With a `sink`, the body
    of a 2xx event stream goes there piece by piece (b"" at its end) instead of into the answer, which then comes early.
    """

    __slots__ = ("abandon", "deadline", "future", "outcome", "repeatable", "resent", "sink", "unwatch", "wire")

    def __init__(
        self,
        wire: bytes,
        deadline: float,
        future: asyncio.Future[Any],
        outcome: Outcome,
        *,
        repeatable: bool,
        sink: Callable[[bytes], None] | None = None,
    ) -> None:
        """Describe the exchange; nothing is sent yet."""
        self.wire = wire
        self.deadline = deadline
        self.future = future
        self.outcome = outcome
        self.repeatable = repeatable
        self.resent = False
        self.sink = sink
        self.unwatch: Callable[[Exchange], None] | None = None
        self.abandon: Callable[[], None] | None = None

    def may_be_resent(self) -> bool:
        """Say whether the request may be sent once more, because a kept connection was dead."""
        return self.repeatable and not self.resent and not self.future.done()

    def answer(self, answer: HttpAnswer) -> None:
        """Hand over the answer, unless nobody waits for it any more."""
        self.forget_deadline()
        if self.future.done():
            return
        try:
            value = self.outcome.answered(answer)
        except Exception as error:  # noqa: BLE001  # it belongs to whoever waits, not to the connection
            self.future.set_exception(error)
        else:
            self.future.set_result(value)

    def fail(self, error: TransportError) -> None:
        """Hand over a fault, unless nobody waits any more."""
        self.forget_deadline()
        if not self.future.done():
            self.future.set_exception(self.outcome.failed(error))

    def forget_deadline(self) -> None:
        """Be watched no more."""
        if self.unwatch is not None:
            self.unwatch(self)
            self.unwatch = None
