"""Send a running gateway and node what no honest client sends, and look at what becomes of it.

    python tests/faults/hostile_input.py [--quick] [--json-suite DIR] [--planted-defect]

* H1 documents that are bombs, signed by a consumer: refused, for little CPU time and no memory; what becomes of 50 good
  questions a second while 100 of them come each second is said and not judged
* H3 bodies that are too long, compressed, or never end: refused and cut off
* H4 JSON that is none, or that readers disagree about, in the variables: refused, never a server error; with
  `--json-suite`, the folder `test_parsing` of JSONTestSuite as well
* H5 raw HTTP that servers and proxies read differently: one answer at most, and the same verdict at both
* H6 clients that are slow, or say nothing: cut off in time, and others are answered meanwhile
* H7 batches, other methods and media types: refused
* H8 names of the schema, guessed by misspelling them: nothing is suggested

With `--planted-defect` a gateway is run that has hardly a limit, reads lenient JSON and suggests names, which must be
found out. The last line counts what went wrong; exit code 1 when anything did.
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import cycle, islice
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
from graphql import GraphQLSchema, build_schema, is_object_type

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.faults.degradation import Asking, opened, p95
from tests.faults.field import QUESTION, Field, founded, say, verdict
from tests.faults.wire import resident
from tests.support.demo import REPOSITORY, question, token

NODE = "c_m999"
_SERVER_ERROR = 500
_TICKS = os.sysconf("SC_CLK_TCK")
CPU_SECONDS = 0.05
"""What one refusal may cost, as long as the machine is not so busy that even this is measured wrongly."""
MEMORY = 20 * 1024 * 1024


@dataclass(slots=True)
class Toll:
    """What was tried in each row, and what went wrong."""

    tried: dict[str, int] = field(default_factory=dict)
    wrong: dict[str, list[str]] = field(default_factory=dict)

    def note(self, row: str, what: str, *, good: bool) -> None:
        """Note one try."""
        self.tried[row] = self.tried.get(row, 0) + 1
        if not good:
            self.wrong.setdefault(row, []).append(what)


@dataclass(frozen=True, slots=True)
class Party:
    """Who is attacked: its address, its process, and a token for it."""

    name: str
    url: str
    pid: int
    field: Field

    def signed(self, content: dict[str, Any]) -> Any:
        """A question as a malicious consumer signs it."""
        partner = self.field.demo.partner(self.field.consumer)
        access = token(self.field.demo, partner, self.field.purpose)
        return question(partner, self.url + "/graphql", access, content)

    @property
    def port(self) -> int:
        """The port it listens on."""
        return urlsplit(self.url).port or 0

    def cpu(self) -> float:
        """The seconds of processor that it has used."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS


def bombs() -> Iterator[tuple[str, dict[str, Any]]]:
    """H1: documents that would cost much more than they are long."""
    names = [f"a{number}: __typename" for number in range(9_000)]
    yield "9 000 aliases", {"query": "{ " + " ".join(names) + " }"}
    yield "200 aliases", {"query": "{ " + " ".join(names[:201]) + " }"}
    yield "9 000 directives", {"query": "{ __typename " + "@a " * 9_000 + "}"}
    yield "300 directives", {"query": "{ __typename " + "@skip(if: false) " * 300 + "}"}
    yield "20 000 fields", {"query": "{ " + "id " * 20_000 + "}"}
    yield "2 000 operations", {"query": " ".join(f"query Q{n} {{ __typename }}" for n in range(2_000))}
    variables = ", ".join(f"$v{n}: Int" for n in range(5_000))
    yield "5 000 variables", {"query": f"query({variables}) {{ __typename }}"}
    chain = " ".join(f"fragment F{n} on Query {{ ...F{n + 1} ...F{n + 1} }}" for n in range(40))
    yield "fragments that double", {"query": f"{{ ...F0 }} {chain} fragment F40 on Query {{ __typename }}"}
    yield "fragments in a ring", {"query": "{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }"}
    yield "20 000 deep", {"query": "{a" * 20_000}
    yield "lists 5 000 deep", {"query": "{ a(b: " + "[" * 5_000 + "]" * 5_000 + ") }"}
    fields = "fields { type " * 8 + "{ name }" + " }" * 8
    yield "introspection in a ring", {"query": "{ __schema { types { " + fields + " } } }"}
    yield "a long name", {"query": "{ " + "a" * 90_000 + " }"}
    yield "a block string", {"query": '{ a(b: """' + " \\n" * 20_000 + '""") }'}
    yield "half a document", {"query": "{ citizen(by: {id: "}


