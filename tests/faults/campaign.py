"""The whole campaign: every fault test, and a table whose last line counts what was lost.

    python tests/faults/campaign.py [--quick] [--planted-defects] [--only NAME …] [--out FILE]

Each campaign prints its own lines and ends with one that counts; the table repeats those, as docs/reliability.md shows
it. Two run at once, but those that measure times run alone, and one that fails or hangs does not stop the others. With
`--planted-defects` every campaign runs with a defect planted, and must fail: a test of the tests. `--out` keeps all
that is printed in a file as well.
"""

from __future__ import annotations

import argparse
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

FOLDER = Path(__file__).parent
AT_ONCE = 2
_NOT_HERE = 3
"""The exit code of a campaign that lacks a program of the machine, such as a compiler or `faketime`."""
_CRASH = "Traceback (most recent call last)"
_LEAST_PATIENCE, _PATIENCE = 600, 5
"""Seconds, and times its usual length, after which a campaign is ended as if it hung."""


@dataclass(frozen=True, slots=True)
class Campaign:
    """A script, the criteria it shows, and how it runs in a few seconds; `always` are arguments of each run.

    `whole` and `short` are the seconds that either way takes on two quiet cores, from which the time that is left is
    told. One that measures times runs `alone`.
    """

    name: str
    shows: str
    whole: int
    short: int
    quick: tuple[str, ...] = ("--quick",)
    alone: bool = False
    always: tuple[str, ...] = ()

    def seconds(self, *, quick: bool) -> int:
        """Its usual length, on two quiet cores."""
        return self.short if quick else self.whole


@dataclass(frozen=True, slots=True)
class Ended:
    """How a campaign ended."""

    campaign: Campaign
    status: int
    last: str
    seconds: float
    crashed: bool

    def good(self, *, planted: bool) -> bool:
        """Whether it ended as it should: with a defect planted, it must have found it, and not broken over it."""
        return self.status == int(planted) and not self.crashed

    def row(self, *, planted: bool) -> str:
        """Return its row of the table."""
        outcome = "ok" if self.good(planted=planted) else "NOT RUN" if self.status == _NOT_HERE else "FAILED"
        name = " ".join((f"{self.campaign.name}.py", *self.campaign.always))
        return f"| `{name}` | {self.campaign.shows} | {outcome} | {self.seconds:.0f} | {self.last} |"


CAMPAIGNS = (
    Campaign("ledger_kill", "A1", 80, 8, ("--kills", "20")),
    Campaign("ledger_kill", "A1, several hosts", 250, 20, ("--kills", "10"), always=("--postgres",)),
    Campaign("federation_kill", "A1, D8", 680, 54),
    Campaign("ledger_power", "A2", 20, 3, ("--loops", "6")),
    Campaign("ledger_power", "A2, in a database", 160, 15, ("--loops", "3"), always=("--postgres",)),
    Campaign("ledger_disk", "A3, A4", 5, 1, ("--rounds", "2")),
    Campaign("running_disk", "A3, A4", 80, 30),
    Campaign("ledger_tamper", "A5", 40, 4, ("--flips", "100", "--edits", "10")),
    Campaign("witness_race", "A6, A7", 20, 2, ("--pairs", "100", "--kills", "6", "--splits", "20")),
    Campaign("completeness", "A9, H2", 240, 15),
    Campaign("subjects", "A10, A11", 30, 4),
    Campaign("channel_peers", "S2", 40, 4, ("--attempts", "60")),
    Campaign("signature_mutations", "S3", 35, 1, ("--count", "3000")),
    Campaign("token_attacks", "S5", 1, 1, ()),
    Campaign("replays", "S6", 20, 2, ("--names", "100")),
    Campaign("workers", "S6, several processes", 80, 29),
    Campaign("several_hosts", "A1, S6, several hosts", 200, 45),
    Campaign("clock_skew", "S7", 5, 5, ()),
    Campaign("running_clocks", "S7", 110, 53),
    Campaign("policy_reload", "S11", 180, 35),
    Campaign("fuzz", "H10", 235, 75, ("--seconds", "2")),
    Campaign("adversaries", "A6, H11, malicious gateway, node, consumer, log", 60, 33),
    Campaign("running_database", "D9", 60, 30),
    Campaign("signal_kill", "at least once", 130, 26),
    Campaign("hostile_input", "H1, H3, H4, H5, H6, H7, H8", 130, 70, alone=True),
    Campaign("degradation", "D2, D4, D5, D6, D7, D10, D12", 480, 82, alone=True),
    Campaign("wire", "D1, D2, D3, D11", 330, 54, alone=True),
)


