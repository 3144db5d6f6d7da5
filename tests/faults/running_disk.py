"""Let the disk fail under a running node and the gateway, and count what was told all the same.

    python tests/faults/running_disk.py [--tries 100] [--quick] [--planted-defect]

Four faults, switched on and off while processes run: syncing fails at the node's ledger, its disk is full, and the same
at the gateway. Meanwhile every question must be refused with a code that says so, readiness must say no, nothing of
data may come, and all must come back by itself once the disk works. At the end every receipt that was given must stand
in its ledger, and every ledger must verify. With `--planted-defect` the node's ledger believes that it committed
whatever the disk says, which must be found. The last line counts; exit code 1 when anything was told or lost, 3 when
there is no C compiler.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.faults.failing_disk import NoCompilerError, build, under
from tests.faults.field import Field, founded, say, verdict
from tests.support.demo import question, token

NODE = "c_m999"
QUESTION = "query($by: CitizenKey!) { citizen(by: $by) { givenName familyName } }"
REFUSED = "LEDGER_UNAVAILABLE"
_UNREADY_SECONDS, _BACK_SECONDS = 2.0, 20.0


@dataclass(frozen=True, slots=True)
class Fault:
    """What fails, for whom, and what the paths of its files hold."""

    name: str
    flag: str
    party: str
    path: str


FAULTS = (
    Fault("node: ledger cannot be synced", "EIO", NODE, f"{NODE}/state/ledger.db"),
    Fault("node: disk full", "ENOSPC", NODE, f"{NODE}/state/"),
    Fault("gateway: ledger cannot be synced", "EIO", "gateway", "gateway/state/ledger.db"),
    Fault("gateway: disk full", "ENOSPC", "gateway", "gateway/state/"),
)


@dataclass(slots=True)
class Toll:
    """What happened while a disk failed, and how long refusing, saying no and coming back took."""

    refused: dict[str, int] = field(default_factory=dict)
    told: int = 0
    unclear: int = 0
    slowest: float = 0.0
    unready: float = 0.0
    back: float = 0.0

    def note(self, status: int, answer: dict[str, Any], seconds: float) -> None:
        """Judge one answer: no data may be in it, and it must say why."""
        errors = answer.get("errors") or [{}]
        said = str(errors[0].get("extensions", {}).get("code", status))
        self.refused[said] = self.refused.get(said, 0) + 1
        self.told += bool((answer.get("data") or {}).get("citizen"))
        self.unclear += said != REFUSED
        self.slowest = max(self.slowest, seconds)


async def suffer(field_: Field, fault: Fault, folder: Path, tries: int) -> Toll:
    """Switch a fault on, ask, switch it off, and wait until all is well."""
    toll, codes = Toll(), field_.tax_codes()
    (folder / fault.flag).touch()
    for number in range(tries):
        code = codes[number % 20]
        if fault.party == NODE:
            toll.note(*await field_.ask_node(NODE, code, QUESTION))
        else:
            toll.note(*await _ask_gateway(field_, code))
        if number == 0:
            toll.unready = await _until_not_ready(field_, fault.party)
    toll.told += await field_.ready(fault.party)
    (folder / fault.flag).unlink()
    toll.back = await field_.until_ready(fault.party, _BACK_SECONDS)
    status, answer, _ = await field_.ask_node(NODE, codes[0], QUESTION)
    assert answer.get("data"), f"after `{fault.name}` the node answers {status}: {answer}"
    await field_.until_calm()
    return toll


async def _ask_gateway(field_: Field, code: str) -> tuple[int, dict[str, Any], float]:
    """Ask with a token of our own making: the authorisation server has the same disk."""
    partner = field_.demo.partner(field_.consumer)
    everybody = (member.endpoint for member in partner.members.members)
    audience = (partner.members.gateway.endpoint, partner.members.exchange.endpoint, *filter(None, everybody))
    access = token(field_.demo, partner, field_.purpose, audience=audience)
    content = {"query": QUESTION, "variables": {"by": {"taxCode": code}}}
    asked = question(partner, field_.demo.gateway + "/graphql", access, content)
    return await field_.send(asked)


async def _until_not_ready(field_: Field, party: str) -> float:
    began = time.monotonic()
    while await field_.ready(party) and time.monotonic() - began < _UNREADY_SECONDS:  # noqa: ASYNC110  # asked by HTTP
        await asyncio.sleep(0.02)
    return time.monotonic() - began


async def campaign(tries: int, folder: Path, planted: bool) -> int:  # noqa: FBT001  # an argument of the command
    """Go through all faults."""
    library = build(folder)
    told = unclear = 0
    with founded() as demo:
        field_ = Field(demo)
        await field_.learn(20)
        for fault in FAULTS:
            module = "tests.faults.careless_node" if planted and fault.party == NODE else ""
            await field_.restart(fault.party, under(library, folder, f"/{fault.path}"), module)
            await field_.until_calm()
            toll = await suffer(field_, fault, folder, tries)
            told, unclear = told + toll.told, unclear + toll.unclear
            codes = ", ".join(f"{code} {count}" for code, count in sorted(toll.refused.items()))
            times = f"refused within {toll.slowest * 1000:.0f} ms, not ready after {toll.unready:.1f} s"
            say(f"{fault.name:30} {codes}; {times}, back after {toll.back:.1f} s")
        demo.processes.__exit__(None, None, None)
        missing, corrupt = field_.missing(), field_.corrupt()
    for each in corrupt:
        say(f"    {each}")
    return verdict(
        f"{len(FAULTS)} faults of a disk under running processes, {tries} questions in each, "
        f"{len(field_.told.receipts)} receipts between: {told} told all the same, {unclear} refused unclearly, "
        f"{missing} missing, {len(corrupt)} corrupt",
        told + unclear + missing + len(corrupt),
    )


def main() -> int:
    """Run the campaign."""
    parser = argparse.ArgumentParser(description="failing disks under running processes")
    parser.add_argument("--tries", type=int, default=250)
    parser.add_argument("--quick", action="store_true", help="20 questions in each fault")
    parser.add_argument("--planted-defect", action="store_true")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        try:
            return asyncio.run(campaign(20 if asked.quick else asked.tries, Path(folder), asked.planted_defect))
        except NoCompilerError as missing:
            say(str(missing))
            return 3


if __name__ == "__main__":
    sys.exit(main())
