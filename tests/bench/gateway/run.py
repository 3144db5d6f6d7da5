"""Compares gateways: `python tests/bench/gateway/run.py [--only classic fan32] [--peers apollo hive] [--stages]`.

Every gateway runs alone on one workload, in turns, and each answer is held against the expected one before anything is
measured. CPU is user and system time of the server's whole process tree divided by the requests answered.
`--stages` prints the share of each stage of the classic request after the ratios (`stages.py`).
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
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import uvloop

sys.path.insert(0, str(Path(__file__).parents[3]))

from federation.execution.transport.client import HttpClient  # found through the line above
from federation.execution.transport.limits import TransportLimits
from federation.execution.transport.message import Endpoint
from tests.bench.gateway import peers
from tests.bench.gateway.workload import Workload, all_workloads

HERE = Path(__file__).parent
HEADERS = ((b"Content-Type", b"application/json"), (b"Accept", b"application/json"))
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Figures:
    """What one turn measured: milliseconds of CPU per request, requests per second, latencies in ms, memory in MB."""

    cpu: float
    rate: float
    p50: float
    p99: float
    memory: float


def tree(pid: int) -> list[int]:
    """Return a process and its descendants."""
    found = [pid]
    for parent in found:
        for task in Path(f"/proc/{parent}/task").glob("*/children"):
            found += [int(child) for child in task.read_text().split()]
    return found


def cpu_seconds(pid: int) -> float:
    """Return the processor time of a process tree so far."""
    total = 0
    for one in tree(pid):
        fields = Path(f"/proc/{one}/stat").read_text().rsplit(")", 1)[1].split()
        total += int(fields[11]) + int(fields[12])
    return total / TICKS


def memory_mb(pid: int) -> float:
    """Return the proportional memory of a process tree."""
    total = 0
    for one in tree(pid):
        with suppress(OSError):  # a worker that has just ended
            for line in Path(f"/proc/{one}/smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    total += int(line.split()[1])
    return total / 1024


class Gateway:
    """A gateway process on a port."""

    def __init__(self, name: str, work: Workload, supergraph: Path, port: int, subgraph_port: int) -> None:
        """Start it."""
        self.name = name
        self.port = port
        match name:
            case "ours":
                command = [sys.executable, str(HERE / "ours.py"), str(supergraph), str(port)]
            case "floor":
                command = [sys.executable, str(HERE / "floor.py"), work.name, str(port), str(subgraph_port)]
            case _:
                command = peers.command(name, supergraph, port)
        self._process = subprocess.Popen(
            command,
            env=peers.environment(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether the process has not ended: else somebody else answers on its port."""
        return self._process.poll() is None

    def stop(self) -> None:
        """End the process and what it started."""
        with suppress(ProcessLookupError):  # it could not start, or has ended
            os.killpg(self._process.pid, signal.SIGTERM)
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)


async def ask(client: HttpClient, endpoint: Endpoint, body: bytes) -> bytes:
    """Ask once and return the body."""
    deadline = asyncio.get_running_loop().time() + 30
    answer = await client.post(endpoint, HEADERS, body, deadline, repeatable=True)
    if answer.status != 200:
        raise RuntimeError(f"status {answer.status}: {answer.body[:300]!r}")
    return answer.body


async def ready(client: HttpClient, endpoint: Endpoint, body: bytes, expected: object) -> None:
    """Wait until the gateway answers, and insist that it answers right."""
    last: Exception | None = None
    for _ in range(240):
        try:
            answer = json.loads(await ask(client, endpoint, body))
        except Exception as error:  # noqa: BLE001  # whatever a starting server does
            last = error
            await asyncio.sleep(0.25)
            continue
        if answer.get("data") != expected or answer.get("errors"):
            raise RuntimeError(f"wrong answer: {json.dumps(answer)[:400]}")
        return
    raise RuntimeError(f"never ready: {last}")


async def load(client: HttpClient, endpoint: Endpoint, body: bytes, connections: int, seconds: float) -> list[float]:
    """Ask without pause on some connections; return every latency in seconds."""
    latencies: list[float] = []
    end = time.perf_counter() + seconds

    size = len(await ask(client, endpoint, body))

    async def one() -> None:
        while (start := time.perf_counter()) < end:
            # A receipt grows with the ledger that it is of.
            if abs(len(await ask(client, endpoint, body)) - size) > size // 20:
                raise RuntimeError("an answer differs from the first")
            latencies.append(time.perf_counter() - start)

    await asyncio.gather(*(one() for _ in range(connections)))
    return latencies


