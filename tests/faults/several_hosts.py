"""Run a gateway and a node on two hosts each over one PostgreSQL server, and look at what they share.

    python tests/faults/several_hosts.py [--questions 200] [--kills 10] [--quick] [--planted-defect]

Each host has its own state folder and workers. A signed question is sent to both gateways at once, twice to each, and
answered once. The agreement's quota counts each once and holds over both. What the node publishes to one gateway the
next question finds at the other; another policy, and a suspended agreement, are seen at both. Then hosts of gateway and
node are killed in turn under load. At the end every receipt must stand in the one ledger of its party, ledgers must
verify, and questions of before the restart are refused. With `--planted-defect` one gateway remembers used questions by
itself. The last line counts what went wrong; exit code 1 when anything did.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from collections import Counter
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Final

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from federation.contract.held_files import BUCKETS
from federation.contract.identifiers import MemberId
from federation.contract.members import AgreementState
from federation.demo.ledgers import verify_ledgers
from federation.trust.http_messages import HttpRequest
from node.server.publish_command import publish_now
from node.server.settings import load_settings
from tests.faults.field import say, verdict
from tests.support.hosts import HOSTS, MEMBER, TwoHosts, two_hosts
from tests.support.postgres import running_server

GATEWAYS: Final = HOSTS["gateway"]
_REPLAYED: Final = {"REQUEST_REPLAYED", "TOKEN_REPLAY"}
_POLICY_SECONDS: Final = 10.0


@dataclass(slots=True)
class Course:
    """One campaign: what it asks about, which questions it sent, and what went wrong."""

    hosts: TwoHosts
    citizens: list[str] = field(default_factory=list)
    sent: list[HttpRequest] = field(default_factory=list)
    faults: Counter[str] = field(default_factory=Counter)
    dice: Random = field(default_factory=lambda: Random(20261128))

    async def learn(self, number: int) -> None:
        """Find citizens by tax code, once the node has published whom it knows."""
        for code in self.hosts.ground.tax_codes():
            until = time.monotonic() + 20
            while len(self.citizens) < number:
                citizen, _ = await self.hosts.send(self.hosts.ask(code), GATEWAYS[0], keep=False)
                if citizen and citizen["id"]:
                    again, _ = await self.hosts.send(self.hosts.ask(citizen["id"]), GATEWAYS[0], keep=False)
                    if again and again["givenName"]:
                        self.citizens.append(citizen["id"])
                    break
                if self.citizens or time.monotonic() > until:
                    break
                await asyncio.sleep(0.2)
        if not self.citizens:
            raise AssertionError("the node published nobody, or nobody may be asked about")

    async def one_of_two(self, questions: int) -> None:
        """Send each question to both gateways at once, twice to each."""
        counted = self.hosts.counted()
        for number in range(questions):
            asked = self.hosts.ask(self.citizens[number % len(self.citizens)])
            outcomes = await asyncio.gather(*(self.hosts.send(asked, host) for host in GATEWAYS * 2))
            answered = sum(citizen is not None for citizen, _ in outcomes)
            self.faults["answered twice"] += max(0, answered - 1)
            self.faults["not answered"] += answered == 0
            refused = sum(code in _REPLAYED for _, code in outcomes)
            self.faults["not refused as used"] += len(outcomes) - answered - refused
            self.sent.append(asked)
        if not self.faults["answered twice"]:
            self.faults["quota counted wrongly"] += abs(self.hosts.counted() - counted - questions)

    async def quota(self, left: int) -> None:
        """Leave some questions of the day, and send four times as many to both gateways at once."""
        self.hosts.publish(daily_requests=self.hosts.counted() + left)
        asked = [self.hosts.ask(self.citizens[0]) for _ in range(4 * left)]
        outcomes = await asyncio.gather(
            *(self.hosts.send(each, GATEWAYS[number % 2]) for number, each in enumerate(asked))
        )
        answered = sum(citizen is not None for citizen, _ in outcomes)
        refused = sum(code == "QUOTA_EXCEEDED" for _, code in outcomes)
        self.faults["quota overrun or not used up"] += abs(answered - left) + abs(refused - 3 * left)
        self.hosts.publish(daily_requests=1_000_000)

    async def publication(self) -> float:
        """Let the directory forget whom the member knows; publish to one gateway, and ask the other. Seconds until."""
        citizen = self.citizens[0]
        with closing(self.hosts.directory()) as directory:
            await asyncio.to_thread(directory.replace, MemberId(MEMBER), range(BUCKETS), [])
        for host in GATEWAYS:
            found, _ = await self.hosts.send(self.hosts.ask(citizen), host, keep=False)
            self.faults["found though nobody holds a file"] += bool(found and found["givenName"])
        settings = load_settings(self.hosts.home.party(MEMBER) / "settings.toml")
        await asyncio.to_thread(publish_now, settings)  # to the gateway of the member list, which is the first
        began = time.monotonic()
        found, _ = await self.hosts.send(self.hosts.ask(citizen), GATEWAYS[1])
        self.faults["published and not found"] += not (found and found["givenName"])
        return time.monotonic() - began

    async def policy(self) -> float:
        """Withhold a field by policy, and ask both nodes; return the seconds until both withheld it."""
        file, code = self.hosts.policy("Citizen"), self.hosts.ground.tax_codes()[0]
        before, began = file.read_text(), time.monotonic()
        file.write_text(before.replace("      givenName: clear\n", ""))
        seen: set[str] = set()
        while len(seen) < len(HOSTS[MEMBER]) and time.monotonic() - began < _POLICY_SECONDS:
            for host in HOSTS[MEMBER]:
                found, _ = await self.hosts.send(self.hosts.ask_node(code), host)
                if found and found["givenName"] is None and found["familyName"]:
                    seen.add(host)
                elif host in seen:
                    self.faults["told after the policy was seen"] += 1
            await asyncio.sleep(0.1)
        self.faults["policy not seen"] += len(HOSTS[MEMBER]) - len(seen)
        seconds = time.monotonic() - began
        file.write_text(before)
        await asyncio.sleep(3)
        return seconds

    async def suspension(self) -> None:
        """Suspend the agreement; the next question of both gateways is refused. Take it up again."""
        asked = [self.hosts.ask(self.citizens[0]) for _ in GATEWAYS]
        self.hosts.publish(state=AgreementState.SUSPENDED)
        for host, each in zip(GATEWAYS, asked, strict=True):
            _, code = await self.hosts.send(each, host)
            self.faults[f"suspended and said `{code}`"] += code != "AGREEMENT_INACTIVE"
        self.hosts.publish(state=AgreementState.ACTIVE)

    async def load(self) -> None:
        """Ask one gateway or the other until cancelled."""
        while True:
            asked = self.hosts.ask(self.dice.choice(self.citizens))
            citizen, _ = await self.hosts.send(asked, self.dice.choice(GATEWAYS))
            if citizen:
                self.sent.append(asked)

    async def kills(self, number: int) -> None:
        """Kill hosts of gateway and node in turn under load, and start them again."""
        working = [asyncio.create_task(self.load()) for _ in range(4)]
        for turn in range(number):
            await asyncio.sleep(self.dice.uniform(0.3, 1.0))
            victims = [hosts[(turn + place) % 2] for place, hosts in enumerate(HOSTS.values())]
            self.hosts.kill(*victims)
            await asyncio.sleep(self.dice.uniform(0.1, 0.5))
            await asyncio.to_thread(self.hosts.start, *victims)
        for each in working:
            each.cancel()
        for each in working:
            with suppress(asyncio.CancelledError):
                await each

    async def restart(self) -> None:
        """Kill all hosts at once, and start them again."""
        every = [host for hosts in HOSTS.values() for host in hosts]
        self.hosts.kill(*every)
        await asyncio.to_thread(self.hosts.start, *every)

    async def again(self, questions: int) -> None:
        """Send the last questions again, after a restart: they are refused, and another is answered."""
        for number, asked in enumerate(self.sent[-questions:]):
            citizen, _ = await self.hosts.send(asked, GATEWAYS[number % 2])
            self.faults["answered again after the restart"] += citizen is not None
        citizen, code = await self.hosts.send(self.hosts.ask(self.citizens[0]), GATEWAYS[1])
        self.faults[f"after the restart `{code}`"] += citizen is None

    def records(self) -> str:
        """Stop everything, look for every receipt, verify the ledgers, and say how many there were."""
        self.hosts.ground.demo.processes.__exit__(None, None, None)
        self.faults["receipts missing"] += self.hosts.ground.missing()
        verified = {each.party: each for each in verify_ledgers(self.hosts.home) if each.party in (*HOSTS, "exchange")}
        for each in verified.values():
            self.faults[f"ledger of {each.party}: {each.fault}"] += each.fault is not None
        told = self.hosts.ground.told
        self.faults["values wrong"] += len(told.wrong)
        entries = ", ".join(f"{party} {each.entries}" for party, each in verified.items())
        return f"{told.answered} answers with {len(told.receipts)} receipts, entries: {entries}"


async def campaign(folder: Path, database: str, questions: int, kills: int, *, planted: bool) -> int:
    """Run it all, and count."""
    modules = {GATEWAYS[1]: "tests.faults.forgetful_gateway"} if planted else {}
    async with two_hosts(folder / "demo", database, 60, 2, modules) as hosts:
        course = Course(hosts)
        await course.learn(10)
        await course.one_of_two(questions)
        say(f"{questions} questions sent to both hosts; {hosts.connections()} connections to the database")
        await course.quota(10)
        found = await course.publication()
        say(f"what the first gateway was told the second found with the next question, {found * 1000:.0f} ms")
        say(f"both nodes withheld what the policy no longer opens after {await course.policy():.1f} s")
        await course.suspension()
        await course.kills(kills)
        await course.restart()
        await course.again(50)
        records = course.records()
    faults = {name: count for name, count in course.faults.items() if count}
    for name, count in faults.items():
        say(f"{count:6} {name}")
    return verdict(
        f"2 hosts of gateway and node, {questions} questions sent to both, {kills} times one of each killed, "
        f"{records}: {sum(faults.values())} wrong",
        sum(faults.values()),
    )


def main() -> int:
    """Run the campaign."""
    parser = argparse.ArgumentParser(description="gateway and node on several hosts over one database")
    parser.add_argument("--questions", type=int, default=200)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--quick", action="store_true", help="30 questions, 2 kills")
    parser.add_argument("--planted-defect", action="store_true")
    asked = parser.parse_args()
    questions, kills = (30, 2) if asked.quick else (asked.questions, asked.kills)
    with (
        tempfile.TemporaryDirectory(prefix="crocevia-faults-") as folder,
        running_server(Path(folder) / "postgres") as server,
    ):
        return asyncio.run(campaign(Path(folder), server.url, questions, kills, planted=asked.planted_defect))


if __name__ == "__main__":
    sys.exit(main())
