"""Kill nodes and gateway at random moments under load, and count what was promised and is not there.

    python tests/faults/federation_kill.py [--kills 200] [--quick] [--planted-defect]

Partners ask without pause; gateway, nodes and exchange are killed in turn with SIGKILL and started again. Afterwards
every receipt that a partner was given must stand in its ledger with its proof, every answer in the gateway's ledger,
every ledger must verify, and no answer may have differed from what a whole federation says. With `--planted-defect`
nodes acknowledge before they commit, which must be found. The last line counts what was lost; exit code 1 when anything
was.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from dataclasses import replace
from pathlib import Path
from random import Random

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.faults.field import Field, founded, say, verdict

VICTIMS = ("c_m999", "gateway", "inprev", "gateway", "aslvs", "gateway", "exchange", "gateway")


async def campaign(kills: int, planted: bool) -> int:  # noqa: FBT001  # an argument of the command
    """Kill that many processes, and say what was lost."""
    dice, recovery = Random(20261128), []
    with founded() as demo:
        field = Field(demo)
        await field.learn(60)
        if planted:
            for member in ("c_m999", "inprev", "aslvs"):
                field.kill(member)
                await field.start(replace(field.program(member), module="tests.faults.defective_node"))
        async with field.load():
            for number in range(kills):
                victim = VICTIMS[number % len(VICTIMS)]
                await asyncio.sleep(dice.uniform(0.05, 0.6))
                field.kill(victim)
                program = field.program(victim)
                if planted and victim not in {"gateway", "exchange"}:
                    program = replace(program, module="tests.faults.defective_node")
                recovery.append(await field.start(program))
                if number % 20 == 19:
                    say(f"{number + 1:4} kills  {field.told.answered:6} answers  {len(field.told.receipts):7} receipts")
        await field.until_calm()
        demo.processes.__exit__(None, None, None)
        missing, corrupt, wrong = field.missing(), field.corrupt(), field.told.wrong
    for fault in (*corrupt, *wrong[:3]):
        say(f"    {fault}")
    recovery.sort()
    return verdict(
        f"{kills} kills, {field.told.answered} answers with {len(field.told.receipts)} receipts, ready again after "
        f"{recovery[len(recovery) // 2]:.1f} s ({recovery[-1]:.1f} s at most): "
        f"{missing} missing, {len(corrupt)} corrupt, {len(wrong)} wrong answers",
        missing + len(corrupt) + len(wrong),
    )


def main() -> int:
    """Run the campaign."""
    parser = argparse.ArgumentParser(description="kill -9 of the processes of a federation under load")
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--quick", action="store_true", help="16 kills")
    parser.add_argument("--planted-defect", action="store_true")
    asked = parser.parse_args()
    return asyncio.run(campaign(16 if asked.quick else asked.kills, asked.planted_defect))


if __name__ == "__main__":
    sys.exit(main())
