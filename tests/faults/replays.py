"""Campaign S6: the same names used again and again by four processes that share one memory, killed in between.

    python tests/faults/replays.py [--names 1000] [--times 10] [--postgres] [--planted-defect]

1 000 names, each tried ten times by workers in a random order; every worker is killed with SIGKILL in the middle and
another one goes on. Each name must be accepted exactly once. What they share is a file, or a database of PostgreSQL.
With `--planted-defect` each worker remembers by itself, which must be found.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.support.postgres import running_server

WORKERS = 4
_WORKER = """
import sys
from pathlib import Path
from federation.contract.clock import SystemClock
from federation.trust.replay import MemoryReplayStore, SharedReplayStore
from federation.shared.place import SharedPlace
if sys.argv[2] == "own":
    store = MemoryReplayStore(SystemClock())
else:
    store = SharedReplayStore.open(SharedPlace(Path(sys.argv[1]), sys.argv[2] or None, "gateway"), SystemClock())
for line in sys.stdin:
    name = line.strip()
    sys.stdout.write(f"{name} {int(store.first_time('nonce', name, 2**40))}\\n")
    sys.stdout.flush()
"""


class Worker:
    """One process of a gateway, as far as it remembers what was used."""

    def __init__(self, folder: Path, url: str) -> None:
        """Start it."""
        self.process = subprocess.Popen(
            [sys.executable, "-c", _WORKER, str(folder), url],
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


@contextmanager
def _database(postgres: bool) -> Iterator[str]:  # noqa: FBT001  # an argument of the command
    """Yield the address of a PostgreSQL server of our own, or nothing: then the workers share a file."""
    if not postgres:
        yield ""
        return
    with tempfile.TemporaryDirectory() as folder, running_server(Path(folder)) as server:
        yield server.url


def campaign(names: int, times: int, postgres: bool, memory: str) -> int:  # noqa: FBT001  # arguments of the command
    """Run it, and return 1 when a name was accepted other than once."""
    tried = [f"name-{number}" for number in range(names)] * times
    random.Random(7).shuffle(tried)
    accepted: Counter[str] = Counter()
    kills = 0
    with tempfile.TemporaryDirectory() as folder, _database(postgres) as url:
        path = Path(folder)
        workers = [Worker(path, memory or url) for _ in range(WORKERS)]
        began = time.perf_counter()
        for number, name in enumerate(tried):
            which = number % WORKERS
            accepted[name] += bool(workers[which].tries(name))
            if number % (len(tried) // 20) == len(tried) // 40:
                workers[which].kill()
                workers[which] = Worker(path, memory or url)
                kills += 1
        seconds = time.perf_counter() - began
        for worker in workers:
            worker.kill()
    never, twice = names - len(+accepted), sum(count > 1 for count in accepted.values())
    rate = len(tried) / seconds
    print(f"{len(tried)} uses of {names} names by {WORKERS} processes, {kills} killed: {rate:.0f} a second")
    print(f"accepted exactly once {names - never - twice}; never {never}; more than once {twice}")
    return 1 if never or twice else 0


def main() -> int:
    """Read the arguments, and run the campaign."""
    parser = argparse.ArgumentParser(description="the same names used again and again by four processes")
    parser.add_argument("--names", type=int, default=1_000)
    parser.add_argument("--times", type=int, default=10)
    parser.add_argument("--postgres", action="store_true", help="share a database in place of a file")
    parser.add_argument("--planted-defect", action="store_true")
    asked = parser.parse_args()
    return campaign(asked.names, asked.times, asked.postgres, "own" if asked.planted_defect else "")


if __name__ == "__main__":
    sys.exit(main())
