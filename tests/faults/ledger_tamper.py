"""Change a ledger in every way a thief of the file could, and count what verification does not find.

    python tests/faults/ledger_tamper.py [--flips 1000] [--edits 100] [--folder DIR] [--planted-defect]

Single bits are flipped in rows and anywhere in the file; entries are deleted, inserted, swapped, the file is truncated,
the whole ledger is cut back, and forged again under the same key. Both verifiers judge (the independent one knows
entries and checkpoints only). A flipped bit of the file that verifies must not have changed any row. With
`--planted-defect` our verifier does not hold checkpoints against the tree, which must be found out. The last line
counts what was not found, or found at the wrong entry; exit code 1 when anything was.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import shutil
import sqlite3
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from typing_extensions import override

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from federation.contract.errors import LedgerCorruptError, LedgerUnavailableError
from federation.ledger import standalone_verifier, verify
from federation.ledger.checkpoint import Checkpoint, sign_checkpoint
from federation.ledger.leaf import SubjectKey
from federation.ledger.standalone_verifier import NotVerifiedError, VerifierKey
from federation.ledger.store import SqliteStore
from federation.ledger.tree import leaf_hash, root
from federation.ledger.verify import verify_ledger, verify_subject_index
from tests.support.ledger import SIGNER, LedgerFiles, entry

_SIZE = 400
_COLUMNS = (
    ("entry", "leaf", "idx"),
    ("entry", "hash", "idx"),
    ("checkpoint", "note", "size"),
    ("tile", "hashes", "rowid"),
    ("subject", "lookup", "idx"),
)
_INDEPENDENT = {("entry", "leaf"), ("checkpoint", "note")}
_KEY = VerifierKey(str(SIGNER.verifier))


class BelievingVerification(verify._Verification):
    """A defect to be found: a checkpoint is good because it is there."""

    @override
    def _compare_checkpoint(self, size: int, note: str) -> None:
        self.checkpoints += 1
        self.covered = size


@dataclass(slots=True)
class Toll:
    """What was tried, and what went unseen."""

    tried: Counter[str] = field(default_factory=Counter)
    harmless: Counter[str] = field(default_factory=Counter)
    unseen: Counter[str] = field(default_factory=Counter)
    misnamed: Counter[str] = field(default_factory=Counter)
    disagreed: Counter[str] = field(default_factory=Counter)


@dataclass(slots=True)
class Ledgers:
    """The good ledger, a copy to damage, and the head that a witness kept."""

    good: Path
    copy: Path
    kept: Checkpoint
    kept_note: str
    subjects: tuple[SubjectKey, ...]

    def fresh(self) -> sqlite3.Connection:
        """Return the copy, good again and open to every change."""
        for suffix in ("-wal", "-shm"):
            self.copy.with_name(self.copy.name + suffix).unlink(missing_ok=True)
        shutil.copy(self.good, self.copy)
        connection = sqlite3.connect(self.copy)
        names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall()
        connection.executescript("".join(f"DROP TRIGGER {name};" for (name,) in names))
        return connection

    def ours(self) -> tuple[bool, int | None]:
        """Return whether our verifier is satisfied, and the first bad entry that it names."""
        try:
            store = SqliteStore.open_to_read(self.copy)
        except LedgerUnavailableError:
            return False, None
        try:
            verify_ledger(store, SIGNER.verifier, [self.kept])
            verify_subject_index(store, self.subjects)
        except LedgerCorruptError as error:
            return False, error.extensions.get("firstBad")
        finally:
            store.close()
        return True, None

    def theirs(self) -> bool:
        """Return whether the independent verifier is satisfied."""
        try:
            standalone_verifier.verify_ledger(self.copy, _KEY, [self.kept_note])
        except (NotVerifiedError, sqlite3.Error, ValueError, TypeError):
            return False
        return True


def make(folder: Path) -> Ledgers:
    """Write a good ledger."""
    files = LedgerFiles(folder)

    async def fill() -> None:
        keys = files.subject_keys()
        ledger = files.ledger(keys)
        for first in range(0, _SIZE, 20):
            await asyncio.gather(*(ledger.append(entry(n), [f"p{n % 9}"]) for n in range(first, first + 20)))
        ledger.close()
        keys.close()

    asyncio.run(fill())
    reader = files.reader()
    head = reader.head()
    reader.close()
    keys = files.subject_keys()
    subjects = tuple(keys.all())
    keys.close()
    return Ledgers(files.path, folder / "copy.sqlite", head.checkpoint, str(head.note), subjects)


def flip_row(ledgers: Ledgers, dice: random.Random, toll: Toll) -> None:
    """Flip one bit of one value."""
    connection = ledgers.fresh()
    table, column, key = dice.choice(_COLUMNS)
    keys = [row[0] for row in connection.execute(f"SELECT {key} FROM {table}")]
    place = dice.choice(keys)
    (good,) = connection.execute(f"SELECT {column} FROM {table} WHERE {key} = ?", (place,)).fetchone()
    content = bytearray(good if isinstance(good, bytes) else good.encode())
    content[dice.randrange(len(content))] ^= 1 << dice.randrange(8)
    bad: Any = bytes(content) if isinstance(good, bytes) else content.decode("latin-1")
    with connection:
        connection.execute(f"UPDATE {table} SET {column} = ? WHERE {key} = ?", (bad, place))
    connection.close()
    kind = f"bit of {table}.{column}"
    first_bad = place if table in {"entry", "subject"} else None
    judge(ledgers, toll, kind, first_bad, both=(table, column) in _INDEPENDENT)


def flip_file(ledgers: Ledgers, dice: random.Random, toll: Toll) -> None:
    """Flip one bit anywhere in the file."""
    ledgers.fresh().close()
    before = dump(ledgers.copy)
    content = bytearray(ledgers.copy.read_bytes())
    content[dice.randrange(len(content))] ^= 1 << dice.randrange(8)
    ledgers.copy.write_bytes(content)
    toll.tried["bit of the file"] += 1
    if ledgers.ours()[0]:
        if dump(ledgers.copy) == before:
            toll.harmless["bit of the file"] += 1
        else:
            toll.unseen["bit of the file"] += 1


def judge(ledgers: Ledgers, toll: Toll, kind: str, first_bad: int | None, *, both: bool = True) -> None:
    """Let the verifiers look at the copy."""
    toll.tried[kind] += 1
    satisfied, named = ledgers.ours()
    toll.unseen[kind] += satisfied
    toll.misnamed[kind] += not satisfied and first_bad is not None and named != first_bad
    toll.disagreed[kind] += both and ledgers.theirs() != satisfied


def delete(connection: sqlite3.Connection, at: int) -> int:
    """Remove an entry, as if it had never been."""
    connection.execute("DELETE FROM entry WHERE idx = ?", (at,))
    return at


def insert(connection: sqlite3.Connection, at: int) -> int | None:
    """Put one more entry among the others."""
    connection.execute("UPDATE entry SET idx = -idx - 2 WHERE idx >= ?", (at,))
    connection.execute("UPDATE entry SET idx = -idx - 1 WHERE idx < 0")
    (leaf,) = connection.execute("SELECT leaf FROM entry WHERE idx = ?", (at - 1,)).fetchone()
    connection.execute("INSERT INTO entry VALUES (?, ?, ?)", (at, leaf, leaf_hash(leaf)))
    return None


def swap(connection: sqlite3.Connection, at: int) -> int | None:
    """Exchange two neighbours, with their hashes."""
    for old, new in ((at, -1), (at - 1, at), (-1, at - 1)):
        connection.execute("UPDATE entry SET idx = ? WHERE idx = ?", (new, old))
    return None


def cut_back(connection: sqlite3.Connection, at: int) -> int | None:
    """Make the ledger what it was when it was smaller: a perfect, older copy."""
    (size,) = connection.execute("SELECT max(size) FROM checkpoint WHERE size <= ?", (at,)).fetchone()
    for table, column in (("entry", "idx"), ("subject", "idx")):
        connection.execute(f"DELETE FROM {table} WHERE {column} >= ?", (size,))
    connection.execute("DELETE FROM checkpoint WHERE size > ?", (size,))
    connection.execute("DELETE FROM tile WHERE (number + 1) * 256 > ?", (size,))
    return int(size)


def forge(connection: sqlite3.Connection, at: int) -> int | None:
    """Rewrite an entry, and everything after it, with the ledger's own stolen key: a perfect fork."""
    (leaf,) = connection.execute("SELECT leaf FROM entry WHERE idx = ?", (at,)).fetchone()
    changed = leaf.replace(b"benefit", b"banefit")
    connection.execute("UPDATE entry SET leaf = ?, hash = ? WHERE idx = ?", (changed, leaf_hash(changed), at))
    hashes = [row[0] for row in connection.execute("SELECT hash FROM entry ORDER BY idx")]
    for (size,) in connection.execute("SELECT size FROM checkpoint WHERE size > ?", (at,)).fetchall():
        note = str(sign_checkpoint(Checkpoint(SIGNER.verifier.name, size, root(hashes[:size])), SIGNER))
        connection.execute("UPDATE checkpoint SET note = ? WHERE size = ?", (note, size))
    connection.execute("UPDATE tile SET hashes = ? WHERE level = 0", (b"".join(hashes[:256]),))
    return None


