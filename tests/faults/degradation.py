"""Make one node sick, ask for more than can be answered, and go on for a while: who else suffers, and by how much.

    python tests/faults/degradation.py [--seconds 60] [--soak 3600] [--quick] [--planted-defect]

* D2 a node that never answers: cut at the deadline, other nodes' fields there, no connection left
* D4 a breaker: a sick node is left alone but for a probe after each pause, and asked again once it answers
* D5 repeated requests, while a node breaks every connection: a fifth more than questions at most
* D6 a bulkhead: questions that do not touch the sick node are answered as without it
* D7 twice as many questions as can be answered: refused at once with `OVERLOADED`, and as many answered as before
* D10 a herd of new clients: all answered, the member list asked for no more often than before
* D12 good and hostile questions for a while: memory, open files and connections stay, nothing unhandled in a log

Times are compared with the same machine's a moment before. With `--planted-defect` the gateway has no breaker, repeats
what it likes and takes any number of questions, which must be found. The last line counts what went wrong; exit code 1
when anything did.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from statistics import median
from typing import Any
from urllib.parse import urlsplit

import httpx

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from federation.trust.http_messages import HttpRequest
from tests.faults.field import QUESTION, Field, founded, say, verdict
from tests.faults.wire import FIELDS, Proxy, Wire, established, reset_at_once, resident, silent, whole
from tests.support.demo import question, token

NODE = "c_m999"
ELSEWHERE = "query($by: CitizenKey!) { citizen(by: $by) { id isee contributions(first: 1) { year } } }"
"""Does not touch the sick node."""
DEADLINE, SLACK = 2.0, 0.1
_LONG = 200
"""Seconds after which memory must not grow any more: by a twentieth at most in the last third."""
_AT_ONCE = 0.5
"""Seconds: a refusal that takes longer was waited for, on a machine that others load as well."""
CONNECTIONS = 64
"""A process keeps as many to one node (`transport.connections`)."""
PLANTED = "retry_share = 5.0\nclients = { in_work = 100000 }\n"
_SETTINGS = "\n[breaker]\nin_a_row = 1000000\nsuccess = 0.0\n"


@dataclass(slots=True)
class Toll:
    """What each row showed, and what went wrong."""

    faults: int = 0

    def note(self, row: str, told: str, *, good: bool) -> None:
        """Print a row."""
        self.faults += not good
        say(f"{row:4} {told}{'' if good else '   WRONG'}")


@dataclass(slots=True)
class Counted:
    """A proxy's mode that counts the requests that reach it."""

    mode: Any
    times: list[float] = field(default_factory=list)

    async def __call__(self, wire: Wire) -> None:
        """Count, and go on."""
        self.times.append(time.monotonic())
        await self.mode(wire)


@dataclass(slots=True)
class Asking:
    """Signed questions, made before they are sent so that only the answering is timed."""

    asked_in: Field
    dice: Random = field(default_factory=lambda: Random(20261128))

    def make(self, count: int, query: str = QUESTION) -> list[HttpRequest]:
        """Return so many questions."""
        partner = self.asked_in.demo.partner(self.asked_in.consumer)
        members = partner.members
        nodes = filter(None, (member.endpoint for member in members.members))
        audience = (members.gateway.endpoint, members.exchange.endpoint, *nodes)
        access = token(self.asked_in.demo, partner, self.asked_in.purpose, audience=audience)
        known = [citizen["id"] for citizen in self.asked_in.expected.values()]
        return [
            question(
                partner,
                self.asked_in.demo.gateway + "/graphql",
                access,
                {"query": query, "variables": {"by": {"id": self.dice.choice(known)}}},
            )
            for _ in range(count)
        ]


@dataclass(frozen=True, slots=True)
class Answered:
    """How one question ended."""

    status: int
    content: dict[str, Any]
    seconds: float

    @property
    def good(self) -> bool:
        """Whether it has data."""
        return bool((self.content.get("data") or {}).get("citizen"))

    @property
    def whole(self) -> bool:
        """Whether no node was missing."""
        return self.good and not self.content["extensions"]["privacy"]["unavailable"]


async def send(http: httpx.AsyncClient, asked: HttpRequest) -> Answered:
    """Send one question."""
    began = time.monotonic()
    try:
        answer = await http.post(asked.target_uri, content=asked.body, headers=dict(asked.headers))
        return Answered(answer.status_code, answer.json(), time.monotonic() - began)
    except (httpx.HTTPError, ValueError):
        return Answered(0, {}, time.monotonic() - began)


