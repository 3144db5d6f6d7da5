"""Reads one HTTP answer from bytes, counting everything; no socket needed.

The rules, beside those of RFC 9112 that the parser keeps:

* an answer with both Content-Length and Transfer-Encoding, with two content types, or with any Content-Encoding is
  refused: nothing is unpacked;
* at most 8 interim (1xx) answers come before the real one, and none may switch protocols;
* head, number of headers and body have limits;
* bytes after the answer are noticed, so that the connection is not used again;
* a head that was read before is not parsed again (`heads.py`).
"""

from __future__ import annotations

from collections.abc import Callable

import httptools

from federation.execution.transport.errors import BadMessageError
from federation.execution.transport.heads import END, Head, KnownHeads
from federation.execution.transport.limits import TransportLimits
from federation.execution.transport.message import HttpAnswer

MOST_INTERIM_ANSWERS = 8
EVENT_STREAM = "text/event-stream"

_FIRST_FINAL, _FIRST_REDIRECTION = 200, 300
_DECISIVE = frozenset({b"content-type", b"content-length", b"transfer-encoding", b"content-encoding"})
_BODILESS = frozenset({204, 304})


class AnswerReader:
    """Takes the bytes of one answer; `complete` and then `answer()`, or `BadMessageError`.

    With a `sink`, the body of a 2xx event stream goes there in pieces; `streaming` then turns true at the head's end.
    """

    # How every answer begins: these stand at the class, because most answers change few of them.
    begun = False
    complete = False
    streaming = False
    surplus = False
    _known: Head | None = None
    _parser: httptools.HttpResponseParser | None = None
    _first = b""
    _fed = 0
    _media_type = ""
    _status = 0
    _head_size = 0
    _size = 0
    _interim = 0
    _length_known = False
    _chunked = False
    _until_close = False
    _keep = False
    _fault = ""

    def __init__(self, limits: TransportLimits, sink: Callable[[bytes], None] | None, heads: KnownHeads) -> None:
        """Begin before the first byte; heads that are known already are not parsed again."""
        self._limits = limits
        self._sink = sink
        self._heads = heads
        self._headers: list[tuple[bytes, bytes]] = []
        self._body: list[bytes] = []

    def feed(self, data: bytes) -> None:
        """Read the next bytes.

        Raises:
            BadMessageError: the answer is refused; nothing more may be fed.
        """
        if self._known is not None:
            self._count(self._known, data)
            return
        if not self.begun:
            self.begun = True
            self._first = data
            if self._sink is None and (found := self._heads.of(data)) is not None:
                self._known, body_begins = found
                self._status = self._known.status
                self._count(self._known, data[body_begins:])
                return
        self._parse(data)

    def _count(self, known: Head, body: bytes) -> None:
        """Take a piece of a body whose length is known; the length was within the limit when the head was kept."""
        left = known.length - self._size
        if len(body) > left:
            self.surplus = True
            body = body[:left]
        self._size += len(body)
        self._body.append(body)
        if len(body) == left:
            self.complete = True
            self._keep = known.keep

    def _parse(self, data: bytes) -> None:
        parser = self._parser
        if parser is None:
            parser = self._parser = httptools.HttpResponseParser(self)
        self._fed += len(data)
        if not self._status:
            # The parser keeps an unfinished header to itself, so what it was given is counted here as well.
            self._head_size += len(data)
            if self._head_size > self._limits.head and b"\r\n\r\n" not in data[: self._limits.head]:
                raise BadMessageError("the head of the answer is too long")
        try:
            parser.feed_data(data)
        except httptools.HttpParserUpgrade as error:
            raise BadMessageError("the answer switches protocols") from error
        except httptools.HttpParserError as error:
            if not self.complete:
                raise BadMessageError("the answer is not HTTP") from error
            self.surplus = True
        if self._fault:
            raise BadMessageError(self._fault)
        if self.complete and not self._interim:
            # The parser passes over line breaks behind an answer; with a known head nobody would.
            end = self._first.find(END)
            self.surplus |= self._length_known and end >= 0 and self._fed > end + len(END) + self._size
            if not self.surplus:
                self._keep_head()

    def _keep_head(self) -> None:
        """Remember the head if all that was fed is this one answer, and its length was given."""
        body_begins = self._fed - self._size
        if self._length_known and not self.streaming and self._first.find(END) + len(END) == body_begins:
            head = Head(self._status, self._media_type, tuple(self._headers), self._size, self._keep)
            self._heads.keep(self._first[:body_begins], head)

    def ends_with_connection(self) -> bool:
        """Say whether the end of the connection is the end of this answer (RFC 9112 section 6.3, rule 8)."""
        return bool(self._status) and self._until_close

    def may_continue(self) -> bool:
        """Say whether the connection may carry another request."""
        return self._keep and not self.surplus

    def answer(self) -> HttpAnswer:
        """Return the answer; its body is empty when it was streamed."""
        body = self._body[0] if len(self._body) == 1 else b"".join(self._body)
        if self._known is not None:
            return HttpAnswer(self._status, self._known.media_type, self._known.headers, body)
        return HttpAnswer(self._status, self._media_type, tuple(self._headers), body)

    # called by the parser

    def on_message_begin(self) -> None:
        """Notice a second answer."""
        if self.complete:
            self.surplus = True

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header."""
        if not self.complete:
            self._headers.append((name, value))
            if len(self._headers) > self._limits.headers:
                self._fault = "the answer has too many headers"

    def _note(self, name: bytes, value: bytes) -> None:
        """Note a header that decides how the body is read."""
        match name:
            case b"content-type":
                if self._media_type:
                    self._fault = "the answer has two content types"
                self._media_type = value.split(b";", 1)[0].strip().lower().decode("latin-1")
            case b"content-length":
                self._length_known = True
            case b"transfer-encoding":
                self._chunked = True
            case b"content-encoding" if value.strip().lower() not in {b"", b"identity"}:
                self._fault = "the answer is compressed, which was not accepted"

    def on_headers_complete(self) -> None:
        """Decide how the answer ends; interim answers (RFC 9110 section 15.2) are forgotten."""
        if self.complete:
            return
        assert self._parser is not None
        status: int = self._parser.get_status_code()
        if status < _FIRST_FINAL:
            return
        self._status = status
        for name, value in self._headers:
            if (lower := name.lower()) in _DECISIVE:
                self._note(lower, value)
        if self._chunked and self._length_known:
            self._fault = "the answer has two lengths"
        self._until_close = not (self._chunked or self._length_known or status in _BODILESS)
        event_stream = status < _FIRST_REDIRECTION and self._media_type == EVENT_STREAM
        self.streaming = event_stream and self._sink is not None and not self._fault

    def on_body(self, body: bytes) -> None:
        """Keep a piece of the body, or pass it on."""
        if self.complete or self._fault:
            return
        if self.streaming and self._sink is not None:
            self._sink(body)
            return
        self._size += len(body)
        if self._size > self._limits.body:
            self._fault = "the answer is too long"
            self._body.clear()
            return
        self._body.append(body)

    def on_message_complete(self) -> None:
        """Note that the answer is whole, unless it was an interim one."""
        if self._status:
            self.complete = True
            assert self._parser is not None
            self._keep = bool(self._parser.should_keep_alive())  # the parser knows it only now
            return
        self._interim += 1
        if self._interim > MOST_INTERIM_ANSWERS:
            self._fault = "the answer has too many interim answers"
        self._headers.clear()
