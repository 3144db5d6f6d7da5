"""10 000 objects, against graphql-core's executor: `python tests/bench/node/objects.py [--postgres] [--turns 7]`.

* whole: 10 000 residents with twenty fields each, by key, from the request's bytes to the answer's. Both read the same
  rows of the same database; the executor's resolver takes them with one plain statement. Ours has its policy on.
* ready: the same from rows that were read before: the code that the node generates, against the executor.
* narrow: 2 000 citizens with address and cases, 10 000 objects with about four fields each, ours with its reading and
  its policy, the executor from rows that are ready.

Times are CPU of this process and of PostgreSQL's, medians of turns in which one follows the other. Every answer is
compared with the other's first.
"""

from __future__ import annotations

import argparse
import asyncio
import sqlite3
import sys
import tempfile
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import process_time
from typing import Any, Final

import asyncpg
import msgspec
from graphql import build_schema, execute, execute_sync, parse

sys.path.insert(0, str(Path(__file__).parents[3]))

from node.data.keyed import Keyed, MaskKeys  # found through the line above
from node.data.shapes import Finishing, Leaf, ObjectShape
from tests.bench.gateway.run import cpu_seconds
from tests.bench.node import ours, register, wide
from tests.bench.node.large import resident
from tests.bench.node.ours import App, plane_on
from tests.support.postgres import running_server

OBJECTS: Final = 10_000
_WIDE: Final = f"""query($r: [_Any!]!) {{
  _entities(representations: $r) {{ ... on Citizen {{ {" ".join(wide.FIELDS)} }} }} }}"""
_NARROW_FIELDS: Final = """id givenName familyName dateOfBirth sex
  address { street number postCode town } cases { id title status openedOn }"""
_NARROW: Final = f"query($r: [_Any!]!) {{ _entities(representations: $r) {{ ... on Citizen {{ {_NARROW_FIELDS} }} }} }}"
_EXECUTORS: Final = """
scalar _Any
union _Entity = Citizen
extend type Query { _entities(representations: [_Any!]!): [_Entity]! }
"""
Read = Callable[[list[str]], Awaitable[dict[str, dict[str, Any]]]]


@dataclass(frozen=True, slots=True)
class Took:
    """CPU in ms: of this process, and with the database's."""

    own: float
    both: float


@dataclass(frozen=True, slots=True)
class Clock:
    """CPU of this process and of PostgreSQL's, if there is one, in ms."""

    postmaster: int | None

    def now(self) -> tuple[float, float]:
        """Return what was spent so far by this process, and by both."""
        own, server = process_time(), 0.0 if self.postmaster is None else cpu_seconds(self.postmaster)
        return 1000 * own, 1000 * (own + server)

    async def compare(self, turns: int, sides: Sequence[Callable[[], Awaitable[Any]]]) -> list[Took]:
        """Return each side's medians, in turns."""
        found: list[list[tuple[float, float]]] = [[] for _ in sides]
        for turn in range(turns + 1):
            for side, taken in zip(sides, found, strict=True):
                start = self.now()
                await side()
                end = self.now()
                if turn:
                    taken.append((end[0] - start[0], end[1] - start[1]))
        return [Took(median(own for own, _ in each), median(both for _, both in each)) for each in found]


class Executor:
    """A server as a good developer writes it on graphql-core: one statement for all keys, then the executor."""

    def __init__(self, vocabulary: str, read: Read) -> None:
        """`read` returns the rows of keys, each under the names of GraphQL."""
        self._schema = build_schema(vocabulary + _EXECUTORS, assume_valid_sdl=True)
        self._document = parse(_WIDE)

        async def entities(_source: Any, _info: Any, representations: list[dict[str, str]]) -> list[Any]:
            keys = [each["id"] for each in representations]
            found = await read(keys)
            return [found.get(key) for key in keys]

        def citizen(_value: Any, _info: Any, _kind: Any) -> str:
            return "Citizen"

        self._schema.query_type.fields["_entities"].resolve = entities  # type: ignore[union-attr]  # there is one
        self._schema.type_map["_Entity"].resolve_type = citizen  # type: ignore[attr-defined]  # a union

    async def answer(self, body: bytes) -> bytes:
        """Return the body of an answer."""
        variables = msgspec.json.decode(body)["variables"]
        result = await execute(self._schema, self._document, variable_values=variables)  # type: ignore[misc]  # a resolver waits
        return msgspec.json.encode({"data": result.data, "errors": result.errors})


_SELECTED: Final = ", ".join(f'{column} AS "{name}"' for name, column in zip(wide.FIELDS, wide.SELECTED, strict=True))


