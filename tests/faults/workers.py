"""Run gateway and a node as four processes each, and look at what they share.

    python tests/faults/workers.py [--questions 400] [--quick] [--planted-defect]

Every signed question is sent four times at once over connections of their own, so that different workers get it:
exactly one may be answered. Halfway a worker of each is killed; at the end the gateway is started anew and the first
questions are sent again: none may be answered. The agreement's daily quota must be counted once for each answer,
ledgers must verify, and every receipt must stand in them. With
`--planted-defect` workers remember used questions in their own memory only. The last line counts what went wrong; exit
code 1 when anything did.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sqlite3
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from federation.trust.http_messages import HttpRequest
from tests.faults.field import QUESTION, Field, founded, say, verdict
from tests.support.demo import question, token

PARTIES = ("gateway", "c_m999")
WORKERS = 4


def children(pid: int) -> list[int]:
    """The processes that a process started."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


async def send(request: HttpRequest, field: Field) -> bool:
    """Send a signed question over a connection of its own; whether it was answered with data."""
    async with httpx.AsyncClient(trust_env=False, timeout=20) as http:
        try:
            answer = await http.post(request.target_uri, content=request.body, headers=dict(request.headers))
        except httpx.HTTPError:
            return False
    content: dict[str, Any] = answer.json()
    if not (content.get("data") or {}).get("citizen"):
        return False
    field._keep("", content)
    return True


async def campaign(questions: int, planted: bool) -> int:  # noqa: FBT001  # an argument of the command
    """Send, kill, send again, and count."""
    answered_twice = not_answered = after_restart = 0
    with founded() as demo:
        field = Field(demo)
        await field.learn(5)
        citizen = next(iter(field.expected.values()))
        program_of_gateway = field.program("gateway")
        if planted:
            program_of_gateway = replace(program_of_gateway, module="tests.faults.forgetful_gateway")
        for party in PARTIES:
            settings = demo.home.party(party) / "settings.toml"
            settings.write_text(f"workers = {WORKERS}\n" + settings.read_text())
            field.kill(party)
            await field.start(program_of_gateway if party == "gateway" else field.program(party))
        pids = demo.processes.pids()
        started = {party: await _replaced(pids[party]) for party in PARTIES}
        partner = demo.partner("inprev")
        first: list[HttpRequest] = []
        for number in range(questions):
            if number == questions // 2:
                for party in PARTIES:
                    os.kill(children(pids[party])[0], signal.SIGKILL)
                await asyncio.sleep(3)
            content = {"query": QUESTION, "variables": {"by": {"id": citizen["id"]}}}
            access = token(demo, partner, field.purpose, audience=_audience(partner))
            asked = question(partner, demo.gateway + "/graphql", access, content)
            outcomes = await asyncio.gather(*(send(asked, field) for _ in range(WORKERS)))
            answered_twice += max(0, sum(outcomes) - 1)
            not_answered += sum(outcomes) == 0
            if len(first) < 50:
                first.append(asked)
        alive = {party: await _replaced(pids[party]) for party in PARTIES}
        field.kill("gateway")
        await field.start(program_of_gateway)
        after_restart = sum([await send(asked, field) for asked in first])
        used = _used(field.state("gateway") / "counters.db")
        demo.processes.__exit__(None, None, None)
        missing, corrupt = field.missing(), field.corrupt()
        answered = field.told.answered
    counted_wrong = int(used < answered)
    short = sum(count != WORKERS for count in (*alive.values(), *started.values()))
    for fault in corrupt:
        say(f"    {fault}")
    return verdict(
        f"{questions} questions sent {WORKERS} times to {WORKERS} workers, {not_answered} lost to a killed worker: "
        f"{answered_twice} answered twice, {after_restart} again after a restart, {short} workers short, "
        f"{counted_wrong} quotas wrong, {missing} receipts missing, {len(corrupt)} ledgers corrupt",
        answered_twice + after_restart + short + counted_wrong + missing + len(corrupt),
    )


async def _replaced(pid: int) -> int:
    """Return how many workers there are once those that died had time to be replaced."""
    for _ in range(40):
        if len(children(pid)) == WORKERS:
            break
        await asyncio.sleep(0.5)
    return len(children(pid))


def _audience(partner: Any) -> tuple[str, ...]:
    members = partner.members
    nodes = filter(None, (member.endpoint for member in members.members))
    return (members.gateway.endpoint, members.exchange.endpoint, *nodes)


def _used(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        row = connection.execute("SELECT sum(used) FROM counted WHERE name LIKE 'agreement:acc-2026-001%'").fetchone()
    return int(row[0] or 0)


def main() -> int:
    """Run the campaign."""
    parser = argparse.ArgumentParser(description="gateway and node as several processes")
    parser.add_argument("--questions", type=int, default=400)
    parser.add_argument("--quick", action="store_true", help="40 questions")
    parser.add_argument("--planted-defect", action="store_true")
    asked = parser.parse_args()
    return asyncio.run(campaign(40 if asked.quick else asked.questions, asked.planted_defect))


if __name__ == "__main__":
    sys.exit(main())
