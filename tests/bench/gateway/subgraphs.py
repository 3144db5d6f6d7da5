"""A small fast server for all subgraphs of the benchmark: `python subgraphs.py PORT`. It reads nothing but the path."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import uvloop
from typing_extensions import override

sys.path.insert(0, str(Path(__file__).parents[3]))

from tests.bench.gateway.workload import all_workloads, encoded_answers  # found through the line above


class Subgraphs(asyncio.Protocol):
    """Answers every POST with the canned answer of its path; requests may come in pieces."""

    def __init__(self, answers: dict[bytes, bytes]) -> None:
        self._answers = answers
        self._buffer = b""

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: asyncio.Transport = transport  # type: ignore[assignment]  # a stream transport

    @override
    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head = self._buffer[:end].lower()
            start = head.find(b"content-length:")
            if start < 0:
                chunked_end = self._buffer.find(b"0\r\n\r\n", end)
                if chunked_end < 0:
                    return
                total = chunked_end + 5
            else:
                line_end = head.find(b"\r\n", start)
                total = end + 4 + int(head[start + 15 : line_end if line_end >= 0 else None])
            if len(self._buffer) < total:
                return
            path = self._buffer[5 : self._buffer.find(b" ", 5)]
            self._buffer = self._buffer[total:]
            self._transport.write(self._answers[path])


async def serve(port: int) -> None:
    """Serve until the process is ended."""
    answers = {
        path: b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
        for path, body in encoded_answers(all_workloads()).items()
    }
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Subgraphs(answers), "0.0.0.0", port, backlog=2048)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1])))
