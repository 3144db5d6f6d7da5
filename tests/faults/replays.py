"""Campaign S6: the same names used again and again by four processes that share one file, killed in between.

    python tests/faults/replays.py [NAMES] [TIMES]

1 000 names, each tried ten times by workers in a random order; every worker is killed with SIGKILL in the middle and
another one goes on. Each name must be accepted exactly once.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

WORKERS = 4
_WORKER = """
import sys
from pathlib import Path
from federation.contract.clock import SystemClock
from federation.trust.replay import SqliteReplayStore
store = SqliteReplayStore.open(Path(sys.argv[1]), SystemClock())
for line in sys.stdin:
    name = line.strip()
    sys.stdout.write(f"{name} {int(store.first_time('nonce', name, 2**40))}\\n")
    sys.stdout.flush()
"""


class Worker:
    """One process of a gateway, as far as it remembers what was used."""

    def __init__(self, path: Path) -> None:
        """Start it."""
        self.process = subprocess.Popen(
            [sys.executable, "-c", _WORKER, str(path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(Path.cwd())},
        )

    def tries(self, name: str) -> bool | None:
        """Return whether the worker accepted a name, None when it is gone."""
        assert self.process.stdin
        assert self.process.stdout
        try:
            self.process.stdin.write(f"{name}\n")
            self.process.stdin.flush()
            answer = self.process.stdout.readline()
        except BrokenPipeError:
            return None
        return answer.strip().endswith(" 1") if answer.endswith("\n") else None

    def kill(self) -> None:
        """End it at once."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            assert pipe is not None
            with suppress(BrokenPipeError):
                pipe.close()


def main(names: int, times: int) -> int:
    """Run it, and return 1 when a name was accepted other than once."""
    tried = [f"name-{number}" for number in range(names)] * times
    random.Random(7).shuffle(tried)
    accepted: Counter[str] = Counter()
    kills = 0
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "replay.db"
        workers = [Worker(path) for _ in range(WORKERS)]
        began = time.perf_counter()
        for number, name in enumerate(tried):
            which = number % WORKERS
            accepted[name] += bool(workers[which].tries(name))
            if number % (len(tried) // 20) == len(tried) // 40:
                workers[which].kill()
                workers[which] = Worker(path)
                kills += 1
        seconds = time.perf_counter() - began
        for worker in workers:
            worker.kill()
    never, twice = names - len(+accepted), sum(count > 1 for count in accepted.values())
    rate = len(tried) / seconds
    print(f"{len(tried)} uses of {names} names by {WORKERS} processes, {kills} killed: {rate:.0f} a second")
    print(f"accepted exactly once {names - never - twice}; never {never}; more than once {twice}")
    return 1 if never or twice else 0


if __name__ == "__main__":
    given = [int(each) for each in sys.argv[1:]]
    sys.exit(main(*(given or [1_000]), *([10] if len(given) < 2 else [])))  # both or one
