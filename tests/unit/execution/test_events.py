"""Server-sent events: pieces of any size, limits, ends."""

from __future__ import annotations

import asyncio

import pytest

from federation.execution.transport.errors import BadMessageError, LostError, TransportError
from federation.execution.transport.events import LONGEST_EVENT, MOST_WAITING, EventStream

WIRE = b': hello\n\nevent: next\ndata: {"a":\ndata: 1}\n\nevent: next\r\ndata: 2\r\n\r\n\n\nevent: complete\ndata:\n\n'


async def read(stream: EventStream) -> list[bytes]:
    return [event async for event in stream]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
async def test_events_are_read_from_pieces_of_any_size(size: int) -> None:
    stream = EventStream()
    for start in range(0, len(WIRE), size):
        stream.feed(WIRE[start : start + size])
    assert await read(stream) == [b'{"a":\n1}', b"2"]


async def test_a_reader_waits_for_the_next_event() -> None:
    stream = EventStream()
    reading = asyncio.ensure_future(read(stream))
    await asyncio.sleep(0)
    stream.feed(b"data: 1\n\n")
    await asyncio.sleep(0)
    stream.feed(b"event: complete\n\n")
    assert await reading == [b"1"]


BROKEN: dict[str, tuple[bytes, type[TransportError]]] = {
    "an end without `complete`": (b"data: 1\n\n", LostError),
    "an event without end": (b"data: " + b"x" * (LONGEST_EVENT + 1), BadMessageError),
    "a flood": (b"data: 1\n\n" * (MOST_WAITING + 1), BadMessageError),
}


@pytest.mark.parametrize(("wire", "error"), BROKEN.values(), ids=BROKEN.keys())
async def test_a_stream_that_breaks_says_so_after_what_was_good(wire: bytes, error: type[TransportError]) -> None:
    hung_up: list[bool] = []
    stream = EventStream()
    stream.abandon = lambda: hung_up.append(True)
    stream.feed(wire)
    stream.feed(b"")
    with pytest.raises(error):
        await read(stream)
    assert bool(hung_up) is (error is BadMessageError)


async def test_closing_ends_the_stream_and_hangs_up() -> None:
    hung_up: list[bool] = []
    stream = EventStream()
    stream.abandon = lambda: hung_up.append(True)
    stream.close()
    assert await read(stream) == []
    assert hung_up == [True]
