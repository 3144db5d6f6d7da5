"""Kill the writer of a ledger at random moments, and count what it had promised and did not keep.

    python tests/faults/ledger_kill.py [--kills 200] [--folder DIR] [--postgres] [--planted-defect]

A child process records entries for 16 writers and says which were acknowledged; the parent kills it with SIGKILL, opens
the ledger again, and looks for every acknowledged entry. With `--postgres` the ledger is in a database, and two
children write it, as two hosts do: one is killed while the other goes on, then that one. With `--planted-defect` the
children acknowledge before their commit, and the run must fail: a test of the test. The last line counts what was lost;
exit code 1 when anything was.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import secrets
import signal
import subprocess
import sys
import tempfile
import time
from base64 import b64encode
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from federation.contract.errors import LedgerUnavailableError
from federation.ledger.database_store import DatabaseStore
from federation.ledger.log import Ledger
from federation.ledger.store import LedgerStore, SqliteStore
from federation.ledger.verify import verify_ledger
from tests.support.ledger import SIGNER, LedgerFiles, entry
from tests.support.postgres import running_server

_WRITERS = 16
_PEOPLE = 500
_PATIENCE = 20.0
"""Seconds in which a ledger must be open again."""


class _Forgetful:
    """A defect to be found: what it is told to commit reaches the disk only with every twentieth batch."""

    batches = 0

    def begin(self) -> int:
        """Begin a batch, in the transaction of the one before if that was not committed."""
        waiting = self.batches % 20
        return int(self.size() if waiting else super().begin())  # type: ignore[attr-defined, misc]  # the store's

    def commit(self) -> None:
        """Commit now and then."""
        self.batches += 1
        if self.batches % 20 == 0:
            super().commit()  # type: ignore[misc]  # the store's


class ForgetfulStore(_Forgetful, SqliteStore):
    """The defect in a file."""


class ForgetfulDatabaseStore(_Forgetful, DatabaseStore):
    """The defect in a database."""


def defective(files: LedgerFiles) -> LedgerStore:
    """Open the store with the defect."""
    name = SIGNER.verifier.name
    return (
        ForgetfulStore.open(files.path, name) if files.url is None else ForgetfulDatabaseStore.open(files.place, name)
    )


def when_available(open_ledger: Callable[[], Ledger]) -> Ledger:
    """Open a ledger, again and again while it says only that it cannot be reached now."""
    until = time.monotonic() + _PATIENCE
    while True:
        try:
            return open_ledger()
        except LedgerUnavailableError:
            if time.monotonic() > until:
                raise
            time.sleep(0.05)


async def write(files: LedgerFiles, open_store: Callable[[], LedgerStore]) -> None:
    """Record entries without end in a store, and print each acknowledgement."""
    keys = files.subject_keys()
    ledger = when_available(lambda: Ledger.open(SIGNER, open_store, keys, secrets.token_bytes))

    async def writer(number: int) -> None:
        count = 0
        while True:
            try:
                receipt = await ledger.append(entry(count), [f"subject-{(number * 31 + count) % _PEOPLE}"])
            except LedgerUnavailableError:  # refused and not recorded, such as when the other one has the lock too long
                await asyncio.sleep(0.05)
                continue
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
    forked: int = 0
    recovery: list[float] = field(default_factory=list)


def kill_all(
    commands: list[list[str]],
    dice: random.Random,
    environment: Mapping[str, str] | None = None,
    before: Callable[[], None] = lambda: None,
) -> list[tuple[int, str]]:
    """Start writers, kill one after the other, and return what they had acknowledged; `before` each, something else."""
    children = [subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) for command in commands]
    firsts = [child.stdout.readline() if child.stdout else b"" for child in children]  # they work; now they may die
    acknowledged: list[tuple[int, str]] = []
    for child, first in zip(children, firsts, strict=True):
        time.sleep(dice.uniform(0.0, 0.3))
        before()
        child.send_signal(signal.SIGKILL)
        assert child.stdout is not None
        said = first + child.stdout.read()
        child.wait()
        lines = said.decode().split("\n")[:-1]  # the last one may be cut short
        acknowledged += [(int(index), digest) for index, digest in (line.split(" ") for line in lines)]
    return acknowledged


def look_for(acknowledged: list[tuple[int, str]], files: LedgerFiles, toll: Toll) -> None:
    """Open the ledger as a restart does, and look for every acknowledged entry."""
    began = time.perf_counter()
    keys = files.subject_keys()
    try:
        when_available(lambda: files.ledger(keys)).close()
    except Exception as error:  # noqa: BLE001  # whatever it says, the ledger did not come back
        toll.corrupt += 1
        sys.stdout.write(f"loop {toll.loops}: the ledger does not open: {error}\n")
    toll.recovery.append(time.perf_counter() - began)
    keys.close()
    store = files.to_read()
    toll.forked += len({index for index, _ in acknowledged}) != len(acknowledged)
    for index, digest in acknowledged:
        found = store.leaf_hashes(index, index + 1)
        toll.missing += not found or b64encode(found[0]).decode() != digest
    store.close()
    toll.acknowledged += len(acknowledged)
    toll.loops += 1


def campaign(loops: int, files: LedgerFiles, writers: int, arguments: list[str]) -> Toll:
    """Kill writers of one ledger, `loops` times, `writers` at once."""
    dice, toll = random.Random(20261122), Toll()
    command = [sys.executable, __file__, "--write", str(files.folder), *arguments]
    for _ in range(loops):
        look_for(kill_all([command] * writers, dice), files, toll)
        if toll.loops % 20 == 0:
            line = f"{toll.loops * writers:5} kills  {toll.acknowledged:8} acknowledged  {toll.missing} missing\n"
            sys.stdout.write(line)
            sys.stdout.flush()
    verify_all(files, toll)
    return toll


def verify_all(files: LedgerFiles, toll: Toll) -> None:
    """Verify the whole ledger at the end of a campaign."""
    store = files.to_read()
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
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--postgres", action="store_true", help="the ledger is in a database, of two writers")
    parser.add_argument("--planted-defect", action="store_true")
    parser.add_argument("--write", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--url", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.write:
        files = LedgerFiles(asked.write, url=asked.url)
        asyncio.run(write(files, lambda: defective(files) if asked.planted_defect else files.store()))
        return 0
    arguments = ["--planted-defect"] if asked.planted_defect else []
    with tempfile.TemporaryDirectory(dir=asked.folder) as folder, ExitStack() as stack:
        files, writers = LedgerFiles(Path(folder)), 1
        if asked.postgres:
            files.url, writers = stack.enter_context(running_server(Path(folder) / "pg")).url, 2
            arguments += ["--url", files.url]
        toll = campaign(asked.kills // writers, files, writers, arguments)
    slowest = max(toll.recovery)
    sys.stdout.write(
        f"{toll.loops * writers} kills, {toll.acknowledged} acknowledged, slowest recovery {slowest:.2f} s: "
        f"{toll.missing} missing, {toll.corrupt} corrupt, {toll.forked} forked\n"
    )
    return 1 if toll.missing or toll.corrupt or toll.forked else 0


if __name__ == "__main__":
    sys.exit(main())