async def h1(party: Party, toll: Toll, times: int) -> None:
    """Documents that are bombs."""
    async with httpx.AsyncClient(trust_env=False, timeout=20) as http:
        before = resident(party.pid)
        for name, content in bombs():
            began, good = party.cpu(), True
            for _ in range(times):
                asked = party.signed(content)
                try:
                    answer = await http.post(asked.target_uri, content=asked.body, headers=dict(asked.headers))
                except httpx.HTTPError:
                    good = False
                    continue
                found = answer.json() if answer.status_code < _SERVER_ERROR else {}
                good &= bool(found.get("errors")) and not any((found.get("data") or {}).values())
            cost = (party.cpu() - began) / times
            toll.note("H1", f"{party.name}: {name}: answered, or a server error", good=good)
            toll.note("H1", f"{party.name}: {name}: {cost * 1000:.0f} ms of CPU", good=cost <= CPU_SECONDS + 2 / _TICKS)
        grown = resident(party.pid) - before
        toll.note("H1", f"{party.name}: grew by {grown // 1024 // 1024} MB", good=grown <= MEMORY)


async def h1_beside_others(party: Party, asking: Asking, toll: Toll, seconds: float) -> None:
    """Bombs beside good questions: 100 and 50 a second."""
    hostile = [party.signed(content) for _, content in islice(cycle(bombs()), int(100 * seconds))]
    usual, _ = await opened(asking.make(int(50 * seconds)), 50)
    good = asking.make(int(50 * seconds))
    (answers, _), (refusals, _) = await asyncio.gather(opened(good, 50), opened(hostile, 100))
    passed = sum(each.good or each.status == _SERVER_ERROR for each in refusals)
    toll.note("H1", f"{party.name}: {passed} of {len(refusals)} bombs answered, or an exception", good=not passed)
    whole, then, now = sum(each.whole for each in answers), p95(usual), p95(answers)
    say(
        f"H1     {party.name}: beside 100 bombs a second {whole} of {len(good)} good questions whole, "
        f"p95 {now * 1000:.0f} ms, {then * 1000:.0f} without bombs"
    )


