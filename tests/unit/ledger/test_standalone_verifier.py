"""The independent verifier and ours are of one opinion about every ledger, good or damaged."""

from __future__ import annotations

import ast
import json
import random
import sqlite3
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from federation.contract.errors import LedgerCorruptError
from federation.ledger import standalone_verifier
from federation.ledger.log import Ledger
from federation.ledger.reader import LedgerReader
from federation.ledger.standalone_verifier import main
from federation.ledger.store import SqliteStore
from federation.ledger.verify import verify_ledger
from tests.support.ledger import SIGNER, LedgerFiles, entry

KEY = str(SIGNER.verifier)
SCRIPT = Path(standalone_verifier.__file__)


@pytest.fixture
async def filled(files: LedgerFiles, ledger: Ledger) -> LedgerFiles:
    for number in range(40):
        await ledger.append(entry(number), ["p"])
    return files


def test_it_stands_alone() -> None:
    imported = {
        name.partition(".")[0]
        for node in ast.walk(ast.parse(SCRIPT.read_text()))
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    assert imported <= set(sys.stdlib_module_names) | {"cryptography"}


def test_a_good_ledger_is_verified_from_a_copied_file(filled: LedgerFiles, tmp_path: Path) -> None:
    copy = tmp_path / "elsewhere" / "verify.py"
    copy.parent.mkdir()
    copy.write_text(SCRIPT.read_text())
    done = subprocess.run(
        [sys.executable, "-I", copy, "ledger", filled.path, KEY], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout[:20]) == (0, "verified: 40 entries"), done.stderr


def test_a_receipt_is_verified_and_a_changed_one_is_not(
    filled: LedgerFiles, reader: LedgerReader, capsys: pytest.CaptureFixture[str]
) -> None:
    recorded = reader.entry(13)
    path, leaf = filled.folder / "receipt.json", filled.folder / "leaf.json"
    path.write_bytes(msgspec.json.encode(recorded.receipt))
    leaf.write_bytes(recorded.leaf)
    assert main(["receipt", str(path), KEY, str(leaf)]) == 0
    assert main(["receipt", str(path), KEY]) == 0
    leaf.write_bytes(recorded.leaf.replace(b"13", b"14"))
    assert main(["receipt", str(path), KEY, str(leaf)]) == 1
    changed = json.loads(path.read_text())
    path.write_text(json.dumps({**changed, "index": 14}))
    assert main(["receipt", str(path), KEY]) == 1
    assert "NOT VERIFIED" in capsys.readouterr().out


def test_a_checkpoint_kept_elsewhere_shows_a_ledger_cut_back(filled: LedgerFiles, reader: LedgerReader) -> None:
    kept = filled.folder / "head.txt"
    kept.write_text(str(reader.head().note), encoding="utf-8")
    connection = sqlite3.connect(filled.path)
    connection.executescript(
        "DROP TRIGGER entry_remains; DROP TRIGGER checkpoint_remains;"
        "DELETE FROM entry WHERE idx >= 30; DELETE FROM checkpoint WHERE size > 30;"
    )
    connection.close()
    assert main(["ledger", str(filled.path), KEY]) == 0
    assert main(["ledger", str(filled.path), KEY, str(kept)]) == 1


def test_both_verifiers_judge_damage_alike(filled: LedgerFiles, ledger: Ledger) -> None:
    """Byte changes in entries and checkpoints: each is found by both (tiles and index are ours alone to check)."""
    ledger.close()
    connection = sqlite3.connect(filled.path)
    connection.executescript("DROP TRIGGER entry_stays; DROP TRIGGER checkpoint_stays;")
    dice = random.Random(20261122)
    for _ in range(60):
        table, column, key = dice.choice([("entry", "leaf", "idx"), ("checkpoint", "note", "size")])
        row = dice.randrange(1, 40)
        (good,) = connection.execute(f"SELECT {column} FROM {table} WHERE {key} = ?", (row,)).fetchone()
        content = bytearray(good if isinstance(good, bytes) else good.encode())
        content[dice.randrange(len(content))] ^= 1 << dice.randrange(7)
        bad = bytes(content) if isinstance(good, bytes) else content.decode("utf-8", "replace")
        with connection:
            connection.execute(f"UPDATE {table} SET {column} = ? WHERE {key} = ?", (bad, row))
        assert main(["ledger", str(filled.path), KEY]) != 0
        with pytest.raises(LedgerCorruptError):
            verify_ledger(SqliteStore.open_to_read(filled.path), SIGNER.verifier)
        with connection:
            connection.execute(f"UPDATE {table} SET {column} = ? WHERE {key} = ?", (good, row))
    connection.close()
    assert main(["ledger", str(filled.path), KEY]) == 0


@pytest.mark.parametrize("arguments", [[], ["ledger"], ["ledger", "nowhere.db", "key"], ["receipt", "nowhere", KEY]])
def test_a_question_that_cannot_be_read_has_its_own_exit_code(arguments: list[str]) -> None:
    assert main(arguments) == 2
