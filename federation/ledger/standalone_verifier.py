"""An independent verifier of ledgers and receipts: this one file, Python 3.11 and `cryptography`, nothing else of ours.

    python standalone_verifier.py ledger LEDGER_FILE VERIFIER_KEY [CHECKPOINT_FILE ...]
    python standalone_verifier.py receipt RECEIPT_JSON VERIFIER_KEY [LEAF_FILE]

`VERIFIER_KEY` is the ledger's `name+keyid+key`, which must come from somewhere else than the ledger: it is all that is
trusted. Checkpoint files are heads that somebody else kept (a witness, a receipt); with one, a ledger that was cut back
or rewritten as a whole is found as well. Exit code 0: everything verifies; 1: something does not, and it is named;
2: the question cannot be read.

It was written from RFC 6962 and C2SP tlog-checkpoint apart from `federation.ledger.verify`, and a test keeps the two of
one opinion; do not let it import that code.
"""

from __future__ import annotations

import base64
import hashlib
import json
import sqlite3
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

_FAILED, _UNREADABLE = 1, 2
_KEY_ID = 4


class NotVerifiedError(Exception):
    """Something does not verify; the message names it."""


class VerifierKey:
    """The public key of one ledger."""

    def __init__(self, text: str) -> None:
        self.name, key_id, encoded = text.split("+", 2)  # base64 may hold a plus; a name and a key id cannot
        content = base64.b64decode(encoded, validate=True)
        expected = hashlib.sha256(self.name.encode() + b"\n" + content).digest()[:_KEY_ID]
        if content[:1] != b"\x01" or expected.hex() != key_id:
            raise ValueError("the verifier key is not an Ed25519 key with its own key id")
        self.key_id = expected
        self.key = Ed25519PublicKey.from_public_bytes(content[1:])


def open_checkpoint(note: str, log: VerifierKey) -> tuple[int, bytes]:
    """Return size and root of a checkpoint signed by the ledger."""
    text, separator, signatures = note.rpartition("\n\n")
    if not separator:
        raise NotVerifiedError("a checkpoint has no signature")
    body = text + "\n"
    for line in signatures.splitlines():
        dash, name, encoded = line.split(" ")
        content = base64.b64decode(encoded, validate=True)
        if dash == "—" and name == log.name and content[:_KEY_ID] == log.key_id:
            try:
                log.key.verify(content[_KEY_ID:], body.encode())
            except InvalidSignature as error:
                raise NotVerifiedError("the signature of a checkpoint is wrong") from error
            origin, size, root = text.split("\n")
            if origin != log.name:
                raise NotVerifiedError(f"a checkpoint is of `{origin}`")
            return int(size), base64.b64decode(root, validate=True)
    raise NotVerifiedError("a checkpoint is not signed by the ledger's key")


def leaf_hash(leaf: bytes) -> bytes:
    """RFC 6962 section 2.1."""
    return hashlib.sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """RFC 6962 section 2.1."""
    return hashlib.sha256(b"\x01" + left + right).digest()


class GrowingRoot:
    """The root of a growing tree, from a stack of (height, hash) of its complete subtrees."""

    def __init__(self) -> None:
        self.size = 0
        self.stack: list[tuple[int, bytes]] = []

    def add(self, leaf: bytes) -> None:
        """Take one more leaf."""
        height, top = 0, leaf_hash(leaf)
        while self.stack and self.stack[-1][0] == height:
            top = node_hash(self.stack.pop()[1], top)
            height += 1
        self.stack.append((height, top))
        self.size += 1

    def root(self) -> bytes:
        """Return the root of what was taken."""
        if not self.stack:
            return hashlib.sha256(b"").digest()
        top = self.stack[-1][1]
        for _, left in reversed(self.stack[:-1]):
            top = node_hash(left, top)
        return top


