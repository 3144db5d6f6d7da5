"""A running node's state, backed up and restored; what is not whole is not put in place."""

from __future__ import annotations

import asyncio
import hashlib
import json
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select
from typer.testing import CliRunner, Result

from node.own.database import open_own
from node.own.tables import WRITTEN
from node.server.db_commands import app
from node.server.settings import load_settings
from tests.integration.test_writes import PREFER, known_as, preference
from tests.support.postgres import execute
from tests.support.simulator import Simulator

if TYPE_CHECKING:
    from pathlib import Path


pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

TOWN = ("c_m999", "service-notices")
QUESTION = "query($by: CitizenKey!) { citizen(by: $by) { givenName } }"
PERSON = {"by": {"taxCode": "BNCLRA84H57F257B"}}


def run(federation: Simulator, command: str, *arguments: str) -> Result:
    settings = federation.home.party("c_m999") / "settings.toml"
    # A thread of its own: the commands run an event loop, and this test has one.
    return CliRunner().invoke(app, [command, "--settings", str(settings), *arguments])


async def in_thread(federation: Simulator, command: str, *arguments: str) -> Any:
    return await asyncio.to_thread(run, federation, command, *arguments, "--format", "json")


async def test_a_running_node_is_backed_up_and_restored(own_on_each: Simulator, tmp_path: Path) -> None:
    federation = own_on_each
    await wish(federation, "before-1")
    made = await in_thread(federation, "backup", "--to", str(tmp_path / "copy"))
    assert made.exit_code == 0, made.exception
    entries = json.loads(made.stdout)["entries"]
    await wish(federation, "after-01")
    refused = await in_thread(federation, "restore", "--from", str(tmp_path / "copy"))
    assert "holds a state, with a ledger of" in str(refused.exception)
    in_use = await in_thread(federation, "restore", "--from", str(tmp_path / "copy"), "--force")
    assert "is in use; stop the node" in str(in_use.exception)
    await federation.stop("c_m999")
    await emptied(federation, tmp_path / "copy")
    restored = await in_thread(federation, "restore", "--from", str(tmp_path / "copy"), "--force")
    assert restored.exit_code == 0, restored.exception
    told = json.loads(restored.stdout)
    assert told["entries"] == entries
    assert told["entriesLost"] > 0
    assert await written(federation) == ["before-1"]


async def wish(federation: Simulator, key: str) -> None:
    """Write something, so that the own tables hold a row."""
    found = await federation.ask(*TOWN, PREFER, preference(known_as(federation, "c_m999"), key))
    assert found.content["data"]["preferContact"] is not None


async def written(federation: Simulator) -> list[str]:
    """Return under which keys something is written in the own tables, now that the node is stopped."""
    own = open_own(load_settings(federation.home.party("c_m999") / "settings.toml").own_url)
    found = await own.run(lambda connection: connection.execute(select(WRITTEN.c.idempotency_key)).scalars().all())
    await own.close()
    return list(found)


async def emptied(federation: Simulator, copy: Path) -> None:
    """Empty the own tables if they are in PostgreSQL, as their owner does; what holds rows is not restored into."""
    url = federation.registers.get("c_m999")
    if url is not None:
        full = await in_thread(federation, "restore", "--from", str(copy), "--force")
        assert "own tables in PostgreSQL hold rows" in str(full.exception)
        await execute(url, "DROP SCHEMA crocevia CASCADE")


SPOILT = {
    "an altered file": lambda folder: (folder / "replay.db").write_bytes(b"x"),
    "a missing file": lambda folder: (folder / "subjects.db").unlink(),
    "no manifest": lambda folder: (folder / "manifest.json").unlink(),
}


@pytest.mark.parametrize("spoil", SPOILT.values(), ids=SPOILT.keys())
async def test_a_backup_that_is_not_whole_is_refused(on_each: Simulator, tmp_path: Path, spoil: Any) -> None:
    await on_each.ask(*TOWN, QUESTION, PERSON)
    await in_thread(on_each, "backup", "--to", str(tmp_path / "copy"))
    spoil(tmp_path / "copy")
    refused = await in_thread(on_each, "restore", "--from", str(tmp_path / "copy"), "--force")
    assert refused.exit_code != 0
    assert "backup" in str(refused.exception)
    assert (on_each.home.party("c_m999") / "state" / "ledger.db").exists()


async def test_a_backup_whose_ledger_was_cut_back_is_refused(on_each: Simulator, tmp_path: Path) -> None:
    """Whoever alters the ledger and the manifest alike still lacks the ledger's key."""
    await on_each.ask(*TOWN, QUESTION, PERSON)
    await in_thread(on_each, "backup", "--to", str(tmp_path / "copy"))
    ledger = tmp_path / "copy" / "ledger.db"
    _cut(ledger)
    manifest = json.loads((tmp_path / "copy" / "manifest.json").read_text())
    manifest["files"]["ledger.db"] = _described(ledger)
    (tmp_path / "copy" / "manifest.json").write_text(json.dumps(manifest))
    refused = await in_thread(on_each, "restore", "--from", str(tmp_path / "copy"), "--force")
    assert getattr(refused.exception, "code", None) == "LEDGER_CORRUPT"


def _cut(ledger: Path) -> None:
    with closing(sqlite3.connect(ledger)) as connection:
        for trigger in ("entry_remains", "checkpoint_remains", "subject_remains"):
            connection.execute(f"DROP TRIGGER {trigger}")
        connection.execute("DELETE FROM entry WHERE idx = (SELECT max(idx) FROM entry)")
        connection.execute("DELETE FROM checkpoint WHERE size = (SELECT max(size) FROM checkpoint)")
        connection.commit()


def _described(path: Path) -> dict[str, Any]:
    return {"sha256": hashlib.sha256(path.read_bytes()).hexdigest(), "bytes": path.stat().st_size}
