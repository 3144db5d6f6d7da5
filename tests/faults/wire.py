"""Put a faulty wire, or a faulty node, between gateway and a node, and look at what consumers are told.

    python tests/faults/wire.py [--each 100] [--quick] [--planted-defect]

A proxy stands where the member list says the node is. In every mode, each of 100 questions must be answered with every
other node's data as without the fault; the member's own fields are as always or null with an error that names it;
nothing takes longer than the deadline and a tenth of a second; nothing is left open and the gateway's memory stays.
Where nobody listens (criterion D1), it is 1 000 questions, and none takes 300 ms more than without a fault.
With `--planted-defect` a gateway that does not look at nodes' signatures is run, which must be found out. The last line
counts what went wrong; exit code 1 when anything did.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from typing import Any

import httpx

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from federation.consumer.client import Refused
from federation.contract.errors import CroceviaError
from tests.faults.field import QUESTION, Field, Told, founded, say, verdict

MEMBER = "c_m999"
FIELDS = ("givenName", "familyName", "dateOfBirth", "residence", "household", "maritalStatus")
DEADLINE, SLACK = 8.0, 0.1
"""Seconds: the gateway's deadline, and what it may be late; ten answers at once without a fault say what is usual."""
MEMORY = 20 * 1024 * 1024
AT_ONCE = 10

Mode = Callable[["Wire"], Awaitable[None]]


@dataclass(slots=True)
class Wire:
    """One request on its way: what the gateway sent, the way to the node, and the way back."""

    request: bytes
    node: Callable[[bytes], Awaitable[bytes]]
    writer: asyncio.StreamWriter
    dice: Random
    kept: dict[str, bytes]

    async def send(self, content: bytes) -> None:
        """Send bytes to the gateway."""
        self.writer.write(content)
        await self.writer.drain()

    def reset(self) -> None:
        """Break the connection off."""
        self.writer.transport.abort()


async def whole(wire: Wire) -> None:
    await wire.send(await wire.node(wire.request))


async def delayed(wire: Wire) -> None:
    await asyncio.sleep(0.15)
    await whole(wire)


async def reset_at_once(wire: Wire) -> None:
    wire.reset()