def verify_ledger(path: Path, log: VerifierKey, kept: Sequence[str]) -> str:
    """Rebuild the tree from the entries and compare every checkpoint, in the file and kept elsewhere."""
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
    try:
        if connection.execute("PRAGMA integrity_check(1)").fetchone() != ("ok",):
            raise NotVerifiedError("the file is damaged")
        checkpoints = list(_checkpoints(connection, log))
        known = [("kept elsewhere", *open_checkpoint(note, log)) for note in kept]
        due = sorted([*(("in the file", *each) for each in checkpoints), *known], key=lambda each: each[1])
        tree, good = GrowingRoot(), 0
        for index, leaf in connection.execute("SELECT idx, leaf FROM entry ORDER BY idx"):
            while due and due[0][1] == tree.size:
                good = _compare(due.pop(0), tree, good)
            if index != tree.size or not isinstance(leaf, bytes):
                raise NotVerifiedError(f"entry {tree.size} is missing or damaged")
            tree.add(leaf)
        while due and due[0][1] == tree.size:
            good = _compare(due.pop(0), tree, good)
    finally:
        connection.close()
    if due:
        raise NotVerifiedError(f"entry {tree.size} is missing: a checkpoint {due[0][0]} covers {due[0][1]} entries")
    if not checkpoints or checkpoints[-1][0] != tree.size:
        raise NotVerifiedError(f"entry {good} and those after it are under no checkpoint")
    return f"{tree.size} entries under {len(checkpoints)} checkpoints, root {base64.b64encode(tree.root()).decode()}"


def _checkpoints(connection: sqlite3.Connection, log: VerifierKey) -> Iterator[tuple[int, bytes]]:
    for size, note in connection.execute("SELECT size, note FROM checkpoint ORDER BY size"):
        signed_size, root = open_checkpoint(note, log)
        if signed_size != size:
            raise NotVerifiedError(f"the checkpoint of {size} entries says {signed_size}")
        yield signed_size, root


def _compare(due: tuple[str, int, bytes], tree: GrowingRoot, good: int) -> int:
    where, size, root = due
    if root != tree.root():
        raise NotVerifiedError(f"entries {good} to {size - 1} are not those of a checkpoint {where}")
    return size


def verify_receipt(receipt: dict[str, Any], log: VerifierKey, leaf: bytes | None) -> str:
    """Follow the inclusion proof of a receipt to its checkpoint (RFC 9162 section 2.1.3.2)."""
    size, root = open_checkpoint(receipt["checkpoint"], log)
    index, top = receipt["index"], base64.b64decode(receipt["leafHash"], validate=True)
    if leaf is not None and leaf_hash(leaf) != top:
        raise NotVerifiedError("the entry is not the one that the receipt names")
    if not 0 <= index < size:
        raise NotVerifiedError(f"entry {index} is not in a ledger of {size}")
    low, high = index, size - 1
    for part in receipt["inclusion"]:
        sibling = base64.b64decode(part, validate=True)
        if high == 0:
            raise NotVerifiedError("the proof is too long")
        if low & 1 or low == high:
            top = node_hash(sibling, top)
            while not low & 1 and low:
                low, high = low >> 1, high >> 1
        else:
            top = node_hash(top, sibling)
        low, high = low >> 1, high >> 1
    if high or top != root:
        raise NotVerifiedError(f"the proof does not lead from entry {index} to the checkpoint")
    return f"entry {index} stands in `{log.name}`, proved under a checkpoint of {size} entries"


def main(arguments: Sequence[str]) -> int:
    """Verify what the command line names, and say the outcome."""
    try:
        match arguments:
            case ["ledger", path, key, *kept]:
                notes = [Path(name).read_text(encoding="utf-8") for name in kept]
                outcome = verify_ledger(Path(path), VerifierKey(key), notes)
            case ["receipt", path, key, *leaf]:
                content = Path(leaf[0]).read_bytes() if leaf else None
                outcome = verify_receipt(json.loads(Path(path).read_text("utf-8")), VerifierKey(key), content)
            case _:
                sys.stderr.write(f"{__doc__}\n")
                return _UNREADABLE
    except NotVerifiedError as error:
        sys.stdout.write(f"NOT VERIFIED: {error}\n")
        return _FAILED
    except sqlite3.DatabaseError as error:
        sys.stdout.write(f"NOT VERIFIED: the file is damaged ({error})\n")
        return _FAILED
    except (OSError, ValueError, KeyError, TypeError) as error:
        sys.stderr.write(f"cannot be read: {error}\n")
        return _UNREADABLE
    sys.stdout.write(f"verified: {outcome}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