async def closed(questions: list[HttpRequest], clients: int) -> tuple[list[Answered], float]:
    """Ask with so many clients, each the next question as soon as the last is answered; return the rate as well."""
    waiting, done = list(questions), list[Answered]()
    limits = httpx.Limits(max_connections=clients, max_keepalive_connections=clients)
    async with httpx.AsyncClient(trust_env=False, timeout=30, limits=limits) as http:

        async def client() -> None:
            while waiting:
                done.append(await send(http, waiting.pop()))

        began = time.monotonic()
        await asyncio.gather(*(client() for _ in range(clients)))
        return done, len(done) / (time.monotonic() - began)


async def alone(asked: HttpRequest) -> Answered:
    """Send one question over a connection of its own, for as little work of ours as there can be."""
    target = urlsplit(asked.target_uri)
    head = "".join(f"{name}: {value}\r\n" for name, value in asked.headers.items())
    lines = f"POST {target.path} HTTP/1.1\r\nhost: {target.netloc}\r\nconnection: close\r\n{head}"
    began = time.monotonic()
    try:
        async with asyncio.timeout(60):
            reader, writer = await asyncio.open_connection(target.hostname, target.port)
            writer.write(f"{lines}content-length: {len(asked.body)}\r\n\r\n".encode() + asked.body)
            said = await reader.read(-1)
            writer.close()
        return Answered(int(said[9:12]), json.loads(said.partition(b"\r\n\r\n")[2]), time.monotonic() - began)
    except (OSError, ValueError, TimeoutError):
        return Answered(0, {}, time.monotonic() - began)


async def kept_busy(questions: list[HttpRequest]) -> tuple[int, float]:
    """Ask with 16 clients; return how many were answered, and the rate."""
    waiting, answered = list(questions), 0

    async def client() -> None:
        nonlocal answered
        while waiting:
            found = await alone(waiting.pop())  # before the count is read: another client may have changed it
            answered += found.good

    began = time.monotonic()
    await asyncio.gather(*(client() for _ in range(16)))
    return answered, answered / (time.monotonic() - began)


async def opened(questions: list[HttpRequest], rate: float) -> tuple[list[Answered], float]:
    """Ask at a rate, whether answers come or not; return how long it all took as well."""
    began, tasks = time.monotonic(), []
    for number, asked in enumerate(questions):
        await asyncio.sleep(max(0.0, began + number / rate - time.monotonic()))
        tasks.append(asyncio.create_task(alone(asked)))
    return list(await asyncio.gather(*tasks)), time.monotonic() - began


def p95(answers: list[Answered]) -> float:
    """The time within which 19 of 20 were answered."""
    times = sorted(each.seconds for each in answers)
    return times[int(len(times) * 0.95)]


async def d2(asking: Asking, proxy: Proxy, toll: Toll, count: int) -> None:
    """A node that never answers."""
    usual, _ = await closed(asking.make(count), 4)
    before = established(proxy.port)
    proxy.mode = silent
    answers, _ = await closed(asking.make(count), 4)
    slowest, allowed = max(each.seconds for each in answers), DEADLINE + SLACK + max(each.seconds for each in usual)
    wrong = sum(
        not each.good or any(each.content["data"]["citizen"][name] is not None for name in FIELDS) for each in answers
    )
    proxy.mode = whole
    await asyncio.sleep(5)
    left = max(0, established(proxy.port) - before)
    told = f"never answers: {count} questions, slowest {slowest:.2f} s (usual {allowed - DEADLINE - SLACK:.2f} s), "
    good = slowest <= allowed and not wrong and left <= 4
    toll.note("D2", told + f"{wrong} wrong, {left} connections more after 5 s", good=good)


async def d5(asking: Asking, proxy: Proxy, toll: Toll, count: int) -> None:
    """Repeated requests while a node breaks every connection; the breaker stays closed."""
    counted = Counted(reset_at_once)
    proxy.mode = counted
    await closed(asking.make(count), 4)
    proxy.mode = whole
    ratio = len(counted.times) / count
    # One question is one request to this node; some repeats are saved up from the good questions before.
    toll.note("D5", f"{count} questions, {len(counted.times)} requests: {ratio:.2f} times", good=ratio <= 1.25)


