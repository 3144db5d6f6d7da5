"""What no gateway can go below: `python floor.py WORKLOAD PORT SUBGRAPH_PORT`. Not a gateway: it understands nothing.

It sends the very bytes that a fetch needs to each subgraph, in the plan's order, waits for as many bytes as the answer
has, and writes a ready answer. What it costs is the kernel's sockets and the event loop; the rest is a gateway's own.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections import deque
from pathlib import Path

import uvloop
from typing_extensions import override

sys.path.insert(0, str(Path(__file__).parents[3]))

from tests.bench.gateway.workload import Workload, all_workloads, encoded_answers  # found through the line above

_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"


class Subgraph(asyncio.Protocol):
    """A kept connection; `ask` returns a future that is done when the whole answer has come."""

    def __init__(self, request: bytes, length: int) -> None:
        self._request = request
        self._length = length
        self._left = 0
        self._waiting: asyncio.Future[None] | None = None

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: asyncio.Transport = transport  # type: ignore[assignment]  # a stream transport

    def ask(self) -> asyncio.Future[None]:
        """Send the request."""
        self._left = self._length
        self._waiting = asyncio.get_running_loop().create_future()
        self._transport.write(self._request)
        return self._waiting

    @override
    def data_received(self, data: bytes) -> None:
        self._left -= len(data)
        if self._left <= 0 and self._waiting is not None:
            self._waiting.set_result(None)


class Client(asyncio.Protocol):
    """A client's connection: every piece that comes is a whole request."""

    def __init__(self, floor: Floor) -> None:
        self._floor = floor
        self._tasks: set[asyncio.Task[None]] = set()

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: asyncio.Transport = transport  # type: ignore[assignment]  # a stream transport

    @override
    def data_received(self, data: bytes) -> None:
        task = asyncio.get_running_loop().create_task(self._answer())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _answer(self) -> None:
        await self._floor.fetch_all()
        self._transport.write(self._floor.answer)


class Floor:
    """The workload's bytes, and the connections that are free for each subgraph."""

    def __init__(self, work: Workload, port: int) -> None:
        body = json.dumps({"data": work.expected}, separators=(",", ":")).encode()
        self.answer = _HEAD % len(body) + body
        bodies = encoded_answers([work])
        self._port = port
        self._lengths = {
            name: len(_HEAD % len(bodies[path])) + len(bodies[path])
            for name in work.subgraphs
            for path in [f"/{work.name}/{name}".encode()]
        }
        self._paths = {name: f"/{work.name}/{name}".encode() for name in work.subgraphs}
        self._first, *self._others = work.subgraphs
        self._free: dict[str, deque[Subgraph]] = {name: deque() for name in work.subgraphs}

    async def fetch_all(self) -> None:
        """Ask the first subgraph, then all others at once."""
        await self._use([await self._connection(self._first)], [self._first])
        await self._use([await self._connection(name) for name in self._others], self._others)

    async def _use(self, connections: list[Subgraph], names: list[str]) -> None:
        for pending in [connection.ask() for connection in connections]:
            await pending
        for connection, name in zip(connections, names, strict=True):
            self._free[name].append(connection)

    async def _connection(self, name: str) -> Subgraph:
        free = self._free[name]
        if free:
            return free.pop()
        body = b'{"query":"{ nothing }","variables":{}}' + b" " * 900
        head = b"POST %b HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % (self._paths[name], len(body))
        number = list(self._paths).index(name) + 1
        _, made = await asyncio.get_running_loop().create_connection(
            lambda: Subgraph(head + body, self._lengths[name]), f"127.0.1.{number}", self._port
        )
        return made


async def serve(name: str, port: int, subgraph_port: int) -> None:
    """Serve until the process is ended."""
    floor = Floor(next(work for work in all_workloads() if work.name == name), subgraph_port)
    server = await asyncio.get_running_loop().create_server(lambda: Client(floor), "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
