"""Let a ledger hold thousands of entries about hundreds of citizens, and let each find the own: all, and no other.

    python tests/faults/subjects.py [--entries 10000] [--quick] [--planted-defect]

Criterion A11: entries about one to three random citizens each; every citizen must find exactly the own ones, each with
a proof under the ledger's key. Then every tenth citizen is erased (criterion A10): nothing of them is found any more,
neither name nor key in any byte of the ledger's files, while all others find what they found, and every receipt that
was given still verifies. With `--planted-defect` the index leaves out one entry in a hundred, which must be found.
The last line counts; exit code 1 when anything was missed, foreign, left or without its proof.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from federation.contract.errors import CroceviaError
from federation.contract.receipts import Receipt
from federation.ledger.erasure import erase_subject
from federation.ledger.proof import verify_receipt
from federation.ledger.reader import LedgerReader
from federation.ledger.subject_keys import SubjectKeys
from federation.ledger.verify import verify_ledger
from tests.faults.field import say, verdict
from tests.support.ledger import SIGNER, LedgerFiles, entry

AT_ONCE = 200
_EACH = 10
"""Entries for each citizen; on average each of them is about two."""


@dataclass(slots=True)
class Toll:
    """What was not as it must be."""

    found: int = 0
    missed: int = 0
    foreign: int = 0
    unproved: int = 0
    traces: int = 0

    def look(self, reader: LedgerReader, keys: SubjectKeys, who: str, own: frozenset[int]) -> None:
        """Let a citizen look."""
        found = {each.index: each for each in reader.about(who, keys)}
        self.found += len(found)
        self.missed += len(own - found.keys())
        self.foreign += len(found.keys() - own)
        for each in found.values():
            self.unproved += not _proved(each.receipt, each.leaf)


def _proved(receipt: Receipt, leaf: bytes | None) -> bool:
    try:
        verify_receipt(receipt, SIGNER.verifier, leaf or b"")
    except CroceviaError:
        return False
    return True


@dataclass(slots=True)
class Written:
    """What was recorded: receipts in the order of entries, and by citizen the positions of the own ones."""

    receipts: list[Receipt] = field(default_factory=list)
    own: dict[str, set[int]] = field(default_factory=dict)


async def write(files: LedgerFiles, keys: SubjectKeys, entries: int, dice: Random, *, planted: bool) -> Written:
    """Record entries about random citizens."""
    people = [f"v1.siv.c_m999.citizen{number:06}" for number in range(max(10, entries // _EACH))]
    written = Written(own={who: set() for who in people})
    ledger = files.ledger(keys)
    for first in range(0, entries, AT_ONCE):
        about = [dice.sample(people, dice.randint(1, 3)) for _ in range(min(AT_ONCE, entries - first))]
        said = [[] if planted and dice.random() < 0.01 else who for who in about]
        made = await asyncio.gather(*(ledger.append(entry(first + n), who) for n, who in enumerate(said)))
        written.receipts += made
        for receipt, whom in zip(made, about, strict=True):
            for who in whom:
                written.own[who].add(receipt.index)
    ledger.close()
    return written


def campaign(entries: int, folder: Path, *, planted: bool) -> int:
    """Write, look, erase, and look again."""
    files, toll, dice = LedgerFiles(folder), Toll(), Random(20261128)
    with closing(files.subject_keys()) as keys:
        written = asyncio.run(write(files, keys, entries, dice, planted=planted))
        reader = files.reader()
        began = time.monotonic()
        for who, own in written.own.items():
            toll.look(reader, keys, who, frozenset(own))
        slowest = (time.monotonic() - began) / len(written.own)
        say(f"{len(written.own)} citizens found {toll.found} entries, {slowest * 1000:.1f} ms each")
        erased = sorted(written.own)[::10]
        secrets = _erase(reader, keys, erased)
        content = files.content()
        toll.traces += sum(trace in content for trace in (*secrets, *(who.encode() for who in written.own)))
        for who, own in written.own.items():
            toll.look(reader, keys, who, frozenset() if who in erased else frozenset(own))
        for receipt in written.receipts:
            toll.unproved += not _proved(receipt, reader.store.leaf(receipt.index))
        verify_ledger(reader.store, SIGNER.verifier)
        reader.close()
    return verdict(
        f"{entries} entries about {len(written.own)} citizens, {len(erased)} of them erased: {toll.missed} missed, "
        f"{toll.foreign} foreign, {toll.traces} traces of the erased, {toll.unproved} without their proof",
        toll.missed + toll.foreign + toll.traces + toll.unproved,
    )


def _erase(reader: LedgerReader, keys: SubjectKeys, people: list[str]) -> list[bytes]:
    """Erase them, and return what must not be left anywhere."""
    secrets: list[bytes] = []
    for who in people:
        key = keys.find(who)
        if key is not None:
            secrets += [key.lookup, key.secret]
        erase_subject(who, reader.store, keys)
    return secrets


def main() -> int:
    """Run the campaign."""
    parser = argparse.ArgumentParser(description="whether citizens find all own entries, and no other")
    parser.add_argument("--entries", type=int, default=10_000)
    parser.add_argument("--quick", action="store_true", help="1 000 entries")
    parser.add_argument("--planted-defect", action="store_true")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        return campaign(1_000 if asked.quick else asked.entries, Path(folder), planted=asked.planted_defect)


if __name__ == "__main__":
    sys.exit(main())
