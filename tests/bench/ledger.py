"""How many entries a ledger takes from writers at once, beside one that commits each entry by itself; prints two lines.

    PYTHONPATH=. python tests/bench/ledger.py [--writers 64] [--seconds 5] [--postgres]

The ledger is a real file that is synced at every commit. The other one is the same ledger asked by one writer, which
waits for each receipt before the next entry: what anybody gets who commits entry by entry. With `--postgres` a ledger
in a database of this machine is measured too, by as many writers.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from pathlib import Path

from tests.support.ledger import LedgerFiles, entry
from tests.support.postgres import running_server


async def taken(files: LedgerFiles, writers: int, seconds: float) -> tuple[float, float]:
    """Return entries a second, and the time within which 19 of 20 had their receipt."""
    keys = files.subject_keys()
    ledger, times = files.ledger(keys), list[float]()
    until = time.perf_counter() + seconds

    async def writer(number: int) -> None:
        while (began := time.perf_counter()) < until:
            await ledger.append(entry(number), [f"subject-{number}"])
            times.append(time.perf_counter() - began)

    await asyncio.gather(*(writer(number) for number in range(writers)))
    ledger.close()
    keys.close()
    return len(times) / seconds, sorted(times)[int(len(times) * 0.95)]


def main() -> None:
    """Measure both, one after the other."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--writers", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--postgres", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        alone, many = Path(folder) / "alone", Path(folder) / "many"
        for made in (alone, many):
            made.mkdir()
        naive, _ = asyncio.run(taken(LedgerFiles(alone), 1, given.seconds))
        rate, p95 = asyncio.run(taken(LedgerFiles(many), given.writers, given.seconds))
    print(f"1 writer: {naive:.0f} entries a second")
    print(f"{given.writers} writers: {rate:.0f} a second, {rate / naive:.1f} times as many; p95 {p95 * 1000:.1f} ms")
    if given.postgres:
        with tempfile.TemporaryDirectory() as folder, running_server(Path(folder) / "pg") as server:
            files = LedgerFiles(Path(folder), url=server.url)
            shared, p95 = asyncio.run(taken(files, given.writers, given.seconds))
        print(f"the same in PostgreSQL: {shared:.0f} a second, {shared / rate:.2f} times; p95 {p95 * 1000:.1f} ms")


if __name__ == "__main__":
    main()