async def d4(asking: Asking, proxy: Proxy, toll: Toll) -> None:
    """A breaker: after it opened, only probes."""
    counted = Counted(reset_at_once)
    proxy.mode = counted
    began = time.monotonic()
    asked = 0
    while time.monotonic() - began < 10:
        asked += len((await closed(asking.make(10), 2))[0])
    # 5 failures in a row open it; then a probe after 1 s, 2 s, 4 s, each shortened by up to a half.
    first = time.monotonic()
    proxy.mode = whole
    while True:
        (answer,), _ = await closed(asking.make(1), 1)
        if answer.whole or time.monotonic() - first > 30:
            break
        await asyncio.sleep(0.05)
    back = time.monotonic() - first
    told = f"{asked} questions in 10 s, {len(counted.times)} requests reached the node, whole again after {back:.1f} s"
    toll.note("D4", told, good=len(counted.times) <= 24 and back <= 10)


async def d6(asking: Asking, proxy: Proxy, toll: Toll, count: int) -> None:
    """Questions that do not touch the sick node, with others that hang at it, and without."""
    rates: dict[str, list[float]] = {"well": [], "sick": []}  # runs of one state differ too: the slowest is what counts
    slow: dict[str, list[float]] = {"well": [], "sick": []}
    for _ in range(3):
        for state, mode in (("well", whole), ("sick", silent)):
            proxy.mode = mode
            hanging = asking.make(12)
            load = asyncio.create_task(closed(hanging, 12)) if state == "sick" else None
            await asyncio.sleep(0.3)  # they have been signed and sent
            answers, rate = await closed(asking.make(count, ELSEWHERE), 4)
            rates[state].append(rate if all(each.whole for each in answers) else 0.0)
            slow[state].append(p95(answers))
            if load is not None:
                await load
    proxy.mode = whole
    share, grown = median(rates["sick"]) / median(rates["well"]), median(slow["sick"]) / median(slow["well"])
    told = f"not touching the sick node: {share:.0%} of the usual throughput, p95 {grown:.2f} times"
    good = median(rates["sick"]) >= 0.9 * min(rates["well"]) and median(slow["sick"]) <= 1.5 * max(slow["well"])
    toll.note("D6", told, good=good)


