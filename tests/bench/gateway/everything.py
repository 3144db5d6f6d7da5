"""The gateway with everything on beside peers that do none of it: `python tests/bench/gateway/everything.py`.

Ours verifies token, proof of possession and the consumer's signature, holds the question against the agreement, signs
every fetch, verifies every answer, and has the request in its ledger, synced, before it answers. The peers do plain
federation of the same data. The classic query; otherwise as `run.py`. Requests are signed before the clock starts.
After the ratios comes the share of each stage of one request (`private_stages.py`).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import secrets
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import uvloop

sys.path.insert(0, str(Path(__file__).parents[3]))

from federation.contract.clock import SystemClock  # found through the line above
from federation.execution.transport.client import HttpClient
from federation.execution.transport.limits import TransportLimits
from federation.execution.transport.message import Endpoint, Headers
from federation.trust.http_messages import HttpRequest
from federation.trust.http_signatures import sign_request
from federation.trust.keys import SigningKey
from federation.trust.tokens import dpop_proof, make_dpop
from tests.bench.gateway.private import CONSUMER, Setting
from tests.bench.gateway.run import (
    HERE,
    Figures,
    Gateway,
    cpu_seconds,
    measure,
    median,
    memory_mb,
    print_stages,
    report,
)
from tests.bench.gateway.workload import Workload, classic

OURS = "ours+all"


class Everything:
    """Our gateway with everything on, and the consumer who asks it."""

    def __init__(self, setting: Setting) -> None:
        """Start gateway and signing subgraphs."""
        self._setting = setting
        arguments = [str(setting.folder), str(setting.port), str(setting.subgraph_port)]
        self._processes = [
            subprocess.Popen([sys.executable, str(HERE / script), *arguments], start_new_session=True)
            for script in ("private_subgraphs.py", "private_gateway.py")
        ]
        self._key: SigningKey = setting.key(CONSUMER)
        self._body = json.dumps({"query": setting.work.query}).encode()
        self._endpoint = Endpoint.parse(setting.url + "/graphql")

    @property
    def pid(self) -> int:
        """The gateway's process id."""
        return self._processes[1].pid

    def stop(self) -> None:
        """End both processes."""
        for process in self._processes:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(15)

    def signed(self, count: int) -> list[Headers]:
        """Return the headers of that many requests."""
        token = self._setting.token()
        return [self._sign(token) for _ in range(count)]

    def _sign(self, token: str) -> Headers:
        clock, target = SystemClock(), self._setting.url + "/graphql"
        headers = {"content-type": "application/json", "authorization": f"DPoP {token}"}
        request = HttpRequest("POST", target, headers, self._body)
        proof = make_dpop(dpop_proof("POST", target, secrets.token_urlsafe(18), clock, token), self._key)
        signature = sign_request(request, self._key, clock, secrets.token_urlsafe(18))
        sent = {**headers, **signature, "dpop": proof, "accept": "application/json"}
        return [(name.encode(), value.encode()) for name, value in sent.items()]

    async def ready(self) -> None:
        """Wait until the gateway answers, and insist that it answers right."""
        client = HttpClient(TransportLimits())
        for _ in range(80):
            try:
                answer = json.loads(await self._ask(client, self.signed(1)[0]))
            except Exception:  # noqa: BLE001  # whatever a starting server does
                await asyncio.sleep(0.25)
                continue
            if answer.get("data") != self._setting.work.expected or answer.get("errors"):
                raise RuntimeError(f"wrong answer: {json.dumps(answer)[:600]}")
            client.close()
            return
        raise RuntimeError("never ready")

    async def measure(self, connections: int, seconds: float) -> Figures:
        """Measure one turn."""
        await self.ready()
        start = time.perf_counter()
        await self._load(self.signed(40 + connections), connections)
        rate = (40 + connections) / (time.perf_counter() - start)
        requests = self.signed(int(rate * seconds) + connections)
        before, start = cpu_seconds(self.pid), time.perf_counter()
        latencies = sorted(await self._load(requests, connections))
        spent, taken = cpu_seconds(self.pid) - before, time.perf_counter() - start
        return Figures(
            cpu=1000 * spent / len(latencies),
            rate=len(latencies) / taken,
            p50=1000 * latencies[len(latencies) // 2],
            p99=1000 * latencies[int(len(latencies) * 0.99)],
            memory=memory_mb(self.pid),
        )

    async def _load(self, requests: list[Headers], connections: int) -> list[float]:
        client = HttpClient(TransportLimits(connections=256))
        latencies: list[float] = []
        waiting = iter(requests)

        async def one() -> None:
            for headers in waiting:
                start = time.perf_counter()
                answer = await self._ask(client, headers)
                latencies.append(time.perf_counter() - start)
                if b'"errors":[' in answer:
                    raise RuntimeError(f"an answer under load has errors: {answer[:300]!r}")

        await asyncio.gather(*(one() for _ in range(connections)))
        client.close()
        return latencies

    async def _ask(self, client: HttpClient, headers: Headers) -> bytes:
        deadline = asyncio.get_running_loop().time() + 30
        answer = await client.post(self._endpoint, headers, self._body, deadline, repeatable=False)
        return answer.body


async def compare(work: Workload, folder: Path, arguments: argparse.Namespace) -> None:
    """Measure ours and the peers, turn by turn, and print the tables."""
    setting = Setting(folder / "private", work, arguments.port + 10, arguments.port + 11)
    setting.found()
    supergraph = folder / "supergraph.graphql"
    supergraph.write_text(work.sdl(arguments.port))
    names = ["ours", *arguments.peers]
    gateways = [
        Gateway(name, work, supergraph, arguments.port + 1 + index, arguments.port) for index, name in enumerate(names)
    ]
    ours = Everything(setting)
    try:
        await ours.measure(8, arguments.seconds)
        for gateway in gateways:
            await measure(gateway, work, 8, arguments.seconds)
        for connections in arguments.connections:
            found: dict[str, list[Figures]] = {name: [] for name in (OURS, *names)}
            for _ in range(arguments.turns):
                found[OURS].append(await ours.measure(connections, arguments.seconds))
                for gateway in gateways:
                    found[gateway.name].append(await measure(gateway, work, connections, arguments.seconds))
            middle = {name: median(figures) for name, figures in found.items()}
            report(work, connections, middle, base=OURS)
    finally:
        ours.stop()
        for gateway in gateways:
            gateway.stop()


def main(arguments: argparse.Namespace) -> None:
    """Start the peers' subgraphs, compare, stop them."""
    subgraphs = subprocess.Popen([sys.executable, str(HERE / "subgraphs.py"), str(arguments.port)])
    try:
        with tempfile.TemporaryDirectory() as folder:
            uvloop.run(compare(classic(), Path(folder), arguments))
    finally:
        subgraphs.terminate()
    print_stages("private_stages.py")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peers", nargs="*", default=["apollo", "hive"])
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--connections", type=int, nargs="*", default=[1, 16, 64])
    parser.add_argument("--port", type=int, default=4800)
    main(parser.parse_args())
