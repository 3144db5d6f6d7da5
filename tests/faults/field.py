"""The field of a campaign: a demo federation of real processes, partners that ask, and what they were told."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, closing, contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from typing import Any

import httpx

from federation.consumer.client import Answer, PartnerClient, Refused
from federation.contract.errors import CroceviaError
from federation.contract.receipts import Receipt
from federation.demo.layout import Home, url
from federation.demo.ledgers import place_of, verify_ledgers
from federation.demo.processes import Program
from federation.demo.running import programs
from federation.ledger.note import Ed25519Verifier
from federation.ledger.place import open_store_to_read
from federation.ledger.proof import verify_receipt
from federation.trust.http_messages import HttpRequest
from node.demo.seed import demo_files, read_truth
from tests.support.demo import RunningDemo, demo_charter, found_with_members, free_ports, question, running, token

CONSUMER, PURPOSE = "inprev", "benefit-assessment"
QUESTION = (demo_files() / "queries" / f"{PURPOSE}.graphql").read_text()
_CALM_SECONDS = 20.0


@dataclass(slots=True)
class Told:
    """What partners were told: receipts of answers, and how answers ended."""

    receipts: list[tuple[str, Receipt]] = field(default_factory=list)
    traces: list[str] = field(default_factory=list)
    outcomes: dict[str, int] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    slowest: float = 0.0

    def count(self, outcome: str) -> None:
        """Count an outcome by its name."""
        self.outcomes[outcome] = self.outcomes.get(outcome, 0) + 1

    @property
    def answered(self) -> int:
        """Answers that carry data."""
        return len(self.traces)


@contextmanager
def founded(citizens: int = 60) -> Iterator[RunningDemo]:
    """Found a demo in a folder of its own and run it."""
    with tempfile.TemporaryDirectory(prefix="crocevia-faults-") as folder:
        home, ports = Home(Path(folder)), free_ports()
        found_with_members(home, demo_charter(), ports, citizens)
        with running(home, ports) as demo:
            yield demo


@dataclass(slots=True)
class Field:
    """A running demo under load. `expected` holds, by tax code, the answer of a whole federation."""

    demo: RunningDemo
    told: Told = field(default_factory=Told)
    expected: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    gateway: str = ""
    consumer: str = CONSUMER
    purpose: str = PURPOSE

    def tax_codes(self) -> list[str]:
        """Tax codes of citizens."""
        return [person.tax_code for person in read_truth(self.demo.home.root / "truth.ndjson")]

    @asynccontextmanager
    async def client(self) -> AsyncIterator[PartnerClient]:
        """Open the consumer's own system, with connections that are never used again: processes die here."""
        limits = httpx.Limits(max_keepalive_connections=0)
        async with httpx.AsyncClient(timeout=15.0, trust_env=False, limits=limits) as http:
            client = self.demo.partner(self.consumer).client(http)
            yield replace(client, gateway=self.gateway) if self.gateway else client

    async def ask(self, client: PartnerClient, tax_code: str, query: str = QUESTION) -> Answer | None:
        """Ask about one citizen, and keep what was told; None when there was no answer of data."""
        agreement = self.demo.partner(self.consumer).agreement_for(self.purpose)
        began = time.monotonic()
        try:
            answer = await client.ask(query, self.purpose, agreement.id, {"by": {"taxCode": tax_code}})
        except (CroceviaError, Refused, httpx.HTTPError) as error:
            self.told.count(getattr(error, "code", type(error).__name__))
            return None
        self.told.slowest = max(self.told.slowest, time.monotonic() - began)
        if not (answer.content.get("data") or {}).get("citizen"):
            errors = answer.content.get("errors") or [{}]
            self.told.count(str(errors[0].get("extensions", {}).get("code", answer.status)))
            return None
        self._keep(tax_code, answer.content)
        return answer

    def _keep(self, tax_code: str, content: Mapping[str, Any]) -> None:
        extensions = content["extensions"]
        partial = bool(extensions["privacy"]["unavailable"])
        self.told.count("partial" if partial else "whole")
        self.told.traces.append(extensions["traceId"])
        for each in extensions["privacy"]["members"]:
            receipt = each["receipt"]
            told = Receipt(
                receipt["origin"],
                receipt["index"],
                receipt["leafHash"],
                receipt["checkpoint"],
                tuple(receipt["inclusion"]),
            )
            self.told.receipts.append((each["member"], told))
        citizen = content["data"]["citizen"]
        whole = self.expected.get(tax_code)
        if whole is None:
            if not partial:
                self.expected[tax_code] = citizen
            return
        for name, value in citizen.items():
            if value != whole[name] and not (value is None and partial):
                self.told.wrong.append(f"`{name}` of one citizen changed")

    @asynccontextmanager
    async def load(self, workers: int = 4, pause: float = 0.0) -> AsyncIterator[None]:
        """Ask without pause meanwhile."""
        codes = self.tax_codes()
        tasks = [asyncio.create_task(self._work(codes, number, pause)) for number in range(workers)]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            for task in tasks:
                with suppress(asyncio.CancelledError):
                    await task

    async def _work(self, codes: list[str], number: int, pause: float) -> None:
        dice = Random(number)
        async with self.client() as client:
            while True:
                if await self.ask(client, dice.choice(codes)) is None:
                    await asyncio.sleep(0.02)
                await asyncio.sleep(pause)

    async def learn(self, count: int = 20) -> None:
        """Learn what the whole federation answers, before anything goes wrong."""
        async with self.client() as client:
            for code in self.tax_codes()[:count]:
                await self.ask(client, code)

    # What happens to processes

    def program(self, name: str) -> Program:
        """The program of a party."""
        every = programs(self.demo.home, self.demo.charter, self.demo.ports)
        return next(program for program in every if program.name == name)

    def kill(self, name: str) -> None:
        """End a process with SIGKILL, and all it started."""
        process = self.demo.processes._running.pop(name)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    async def start(self, program: Program) -> float:
        """Start a program and return the seconds until it is ready."""
        began = time.monotonic()
        self.demo.processes.start([program])
        await self.until_ready(program.name)
        return time.monotonic() - began

    async def start_at(self, name: str, port: int) -> float:
        """Start a party that listens elsewhere than the member list says: something else stands there."""
        program = self.program(name)
        host, _, path = program.health.partition("://")[2].partition("/")
        moved = f"http://{host.partition(':')[0]}:{port}/{path}"
        began = time.monotonic()
        self.demo.processes.start([replace(program, health=moved)])
        async with httpx.AsyncClient(timeout=2.0, trust_env=False) as http:
            while time.monotonic() - began < 60:  # asked by HTTP
                with suppress(httpx.HTTPError):
                    if (await http.get(moved)).status_code == httpx.codes.OK:
                        return time.monotonic() - began
                await asyncio.sleep(0.05)
        raise AssertionError(f"`{name}` was not ready in time")

    async def restart(self, name: str, environment: Mapping[str, str] | None = None, module: str = "") -> float:
        """Kill a party and start it again, with more in its environment or as another program; return the seconds."""
        self.kill(name)
        processes, program = self.demo.processes, self.program(name)
        usual = processes.environment
        processes.environment = {**usual, **(environment or {})}
        try:
            return await self.start(replace(program, module=module) if module else program)
        finally:
            processes.environment = usual

    async def ready(self, name: str) -> bool:
        """Ask a party whether it is ready."""
        async with httpx.AsyncClient(timeout=2.0, trust_env=False) as http:
            with suppress(httpx.HTTPError):
                return (await http.get(self.program(name).health)).status_code == httpx.codes.OK
        return False

    async def ask_node(self, member: str, tax_code: str, query: str) -> tuple[int, dict[str, Any], float]:
        """Ask a node past the gateway, and return the status, the answer, and the seconds it took."""
        partner = self.demo.partner(self.consumer)
        access = token(self.demo, partner, self.purpose)
        content = {"query": query, "variables": {"by": {"taxCode": tax_code}}}
        return await self.send(question(partner, self.node_url(member) + "/graphql", access, content))

    async def send(self, asked: HttpRequest) -> tuple[int, dict[str, Any], float]:
        """Send a signed question, and return the status, the answer, and the seconds it took."""
        async with httpx.AsyncClient(timeout=15.0, trust_env=False) as http:
            began = time.monotonic()
            answer = await http.post(asked.target_uri, content=asked.body, headers=dict(asked.headers))
        return answer.status_code, answer.json(), time.monotonic() - began

    async def until_ready(self, name: str, seconds: float = 60.0) -> float:
        """Return after how many seconds a party is ready."""
        began = time.monotonic()
        health = self.program(name).health
        async with httpx.AsyncClient(timeout=2.0, trust_env=False) as http:
            while time.monotonic() - began < seconds:
                with suppress(httpx.HTTPError):
                    if (await http.get(health)).status_code == httpx.codes.OK:
                        return time.monotonic() - began
                await asyncio.sleep(0.02)
        raise AssertionError(f"`{name}` was not ready within {seconds:.0f} s")

    async def until_calm(self) -> None:
        """Wait until whole answers come again: breakers need a probe each."""
        until = time.monotonic() + _CALM_SECONDS
        async with self.client() as client:
            while time.monotonic() < until:
                answer = await self.ask(client, self.tax_codes()[0])
                if answer is not None and not answer.content["extensions"]["privacy"]["unavailable"]:
                    return
                await asyncio.sleep(0.1)

    # What is left afterwards

    def missing(self) -> int:
        """Count receipts that partners hold and ledgers do not, and answers that the gateway did not record."""
        ledgers = self.demo.partner(CONSUMER).members.ledgers()
        missing = 0
        for member in {member for member, _ in self.told.receipts}:
            log = Ed25519Verifier.parse(ledgers[member])
            with closing(open_store_to_read(place_of(self.demo.home, member))) as store:
                for receipt in (each for whose, each in self.told.receipts if whose == member):
                    leaf = store.leaf(receipt.index)
                    try:
                        verify_receipt(receipt, log, leaf or b"")
                    except CroceviaError:
                        missing += 1
        with closing(open_store_to_read(place_of(self.demo.home, "gateway"))) as store:
            recorded = b"".join(leaf for _, leaf, _ in store.rows())
        return missing + sum(trace.encode() not in recorded for trace in self.told.traces)

    def corrupt(self) -> list[str]:
        """Return the faults of ledgers that do not verify."""
        return [f"{each.party}: {each.fault}" for each in verify_ledgers(self.demo.home) if each.fault]

    def state(self, party: str) -> Path:
        """The folder of a party's files."""
        return self.demo.home.party(party) / "state"

    def node_url(self, member: str) -> str:
        """The origin of a member's node."""
        position = [each.id for each in self.demo.charter.nodes()].index(member)  # type: ignore[arg-type]  # a plain name
        return url(self.demo.ports.node(position))


def say(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def verdict(line: str, faults: int) -> int:
    """Print the last line of a campaign, and return its exit code."""
    say(line)
    return 1 if faults else 0