_EDITS: dict[str, Callable[[sqlite3.Connection, int], int | None]] = {
    "entry deleted": delete,
    "entry inserted": insert,
    "entries swapped": swap,
    "ledger cut back": cut_back,
    "ledger forged with its key": forge,
}


def truncate(ledgers: Ledgers, dice: random.Random, toll: Toll) -> None:
    """Cut the end of the file off."""
    ledgers.fresh().close()
    content = ledgers.copy.read_bytes()
    ledgers.copy.write_bytes(content[: dice.randrange(1, len(content))])
    judge(ledgers, toll, "file truncated", None, both=False)


def dump(path: Path) -> list[Any]:
    """Return every row, or the error that reading them gives."""
    connection = sqlite3.connect(path)
    try:
        tables = ("entry", "checkpoint", "tile", "subject")
        return [connection.execute(f"SELECT * FROM {table}").fetchall() for table in tables]
    except sqlite3.Error as error:
        return [str(error)]
    finally:
        connection.close()


def main() -> int:
    """Run the campaign and print its table."""
    parser = argparse.ArgumentParser(description="tampering campaign on a ledger's file")
    parser.add_argument("--flips", type=int, default=1000)
    parser.add_argument("--edits", type=int, default=100)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--planted-defect", action="store_true")
    asked = parser.parse_args()
    if asked.planted_defect:
        vars(verify)["_Verification"] = BelievingVerification
    dice, toll = random.Random(20261122), Toll()
    with tempfile.TemporaryDirectory(dir=asked.folder) as folder:
        ledgers = make(Path(folder))
        for _ in range(asked.flips):
            flip_row(ledgers, dice, toll)
            flip_file(ledgers, dice, toll)
        for _ in range(asked.edits):
            truncate(ledgers, dice, toll)
            for kind, edit in _EDITS.items():
                connection = ledgers.fresh()
                with connection:
                    first_bad = edit(connection, dice.randrange(25, _SIZE - 1))
                connection.close()
                judge(ledgers, toll, kind, first_bad)
    sys.stdout.write(f"{'':28}{'tried':>7}{'harmless':>10}{'unseen':>8}{'misnamed':>10}{'disagreed':>11}\n")
    for kind, tried in toll.tried.items():
        counts = (
            f"{tried:7}{toll.harmless[kind]:10}{toll.unseen[kind]:8}{toll.misnamed[kind]:10}{toll.disagreed[kind]:11}"
        )
        sys.stdout.write(f"{kind:28}{counts}\n")
    failed = toll.unseen.total() + toll.misnamed.total() + toll.disagreed.total()
    sys.stdout.write(
        f"{toll.tried.total()} changes: {toll.unseen.total()} unseen, {toll.misnamed.total()} named wrongly, "
        f"{toll.disagreed.total()} on which the verifiers disagreed\n"
    )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
