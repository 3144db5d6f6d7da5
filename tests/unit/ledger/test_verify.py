"""Verification finds every change to a ledger's rows and names the first bad entry."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from pathlib import Path

import pytest

from federation.contract.errors import LedgerCorruptError
from federation.ledger.checkpoint import Checkpoint, open_checkpoint, sign_checkpoint
from federation.ledger.store import SqliteStore
from federation.ledger.tree import leaf_hash
from federation.ledger.verify import verify_ledger
from tests.support.ledger import SIGNER, LedgerFiles, entry

SIZE = 530  # two full tiles and an unfinished one
UNLOCK = (
    "DROP TRIGGER entry_appends; DROP TRIGGER entry_stays; DROP TRIGGER entry_remains; DROP TRIGGER checkpoint_stays;"
    "DROP TRIGGER checkpoint_remains; DROP TRIGGER checkpoint_appends; DROP TRIGGER tile_stays;"
    "DROP TRIGGER tile_remains; DROP TRIGGER subject_remains; DROP TRIGGER subject_is_only_erased;"
)


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make one good ledger, whose copies the tests damage."""
    files = LedgerFiles(tmp_path_factory.mktemp("ledger"))

    async def fill() -> None:
        keys = files.subject_keys()
        ledger = files.ledger(keys)
        for first in range(0, SIZE, 53):
            await asyncio.gather(*(ledger.append(entry(n), [f"p{n % 7}"]) for n in range(first, first + 53)))
        ledger.close()
        keys.close()

    asyncio.run(fill())
    return files.path


@pytest.fixture
def path(original: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(original, tmp_path / "ledger.sqlite"))


def changed(path: Path, script: str) -> SqliteStore:
    connection = sqlite3.connect(path)
    connection.executescript(UNLOCK + script)
    connection.close()
    return SqliteStore.open_to_read(path)


def test_a_good_ledger_verifies(path: Path) -> None:
    verified = verify_ledger(SqliteStore.open_to_read(path), SIGNER.verifier)
    assert (verified.head.size, verified.tiles, verified.subjects) == (SIZE, 2, SIZE)
    assert verified.checkpoints >= 10


DAMAGE = {
    "entry rewritten": ("UPDATE entry SET leaf = replace(leaf, 'benefit', 'banefit') WHERE idx = 77", 77),
    "entry emptied": ("UPDATE entry SET leaf = x'' WHERE idx = 77", 77),
    "entry made text": ("UPDATE entry SET leaf = CAST(leaf AS TEXT) WHERE idx = 77", 77),
    "hash rewritten": ("UPDATE entry SET hash = zeroblob(32) WHERE idx = 529", 529),
    "entry deleted": ("DELETE FROM entry WHERE idx = 200", 200),
    "last entry deleted": ("DELETE FROM entry WHERE idx = 529", 529),
    "index row deleted": ("DELETE FROM subject WHERE idx = 12", 12),
    "index row invented": ("INSERT INTO subject VALUES (12, 1, x'00')", 12),
}


@pytest.mark.parametrize(("script", "first_bad"), DAMAGE.values(), ids=DAMAGE.keys())
def test_a_change_is_found_and_its_first_entry_named(path: Path, script: str, first_bad: int) -> None:
    with pytest.raises(LedgerCorruptError) as found:
        verify_ledger(changed(path, script), SIGNER.verifier)
    assert found.value.extensions["firstBad"] == first_bad


def test_an_entry_rewritten_with_its_hash_is_found_by_the_next_checkpoint(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.executescript(UNLOCK)
    (content,) = connection.execute("SELECT leaf FROM entry WHERE idx = 77").fetchone()
    forged = content.replace(b"benefit", b"banefit")
    with connection:
        connection.execute("UPDATE entry SET leaf = ?, hash = ? WHERE idx = 77", (forged, leaf_hash(forged)))
    connection.close()
    with pytest.raises(LedgerCorruptError, match="not those of their checkpoint") as found:
        verify_ledger(SqliteStore.open_to_read(path), SIGNER.verifier)
    assert found.value.extensions["firstBad"] <= 77


def test_swapped_entries_are_found_by_the_next_checkpoint(path: Path) -> None:
    swap = "UPDATE entry SET idx = -1 WHERE idx = 63; UPDATE entry SET idx = 63 WHERE idx = 64;"
    store = changed(path, swap + "UPDATE entry SET idx = 64 WHERE idx = -1")
    with pytest.raises(LedgerCorruptError, match="not those of their checkpoint") as found:
        verify_ledger(store, SIGNER.verifier)
    assert 53 <= found.value.extensions["firstBad"] <= 64


CHECKPOINTS = {
    "last checkpoint deleted": "DELETE FROM checkpoint WHERE size = (SELECT max(size) FROM checkpoint)",
    "note rewritten": "UPDATE checkpoint SET note = replace(note, char(10) || '—', char(10) || '— ')",
    "note moved to another size": "UPDATE checkpoint SET size = 529 WHERE size = 530",
    "tile rewritten": "UPDATE tile SET hashes = zeroblob(8192) WHERE number = 1",
    "tile deleted": "DELETE FROM tile WHERE number = 1",
    "tile invented": "INSERT INTO tile VALUES (0, 2, zeroblob(8192))",
}


@pytest.mark.parametrize("script", CHECKPOINTS.values(), ids=CHECKPOINTS.keys())
def test_a_change_beside_the_entries_is_found(path: Path, script: str) -> None:
    with pytest.raises(LedgerCorruptError):
        verify_ledger(changed(path, script), SIGNER.verifier)


def test_a_ledger_cut_back_with_its_checkpoints_is_found_by_who_saw_more(path: Path) -> None:
    seen = verify_ledger(SqliteStore.open_to_read(path), SIGNER.verifier).head
    store = changed(
        path,
        "DELETE FROM checkpoint WHERE size > 53; DELETE FROM entry WHERE idx >= 53; DELETE FROM tile;"
        "DELETE FROM subject WHERE idx >= 53",
    )
    assert verify_ledger(store, SIGNER.verifier).head.size == 53
    with pytest.raises(LedgerCorruptError, match="entry 53 is missing"):
        verify_ledger(store, SIGNER.verifier, [seen])


def test_a_forked_ledger_is_found_by_who_saw_the_other_branch(path: Path) -> None:
    other = Checkpoint(SIGNER.verifier.name, 100, bytes(32))
    signed = open_checkpoint(str(sign_checkpoint(other, SIGNER)), SIGNER.verifier)
    with pytest.raises(LedgerCorruptError, match="forked"):
        verify_ledger(SqliteStore.open_to_read(path), SIGNER.verifier, [signed.checkpoint])


def test_every_flipped_byte_of_the_file_that_changes_a_row_is_found(path: Path) -> None:
    """Flip 150 bytes, one at a time; what verifies all the same must not have changed any row."""
    content = path.read_bytes()
    before = dump(path)
    step = len(content) // 150
    for position in range(step // 2, len(content), step):
        damaged = bytearray(content)
        damaged[position] ^= 1 << (position % 8)
        path.write_bytes(damaged)
        store = SqliteStore.open_to_read(path)
        try:
            verify_ledger(store, SIGNER.verifier)
        except LedgerCorruptError:
            continue
        finally:
            store.close()
        assert dump(path) == before, f"byte {position} changed a row unseen"


def dump(path: Path) -> list[object]:
    connection = sqlite3.connect(path)
    rows: list[object] = []
    for table in ("entry", "checkpoint", "tile", "subject"):
        rows += connection.execute(f"SELECT * FROM {table}").fetchall()
    connection.close()
    return rows