async def compare(url: str, narrow_url: str, clock: Clock, turns: int) -> None:
    """Print the comparisons on one database; `narrow_url` is the register of `large.py`."""
    policy = wide.bundle()
    plane = plane_on(url, wide.VOCABULARY, wide.MAPPING, policy)
    app = App(plane, policy)
    async with AsyncExitStack() as closing_last:
        closing_last.push_async_callback(plane.close)
        executor = Executor(wide.VOCABULARY, await reader(url, closing_last))
        keys = [wide.resident(n) for n in range(1, OBJECTS * 7 // 6 + 1) if n % 7][:OBJECTS]
        body = asking(_WIDE, keys)
        answered = await app.answer(body)
        same(answered, await executor.answer(body))
        ours_took, executor_took = await clock.compare(turns, [lambda: app.answer(body), lambda: executor.answer(body)])
        told("whole question", ours_took, executor_took)
    await compare_ready(answered, clock, turns)
    await compare_narrow(narrow_url, clock, turns)


async def compare_ready(answered: bytes, clock: Clock, turns: int) -> None:
    """Print what the objects of an answer cost either from rows that are ready."""
    objects: list[dict[str, Any]] = msgspec.json.decode(answered)["data"]["_entities"]
    ready = [list(each.values()) for each in objects]
    arrived = msgspec.json.encode(ready)
    shape = ObjectShape(tuple(Leaf(name, at, str) for at, name in enumerate(wide.FIELDS)), None)
    run = Finishing(Keyed("inprev", ours.PURPOSE, MaskKeys(b"", lambda plain, _: plain, "")))
    schema = build_schema(wide.VOCABULARY + "extend type Query { all: [Citizen] }", assume_valid_sdl=True)
    document = parse(f"{{ all {{ {' '.join(wide.FIELDS)} }} }}")

    async def generated() -> bytes:
        return msgspec.json.encode(shape.objects(ready, run, None))

    async def from_text() -> bytes:
        return msgspec.json.encode(shape.objects(msgspec.json.decode(arrived), run, None))

    async def executed() -> bytes:
        result = execute_sync(schema, document, {"all": objects})
        return msgspec.json.encode((result.data or {})["all"])

    if not await generated() == await from_text() == await executed():
        raise RuntimeError("the generated code and the executor answer differently")
    rows, text, executor = await clock.compare(turns, [generated, from_text, executed])
    told("rows that are ready", rows, executor)
    told("… and the JSON in which they arrive", text, executor)


async def compare_narrow(url: str, clock: Clock, turns: int) -> None:
    """Print the comparison with few fields, in which only ours reads the database."""
    plane = plane_on(url)
    app = App(plane)
    body = asking(_NARROW, [resident(1 + 7 * number) for number in range(OBJECTS // 5)])
    schema = build_schema(ours.VOCABULARY + "extend type Query { all: [Citizen] }", assume_valid_sdl=True)
    document = parse(f"{{ all {{ {_NARROW_FIELDS} }} }}")
    ready = msgspec.json.decode(await app.answer(body))["data"]["_entities"]

    async def executed() -> bytes:
        return msgspec.json.encode(execute_sync(schema, document, {"all": ready}).data)

    ours_took, executor_took = await clock.compare(turns, [lambda: app.answer(body), executed])
    await plane.close()
    told("narrow objects, read by ours only", ours_took, executor_took)


def told(what: str, took: Took, executor: Took) -> None:
    """Print one comparison, with and without what PostgreSQL spent."""
    print(
        f"{what:36} both processes {took.both:6.1f} against {executor.both:6.1f}, {executor.both / took.both:5.1f}x; "
        f"own {took.own:6.1f} against {executor.own:6.1f}, {executor.own / took.own:5.1f}x",
        flush=True,
    )


async def reader(url: str, closing_last: AsyncExitStack) -> Read:
    """Return how the executor's server reads the rows of keys, in one statement and at once."""
    if url.startswith("sqlite"):
        file = sqlite3.connect(url.removeprefix("sqlite:///"))
        closing_last.callback(file.close)
        plain = f"SELECT {_SELECTED} FROM resident WHERE pid IN (SELECT value FROM json_each(?))"

        async def from_file(keys: list[str]) -> dict[str, dict[str, Any]]:
            found = file.execute(plain, (msgspec.json.encode(keys).decode(),)).fetchall()
            return {row[0]: dict(zip(wide.FIELDS, row, strict=True)) for row in found}

        return from_file
    server = await asyncpg.connect(url)
    closing_last.push_async_callback(server.close)
    prepared = await server.prepare(f"SELECT {_SELECTED} FROM resident WHERE pid = ANY($1)")

    async def from_server(keys: list[str]) -> dict[str, dict[str, Any]]:
        return {row["id"]: dict(row) for row in await prepared.fetch(keys)}

    return from_server


def asking(query: str, keys: Sequence[str]) -> bytes:
    """Return the body of a question about keys."""
    return msgspec.json.encode(
        {"query": query, "variables": {"r": [{"__typename": "Citizen", "id": key} for key in keys]}}
    )


def same(masked: bytes, plain: bytes) -> None:
    """Insist that both answer alike, but for the mask: a year in the place of a day.

    Raises:
        RuntimeError: they do not.
    """
    found, expected = (msgspec.json.decode(each)["data"]["_entities"] for each in (masked, plain))
    for each in expected:
        each["dateOfBirth"] = each["dateOfBirth"][:4]
    if found != expected or len(found) != OBJECTS:
        raise RuntimeError("ours and the executor answer differently")


def main(arguments: argparse.Namespace) -> None:
    """Fill the registers, compare, clean up."""
    with tempfile.TemporaryDirectory(prefix="objects") as folder:
        file, narrow = Path(folder) / "wide.db", Path(folder) / "narrow.db"
        wide.fill_sqlite(file, arguments.residents)
        register.fill_sqlite(narrow, arguments.residents)
        print(f"{OBJECTS} objects, SQLite, ms of CPU")
        asyncio.run(compare(f"sqlite:///{file}", f"sqlite:///{narrow}", Clock(None), arguments.turns))
        if arguments.postgres:
            with running_server(Path(folder) / "pg") as server:
                wide.fill_postgres(server.url, arguments.residents)
                register.fill_postgres(server.url, arguments.residents)
                postmaster = int((Path(folder) / "pg" / "postmaster.pid").read_text().split()[0])
                print(f"{OBJECTS} objects, PostgreSQL, ms of CPU of both processes")
                server.runner.run(compare(server.url, server.url, Clock(postmaster), arguments.turns))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--residents", type=int, default=100_000)
    parser.add_argument("--turns", type=int, default=7)
    parser.add_argument("--postgres", action="store_true")
    main(parser.parse_args())
