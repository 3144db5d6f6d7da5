"""Throw bytes at every parser that takes bytes from outside, and count crashes and hangs.

    python tests/faults/fuzz.py [--seconds 6] [--target NAME …] [--engine mutation|atheris] [--planted-defect]

A parser may accept its input or refuse it with one of the errors it declares; any other exception is a crash, and more
than two seconds of CPU time a hang. The mutation engine changes valid inputs at random and needs nothing but Python;
`atheris` is guided by coverage and must be installed beside the project. `--planted-defect` runs a parser with
a defect, which must be found. The last line counts; exit code 1 when anything was found.
"""

from __future__ import annotations

import argparse
import importlib
import os
import random
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

HANG_SECONDS = 2.0
_EXECUTIONS = re.compile(rb"Done (\d+) runs|stat::number_of_executed_units: (\d+)")


@dataclass(frozen=True, slots=True)
class Target:
    """A parser: valid inputs to begin with, what runs, and the errors with which it may refuse."""

    name: str
    seeds: Sequence[bytes]
    run: Callable[[bytes], object]
    refusals: tuple[type[Exception], ...]


@dataclass(frozen=True, slots=True)
class Found:
    """What one target did: executions, the inputs that were accepted, and what went wrong."""

    executions: int
    accepted: int
    crashes: tuple[str, ...]


def mutations(seeds: Sequence[bytes], dice: random.Random) -> Iterator[bytes]:
    """Yield the seeds, then changed ones without end."""
    yield from seeds
    words = sorted({word for seed in seeds for word in re.findall(rb"[\w.:-]{2,40}|[^\w\s]", seed)})
    words += [b"", b"\x00", b"\xff\xfe", b"null", b"-1", b"1e999", b"9" * 400, b"[" * 300, b"{" * 300, b'"', b"\\u0000"]
    while True:
        content = bytearray(dice.choice(seeds))
        for _ in range(dice.choice((1, 1, 1, 2, 3, 8))):
            start = dice.randrange(len(content) + 1)
            end = min(len(content), start + dice.choice((0, 1, 1, 4, 40)))
            match dice.randrange(6):
                case 0:
                    content[start:end] = dice.choice(words)
                case 1:
                    content[start:end] = dice.randbytes(end - start)
                case 2:
                    content[start:start] = content[start:end] * dice.choice((1, 2, 50))
                case 3 if start < len(content):
                    content[start] ^= 1 << dice.randrange(8)
                case 4:
                    other = dice.choice(seeds)
                    content[start:] = other[dice.randrange(len(other) + 1) :]
                case _:
                    del content[start:end]
        yield bytes(content)


def run_mutations(target: Target, seconds: float, seed: int) -> Found:
    """Run a target on mutated inputs for that long."""
    executions, accepted, crashes = 0, 0, []
    until = time.monotonic() + seconds
    for content in mutations(target.seeds, random.Random(seed)):
        outcome = attempt(target, content)
        executions += 1
        accepted += outcome == ""
        if outcome:
            crashes.append(outcome)
        if time.monotonic() > until or len(crashes) >= 20:
            break
    return Found(executions, accepted, tuple(crashes))


def attempt(target: Target, content: bytes) -> str | None:
    """Return an empty text if the input was accepted, None if refused, else what went wrong."""
    began = time.process_time()
    accepted: str | None = ""
    try:
        target.run(content)
    except target.refusals:
        accepted = None
    except Exception as error:  # noqa: BLE001  # whatever it is, the parser let it through
        return f"{type(error).__name__}: {error!s:.100} on {content[:200]!r}"
    took = time.process_time() - began
    return f"hang of {took:.1f} s on {content[:200]!r}" if took > HANG_SECONDS else accepted


def run_atheris(name: str, seconds: float) -> Found:
    """Run a target in a process of its own, guided by coverage."""
    command = [sys.executable, __file__, "--guided", name, "--seconds", str(int(seconds))]
    ended = subprocess.run(command, capture_output=True, check=False)
    counts = [int(one or other) for one, other in _EXECUTIONS.findall(ended.stderr)]
    said = ended.stderr.decode(errors="replace")
    crashes = () if ended.returncode == 0 else (said[-600:],)
    return Found(max(counts, default=0), 0, crashes)


def guided(name: str, seconds: int) -> None:
    """Be the process that libFuzzer drives."""
    atheris = importlib.import_module("atheris")
    with atheris.instrument_imports(include=["federation", "node"]):
        target = next(each for each in _targets() if each.name == name)

    def one(content: bytes) -> None:
        outcome = attempt(target, content)
        if outcome:
            raise AssertionError(outcome)

    corpus = Path(os.environ.get("TMPDIR", "/tmp")) / "crocevia-fuzz" / name  # inputs without values
    corpus.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(target.seeds):
        (corpus / f"seed-{number}").write_bytes(seed)
    options = [f"-max_total_time={seconds}", "-timeout=20", "-rss_limit_mb=2048", "-print_final_stats=1"]
    atheris.Setup([sys.argv[0], *options, str(corpus)], one)
    atheris.Fuzz()


def _targets() -> Iterator[Target]:
    """Import the parsers late, so that a guide can watch their modules from the first line."""
    found: Iterator[Target] = importlib.import_module("tests.faults.fuzz_targets").targets()
    return found


def planted() -> Target:
    """A parser with a defect: it takes the second word of what may have one."""

    def run(content: bytes) -> None:
        if not content.startswith(b"n"):
            raise ValueError("expected n")
        content.split(b" ")[1]

    return Target("planted", [b"n 5"], run, (ValueError,))


def main() -> int:
    """Run the campaign."""
    parser = argparse.ArgumentParser(description="fuzzing of all parsers of outside bytes")
    parser.add_argument("--seconds", type=float, default=6.0, help="for each target")
    parser.add_argument("--target", action="append")
    parser.add_argument("--engine", choices=["mutation", "atheris"], default="mutation")
    parser.add_argument("--seed", type=int, default=20261128)
    parser.add_argument("--planted-defect", action="store_true")
    parser.add_argument("--guided", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.guided:
        guided(asked.guided, int(asked.seconds))
        return 0
    chosen = [target for target in _targets() if not asked.target or target.name in asked.target]
    if asked.planted_defect:
        chosen = [planted()]
    total, found = 0, 0
    for target in chosen:
        if asked.engine == "atheris":
            outcome = run_atheris(target.name, asked.seconds)
        else:
            outcome = run_mutations(target, asked.seconds, asked.seed)
        total += outcome.executions
        found += len(outcome.crashes)
        counts = f"{outcome.executions:10} runs {outcome.accepted:9} accepted {len(outcome.crashes):3} found"
        sys.stdout.write(f"{target.name:22} {counts}\n")
        for crash in outcome.crashes[:3]:
            sys.stdout.write(f"    {crash}\n")
        sys.stdout.flush()
    sys.stdout.write(f"{len(chosen)} parsers, {total} inputs: {found} crashes or hangs\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
