"""Compares data planes: `python tests/bench/node/run.py [--citizens 100000] [--seconds 4] [--peers postgraphile]`.

A hundred residents of a hundred thousand, each with an address and three cases, about 45 kB of JSON, over HTTP. Ours
has its policy on: one row predicate, one mask, one denied field; the peers have none, and PostGraphile lists everybody.
`recorded` is ours with signatures verified and made and every answer in a durable ledger (recorded.py).
Every server runs alone on its database, in turns. CPU is user and system time per answered request, of the server's
process tree and, apart from it, of PostgreSQL's. PostGraphile is measured where CROCEVIA_PEERS names
a folder that has it:

    mkdir peers && cd peers && npm init -y && npm install postgraphile@5
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any, Final

import uvloop

sys.path.insert(0, str(Path(__file__).parents[3]))

from federation.execution.transport.client import HttpClient  # found through the line above
from federation.execution.transport.limits import TransportLimits
from federation.execution.transport.message import Endpoint
from tests.bench.gateway.run import ask, cpu_seconds, load, memory_mb
from tests.bench.node.register import CASES, fill_postgres, fill_sqlite
from tests.support.postgres import running_server

HERE: Final = Path(__file__).parent
FIRST: Final = 100
_NODE_FIELDS: Final = "id givenName familyName dateOfBirth sex"
_OURS: Final = f"""{{ citizens(first: {FIRST}) {{ edges {{ node {{ {_NODE_FIELDS} taxCode
  address {{ street number postCode town }} cases {{ id title status openedOn }} }} }} }} }}"""
_STRAWBERRY: Final = f"""{{ citizens(first: {FIRST}) {{ {_NODE_FIELDS}
  address {{ street number postCode town }} cases {{ id title status openedOn }} }} }}"""
_POSTGRAPHILE: Final = f"""{{ allCitizens(first: {FIRST}) {{ nodes {{
  pid givenName familyName born sex addressByCitizenId {{ street number postCode town }}
  serviceCasesByCitizenId {{ nodes {{ rowId title status opened }} }} }} }} }}"""
_POSTGRAPHILE_SERVER: Final = """
import { createServer } from 'node:http';
import { grafserv } from 'postgraphile/grafserv/node';
import { postgraphile } from 'postgraphile';
import { PostGraphileAmberPreset } from 'postgraphile/presets/amber';
import { makePgService } from 'postgraphile/adaptors/pg';
const [connectionString, port] = process.argv.slice(2);
const preset = {
  extends: [PostGraphileAmberPreset],
  grafserv: { graphiql: false, watch: false, graphqlPath: '/graphql' },
  grafast: { explain: false },
  pgServices: [makePgService({ connectionString, schemas: ['public'] })],
};
const server = createServer();
const serv = postgraphile(preset).createServ(grafserv);
await serv.addTo(server);
server.listen(Number(port), '127.0.0.1');
"""


@dataclass(frozen=True, slots=True)
class Peer:
    """A server: how it is started, what it is asked, and where the citizens stand in its answer."""

    name: str
    command: list[str]
    port: int
    query: str
    citizens: Callable[[Any], list[Any]]
    uses_postgres: bool

    @property
    def body(self) -> bytes:
        """The request's body."""
        return json.dumps({"query": self.query}).encode()

    def check(self, data: Any) -> None:
        """Insist that an answer has what was asked."""
        found = self.citizens(data)
        text = json.dumps(found)
        if len(found) != FIRST or text.count('"title"') != FIRST * CASES or text.count('"street"') != FIRST:
            raise RuntimeError(f"{self.name} gives another answer: {text[:300]}")


@dataclass(frozen=True, slots=True)
class Figures:
    """One turn: ms of CPU per request of the server and of PostgreSQL, requests per second, latencies, MB."""

    app: float
    database: float
    rate: float
    p50: float
    p99: float
    memory: float


