"""Cross-agency requests per second of the whole demo: `python tests/bench/federation/run.py [--only classic]`.

Every process of the demo runs on this machine: gateway, exchange, five nodes; each request has a token, a proof of
possession and a signature, each fetch is signed both ways, policies decide every field, and gateway, exchange and nodes
have recorded the request durably before its answer leaves. Requests are signed before the clock starts. The documented
people's answers are held against the demo's truth first, and every answer under load against the one before it.

CPU is user and system time of each process divided by the requests answered.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import uvloop

sys.path.insert(0, str(Path(__file__).parents[3]))

from federation.contract.clock import SystemClock, day_in_rome
from federation.contract.identifiers import MemberId
from federation.demo.asking import ask
from federation.demo.founding import EXCHANGE_MASTER_KEY
from federation.demo.layout import Home, Ports
from federation.demo.processes import Processes, Program
from federation.demo.running import START_SECONDS, programs
from federation.linkage.siv import SivSuite
from federation.trust.keys import read_secret
from node.demo.expectations import expected_answers
from node.demo.seed import demo_files, read_truth
from tests.bench.federation.asking import Asker, Question
from tests.bench.federation.sampled import ADDED
from tests.bench.gateway.run import cpu_seconds, memory_mb
from tests.support.demo import demo_charter, found_with_members

CLASSIC = """
query Classic($by: CitizenKey!) {
  citizen(by: $by) { id givenName familyName dateOfBirth disability { recognised percentage } enrolments { grade } }
}
"""
"""One citizen of the municipality, joined with two other agencies in parallel: the classic federated question."""
ALL_NODES = "benefit-assessment"
CITIZENS = 200


@dataclass(frozen=True, slots=True)
class Turn:
    """What one turn measured: CPU milliseconds per request by process, requests per second, latencies in ms."""

    cpu: Mapping[str, float]
    rate: float
    p50: float
    p99: float
    load: float
    """CPU milliseconds per request of the load generator itself."""
    late: int
    """Requests that a deadline cut off: partial answers, which count as answered."""


def questions(home: Home) -> Iterator[Question]:
    """Yield the benchmark's questions, each about the first citizens of the truth file whom its consumer may ask."""
    suite = SivSuite(read_secret(home.keys("exchange") / EXCHANGE_MASTER_KEY))
    people = [person for person in read_truth(home.root / "truth.ndjson") if person.civil][:CITIZENS]

    def known(consumer: str) -> tuple[str, ...]:
        return tuple(str(suite.pseudonym(MemberId(consumer), person.subject_id)) for person in people)

    def showcase(name: str) -> str:
        return (demo_files() / "queries" / f"{name}.graphql").read_text()

    yield Question("classic", "inprev", "benefit-assessment", CLASSIC, known("inprev"))
    yield Question("service-notices", "c_m999", "service-notices", showcase("service-notices"), known("c_m999"))
    yield Question(ALL_NODES, "inprev", "benefit-assessment", showcase(ALL_NODES), known("inprev"))


async def check_truth(home: Home) -> int:
    """Ask every showcase question of every documented person; return how many were right.

    Raises:
        RuntimeError: an answer is wrong.
    """
    suite = SivSuite(read_secret(home.keys("exchange") / EXCHANGE_MASTER_KEY))

    def pseudonym(member: str, subject: bytes) -> str:
        return str(suite.pseudonym(MemberId(member), subject))

    count = 0
    today = day_in_rome(SystemClock().now())
    for each in expected_answers(home.root / "truth.ndjson", demo_files() / "queries", today, pseudonym):
        asked = await ask(home, each.consumer, each.purpose, each.query, dict(each.variables))
        if faults := each.faults(asked.answer):
            raise RuntimeError(f"{each.name}: {faults}")
        count += 1
    return count


