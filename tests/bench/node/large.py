"""Large answers and large registers: `python tests/bench/node/large.py [--citizens 1000000] [--postgres]`.

* `_entities` of 1 000 keys: statements and time;
* pages at growing depth, and look-ups by id and tax code, with the policy on.

Times are of one process, without HTTP, the median of some repeats. Look-ups are told in CPU, too: on a busy machine a
question waits longer for a processor than it works.
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

sys.path.insert(0, str(Path(__file__).parents[3]))

from node.data.plane import DataPlane  # found through the line above
from tests.bench.gateway.run import cpu_seconds
from tests.bench.node.ours import App, plane_on
from tests.bench.node.register import fill_postgres, fill_sqlite
from tests.support.postgres import running_server

_FIELDS: Final = """id givenName familyName dateOfBirth sex
  address { street number postCode town } cases { id title status openedOn }"""
_ENTITIES: Final = f"query($r: [_Any!]!) {{ _entities(representations: $r) {{ ... on Citizen {{ {_FIELDS} }} }} }}"
_PAGE: Final = f"query($after: String) {{ citizens(first: 100, after: $after) {{ edges {{ node {{ {_FIELDS} }} }} }} }}"
_LOOKUP: Final = "query($by: CitizenKey!) { citizen(by: $by) { id givenName familyName dateOfBirth } }"
_REPEATS: Final = 9
_LOOKUPS: Final = 400


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


async def measure(url: str, citizens: int, postmaster: int | None = None) -> None:
    """Print the figures of one database; `postmaster` is the server's process, if it has one."""
    asking = Asking(plane_on(url))

    def keys(count: int) -> Callable[[int], Mapping[str, Any]]:
        given = [{"__typename": "Citizen", "id": resident(1 + 7 * number)} for number in range(count)]
        return lambda _: {"r": given}

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
    spread = [1 + 7 * (number * citizens // 7 // _LOOKUPS) for number in range(_LOOKUPS)]
    await look_up(asking, "id", [{"id": resident(n)} for n in spread], postmaster)
    await look_up(asking, "tax code", [{"taxCode": f"TAX{n:013}"} for n in spread], postmaster)
    await asking.plane.close()


async def look_up(asking: Asking, name: str, keys: list[dict[str, str]], postmaster: int | None) -> None:
    """Print what one look-up takes: wall time, and CPU of this process and of PostgreSQL's."""
    for by in keys[:20]:
        await asking.data(_LOOKUP, {"by": by})
    found: list[float] = []
    before, at_server = process_time(), 0.0 if postmaster is None else cpu_seconds(postmaster)
    for by in keys:
        start = perf_counter()
        answered = await asking.data(_LOOKUP, {"by": by})
        found.append(1000 * (perf_counter() - start))
        if b'"givenName"' not in answered:
            raise RuntimeError(f"no citizen in {answered[:200]!r}")
    own = 1000 * (process_time() - before) / len(keys)
    servers = 0.0 if postmaster is None else 1000 * (cpu_seconds(postmaster) - at_server) / len(keys)
    found.sort()
    wall = f"p50 {found[len(found) // 2]:.2f} ms, quickest tenth {found[len(found) // 10]:.2f} ms"
    print(f"look-up by {name}: {wall}; CPU {own:.2f} ms of the node, {servers:.2f} ms of PostgreSQL")


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
                postmaster = int((Path(folder) / "pg" / "postmaster.pid").read_text().split()[0])
                server.runner.run(measure(server.url, arguments.citizens, postmaster))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--citizens", type=int, default=1_000_000)
    parser.add_argument("--postgres", action="store_true")
    main(parser.parse_args())
