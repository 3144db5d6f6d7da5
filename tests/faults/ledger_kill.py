"""Kill the writer of a ledger at random moments, and count what it had promised and did not keep.

    python tests/faults/ledger_kill.py [--loops 200] [--folder DIR] [--planted-defect]

A child process records entries for 16 writers and says which were acknowledged; the parent kills it with SIGKILL, opens
the ledger again, and looks for every acknowledged entry. With `--planted-defect` the child acknowledges before its
commit, and the run must fail: a test of the test. The last line counts what was lost; exit code 1 when anything was.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import secrets
import signal
import subprocess
import sys
import tempfile
import time
from base64 import b64encode
from dataclasses import dataclass, field
from pathlib import Path

from typing_extensions import override

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from federation.ledger.log import Ledger
from federation.ledger.store import SqliteStore
from federation.ledger.verify import verify_ledger
from tests.support.ledger import SIGNER, LedgerFiles, entry

_WRITERS = 16
_PEOPLE = 500


class ForgetfulStore(SqliteStore):
    """A defect to be found: what it is told to commit reaches the disk only with every twentieth batch."""

    __slots__ = ("batches",)
    batches: int

    @override
    def begin(self) -> int:
        return self.size() if self._connection.in_transaction else super().begin()

    @override
    def commit(self) -> None:
        self.batches = getattr(self, "batches", 0) + 1
        if self.batches % 20 == 0:
            super().commit()


async def write(files: LedgerFiles, store: type[SqliteStore]) -> None:
    """Record entries without end in a store of that kind, and print each acknowledgement."""
    keys = files.subject_keys()
    ledger = Ledger.open(SIGNER, lambda: store.open(files.path, SIGNER.verifier.name), keys, secrets.token_bytes)

    async def writer(number: int) -> None:
        count = 0
        while True:
            receipt = await ledger.append(entry(count), [f"subject-{(number * 31 + count) % _PEOPLE}"])
            sys.stdout.write(f"{receipt.index} {receipt.leaf_hash}\n")
            sys.stdout.flush()
            count += 1

    await asyncio.gather(*(writer(number) for number in range(_WRITERS)))


@dataclass(slots=True)
class Toll:
    """What a run has counted."""

    loops: int = 0
    acknowledged: int = 0
    missing: int = 0
    corrupt: int = 0
    recovery: list[float] = field(default_factory=list)


def kill_once(command: list[str], after: float, environment: dict[str, str]) -> list[tuple[int, str]]:
    """Start a writer, kill it, and return what it had acknowledged."""
    child = subprocess.Popen(command, stdout=subprocess.PIPE, env=environment)
    assert child.stdout is not None
    first = child.stdout.readline()  # it works; from now on it may die
    time.sleep(after)
    child.send_signal(signal.SIGKILL)
    said = first + child.stdout.read()
    child.wait()
    lines = said.decode().split("\n")[:-1]  # the last one may be cut short
    return [(int(index), digest) for index, digest in (line.split(" ") for line in lines)]


def look_for(acknowledged: list[tuple[int, str]], files: LedgerFiles, toll: Toll) -> None:
    """Open the ledger as a restart does, and look for every acknowledged entry."""
    began = time.perf_counter()
    keys = files.subject_keys()
    try:
        files.ledger(keys).close()
    except Exception as error:  # noqa: BLE001  # whatever it says, the ledger did not come back
        toll.corrupt += 1
        sys.stdout.write(f"loop {toll.loops}: the ledger does not open: {error}\n")
    toll.recovery.append(time.perf_counter() - began)
    keys.close()
    store = SqliteStore.open_to_read(files.path)
    for index, digest in acknowledged:
        found = store.leaf_hashes(index, index + 1)
        toll.missing += not found or b64encode(found[0]).decode() != digest
    store.close()
    toll.acknowledged += len(acknowledged)
    toll.loops += 1


def campaign(loops: int, folder: Path, arguments: list[str]) -> Toll:
    """Kill `loops` writers of one ledger, one after the other."""
    dice, toll, files = random.Random(20261122), Toll(), LedgerFiles(folder)
    command = [sys.executable, __file__, "--write", str(folder), *arguments]
    for _ in range(loops):
        look_for(kill_once(command, dice.uniform(0.0, 0.3), dict(os.environ)), files, toll)
        if toll.loops % 20 == 0:
            line = f"{toll.loops:5} kills  {toll.acknowledged:8} acknowledged  {toll.missing} missing\n"
            sys.stdout.write(line)
            sys.stdout.flush()
    verify_all(files, toll)
    return toll


def verify_all(files: LedgerFiles, toll: Toll) -> None:
    """Verify the whole ledger at the end of a campaign."""
    store = SqliteStore.open_to_read(files.path)
    try:
        verified = verify_ledger(store, SIGNER.verifier)
        sys.stdout.write(f"{verified.head.size} entries, {verified.checkpoints} checkpoints, all verify\n")
    except Exception as error:  # noqa: BLE001  # the campaign reports, it does not fall over
        toll.corrupt += 1
        sys.stdout.write(f"the ledger does not verify: {error}\n")
    store.close()


def main() -> int:
    """Run the campaign, or be its child."""
    parser = argparse.ArgumentParser(description="kill -9 campaign on the ledger's writer")
    parser.add_argument("--loops", type=int, default=200)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--planted-defect", action="store_true")
    parser.add_argument("--write", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.write:
        asyncio.run(write(LedgerFiles(asked.write), ForgetfulStore if asked.planted_defect else SqliteStore))
        return 0
    arguments = ["--planted-defect"] if asked.planted_defect else []
    with tempfile.TemporaryDirectory(dir=asked.folder) as folder:
        toll = campaign(asked.loops, Path(folder), arguments)
    slowest = max(toll.recovery)
    sys.stdout.write(
        f"{toll.loops} kills, {toll.acknowledged} acknowledged, slowest recovery {slowest:.2f} s: "
        f"{toll.missing} missing, {toll.corrupt} corrupt\n"
    )
    return 1 if toll.missing or toll.corrupt else 0


if __name__ == "__main__":
    sys.exit(main())