async def talk(port: int, content: bytes, seconds: float = 3.0) -> tuple[list[int], bool]:
    """Send bytes as they are; return the statuses of all answers, and whether the connection was ended."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    said, ended = b"", False
    try:
        writer.write(content)
        async with asyncio.timeout(seconds):
            while True:
                part = await reader.read(65_536)
                if not part:
                    ended = True
                    break
                said += part
    except (TimeoutError, ConnectionError):
        pass
    finally:
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()
    statuses = [int(part[:3]) for part in said.split(b"HTTP/1.1 ")[1:] if part[:3].isdigit()]
    return statuses, ended or not statuses


POST = b"POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"


async def h3(party: Party, toll: Toll) -> None:
    """Bodies that are too long, compressed, or never end."""
    long = b"x" * 5_000_000
    packed = gzip.compress(b"[" * 10_000_000)
    cases = {
        "5 MB": POST + b"content-length: %d\r\n\r\n" % len(long) + long,
        "20 MB announced": POST + b"content-length: 20000000\r\n\r\n",
        "compressed": POST + b"content-encoding: gzip\r\ncontent-length: %d\r\n\r\n" % len(packed) + packed,
        "chunks without end": POST + b"transfer-encoding: chunked\r\n\r\n" + b"10000\r\n" + b"x" * 65_536 + b"\r\n",
    }
    before = resident(party.pid)
    for name, content in cases.items():
        statuses, _ = await talk(party.port, content, 8.0)
        good = all(400 <= status < _SERVER_ERROR for status in statuses) and len(statuses) <= 1
        toll.note("H3", f"{party.name}: {name}: {statuses}", good=good and bool(statuses))
    toll.note("H3", f"{party.name}: grew", good=resident(party.pid) - before <= MEMORY)


DISPUTED = {
    "a key twice": b'{"a":1,"a":2}',
    "NaN": b"[NaN]",
    "Infinity": b"[-Infinity]",
    "5 000 digits": b"[" + b"9" * 5_000 + b"]",
    "half a surrogate pair": b'["\\ud800"]',
    "the other half": b'["\\udc00\\ud800"]',
    "a byte order mark": b"\xef\xbb\xbf[]",
    "UTF-16": '["a"]'.encode("utf-16"),
    "no UTF-8": b'["\xff"]',
    "100 000 deep": b"[" * 40_000 + b"]" * 40_000,
    "a comment": b"[1/*x*/]",
    "a comma too many": b"[1,]",
    "single quotes": b"['a']",
    "a number with a leading zero": b"[012]",
    "nothing": b"",
    "two values": b"[] []",
}


def json_cases(suite: Path | None) -> Iterator[tuple[str, bytes, bool]]:
    """H4: texts, and whether each must be refused."""
    for name, text in DISPUTED.items():
        yield name, text, True
    for file in sorted(suite.glob("test_parsing/*.json")) if suite else ():
        yield file.name, file.read_bytes(), file.name.startswith("n_")


async def h4(party: Party, toll: Toll, suite: Path | None) -> None:
    """JSON that is none. Nothing is signed: a body that can be read is refused for that, with another status."""
    async with httpx.AsyncClient(trust_env=False, timeout=20) as http:
        for name, text, must_fail in json_cases(suite):
            body = b'{"query":"{ __typename }","variables":{"x":' + text + b"}}"
            answer = await http.post(party.url + "/graphql", content=body, headers={"content-type": "application/json"})
            refused = answer.status_code == httpx.codes.BAD_REQUEST
            good = answer.status_code < _SERVER_ERROR and (refused or not must_fail) and not answer.is_success
            toll.note("H4", f"{party.name}: {name}: {answer.status_code}", good=good)


GET = b"GET /healthz HTTP/1.1\r\nhost: x\r\n"
BODY = b"content-length: 5\r\n"
RAW: dict[str, tuple[bytes, int]] = {
    # name: what is sent, and how many messages an attacker would like it to be read as
    "length and chunks": (POST + BODY + b"transfer-encoding: chunked\r\n\r\n0\r\n\r\n" + GET + b"\r\n", 2),
    "chunks and length": (POST + b"transfer-encoding: chunked\r\n" + BODY + b"\r\n0\r\n\r\n" + GET + b"\r\n", 2),
    "two lengths": (POST + BODY + b"content-length: 6\r\n\r\nhello" + GET + b"\r\n", 2),
    "two equal lengths": (POST + BODY + BODY + b"\r\nhello", 1),
    "a list of lengths": (POST + b"content-length: 5, 5\r\n\r\nhello", 1),
    "a length with a sign": (POST + b"content-length: +5\r\n\r\nhello", 1),
    "a negative length": (POST + b"content-length: -5\r\n\r\nhello", 1),
    "a length in hex": (POST + b"content-length: 0x5\r\n\r\nhello", 1),
    "a huge length": (POST + b"content-length: 99999999999999999999\r\n\r\nhello", 1),
    "a space before the colon": (POST + b"content-length : 5\r\n\r\nhello", 1),
    "an unknown coding": (POST + b"transfer-encoding: xchunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", 1),
    "identity and chunked": (POST + b"transfer-encoding: identity, chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", 1),
    "chunked twice": (POST + b"transfer-encoding: chunked, chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", 1),
    "a hidden coding": (POST + b"transfer-encoding:\x0bchunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", 1),
    "a chunk size with a sign": (POST + b"transfer-encoding: chunked\r\n\r\n+5\r\nhello\r\n0\r\n\r\n", 1),
    "a chunk that is too long": (POST + b"transfer-encoding: chunked\r\n\r\n3\r\nhello\r\n0\r\n\r\n", 1),
    "a huge chunk": (POST + b"transfer-encoding: chunked\r\n\r\nffffffffffffffffff\r\nhello", 1),
    "a folded header": (GET + b"x-a: b\r\n c: d\r\n\r\n", 1),
    "a bare line feed": (b"GET /healthz HTTP/1.1\nhost: x\n\n", 1),
    "a bare carriage return": (GET + b"x-a: b\rc: d\r\n\r\n", 1),
    "a zero byte in a header": (GET + b"x-a: b\x00c\r\n\r\n", 1),
    "a header without a name": (GET + b": b\r\n\r\n", 1),
    "no host": (b"GET /healthz HTTP/1.1\r\n\r\n", 1),
    "two hosts": (GET + b"host: y\r\n\r\n", 1),
    "another version": (b"GET /healthz HTTP/3.7\r\nhost: x\r\n\r\n", 1),
    "no version": (b"GET /healthz\r\n\r\n", 1),
    "another protocol": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 1),
    "TLS": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(64), 1),
    "a method of its own": (b"GeT /healthz HTTP/1.1\r\nhost: x\r\n\r\n", 1),
    "a target of another host": (b"GET http://evil.example/healthz HTTP/1.1\r\nhost: x\r\n\r\n", 1),
    "a path that climbs": (b"GET /../../etc/passwd HTTP/1.1\r\nhost: x\r\n\r\n", 1),
    "200 headers": (GET + b"".join(b"x-%d: y\r\n" % n for n in range(200)) + b"\r\n", 1),
    "100 kB of headers": (GET + b"x-a: " + b"y" * 100_000 + b"\r\n\r\n", 1),
    "an upgrade": (GET + b"connection: upgrade\r\nupgrade: h2c\r\n\r\n", 1),
}


async def h5(parties: list[Party], toll: Toll) -> None:
    """Raw HTTP: one answer to one message, no server error, no difference between the two servers."""

    async def heard_by_all(content: bytes) -> list[list[int]]:
        return [statuses for statuses, _ in await asyncio.gather(*(talk(each.port, content, 2.0) for each in parties))]

    all_heard = await asyncio.gather(*(heard_by_all(content) for content, _ in RAW.values()))
    for (name, (_, messages)), heard in zip(RAW.items(), all_heard, strict=True):
        for party, statuses in zip(parties, heard, strict=True):
            good = len(statuses) < max(messages, 2) and all(status < _SERVER_ERROR for status in statuses)
            toll.note("H5", f"{party.name}: {name}: {statuses}", good=good)
        same = len({tuple(status // 100 for status in statuses) for statuses in heard}) == 1
        toll.note("H5", f"{name}: {heard}", good=same)


async def h6(party: Party, field_: Field, toll: Toll, each: int) -> None:
    """Clients that are slow or say nothing; meanwhile others are answered."""
    drips = {
        "a head that drips": (POST, b"x-a: b\r\n", 10.0),
        "a body that drips": (POST + b"content-length: 90000\r\n\r\n", b" ", 10.0),
        "nothing at all": (b"", b"", 10.0),
    }

    async def slow(start: bytes, more: bytes) -> float:
        reader, writer = await asyncio.open_connection("127.0.0.1", party.port)
        began = time.monotonic()
        try:
            writer.write(start)
            while time.monotonic() - began < 25:  # far beyond what is allowed
                if more:
                    writer.write(more)
                with suppress(TimeoutError):
                    async with asyncio.timeout(1.0):
                        while await reader.read(65_536):
                            pass
                    break
        except ConnectionError:
            pass
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()
        return time.monotonic() - began

    kinds = [(name, *drip) for name, drip in drips.items() for _ in range(each)]
    slows = [asyncio.create_task(slow(start, more)) for _, start, more, _ in kinds]
    failed = 0
    async with field_.client() as client:
        for number in range(10):
            failed += await field_.ask(client, list(field_.expected)[number % 5]) is None
    toll.note("H6", f"{party.name}: {failed} of 10 good questions failed meanwhile", good=not failed)
    for (name, _, _, allowed), seconds in zip(kinds, await asyncio.gather(*slows), strict=True):
        toll.note("H6", f"{party.name}: {name}: cut off after {seconds:.1f} s", good=seconds <= allowed + 2.5)


async def h7(party: Party, toll: Toll) -> None:
    """Batches, other methods and media types."""
    one = json.dumps({"query": "{ __typename }"})
    mutation = "mutation { a }"
    cases: dict[str, tuple[str, dict[str, Any]]] = {
        "a batch": ("POST", {"content": f"[{one},{one}]", "headers": {"content-type": "application/json"}}),
        "a mutation by GET": ("GET", {"params": {"query": mutation}}),
        "text/plain": ("POST", {"content": one, "headers": {"content-type": "text/plain"}}),
        "a form": ("POST", {"data": {"query": "{ __typename }"}}),
        "files": ("POST", {"files": {"operations": one}}),
        "no type": ("POST", {"content": one}),
        "PUT": ("PUT", {"content": one, "headers": {"content-type": "application/json"}}),
    }
    async with httpx.AsyncClient(trust_env=False, timeout=20) as http:
        for name, (method, given) in cases.items():
            answer = await http.request(method, party.url + "/graphql", **given)
            toll.note(
                "H7", f"{party.name}: {name}: {answer.status_code}", good=400 <= answer.status_code < _SERVER_ERROR
            )


def misspelt(schema: GraphQLSchema) -> list[tuple[str, str]]:
    """Every name of a field and type, with a letter too few."""
    names = {name for kind in schema.type_map.values() if is_object_type(kind) for name in kind.fields}
    return [(name, name[:-1]) for name in sorted(names) if len(name) > 3]


async def h8(party: Party, toll: Toll) -> None:
    """Names guessed by misspelling them: no message holds a name that the question does not hold."""
    schema = build_schema((REPOSITORY / "schema.graphql").read_text(), assume_valid_sdl=True)
    guesses = misspelt(schema)
    async with httpx.AsyncClient(trust_env=False, timeout=20) as http:
        for start in range(0, len(guesses), 15):
            part = guesses[start : start + 15]
            document = "query($by: CitizenKey!) { citizen(by: $by) { " + " ".join(guess for _, guess in part) + " } }"
            asked = party.signed({"query": document, "variables": {"by": {"taxCode": "RSSMRA80A01H501U"}}})
            answer = await http.post(asked.target_uri, content=asked.body, headers=dict(asked.headers))
            said = " ".join(str(error.get("message")) for error in answer.json().get("errors") or ())
            told = [name for name, _ in part if name not in document and f'"{name}"' in said.replace("'", '"')]
            good = not told and "Did you mean" not in said and answer.status_code < _SERVER_ERROR
            toll.note("H8", f"{party.name}: told {told[:3]}", good=good)


async def campaign(quick: bool, suite: Path | None, planted: bool) -> int:  # noqa: FBT001  # arguments of the command
    """Go through all rows."""
    toll = Toll()
    with founded() as demo:
        field_ = Field(demo)
        if planted:
            settings = demo.home.party("gateway") / "settings.toml"
            limits = "body = 9000000\ntokens = 99999\naliases = 99999\ndirectives = 99999\nfields = 5000\n"
            settings.write_text(f"{settings.read_text()}\n[limits]\n{limits}")
            await field_.restart("gateway", module="tests.faults.lenient_gateway")
        await field_.learn(5)
        pids = demo.processes.pids()
        gateway = Party("gateway", demo.gateway, pids["gateway"], field_)
        node = Party(NODE, field_.node_url(NODE), pids[NODE], field_)
        asking = Asking(field_)
        for party in (gateway, node):
            await h1(party, toll, 2 if quick else 10)
            await h1_beside_others(party, asking, toll, 2.0 if quick else 10.0)
            await h3(party, toll)
            await h4(party, toll, suite)
            await h7(party, toll)
            await h8(party, toll)
            await h6(party, field_, toll, 10 if quick else 170)
        await h5([gateway, node], toll)
        async with field_.client() as client:
            alive = await field_.ask(client, next(iter(field_.expected)), QUESTION)
        toll.note("H6", "the federation does not answer any more", good=alive is not None)
        log = "".join((demo.home.logs / f"{name}.log").read_text() for name in ("gateway", NODE))
        toll.note("H5", "an unhandled exception in a log", good="Traceback" not in log)
    for row, tried in sorted(toll.tried.items()):
        wrong = toll.wrong.get(row, [])
        say(f"{row}  {tried:5} tries  {len(wrong):3} went wrong")
        for each in wrong[:6]:
            say(f"    {each}")
    faults = sum(len(each) for each in toll.wrong.values())
    return verdict(f"{sum(toll.tried.values())} hostile inputs and measures: {faults} went wrong", faults)


def main() -> int:
    """Run the campaign."""
    parser = argparse.ArgumentParser(description="input that no honest client sends")
    parser.add_argument("--quick", action="store_true", help="each bomb twice, 30 slow clients")
    parser.add_argument("--json-suite", type=Path, help="a copy of JSONTestSuite")
    parser.add_argument("--planted-defect", action="store_true")
    asked = parser.parse_args()
    return asyncio.run(campaign(asked.quick, asked.json_suite, asked.planted_defect))


if __name__ == "__main__":
    sys.exit(main())