async def reset_in_the_answer(wire: Wire) -> None:
    answer = await wire.node(wire.request)
    await wire.send(answer[: len(answer) // 2])
    wire.reset()


async def closed_in_the_answer(wire: Wire) -> None:
    answer = await wire.node(wire.request)
    await wire.send(answer[: wire.dice.randrange(len(answer))])
    wire.writer.close()


async def silent(_: Wire) -> None:
    await asyncio.sleep(3 * DEADLINE)


async def dripping(wire: Wire) -> None:
    for byte in await wire.node(wire.request):
        await wire.send(bytes([byte]))
        await asyncio.sleep(0.05)


async def flipped_answer(wire: Wire) -> None:
    answer = bytearray(await wire.node(wire.request))
    answer[wire.dice.randrange(len(answer))] ^= 1 << wire.dice.randrange(8)
    await wire.send(bytes(answer))


async def flipped_request(wire: Wire) -> None:
    request = bytearray(wire.request)
    start = request.index(b"\r\n\r\n") + 4
    request[wire.dice.randrange(start, len(request))] ^= 1 << wire.dice.randrange(7)
    await wire.send(await wire.node(bytes(request)))


async def older_answer(wire: Wire) -> None:
    """Answer with what the node said to another request: signed, and not for this one."""
    answer = await wire.node(wire.request)
    older = wire.kept.setdefault("answer", answer)
    await wire.send(older if older != answer else answer[:40])


async def twice(wire: Wire) -> None:
    answer = await wire.node(wire.request)
    await wire.send(answer + answer)


async def another_value(wire: Wire) -> None:
    head, _, body = (await wire.node(wire.request)).partition(b"\r\n\r\n")
    changed = body.replace(b"married", b"widowed").replace(b'"givenName":"', b'"givenName":"X')
    await wire.send(_with_length(head, changed))


async def unasked_fields(wire: Wire) -> None:
    head, _, body = (await wire.node(wire.request)).partition(b"\r\n\r\n")
    await wire.send(_with_length(head, body.replace(b'"givenName":', b'"isee":"[0,1)","taxCode":"X","givenName":', 1)))


async def unsigned(wire: Wire) -> None:
    head, _, body = (await wire.node(wire.request)).partition(b"\r\n\r\n")
    lines = [line for line in head.split(b"\r\n") if not line.lower().startswith(b"signature")]
    await wire.send(b"\r\n".join(lines) + b"\r\n\r\n" + body)


def saying(content: bytes, status: bytes = b"200 OK", *headers: bytes) -> Mode:
    """A node that answers this, whatever it is asked."""

    async def mode(wire: Wire) -> None:
        lines = [
            b"HTTP/1.1 " + status,
            b"content-type: application/json",
            b"content-length: %d" % len(content),
            *headers,
        ]
        await wire.send(b"\r\n".join(lines) + b"\r\n\r\n" + content)

    return mode


def endless(chunk: bytes, head: bytes) -> Mode:
    """A node that never ends."""

    async def mode(wire: Wire) -> None:
        await wire.send(head)
        with suppress(ConnectionError):
            for _ in range(4_000):
                await wire.send(chunk)

    return mode


_CHUNKED = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n"
_PLAIN = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
MODES: dict[str, Mode] = {
    "no fault": whole,
    "delayed by 150 ms": delayed,
    "reset at once": reset_at_once,
    "reset in the answer": reset_in_the_answer,
    "closed in the answer": closed_in_the_answer,
    "one bit of the answer flipped": flipped_answer,
    "one bit of the request flipped": flipped_request,
    "another request's answer": older_answer,
    "the answer twice": twice,
    "another value": another_value,
    "fields nobody asked": unasked_fields,
    "no signature": unsigned,
    "no JSON": saying(b"<html>"),
    "JSON of another shape": saying(b'{"data":[1,2]}'),
    "a list": saying(b"[]"),
    "invalid UTF-8": saying(b'{"data":"\xff"}'),
    "deep JSON": saying(b"[" * 50_000),
    "half a number of bytes": saying(b'{"data":', b"200 OK"),
    "redirect": saying(b"", b"307 Temporary Redirect", b"location: http://127.0.0.1:1/"),
    "status 500": saying(b"boom", b"500 Internal Server Error"),
    "compressed": saying(b"\x1f\x8b\x08", b"200 OK", b"content-encoding: gzip"),
    "two lengths": saying(b"{}", b"200 OK", b"content-length: 3"),
    "64 kB of headers": saying(b"{}", b"200 OK", *(b"x-%d: %s" % (n, b"y" * 500) for n in range(130))),
    "endless body": endless(b"10000\r\n" + b"x" * 65_536 + b"\r\n", _CHUNKED),
    "endless headers": endless(b"x-y: " + b"z" * 8_000 + b"\r\n", _PLAIN),
    "never answers": silent,
    "drips": dripping,
    "nobody listens": whole,
}
SLOW, SLOW_AT_ONCE = frozenset({"never answers", "drips"}), 25
"""These take the whole deadline: many at once."""
NOBODY, NOBODY_TIMES, NOBODY_SECONDS = "nobody listens", 10, 0.3


@dataclass(slots=True)
class Proxy:
    """Stands at the node's address; `mode` may change at any time."""

    port: int
    target: int
    mode: Mode = whole
    dice: Random = field(default_factory=lambda: Random(20261128))
    kept: dict[str, bytes] = field(default_factory=dict)
    _server: asyncio.Server | None = None
    _open: set[asyncio.StreamWriter] = field(default_factory=set)

    async def listen(self) -> None:
        """Stand there."""
        self._server = await asyncio.start_server(self.handle, "127.0.0.1", self.port)

    def leave(self) -> None:
        """Go away, and break every connection off."""
        assert self._server is not None
        self._server.close()
        for writer in self._open:
            writer.transport.abort()

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection of the gateway: requests one after the other."""
        self._open.add(writer)
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = next((int(v) for k, _, v in _fields(head) if k.lower() == b"content-length"), 0)
                request = head + await reader.readexactly(length)
                await self.mode(Wire(request, self.ask, writer, self.dice, self.kept))
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            self._open.discard(writer)
            writer.close()

    async def ask(self, request: bytes) -> bytes:
        """Send a request to the node and return its answer, whole."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.target)
        try:
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            length = next((int(v) for k, _, v in _fields(head) if k.lower() == b"content-length"), 0)
            return head + await reader.readexactly(length)
        finally:
            writer.close()


def _fields(head: bytes) -> list[tuple[bytes, bytes, bytes]]:
    return [line.partition(b":") for line in head.split(b"\r\n")[1:]]


def _with_length(head: bytes, body: bytes) -> bytes:
    lines = [line for line in head.split(b"\r\n") if not line.lower().startswith(b"content-length")]
    return b"\r\n".join([*lines, b"content-length: %d" % len(body)]) + b"\r\n\r\n" + body


@dataclass(slots=True)
class Outcome:
    """What consumers were told in one mode."""

    whole: int = 0
    partial: int = 0
    faults: list[str] = field(default_factory=list)
    slowest: float = 0.0


@asynccontextmanager
async def standing_at(field_: Field, member: str) -> AsyncIterator[Proxy]:
    """Move a node to another port and stand where it was; the gateway's breaker stays closed meanwhile."""
    settings = field_.demo.home.party(member) / "settings.toml"
    port = int(field_.node_url(member).rpartition(":")[2])
    settings.write_text(settings.read_text().replace(f'"127.0.0.1:{port}"', f'"127.0.0.1:{port + 9}"', 1))
    gateway = field_.demo.home.party("gateway") / "settings.toml"
    gateway.write_text(
        f"retry_share = 0.0\ndeadline = {DEADLINE}\n"
        + gateway.read_text()
        + "\n[breaker]\nin_a_row = 1000000\nsuccess = 0.0\n"
    )
    for name in (member, "gateway"):
        field_.kill(name)
    proxy = Proxy(port, port + 9)
    await proxy.listen()
    try:
        for name in (member, "gateway"):
            await field_.start(
                replace(field_.program(name), health=field_.program(name).health.replace(f":{port}/", f":{port + 9}/"))
            )
        yield proxy
    finally:
        proxy.leave()


async def ask_in(field_: Field, proxy: Proxy, name: str, each: int, at_once: int = 4) -> Outcome:
    """Ask in one mode, and judge every answer."""
    outcome = Outcome()
    proxy.mode, codes = MODES[name], list(field_.expected)
    gate = asyncio.Semaphore(SLOW_AT_ONCE if name in SLOW else at_once)

    async def one(number: int) -> None:
        async with gate, field_.client() as client:
            agreement = field_.demo.partner(field_.consumer).agreement_for(field_.purpose)
            code = codes[number % len(codes)]
            began = time.monotonic()
            # By its own pseudonym: a look-up by tax code asks this very node first.
            by = {"id": field_.expected[code]["id"]}
            try:
                answer = await client.ask(QUESTION, field_.purpose, agreement.id, {"by": by})
            except (CroceviaError, Refused, httpx.HTTPError) as error:
                outcome.faults.append(f"no answer: {getattr(error, 'code', type(error).__name__)}")
                return
            outcome.slowest = max(outcome.slowest, time.monotonic() - began)
            judge(outcome, answer.content, field_.expected[code])

    if name == NOBODY:
        proxy.leave()
    await asyncio.gather(*(one(number) for number in range(each)))
    if name == NOBODY:
        await proxy.listen()
    return outcome


def judge(outcome: Outcome, content: dict[str, Any], expected: Any) -> None:
    """Hold an answer against what the whole federation says."""
    citizen = (content.get("data") or {}).get("citizen")
    if citizen is None:
        outcome.faults.append(f"no data: {[e['extensions'].get('code') for e in content.get('errors', ())]}")
        return
    ours = [name for name in FIELDS if citizen[name] != expected[name]]
    others = [
        name
        for name in expected
        if name not in (*FIELDS, "placeOfBirth", "contactPoints") and citizen[name] != expected[name]
    ]
    if others:
        outcome.faults.append(f"fields of other nodes changed: {others}")
    if any(citizen[name] is not None for name in ours):
        outcome.faults.append(f"a wrong value passed: {[name for name in ours if citizen[name] is not None]}")
    if set(citizen) - set(expected):
        outcome.faults.append("fields that nobody asked passed")
    named = [e for e in content.get("errors", ()) if e["extensions"].get("member") == MEMBER and e.get("path")]
    if ours and not named:
        codes = [e["extensions"].get("code") for e in content.get("errors", ())]
        outcome.faults.append(f"null without an error that names the node: {codes}")
    outcome.partial += bool(ours)
    outcome.whole += not ours


def resident(pid: int) -> int:
    """Return the memory that a process holds, in bytes."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096


def established(port: int) -> int:
    """Count the open connections to a port of this machine, seen from whoever opened them."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return sum(row[2].endswith(f":{port:04X}") and row[3] == "01" for row in rows)


async def campaign(names: list[str], each: int, planted: bool) -> int:  # noqa: FBT001  # an argument of the command
    """Go through all modes."""
    faults = 0
    with founded() as demo:
        field_ = Field(demo)
        await field_.learn(20)
        async with standing_at(field_, MEMBER) as proxy:
            if planted:
                field_.kill("gateway")
                await field_.start(replace(field_.program("gateway"), module="tests.faults.defective_gateway"))
            field_.told = Told()
            usually = {
                at_once: max((await ask_in(field_, proxy, "no fault", 3 * at_once, at_once)).slowest, 0.3)
                for at_once in (AT_ONCE, SLOW_AT_ONCE)
            }
            pid = demo.processes.pids()["gateway"]
            before, open_before = resident(pid), established(proxy.port)
            for name in names:
                outcome, usual = await ask_in(field_, proxy, name, _times(name, each)), usually[_at_once(name)]
                if outcome.slowest > usual + (NOBODY_SECONDS if name == NOBODY else DEADLINE + SLACK):
                    outcome.faults.append(f"an answer took {outcome.slowest:.2f} s, {usual:.2f} s without a fault")
                grown = resident(pid) - before
                if grown > MEMORY:
                    outcome.faults.append(f"the gateway grew by {grown // 1024 // 1024} MB")
                before = max(before, resident(pid))
                expected_whole = name in {"no fault", "delayed by 150 ms"}
                if expected_whole and outcome.partial:
                    outcome.faults.append(f"{outcome.partial} answers were not whole")
                faults += len(outcome.faults)
                counts = f"{outcome.whole:4} whole {outcome.partial:4} partial  slowest {outcome.slowest:5.2f} s"
                say(f"{name:32} {counts}  {len(outcome.faults)} faults")
                for fault in sorted(set(outcome.faults))[:3]:
                    say(f"    {fault}")
            proxy.mode = whole
            await asyncio.sleep(5)
            left = established(proxy.port) - open_before
            if left > 2 * SLOW_AT_ONCE:  # kept for as many questions at once, and one may need two
                say(f"    {left} more connections to the node are open than before")
                faults += 1
            await field_.until_calm()
        missing, corrupt = field_.missing(), field_.corrupt()
    total = sum(_times(name, each) for name in names)
    return verdict(
        f"{len(names)} ways to fail, {total} questions: {faults} wrong, late or unnamed, "
        f"{missing} receipts missing, {len(corrupt)} ledgers corrupt",
        faults + missing + len(corrupt),
    )


def _at_once(name: str) -> int:
    return SLOW_AT_ONCE if name in SLOW else AT_ONCE


def _times(name: str, each: int) -> int:
    return each * NOBODY_TIMES if name == NOBODY else each


def main() -> int:
    """Run the campaign."""
    parser = argparse.ArgumentParser(description="faults on the wire between gateway and node")
    parser.add_argument("--mode", action="append", choices=[*MODES])
    parser.add_argument("--each", type=int, default=100)
    parser.add_argument("--quick", action="store_true", help="8 questions for each way to fail")
    parser.add_argument("--planted-defect", action="store_true")
    asked = parser.parse_args()
    return asyncio.run(campaign(asked.mode or [*MODES], 8 if asked.quick else asked.each, asked.planted_defect))


if __name__ == "__main__":
    sys.exit(main())