@dataclass(slots=True)
class Progress:
    """Says how far a run of these campaigns is; whatever it prints goes to all of `places`."""

    campaigns: Sequence[Campaign]
    places: Sequence[TextIO]
    quick: bool
    planted: bool
    began: float = field(default_factory=time.monotonic)
    ended: list[Ended] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def say(self, line: str) -> None:
        """Print a line at once, whole."""
        with self.lock:
            for place in self.places:
                place.write(line + "\n")
                place.flush()

    def end(self, ended: Ended) -> None:
        """Take in how one campaign ended, and say what is left."""
        self.ended.append(ended)
        failed = sum(not each.good(planted=self.planted) for each in self.ended)
        passed, done = time.monotonic() - self.began, self._length([each.campaign for each in self.ended])
        left = (self._length(self.campaigns) - done) * max(1.0, passed / done)
        self.say(
            f"--- {len(self.ended)} of {len(self.campaigns)} campaigns ended, {failed} failed; "
            f"{passed / 60:.0f} min passed, about {left / 60:.0f} min left"
        )

    def _length(self, campaigns: Sequence[Campaign]) -> float:
        """How long campaigns take on two quiet cores."""
        return sum(each.seconds(quick=self.quick) / (1 if each.alone else AT_ONCE) for each in campaigns)

    def table(self) -> int:
        """Print the table, and return how many campaigns did not end as they should."""
        failed = sum(not each.good(planted=self.planted) for each in self.ended)
        self.say("\n| Campaign | Shows | Outcome | Seconds | Its last line |\n|---|---|---|---|---|")
        for each in sorted(self.ended, key=lambda ended: self.campaigns.index(ended.campaign)):
            self.say(each.row(planted=self.planted))
        what = "defects not found" if self.planted else "with something lost, missing or let through, or not run"
        self.say(f"\n{len(self.ended)} campaigns in {time.monotonic() - self.began:.0f} s: {failed} {what}")
        return failed


def run(campaign: Campaign, progress: Progress) -> None:
    """Run a campaign, and pass on its lines under its name."""
    began, last, crashed = time.monotonic(), "", False
    short = progress.quick or progress.planted
    arguments = (*campaign.always, *(campaign.quick if short else ()), *(("--planted-defect",) * progress.planted))
    command = [sys.executable, str(FOLDER / f"{campaign.name}.py"), *arguments]
    progress.say(f"{campaign.name:20}| begins")
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    ) as process:
        patience = max(_LEAST_PATIENCE, _PATIENCE * campaign.seconds(quick=short))
        # It ends its own processes when it is interrupted.
        hung = [
            threading.Timer(patience, process.send_signal, [signal.SIGINT]),
            threading.Timer(patience + 60, process.kill),
        ]
        for timer in hung:
            timer.start()
        assert process.stdout is not None
        for line in process.stdout:
            progress.say(f"{campaign.name:20}| {line.rstrip()}")
            last, crashed = line.strip() or last, crashed or line.startswith(_CRASH)
        process.wait()
        for timer in hung:
            timer.cancel()
    progress.end(Ended(campaign, process.returncode, last, time.monotonic() - began, crashed))


def main() -> int:
    """Run what is asked for, and print the table."""
    parser = argparse.ArgumentParser(description="all campaigns against faults and attackers")
    parser.add_argument("--quick", action="store_true", help="some minutes for all")
    parser.add_argument("--planted-defects", action="store_true", help="every campaign must fail")
    parser.add_argument("--only", action="append", choices=sorted({campaign.name for campaign in CAMPAIGNS}))
    parser.add_argument("--out", type=Path, help="keep what is printed in this file as well")
    asked = parser.parse_args()
    chosen = [each for each in CAMPAIGNS if not asked.only or each.name in asked.only]
    with ExitStack() as stack:
        places = [sys.stdout, *([stack.enter_context(asked.out.open("w"))] if asked.out else [])]
        progress = Progress(chosen, places, asked.quick or asked.planted_defects, asked.planted_defects)
        together = sorted(
            (each for each in chosen if not each.alone), key=lambda each: -each.whole
        )  # the longest first
        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(lambda each: run(each, progress), together))
        for each in chosen:
            if each.alone:
                run(each, progress)
        return 1 if progress.table() else 0


if __name__ == "__main__":
    sys.exit(main())
