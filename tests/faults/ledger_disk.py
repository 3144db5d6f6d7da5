"""Make the disk under a ledger fail, and count what was acknowledged meanwhile and what was lost after.

    python tests/faults/ledger_disk.py [--rounds 10] [--tries 100] [--folder DIR] [--planted-defect]

A process records entries while `fsync` fails with EIO, or writing fails with ENOSPC, whenever it says so itself (a
small library is put under it; the C compiler `cc` must be there). Every try during a fault must be refused, the ledger
must come back by itself, and afterwards everything acknowledged must be there. With `--planted-defect` a store is run
that says it committed whatever the disk says, which must be found. The last line counts; exit code 1 when anything was
acknowledged in vain, 3 when there is no compiler.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import secrets
import sqlite3
import subprocess
import sys
import tempfile
import time
from base64 import b64decode
from contextlib import suppress
from pathlib import Path

from typing_extensions import override

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from federation.contract.errors import LedgerUnavailableError
from federation.contract.receipts import Receipt
from federation.ledger.log import Ledger
from federation.ledger.proof import verify_receipt
from federation.ledger.store import SqliteStore
from federation.ledger.verify import verify_ledger
from tests.faults.failing_disk import NoCompilerError, build, under
from tests.support.ledger import SIGNER, LedgerFiles, entry

_FAULTS = ("EIO", "ENOSPC")


class CarelessStore(SqliteStore):
    """A defect to be found: it says that it committed, whatever the disk says."""

    __slots__ = ()

    @override
    def commit(self) -> None:
        with suppress(sqlite3.Error):
            super().commit()


async def suffer(folder: Path, rounds: int, tries: int, store: type[SqliteStore]) -> int:
    """Work, fail and recover `rounds` times for each fault; print what happened, return how many promises broke."""
    files = LedgerFiles(folder)
    keys = files.subject_keys()
    ledger = Ledger.open(SIGNER, lambda: store.open(files.path, SIGNER.verifier.name), keys, secrets.token_bytes)
    kept: list[Receipt] = []
    vain, slowest_refusal, slowest_recovery = 0, 0.0, 0.0
    for fault in _FAULTS * rounds:
        kept.extend([await ledger.append(entry(number)) for number in range(20)])
        (folder / fault).touch()
        for number in range(tries):
            began = time.perf_counter()
            try:
                await ledger.append(entry(number))
                vain += 1
            except LedgerUnavailableError:
                slowest_refusal = max(slowest_refusal, time.perf_counter() - began)
        vain += await ledger.ready()
        (folder / fault).unlink()
        began = time.perf_counter()
        while not await ledger.ready():
            continue
        slowest_recovery = max(slowest_recovery, time.perf_counter() - began)
    ledger.close()
    keys.close()
    left = SqliteStore.open_to_read(files.path)
    missing = sum(left.leaf_hashes(each.index, each.index + 1) != [b64decode(each.leaf_hash)] for each in kept)
    known = [verify_receipt(each, SIGNER.verifier).checkpoint for each in kept]
    size = verify_ledger(left, SIGNER.verifier, known).head.size
    left.close()
    sys.stdout.write(
        f"{rounds} rounds of EIO and of ENOSPC, {2 * rounds * tries} tries during a fault, {len(kept)} acknowledged "
        f"between, ledger of {size} verifies\nslowest refusal {slowest_refusal * 1000:.1f} ms, "
        f"slowest recovery {slowest_recovery * 1000:.1f} ms: {vain} acknowledged in vain, {missing} missing\n"
    )
    return vain + missing


def main() -> int:
    """Build the library, and run the campaign under it."""
    parser = argparse.ArgumentParser(description="failing disk under the ledger")
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--tries", type=int, default=100)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--planted-defect", action="store_true")
    asked = parser.parse_args()
    if "FAULT_FOLDER" in os.environ:
        store = CarelessStore if asked.planted_defect else SqliteStore
        return 1 if asyncio.run(suffer(Path(os.environ["FAULT_FOLDER"]), asked.rounds, asked.tries, store)) else 0
    with tempfile.TemporaryDirectory(dir=asked.folder) as name:
        try:
            library = build(Path(name))
        except NoCompilerError as missing:
            sys.stdout.write(f"{missing}\n")
            return 3
        environment = {**os.environ, **under(library, Path(name), "ledger.sqlite")}
        return subprocess.run([sys.executable, *sys.argv], env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
