"""A head that was read before changes nothing of an answer."""

from __future__ import annotations

import pytest

from federation.execution.transport.heads import KnownHeads
from federation.execution.transport.limits import TransportLimits
from federation.execution.transport.reader import AnswerReader

ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nabcd"


def read(content: bytes, heads: KnownHeads) -> tuple[bool, bool]:
    reader = AnswerReader(TransportLimits(), None, heads)
    reader.feed(content)
    return reader.complete, reader.may_continue()


@pytest.mark.parametrize("behind", [b"\r", b"\n", b"\r\n", b"x"])
def test_a_connection_ends_on_which_something_stands_behind_an_answer(behind: bytes) -> None:
    known = KnownHeads()
    assert read(ANSWER, known) == (True, True)
    assert read(ANSWER + behind, KnownHeads()) == read(ANSWER + behind, known) == (True, False)


def test_a_signed_head_is_not_kept_for_it_never_comes_again() -> None:
    known = KnownHeads()
    signed = ANSWER.replace(b"content-length", b"Signature: sig1=:AAAA:\r\ncontent-length")
    assert read(signed, known) == (True, True)
    assert not known._known
    assert read(ANSWER, known) == (True, True)
    assert len(known._known) == 1
