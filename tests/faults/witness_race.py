"""Race, kill and deceive a witness, and count how often it went back or cosigned two histories.

    python tests/faults/witness_race.py [--pairs 1000] [--kills 50] [--splits 100] [--folder DIR] [--planted-defect]

Pairs of requests from one old size reach two connections of one witness at once: exactly one may be cosigned. A child
that cosigns growing heads is killed with SIGKILL: what it said it cosigned must be remembered. A log that shows two
histories of one size must be refused with 422. With `--planted-defect` a witness compares and remembers in two steps,
which must be found. The last line counts; exit code 1 when anything went wrong.
"""

from __future__ import annotations

import argparse
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from http import HTTPStatus
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from typing_extensions import override

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from federation.contract.clock import SystemClock
from federation.ledger.checkpoint import Checkpoint, sign_checkpoint
from federation.ledger.cosignature import Cosigner
from federation.ledger.frontier import Frontier
from federation.ledger.hashes import Place, consistency_path, tree_root
from federation.ledger.note import SignedNote
from federation.ledger.tree import leaf_hash
from federation.ledger.witness import AddCheckpoint, Witness, WitnessAnswer
from federation.shared.place import SharedPlace
from tests.support.ledger import SIGNER

_COSIGNER = Cosigner.of("aslvs.example/witness", Ed25519PrivateKey.from_private_bytes(bytes([9]) * 32))
_LOGS = {SIGNER.verifier.name: [SIGNER.verifier]}
_SIZE = 8_192


class Log:
    """A log held in memory, of which any head can be shown; `flavour` makes another history."""

    def __init__(self, flavour: str) -> None:
        self._tree = Frontier(0, {})
        self._tree.extend(leaf_hash(sha256(f"{flavour} {number}".encode()).digest()) for number in range(_SIZE))

    def submission(self, old: int, new: int) -> str:
        """Return the request to cosign the head of `new` entries."""
        note = str(sign_checkpoint(Checkpoint(SIGNER.verifier.name, new, tree_root(new, self._hash)), SIGNER))
        return str(AddCheckpoint(old, consistency_path(old, new, self._hash), note))

    def _hash(self, place: Place) -> bytes:
        return self._tree.hash_at(place)


class HastyWitness(Witness):
    """A defect to be found: what it compares with may have changed when it remembers."""

    @override
    def _compare_and_cosign(self, asked: AddCheckpoint, offered: Checkpoint) -> WitnessAnswer:
        return self._judged(asked, offered)


def open_witness(path: Path, kind: type[Witness] = Witness) -> Witness:
    """Open the witness's memory."""
    path.mkdir(exist_ok=True)
    return kind.open(SharedPlace(path), _COSIGNER, SystemClock())


def remembered(witness: Witness) -> int:
    """Return the size that the witness has cosigned."""
    note = witness.checkpoint(SIGNER.verifier.name)
    return 0 if note is None else Checkpoint.parse(SignedNote.parse(note).text).size


def race(path: Path, log: Log, pairs: int, kind: type[Witness]) -> int:
    """Send pairs of requests at once; return how many ended with both, none, or an older head remembered."""
    witnesses: Sequence[Witness] = (open_witness(path, kind), open_witness(path, kind))
    wrong, old = 0, 0
    with ThreadPoolExecutor(2) as pool:
        for number in range(1, pairs + 1):
            asked = [log.submission(old, old + 1), log.submission(old, old + 2)]
            if number % 2:
                asked.reverse()
            sent = [
                pool.submit(witness.add_checkpoint, body, _LOGS) for witness, body in zip(witnesses, asked, strict=True)
            ]
            answers = [each.result().status for each in sent]
            now = remembered(witnesses[0])
            wrong += sorted(answers) != [HTTPStatus.OK, HTTPStatus.CONFLICT] or now <= old
            old = now
    for witness in witnesses:
        witness.close()
    return wrong


def cosign_on(path: Path) -> None:
    """Cosign growing heads without end, and print each size."""
    witness, log = open_witness(path), Log("one")
    size = remembered(witness)
    while size < _SIZE:
        if witness.add_checkpoint(log.submission(size, size + 1), _LOGS).status is HTTPStatus.OK:
            size += 1
            sys.stdout.write(f"{size}\n")
            sys.stdout.flush()


def kill(path: Path, kills: int) -> int:
    """Kill a witness at work; return how often it forgot what it had cosigned."""
    dice, forgotten = random.Random(20261122), 0
    for _ in range(kills):
        child = subprocess.Popen([sys.executable, __file__, "--cosign", str(path)], stdout=subprocess.PIPE)
        assert child.stdout is not None
        first = child.stdout.readline()
        time.sleep(dice.uniform(0.0, 0.05))
        child.send_signal(signal.SIGKILL)
        said = (first + child.stdout.read()).split(b"\n")[:-1]
        child.wait()
        witness = open_witness(path)
        forgotten += bool(said) and remembered(witness) < int(said[-1])
        witness.close()
    return forgotten


def deceive(path: Path, splits: int) -> int:
    """Show the witness another history of sizes it knows, and grown from them; return how often it was taken in."""
    witness, one, other = open_witness(path), Log("one"), Log("other")
    dice, taken_in = random.Random(20261122), 0
    for _ in range(splits):
        size = remembered(witness)
        grown = min(_SIZE, size + dice.randint(0, 5))
        answer = witness.add_checkpoint(other.submission(size, grown), _LOGS)
        taken_in += answer.status is not HTTPStatus.UNPROCESSABLE_ENTITY
        witness.add_checkpoint(one.submission(size, min(_SIZE, size + 1)), _LOGS)
    witness.close()
    return taken_in


def main() -> int:
    """Run the campaign, or be its child."""
    parser = argparse.ArgumentParser(description="races, kills and split views at a witness")
    parser.add_argument("--pairs", type=int, default=1000)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--splits", type=int, default=100)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--planted-defect", action="store_true")
    parser.add_argument("--cosign", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.cosign:
        cosign_on(asked.cosign)
        return 0
    with tempfile.TemporaryDirectory(dir=asked.folder) as folder:
        kind = HastyWitness if asked.planted_defect else Witness
        wrong = race(Path(folder) / "race", Log("one"), asked.pairs, kind)
        forgotten = kill(Path(folder) / "kill", asked.kills)
        taken_in = deceive(Path(folder) / "kill", asked.splits)
    sys.stdout.write(
        f"{asked.pairs} pairs at once, {asked.kills} kills, {asked.splits} split views: "
        f"{wrong} races lost, {forgotten} heads forgotten, {taken_in} histories cosigned twice\n"
    )
    return 1 if wrong or forgotten or taken_in else 0


if __name__ == "__main__":
    sys.exit(main())