async def measure(gateway: Gateway, work: Workload, connections: int, seconds: float) -> Figures:
    """Measure one turn."""
    client = HttpClient(TransportLimits(connections=256))
    endpoint = Endpoint.parse(
        f"http://127.0.0.1:{gateway.port}/graphql" if gateway.name != "apollo" else f"http://127.0.0.1:{gateway.port}/"
    )
    body = json.dumps({"query": work.query}).encode()
    if not gateway.running:
        raise RuntimeError(f"`{gateway.name}` did not start on port {gateway.port}; is it in use?")
    await ready(client, endpoint, body, work.expected)
    before, start = cpu_seconds(gateway.pid), time.perf_counter()
    latencies = sorted(await load(client, endpoint, body, connections, seconds))
    spent, taken = cpu_seconds(gateway.pid) - before, time.perf_counter() - start
    client.close()
    return Figures(
        cpu=1000 * spent / len(latencies),
        rate=len(latencies) / taken,
        p50=1000 * latencies[len(latencies) // 2],
        p99=1000 * latencies[int(len(latencies) * 0.99)],
        memory=memory_mb(gateway.pid),
    )


async def compare(
    work: Workload, names: list[str], subgraph_port: int, seconds: float, turns: int, at: list[int]
) -> None:
    """Measure all gateways on one workload, turn by turn, and print the table."""
    with tempfile.TemporaryDirectory() as folder:
        supergraph = Path(folder) / "supergraph.graphql"
        supergraph.write_text(work.sdl(subgraph_port))
        gateways = [
            Gateway(name, work, supergraph, subgraph_port + 1 + index, subgraph_port)
            for index, name in enumerate(names)
        ]
        try:
            for gateway in gateways:  # warm: compilers and caches of every kind
                await measure(gateway, work, 8, seconds)
            for connections in at:
                found: dict[str, list[Figures]] = {name: [] for name in names}
                for _ in range(turns):
                    for gateway in gateways:
                        found[gateway.name].append(await measure(gateway, work, connections, seconds))
                report(work, connections, {name: median(figures) for name, figures in found.items()})
        finally:
            for gateway in gateways:
                gateway.stop()


def median(figures: list[Figures]) -> Figures:
    """Return the turn whose CPU is in the middle."""
    return sorted(figures, key=lambda one: one.cpu)[len(figures) // 2]


def report(work: Workload, connections: int, found: dict[str, Figures], base: str = "ours") -> None:
    """Print one table with the ratios to one of them, ours."""
    print(f"\n{work.name}, {connections} connections")
    print(f"{'gateway':10}{'CPU ms':>9}{'x':>7}{'req/s':>9}{'p50 ms':>9}{'x':>7}{'p99 ms':>9}{'MB':>8}{'x':>6}")
    ours = found.get(base) or next(iter(found.values()))
    for name, one in found.items():
        print(
            f"{name:10}{one.cpu:9.3f}{one.cpu / ours.cpu:7.1f}{one.rate:9.0f}{one.p50:9.2f}{one.p50 / ours.p50:7.1f}"
            f"{one.p99:9.2f}{one.memory:8.0f}{one.memory / ours.memory:6.1f}",
            flush=True,
        )


def print_stages(script: str) -> None:
    """Print where the time of one request goes: in a process of its own, while nothing else is measured."""
    print(f"\nthe share of each stage of the classic request, us of CPU without sockets ({script})", flush=True)
    subprocess.run([sys.executable, str(HERE / script)], check=True)


async def compare_all(arguments: argparse.Namespace) -> None:
    """Compare on every workload chosen; the subgraphs run already."""
    for work in all_workloads():
        if not arguments.only or work.name in arguments.only:
            names = ["ours", *arguments.peers]
            await compare(work, names, arguments.port, arguments.seconds, arguments.turns, arguments.connections)


def main(arguments: argparse.Namespace) -> None:
    """Start the subgraphs, compare, stop them."""
    subgraphs = subprocess.Popen([sys.executable, str(HERE / "subgraphs.py"), str(arguments.port)])
    try:
        uvloop.run(compare_all(arguments))
    finally:
        subgraphs.terminate()
    if arguments.stages:
        print_stages("stages.py")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="*", default=[])
    parser.add_argument("--peers", nargs="*", default=["floor", "apollo", "hive"])
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--connections", type=int, nargs="*", default=[1, 16, 64])
    parser.add_argument("--port", type=int, default=4700)
    parser.add_argument("--stages", action="store_true")
    main(parser.parse_args())
