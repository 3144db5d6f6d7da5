"""Move the clock of a running node, and of the gateway, and count what was believed that must not be.

    python tests/faults/running_clocks.py [--quick] [--planted-defect]

libfaketime stands under the process and its clock jumps ahead and back while it runs: by seconds that do not matter,
beyond what signatures and tokens allow, by an hour (the member list expires), and back. In time, answers are whole; out
of it, nothing of the party's comes, with an error that names it; set right, whole answers come again by themselves. A
question that was answered before the jump is not answered again after it. With `--planted-defect` node and gateway
allow clocks that differ by a day, which must be found. The last line counts; exit code 3 when `faketime` is not
installed.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from federation.trust.http_messages import HttpRequest
from tests.faults.field import QUESTION, Field, founded, say, verdict
from tests.faults.wire import FIELDS
from tests.support.demo import question, token

NODE = "c_m999"
JUMPS = (20, -20, -120, 120, -3_600, 3_600)
"""Seconds. Clocks may differ by 30, and a request lives for 60."""
_ALLOWED = 30
PATIENT = {NODE: "tests.faults.patient_node", "gateway": "tests.faults.patient_gateway"}
_LIBRARIES = (
    "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1",
    "/usr/lib/aarch64-linux-gnu/faketime/libfaketimeMT.so.1",
)


@dataclass(frozen=True, slots=True)
class Clock:
    """The clock of one process, as a file that libfaketime reads anew every second."""

    library: str
    file: Path

    def environment(self) -> dict[str, str]:
        """What puts it under a process; timers go on by the true time."""
        return {
            "LD_PRELOAD": self.library,
            "FAKETIME_TIMESTAMP_FILE": str(self.file),
            "FAKETIME_CACHE_DURATION": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "DONT_FAKE_MONOTONIC": "1",
        }

    async def set(self, seconds: int) -> None:
        """Let the clock differ by so many seconds from the true time."""
        self.file.write_text(f"{seconds:+d}\n")
        await asyncio.sleep(2.1)


@dataclass(slots=True)
class Toll:
    """What was believed or refused wrongly."""

    believed: int = 0
    refused: int = 0
    unnamed: int = 0
    again: int = 0
    questions: int = 0


async def ask(field_: Field, party: str, seconds: int, each: int, toll: Toll) -> str:
    """Ask while a party's clock is wrong, and judge what comes; return the codes that were said."""
    codes: dict[str, int] = {}
    known = list(field_.expected)
    for number in range(each):
        code = known[number % len(known)]
        # By the consumer's own pseudonym: a look-up by tax code asks this very node first.
        access = token(field_.demo, field_.demo.partner(field_.consumer), field_.purpose, audience=_audience(field_))
        asked = _question(field_, access, field_.expected[code]["id"])
        _, content, _ = await field_.send(asked)
        citizen = (content.get("data") or {}).get("citizen") or {}
        shown = any(citizen.get(name) is not None for name in (FIELDS if party == NODE else citizen))
        errors = content.get("errors") or []
        said = {str(error["extensions"].get("code")) for error in errors} - {"FIELD_DENIED"}
        toll.questions += 1
        if abs(seconds) <= _ALLOWED:
            toll.refused += not shown
        else:
            toll.believed += shown
            named = party != NODE or any(error["extensions"].get("member") == NODE for error in errors)
            toll.unnamed += not (said and named)
        for each_said in said:
            codes[each_said] = codes.get(each_said, 0) + 1
    return ", ".join(f"{code} {count}" for code, count in sorted(codes.items())) or "whole"


def _audience(field_: Field) -> tuple[str, ...]:
    members = field_.demo.partner(field_.consumer).members
    nodes = filter(None, (member.endpoint for member in members.members))
    return (members.gateway.endpoint, members.exchange.endpoint, *nodes)


def _question(field_: Field, access: str, pseudonym: str) -> HttpRequest:
    content = {"query": QUESTION, "variables": {"by": {"id": pseudonym}}}
    return question(field_.demo.partner(field_.consumer), field_.demo.gateway + "/graphql", access, content)


async def campaign(
    each: int,
    jumps: Sequence[int],
    clock_of: Callable[[str], Clock],
    planted: bool,  # noqa: FBT001  # an argument of the command
) -> int:
    """Go through both parties and all jumps."""
    toll = Toll()
    with founded() as demo:
        field_ = Field(demo)
        await field_.learn(20)
        if planted:
            await field_.restart("gateway", module=PATIENT["gateway"])
        for party in (NODE, "gateway"):
            clock = clock_of(party)
            clock.file.write_text("+0\n")
            module = PATIENT[party] if planted else ""
            await field_.restart(party, clock.environment(), module)
            await field_.until_calm()
            for seconds in jumps:
                access = token(demo, demo.partner(field_.consumer), field_.purpose, audience=_audience(field_))
                before = _question(field_, access, next(iter(field_.expected.values()))["id"])
                _, first, _ = await field_.send(before)
                toll.refused += not (first.get("data") or {}).get("citizen")
                await clock.set(seconds)
                said = await ask(field_, party, seconds, each, toll)
                await clock.set(0)
                _, again, _ = await field_.send(before)
                toll.again += bool((again.get("data") or {}).get("citizen"))
                await field_.until_calm()
                say(f"{party:10} {seconds:+6} s  {said}")
        demo.processes.__exit__(None, None, None)
        missing, corrupt, wrong = field_.missing(), field_.corrupt(), field_.told.wrong
    for fault in (*corrupt, *wrong[:3]):
        say(f"    {fault}")
    return verdict(
        f"{2 * len(jumps)} jumps of two clocks, {toll.questions} questions meanwhile: {toll.believed} believed out of "
        f"time, {toll.refused} refused in time, {toll.unnamed} without a reason, {toll.again} answered again, "
        f"{missing} missing, {len(corrupt)} corrupt",
        toll.believed + toll.refused + toll.unnamed + toll.again + missing + len(corrupt) + len(wrong),
    )


def main() -> int:
    """Run the campaign."""
    parser = argparse.ArgumentParser(description="clocks that jump under running processes")
    parser.add_argument("--quick", action="store_true", help="three jumps, 3 questions in each")
    parser.add_argument("--planted-defect", action="store_true")
    asked = parser.parse_args()
    library = next((path for path in _LIBRARIES if Path(path).exists()), None)
    if library is None:
        say("no libfaketime here (Debian: apt-get install faketime): clocks cannot be moved")
        return 3
    with tempfile.TemporaryDirectory() as folder:
        each, jumps = (3, JUMPS[1::2]) if asked.quick else (20, JUMPS)
        return asyncio.run(
            campaign(each, jumps, lambda party: Clock(library, Path(folder) / party), asked.planted_defect)
        )


if __name__ == "__main__":
    sys.exit(main())
