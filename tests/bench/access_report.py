"""How long a node takes to answer with two years of entries about one citizen; prints one line.

    PYTHONPATH=. python tests/bench/access_report.py --entries 200000 --about 5000 --rounds 7

The ledger is a real file; a round is what a node does for a report: find the citizen's entries, prove each, and write
the bytes of the answers, as many as it takes. Signatures over the request are measured in `tests/bench/federation`.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from federation.contract.clock import rfc3339
from federation.contract.entries import Entry, EntryKind
from federation.contract.identifiers import MemberId
from federation.ledger.log import Ledger
from node.enforcement.access_report import page, shown_access
from node.journal.journal import Journal
from tests.support.ledger import LedgerFiles

_BATCH = 2_000
_START = datetime(2024, 11, 28, tzinfo=UTC)
_YEARS = timedelta(days=730)


def main() -> None:
    """Write the ledger, ask for the report some times, print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--entries", type=int, default=200_000)
    parser.add_argument("--about", type=int, default=5_000)
    parser.add_argument("--rounds", type=int, default=7)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        files = LedgerFiles(Path(folder))
        keys = files.subject_keys()
        asyncio.run(_write(files.ledger(keys), given.entries, given.about))
        journal = Journal(files.ledger(keys), files.reader(), keys)
        took, busy, size = zip(
            *(each for _ in range(given.rounds) for each in _answered(journal, given.about)), strict=True
        )
        journal.ledger.close()
        journal.reader.close()
        keys.close()
    print(
        f"{given.about} of {given.entries} entries in {len(took) // given.rounds} answers: median of one "
        f"{statistics.median(took) * 1000:.0f} ms, slowest {max(took) * 1000:.0f} ms; of the processor "
        f"{statistics.median(busy) * 1000:.0f} ms; {max(size) / 1e6:.1f} MB at most"
    )


async def _write(ledger: Ledger, entries: int, about: int) -> None:
    every = entries // about
    numbers = iter(range(entries))
    for batch in iter(lambda: list(_next(numbers)), []):
        await asyncio.gather(
            *(
                ledger.append(
                    _entry(number, entries).to_bytes(),
                    ["c_m999:citizen" if number % every == 0 else f"c_m999:{number % 20_000}"],
                )
                for number in batch
            )
        )
    ledger.close()


def _next(numbers: Iterator[int]) -> Iterator[int]:
    for _, number in zip(range(_BATCH), numbers, strict=False):
        yield number


def _entry(number: int, entries: int) -> Entry:
    return Entry(
        kind=EntryKind.DISCLOSURE,
        at=rfc3339(_START + _YEARS * (number / entries)),
        writer=MemberId("c_m999"),
        consumer="inprev",
        purpose="benefit-assessment",
        legal_basis=("6.1.e",),
        agreement="acc-1",
        subjects=1,
    )


def _answered(journal: Journal, about: int) -> Iterator[tuple[float, float, int]]:
    told, before, more = 0, None, True
    while more:
        start, start_busy = time.perf_counter(), time.process_time()
        shown, more = page(journal.about("c_m999:citizen", before), lambda _: False)
        body = msgspec.json.encode({"accesses": [shown_access(each) for each in shown]})
        yield time.perf_counter() - start, time.process_time() - start_busy, len(body)
        told, before = told + len(shown), shown[-1].receipt.index
    assert told == about, f"{told} entries found"


if __name__ == "__main__":
    main()