async def d7(asking: Asking, pid: int, toll: Toll, seconds: float) -> None:
    """Twice as many questions as can be answered."""
    # What can be answered: as many clients as keep the machine busy, before and after, for others may use it too.
    _, guess = await kept_busy(asking.make(60))
    size = int(max(60.0, guess * seconds / 2))
    _, first = await kept_busy(asking.make(size))
    before = resident(pid)
    answers, took = await opened(asking.make(int(2 * first * seconds)), 2 * first)
    _, last = await kept_busy(asking.make(size))
    peak = (first + last) / 2
    good = [each for each in answers if each.good]
    shed = [each for each in answers if each.status == httpx.codes.SERVICE_UNAVAILABLE]
    other = len(answers) - len(good) - len(shed)
    share, grown = len(good) / took / peak, (resident(pid) - before) // 1024 // 1024
    typical = median([each.seconds for each in shed]) if shed else 0.0
    told = (
        f"{len(answers)} questions at 2 times the peak of {peak:.0f} a second: {share:.0%} of the peak answered "
        f"({sum(not each.whole for each in good)} in part), "
        f"{len(shed)} refused (median {typical * 1000:.0f} ms), {other} neither, grown by {grown} MB"
    )
    prompt = bool(shed) and typical <= _AT_ONCE
    toll.note("D7", told, good=share >= 0.8 and other <= len(answers) // 20 and grown <= 64 and prompt)


async def d10(field_: Field, asking: Asking, toll: Toll, count: int) -> None:
    """A herd of new clients, each on a connection of its own, at a gateway that has just started."""
    await field_.restart("gateway")
    questions = asking.make(count)
    began = time.monotonic()
    answers = await asyncio.gather(*map(alone, questions))
    took = time.monotonic() - began
    states = Counter("whole" if each.whole else "partial" if each.good else str(each.status) for each in answers)
    await field_.until_calm()  # breakers need a probe each
    (last,), _ = await closed(asking.make(1), 1)
    told = f"{count} clients at once at a cold gateway: {dict(states)}, all within {took:.1f} s"
    toll.note("D10", told, good=not states.keys() - {"whole", "partial", "503"} and states["whole"] > 0 and last.whole)


async def d12(field_: Field, asking: Asking, toll: Toll, seconds: float) -> None:
    """Good and hostile questions for a while: nothing grows."""
    pids = field_.demo.processes.pids()

    def files(pid: int) -> int:
        return len(list(Path(f"/proc/{pid}/fd").iterdir()))

    async def burst() -> int:
        good = asking.make(20)
        bad = [
            HttpRequest(each.method, each.target_uri, each.headers, each.body[:-1] + b"}}") for each in asking.make(5)
        ]
        answers, _ = await closed([*good, *bad], 4)
        return sum(each.status in {0, 500} for each in answers)

    failed = 0
    until = time.monotonic() + seconds / 3
    while time.monotonic() < until:  # caches fill
        failed += await burst()
    open_before = {name: files(pid) for name, pid in pids.items()}
    sizes = [{name: resident(pid) for name, pid in pids.items()}]
    asked = 0
    for _ in range(2):  # halves: what only fills up grows less in the second
        until = time.monotonic() + seconds / 3
        while time.monotonic() < until:
            failed += await burst()
            asked += 25
        await asyncio.sleep(1)
        sizes.append({name: resident(pid) for name, pid in pids.items()})
    before, middle, after = sizes
    most = max(pids, key=lambda name: after[name] / before[name])
    memory, later = after[most] / before[most] - 1, after[most] / middle[most] - 1
    more = max(files(pid) - open_before[name] for name, pid in pids.items())
    logs = "".join(path.read_text() for path in field_.demo.home.logs.glob("*.log"))
    told = (
        f"{asked} good and hostile questions in {2 * seconds / 3:.0f} s: memory {memory:+.1%} at most ({most}, "
        f"{before[most] // 2**20} MB before; {later:+.1%} in the second half), {more:+} open files, "
        f"{failed} failed, {logs.count('Traceback')} unhandled"
    )
    allowed = 0.05 if seconds >= _LONG else 0.15  # caches are still filling
    toll.note("D12", told, good=later <= allowed and more <= CONNECTIONS and not failed and "Traceback" not in logs)


async def campaign(seconds: float, soak: float, planted: bool) -> int:  # noqa: FBT001  # arguments of the command
    """Go through the rows."""
    toll = Toll()
    count = max(20, int(seconds))
    with founded() as demo:
        field_ = Field(demo)
        await field_.learn(15)
        asking = Asking(field_)
        settings = {name: demo.home.party(name) / "settings.toml" for name in (NODE, "gateway")}
        usual = settings["gateway"].read_text()
        port = int(field_.node_url(NODE).rpartition(":")[2])
        node = settings[NODE].read_text()
        settings[NODE].write_text(node.replace(f'"127.0.0.1:{port}"', f'"127.0.0.1:{port + 9}"', 1))
        field_.kill(NODE)
        proxy = Proxy(port, port + 9)
        async with await asyncio.start_server(proxy.handle, "127.0.0.1", port):
            await field_.start_at(NODE, port + 9)
            # Without a breaker: what a sick node costs while it is asked.
            settings["gateway"].write_text((PLANTED if planted else "") + usual + _SETTINGS)
            await field_.restart("gateway")
            await closed(asking.make(20), 4)
            await d2(asking, proxy, toll, count)
            await d5(asking, proxy, toll, 4 * count)
            await d6(asking, proxy, toll, count)
            settings["gateway"].write_text(PLANTED + usual + _SETTINGS if planted else usual)
            await field_.restart("gateway")
            await closed(asking.make(20), 4)
            await d4(asking, proxy, toll)
            await field_.until_calm()
            await d7(asking, demo.processes.pids()["gateway"], toll, min(20.0, seconds / 3))
            await field_.until_calm()
            await d10(field_, asking, toll, min(1_000, 17 * count))
            await field_.until_calm()
            await d12(field_, asking, toll, soak)
        demo.processes.__exit__(None, None, None)
        corrupt = field_.corrupt()
    return verdict(
        f"7 kinds of degradation: {toll.faults} went wrong, {len(corrupt)} ledgers corrupt", toll.faults + len(corrupt)
    )


def main() -> int:
    """Run the campaign."""
    parser = argparse.ArgumentParser(description="degradation and overload of a running federation")
    parser.add_argument("--seconds", type=float, default=60.0, help="how much of everything")
    parser.add_argument("--soak", type=float, default=210.0, help="seconds of D12; 3600 is the criterion's hour")
    parser.add_argument("--quick", action="store_true", help="15 seconds of everything")
    parser.add_argument("--planted-defect", action="store_true")
    asked = parser.parse_args()
    if asked.quick:
        return asyncio.run(campaign(15.0, 15.0, asked.planted_defect))
    return asyncio.run(campaign(asked.seconds, asked.soak, asked.planted_defect))


if __name__ == "__main__":
    sys.exit(main())
