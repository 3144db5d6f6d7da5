"""The whole campaign: every fault test, and a table whose last line counts what was lost.

    python tests/faults/campaign.py [--quick] [--planted-defects] [--only NAME …]

Each campaign prints its own lines and ends with one that counts; the table repeats those. Two run at once, but those
that measure times run alone. With `--planted-defects` every campaign runs with a defect planted, and must fail: a test
of the tests.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent
_NOT_HERE = 3
"""The exit code of a campaign that lacks a program of the machine, such as a compiler or `faketime`."""
_PRINTING = threading.Lock()


@dataclass(frozen=True, slots=True)
class Campaign:
    """A script, the criteria it shows, and how it runs in a few seconds; `always` are arguments of each run.

    One that measures times runs `alone`.
    """

    name: str
    shows: str
    quick: tuple[str, ...] = ("--quick",)
    alone: bool = False
    always: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Ended:
    """How a campaign ended."""

    campaign: Campaign
    status: int
    last: str
    seconds: float

    def good(self, *, planted: bool) -> bool:
        """Whether it ended as it should: with a defect planted, it must have found it."""
        return (self.status != 0) is planted

    def row(self, *, planted: bool) -> str:
        """Return its row of the table."""
        outcome = "ok" if self.good(planted=planted) else "FAILED" if self.status != _NOT_HERE else "NOT RUN"
        return f"{self.campaign.name:20} {self.campaign.shows:28.28} {outcome:8}{self.seconds:5.0f} s  {self.last}"


CAMPAIGNS = (
    Campaign("completeness", "A9, H2"),  # the longest first: two run at once
    Campaign("ledger_kill", "A1", ("--loops", "20")),
    Campaign("ledger_kill", "A1, several hosts", ("--loops", "10"), always=("--postgres",)),
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
    Campaign("hostile_input", "H1, H3, H4, H5, H6, H7, H8", alone=True),
    Campaign("running_database", "D9"),
    Campaign("signal_kill", "at least once"),
    Campaign("degradation", "D2, D4, D5, D6, D7, D10, D12", alone=True),
    Campaign("wire", "D1, D2, D3, D11", alone=True),
    Campaign("adversaries", "A6, H11, malicious gateway, node, consumer, log"),
    Campaign("workers", "S6, several processes"),
    Campaign("fuzz", "H10", ("--seconds", "2")),
)


def run(campaign: Campaign, arguments: tuple[str, ...]) -> Ended:
    """Run a campaign, and pass on its lines under its name."""
    began = time.monotonic()
    command = [sys.executable, str(FOLDER / f"{campaign.name}.py"), *campaign.always, *arguments]
    last = ""
    say(f"{campaign.name:20}| begins")
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            say(f"{campaign.name:20}| {line.rstrip()}")
            last = line.strip() or last
    return Ended(campaign, process.returncode, last, time.monotonic() - began)


def say(line: str) -> None:
    """Print a line at once, whole."""
    with _PRINTING:
        sys.stdout.write(line + "\n")
        sys.stdout.flush()


def main() -> int:
    """Run what is asked for, and print the table."""
    parser = argparse.ArgumentParser(description="all campaigns against faults and attackers")
    parser.add_argument("--quick", action="store_true", help="some minutes for all")
    parser.add_argument("--planted-defects", action="store_true", help="every campaign must fail")
    parser.add_argument("--only", action="append", choices=[campaign.name for campaign in CAMPAIGNS])
    asked = parser.parse_args()
    planted: bool = asked.planted_defects

    def one(campaign: Campaign) -> Ended:
        arguments = campaign.quick if asked.quick or planted else ()
        return run(campaign, (*arguments, "--planted-defect") if planted else arguments)

    chosen = [each for each in CAMPAIGNS if not asked.only or each.name in asked.only]
    began = time.monotonic()
    with ThreadPoolExecutor(2) as pool:
        ended = list(pool.map(one, (each for each in chosen if not each.alone)))
    ended += map(one, (each for each in chosen if each.alone))
    failed = sum(not each.good(planted=planted) for each in ended)
    sys.stdout.write("\n" + "\n".join(each.row(planted=planted) for each in ended) + "\n")
    what = "defects not found" if planted else "with something lost, missing or let through, or not run"
    sys.stdout.write(f"{len(ended)} campaigns in {time.monotonic() - began:.0f} s: {failed} {what}\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