async def measure(home: Home, question: Question, pids: Mapping[str, int], connections: int, seconds: float) -> Turn:
    """Measure one turn of about `seconds`."""
    asker = Asker(home, question)
    expected = await asker.data()
    warm = await asker.signed(connections * 4)
    start = time.perf_counter()
    await asker.load(warm, connections, expected)
    count = int(len(warm) / (time.perf_counter() - start) * seconds) + connections
    requests = await asker.signed(count)
    before = {name: cpu_seconds(pid) for name, pid in pids.items()}
    own, start = time.process_time(), time.perf_counter()
    latencies, late = await asker.load(requests, connections, expected)
    latencies.sort()
    taken, own = time.perf_counter() - start, time.process_time() - own
    return Turn(
        {name: (cpu_seconds(pid) - before[name]) * 1000 / count for name, pid in pids.items()},
        count / taken,
        latencies[len(latencies) // 2] * 1000,
        latencies[int(len(latencies) * 0.99)] * 1000,
        own * 1000 / count,
        late,
    )


def report(question: Question, connections: int, turns: Sequence[Turn], pids: Mapping[str, int]) -> None:
    """Print the middle turn by rate: the whole, then each process's share."""
    turn = sorted(turns, key=lambda one: one.rate)[len(turns) // 2]
    total = sum(turn.cpu.values())
    print(
        f"\n{question.name}, {connections} connections: {turn.rate:.0f} requests/s, p50 {turn.p50:.1f} ms, "
        f"p99 {turn.p99:.1f} ms, {total:.2f} ms of CPU a request (load generator {turn.load:.2f})"
        f"{f', {turn.late} cut off by a deadline' if turn.late else ''}"
    )
    for name, spent in sorted(turn.cpu.items(), key=lambda one: -one[1]):
        print(f"  {name:12}{spent:8.2f} ms {spent / total:6.0%} {memory_mb(pids[name]):6.0f} MB", flush=True)


async def run(home: Home, pids: Mapping[str, int], arguments: argparse.Namespace) -> None:
    """Check, then measure every question in turns."""
    print(f"{await check_truth(home)} answers agree with the demo's truth")
    chosen = [each for each in questions(home) if not arguments.only or each.name in arguments.only]
    for connections in arguments.connections:
        turns: dict[str, list[Turn]] = {each.name: [] for each in chosen}
        for _ in range(arguments.turns):
            for each in chosen:
                turns[each.name].append(await measure(home, each, pids, connections, arguments.seconds))
        for each in chosen:
            report(each, connections, turns[each.name], pids)


def sampled(program: Program, folder: Path) -> Program:
    """Return a program that notes what it spends its time on (`sampled.py`)."""
    arguments = (str(folder / f"{program.name}.json"), program.module, *program.arguments)
    return replace(program, module="tests.bench.federation.sampled", arguments=arguments)


def report_stages(folder: Path) -> None:
    """Print the share of each stage in each process, and in all of them."""
    found = {path.stem: Counter(json.loads(path.read_text())) for path in sorted(folder.glob("*.json"))}
    whole: Counter[str] = sum(found.values(), Counter())
    print("\nshare of each stage in the processor time, checks included")
    print(f"{'stage':34}{'all':>7}" + "".join(f"{name:>12}" for name in found))
    for stage, count in whole.most_common():
        cells = "".join(f"{counts[stage] / max(1, counts.total()):12.0%}" for counts in found.values())
        print(f"{stage:34}{count / whole.total():7.0%}{cells}")
    added = sum(count for stage, count in whole.items() if stage in ADDED)
    times = whole.total() / max(1, whole.total() - added)
    print(f"tokens, signatures and handing to the ledger: the whole takes {times:.2f} times what is left without them")
    print("(the ledger's own thread and its syncing count as event loop, kernel, threads: as what is left)")


def main(arguments: argparse.Namespace) -> None:
    """Found a demo in a folder of its own, start it, measure, stop it."""
    with tempfile.TemporaryDirectory() as folder:
        home, ports, samples = Home(Path(folder) / "home"), Ports(arguments.port), Path(folder)
        charter = demo_charter()
        found_with_members(home, charter, ports, arguments.citizens)
        settings = home.party("gateway") / "settings.toml"
        settings.write_text("deadline = 10.0\n" + settings.read_text())  # a machine under load must not cut answers off
        environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
        with Processes(environment=environment) as processes:
            chosen = programs(home, charter, ports)
            processes.start([sampled(each, samples) for each in chosen] if arguments.stages else chosen)
            processes.wait_until_healthy(START_SECONDS)
            uvloop.run(run(home, processes.pids(), arguments))
        if arguments.stages:
            report_stages(samples)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="*", default=[])
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--connections", type=int, nargs="*", default=[16, 64])
    parser.add_argument("--citizens", type=int, default=2000)
    parser.add_argument("--port", type=int, default=8800)
    parser.add_argument("--stages", action="store_true", help="also print the share of each stage; costs a little")
    main(parser.parse_args())
