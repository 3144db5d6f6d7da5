"""Large answers and large registers: `python tests/bench/node/large.py [--citizens 1000000] [--postgres]`.

* 10 000 objects (2 000 citizens with address and cases, by key) against graphql-core's executor on rows that are ready;
* `_entities` of 1 000 keys: statements and time;
* pages at growing depth, and look-ups by id and tax code, with the policy on.

Times are of one process, without HTTP, the median of some repeats.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from statistics import median
from time import perf_counter, process_time
from typing import Any, Final

import msgspec
from graphql import build_schema, execute_sync, parse

sys.path.insert(0, str(Path(__file__).parents[3]))

from node.data.plane import DataPlane
from tests.bench.node.ours import VOCABULARY, App, plane_on
from tests.bench.node.register import fill_postgres, fill_sqlite
from tests.support.postgres import running_server

_FIELDS: Final = """id givenName familyName dateOfBirth sex
  address { street number postCode town } cases { id title status openedOn }"""
_ENTITIES: Final = f"query($r: [_Any!]!) {{ _entities(representations: $r) {{ ... on Citizen {{ {_FIELDS} }} }} }}"
_PAGE: Final = f"query($after: String) {{ citizens(first: 100, after: $after) {{ edges {{ node {{ {_FIELDS} }} }} }} }}"
_LOOKUP: Final = "query($by: CitizenKey!) { citizen(by: $by) { id givenName familyName dateOfBirth } }"
_OBJECTS: Final = 2_000
_REPEATS: Final = 9


def resident(number: int) -> str:
    """Return the key of a citizen who is resident, near a number."""
    return f"v1.siv.c_m999.{number + (number % 7 == 0):022}"


def after_place(after: str | None) -> Callable[[int], Mapping[str, Any]]:
    """Return the variables of a page after a cursor."""
    return lambda _: {"after": after}


class Asking:
    """Asks one plane, and counts statements."""

    def __init__(self, plane: DataPlane) -> None:
        self.app = App(plane)
        self.plane = plane

    async def data(self, query: str, variables: Mapping[str, Any]) -> Any:
        """Return the data of an answer, as bytes."""
        return await self.app.answer(msgspec.json.encode({"query": query, "variables": variables}))

    async def time(
        self, query: str, variables: Callable[[int], Mapping[str, Any]], clock: Callable[[], float]
    ) -> float:
        """Return the median time of a question in ms."""
        await self.data(query, variables(0))
        await self.data(query, variables(1))
        found = []
        for number in range(_REPEATS):
            start = clock()
            answered = await self.data(query, variables(number))
            found.append(1000 * (clock() - start))
            if b'"id"' not in answered:
                raise RuntimeError(f"no citizen in {answered[:200]!r}")
        return median(found)


def executor_time(asked: bytes) -> float:
    """Return what graphql-core needs for the same objects, from rows that are ready, in ms of CPU."""
    schema = build_schema(VOCABULARY + "extend type Query { all: [Citizen] }", assume_valid_sdl=True)
    document = parse(f"{{ all {{ {_FIELDS} }} }}")
    ready = {"all": msgspec.json.decode(asked)["data"]["_entities"]}
    found = []
    for _ in range(3):
        start = process_time()
        result = execute_sync(schema, document, ready)
        msgspec.json.encode(result.data)
        found.append(1000 * (process_time() - start))
    return median(found)


async def measure(url: str, citizens: int) -> None:
    """Print the figures of one database."""
    asking = Asking(plane_on(url))

    def keys(count: int) -> Callable[[int], Mapping[str, Any]]:
        given = [{"__typename": "Citizen", "id": resident(1 + 7 * number)} for number in range(count)]
        return lambda _: {"r": given}

    many = await asking.time(_ENTITIES, keys(_OBJECTS), process_time)
    executor = executor_time(await asking.data(_ENTITIES, keys(_OBJECTS)(0)))
    print(f"10 000 objects: {many:.1f} ms of CPU, graphql-core's executor {executor:.0f} ms, {executor / many:.1f}x")
    print(f"_entities of 1 000 keys: {await asking.time(_ENTITIES, keys(1_000), perf_counter):.1f} ms, one statement")
    await asking.data(_PAGE, {"after": None})
    operation = next(made for query, (_, made) in asking.plane._known.items() if "citizens" in query[0])
    root: Any = operation.roots["citizens"]
    bound = ("inprev", *root.connection.bound_to)
    first = 0.0
    for depth in (0.0, 0.01, 0.5, 0.99):
        after = asking.app._asker.cursors.seal([resident(int(citizens * depth))], bound) if depth else None
        taken = await asking.time(_PAGE, after_place(after), perf_counter)
        first = first or taken
        print(f"page of 100 at {depth:.0%}: {taken:.2f} ms, {taken / first:.2f}x the first")
    spread = [1 + 7 * (number * citizens // 7 // (_REPEATS + 1)) for number in range(_REPEATS + 2)]
    by_id = await asking.time(_LOOKUP, lambda n: {"by": {"id": resident(spread[n])}}, perf_counter)
    by_code = await asking.time(_LOOKUP, lambda n: {"by": {"taxCode": f"TAX{spread[n]:013}"}}, perf_counter)
    print(f"look-up by id {by_id:.2f} ms, by tax code {by_code:.2f} ms (p50)")
    await asking.plane.database.close()


def main(arguments: argparse.Namespace) -> None:
    """Fill a register, measure, clean up."""
    with tempfile.TemporaryDirectory(prefix="large") as folder:
        file = Path(folder) / "register.db"
        fill_sqlite(file, arguments.citizens)
        print(f"SQLite, {arguments.citizens} citizens")
        asyncio.run(measure(f"sqlite:///{file}", arguments.citizens))
        if arguments.postgres:
            with running_server(Path(folder) / "pg") as server:
                fill_postgres(server.url, arguments.citizens)
                print(f"PostgreSQL, {arguments.citizens} citizens")
                server.runner.run(measure(server.url, arguments.citizens))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--citizens", type=int, default=1_000_000)
    parser.add_argument("--postgres", action="store_true")
    main(parser.parse_args())
