"""The whole campaign: every fault test, one after the other, and a table whose last line counts what was lost.

    python tests/faults/campaign.py [--quick] [--planted-defects] [--only NAME …]

Each campaign prints its own lines and ends with one that counts; the table repeats those. With `--planted-defects`
every campaign that knows how runs with a defect planted, and must fail: a test of the tests.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Campaign:
    """A script, the criteria it shows, and how it runs in a few minutes."""

    name: str
    shows: str
    quick: tuple[str, ...] = ("--quick",)
    plants: bool = True


CAMPAIGNS = (
    Campaign("ledger_kill", "A1", ("--loops", "20")),
    Campaign("ledger_power", "A2", ("--loops", "6")),
    Campaign("ledger_disk", "A3, A4", ("--rounds", "2")),
    Campaign("ledger_tamper", "A5", ("--flips", "100", "--edits", "10")),
    Campaign("witness_race", "A6, A7", ("--pairs", "100", "--kills", "6", "--splits", "20")),
    Campaign("signature_mutations", "S3", ("--count", "3000")),
    Campaign("channel_peers", "S2", ("--attempts", "60")),
    Campaign("token_attacks", "S5", ()),
    Campaign("replays", "S6", ("--names", "100")),
    Campaign("clock_skew", "S7", ()),
    Campaign("federation_kill", "A1, D8"),
    Campaign("running_disk", "A3, A4"),
    Campaign("running_clocks", "S7"),
    Campaign("hostile_input", "H1, H3, H4, H5, H6, H7, H8"),
    Campaign("signal_kill", "at least once", plants=False),
    Campaign("wire", "D1, D2, D3, D11"),
    Campaign("adversaries", "A6, H11, malicious gateway, node, consumer, log"),
    Campaign("workers", "S6, several processes"),
    Campaign("fuzz", "H10", ("--seconds", "2")),
)


def run(campaign: Campaign, arguments: tuple[str, ...]) -> tuple[int, str, float]:
    """Run a campaign and return its exit code, its last line, and the seconds it took."""
    began = time.monotonic()
    command = [sys.executable, str(FOLDER / f"{campaign.name}.py"), *arguments]
    last = ""
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            sys.stdout.write(f"    {line}")
            sys.stdout.flush()
            last = line.strip() or last
    return process.returncode, last, time.monotonic() - began


def main() -> int:
    """Run what is asked for, and print the table."""
    parser = argparse.ArgumentParser(description="all campaigns against faults and attackers")
    parser.add_argument("--quick", action="store_true", help="a few minutes for each")
    parser.add_argument("--planted-defects", action="store_true", help="every campaign must fail")
    parser.add_argument("--only", action="append", choices=[campaign.name for campaign in CAMPAIGNS])
    asked = parser.parse_args()
    rows, failed = [], 0
    for campaign in CAMPAIGNS:
        if (asked.only and campaign.name not in asked.only) or (asked.planted_defects and not campaign.plants):
            continue
        sys.stdout.write(f"== {campaign.name}\n")
        arguments = campaign.quick if asked.quick or asked.planted_defects else ()
        if asked.planted_defects:
            arguments = (*arguments, "--planted-defect")
        status, last, seconds = run(campaign, arguments)
        good = (status != 0) if asked.planted_defects else (status == 0)
        failed += not good
        rows.append(
            f"{campaign.name:20} {campaign.shows:16.16} {'ok' if good else 'FAILED':7} {seconds:6.0f} s  {last}"
        )
    sys.stdout.write("\n" + "\n".join(rows) + "\n")
    what = "defects not found" if asked.planted_defects else "with something lost, missing or let through"
    sys.stdout.write(f"{len(rows)} campaigns: {failed} {what}\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