@contextmanager
def running(peer: Peer) -> Iterator[int]:
    """Start a peer's server, give its process id, stop it."""
    environment = {**os.environ, "NODE_ENV": "production", "GRAPHILE_ENV": "production"}
    process = subprocess.Popen(
        [*peer.command, str(peer.port)],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=None if os.environ.get("CROCEVIA_BENCH_VERBOSE") else subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield process.pid
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(10)


async def first_answer(peer: Peer, endpoint: Endpoint) -> Any:
    """Wait until a server answers; return the data."""
    client = HttpClient(TransportLimits())
    last = ""
    for _ in range(120):
        try:
            answer = json.loads(await ask(client, endpoint, peer.body))
        except Exception as error:  # noqa: BLE001  # whatever a starting server does
            last = repr(error)
            await asyncio.sleep(0.25)
            continue
        client.close()
        if not answer.get("data"):
            raise RuntimeError(f"{peer.name} does not answer: {json.dumps(answer)[:400]}")
        return answer["data"]
    raise RuntimeError(f"{peer.name} was never ready: {last}")


async def measure(peer: Peer, pid: int, postmaster: int, connections: int, seconds: float) -> Figures:
    """Measure one turn."""
    endpoint = Endpoint.parse(f"http://127.0.0.1:{peer.port}/graphql")
    client = HttpClient(TransportLimits(connections=256))
    before = cpu_seconds(pid), cpu_seconds(postmaster)
    start = perf_counter()
    latencies = sorted(await load(client, endpoint, peer.body, connections, seconds))
    taken = perf_counter() - start
    after = cpu_seconds(pid), cpu_seconds(postmaster)
    client.close()
    return Figures(
        app=1000 * (after[0] - before[0]) / len(latencies),
        database=1000 * (after[1] - before[1]) / len(latencies),
        rate=len(latencies) / taken,
        p50=1000 * latencies[len(latencies) // 2],
        p99=1000 * latencies[int(len(latencies) * 0.99)],
        memory=memory_mb(pid),
    )


def peers_on(postgres: str, sqlite: Path, names: list[str], port: int) -> list[Peer]:
    """Return ours on both databases, and the peers asked for."""
    ours = [sys.executable, str(HERE / "ours.py")]

    def edges(data: Any) -> list[Any]:
        return [edge["node"] for edge in data["citizens"]["edges"]]

    found = [
        Peer("ours, PostgreSQL", [*ours, postgres], port, _OURS, edges, uses_postgres=True),
        Peer("ours, SQLite", [*ours, f"sqlite:///{sqlite}"], port + 1, _OURS, edges, uses_postgres=False),
    ]
    signed = [sys.executable, str(HERE / "recorded.py"), postgres]
    found.append(Peer("ours, recorded", signed, port + 5, _OURS, edges, uses_postgres=True))
    if "strawberry" in names:
        command = [sys.executable, str(HERE / "strawberry_peer.py"), postgres]
        for name, words, at in (("selectinload", [], port + 2), ("dataloaders", ["dataloaders"], port + 4)):
            listed = Peer(
                name, [*command, *words], at, _STRAWBERRY, lambda data: list(data["citizens"]), uses_postgres=True
            )
            found.append(listed)
    folder = os.environ.get("CROCEVIA_PEERS")
    if "postgraphile" in names and folder and (Path(folder) / "node_modules" / "postgraphile").is_dir():
        script = Path(folder) / "bench-postgraphile.mjs"
        script.write_text(_POSTGRAPHILE_SERVER)
        command = [os.environ.get("CROCEVIA_NODE", "node"), str(script), postgres]
        found.append(
            Peer(
                "postgraphile",
                command,
                port + 3,
                _POSTGRAPHILE,
                lambda data: list(data["allCitizens"]["nodes"]),
                uses_postgres=True,
            )
        )
    return found


async def compare(peers: list[Peer], postmaster: int, arguments: argparse.Namespace) -> None:
    """Measure all servers, turn by turn, and print a table for each number of connections."""
    found: dict[tuple[str, int], list[Figures]] = {}
    for turn in range(arguments.turns + 1):
        for peer in peers:
            with running(peer) as pid:
                peer.check(await first_answer(peer, Endpoint.parse(f"http://127.0.0.1:{peer.port}/graphql")))
                await measure(peer, pid, postmaster, 8, arguments.seconds / 2)  # compilers and caches of every kind
                for connections in arguments.connections:
                    figures = await measure(peer, pid, postmaster, connections, arguments.seconds)
                    if turn:  # the first round warms the databases
                        found.setdefault((peer.name, connections), []).append(figures)
    for connections in arguments.connections:
        report(connections, {peer.name: median(found[peer.name, connections]) for peer in peers})


def median(figures: list[Figures]) -> Figures:
    """Return the turn whose CPU is in the middle."""
    return sorted(figures, key=lambda one: one.app + one.database)[len(figures) // 2]


def report(connections: int, found: dict[str, Figures]) -> None:
    """Print one table; ratios are to ours on PostgreSQL."""
    ours = next(iter(found.values()))
    print(f"\n{connections} connections")
    heads = ("app ms", "x", "db ms", "sum ms", "x", "req/s", "x", "p50", "p99", "MB")
    widths = (8, 6, 8, 8, 6, 8, 6, 8, 8, 6)
    print(f"{'server':18}" + "".join(f"{head:>{width}}" for head, width in zip(heads, widths, strict=True)))
    for name, one in found.items():
        both, of_ours = one.app + one.database, ours.app + ours.database
        print(
            f"{name:18}{one.app:8.2f}{one.app / ours.app:6.1f}{one.database:8.2f}{both:8.2f}{both / of_ours:6.1f}"
            f"{one.rate:8.0f}{one.rate / ours.rate:6.2f}{one.p50:8.1f}{one.p99:8.1f}{one.memory:6.0f}",
            flush=True,
        )


def main(arguments: argparse.Namespace) -> None:
    """Fill the registers, compare, clean up."""
    with tempfile.TemporaryDirectory() as folder, running_server(Path(folder) / "pg") as server:
        fill_postgres(server.url, arguments.citizens)
        fill_sqlite(Path(folder) / "register.db", arguments.citizens)
        postmaster = int((Path(folder) / "pg" / "postmaster.pid").read_text().split()[0])
        peers = peers_on(server.url, Path(folder) / "register.db", arguments.peers, arguments.port)
        uvloop.run(compare(peers, postmaster, arguments))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--citizens", type=int, default=100_000)
    parser.add_argument("--peers", nargs="*", default=["strawberry", "postgraphile"])
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--connections", type=int, nargs="*", default=[1, 16])
    parser.add_argument("--port", type=int, default=4810)
    main(parser.parse_args())
