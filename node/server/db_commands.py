"""`crocevia db …` and `crocevia outbox`: the node's own tables, its state as a whole, and its events."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from itertools import islice
from pathlib import Path
from typing import Annotated, Any, TypeVar

import msgspec
import typer
from sqlalchemy import Connection

from federation.contract.clock import SystemClock, rfc3339
from federation.contract.errors import BadInputError
from node.console.policy_options import Format, FormatOption
from node.console.policy_output import print_json
from node.own.database import OwnDatabase, open_own
from node.own.outbox import events_after, take_by_member
from node.own.upgrading import upgrade
from node.own.writes import Writes
from node.server.backups import (
    OWN_ROWS,
    check_backup,
    copy_state,
    head_in_place,
    own_part,
    put_own_rows,
    put_state,
    require_unused,
)
from node.server.planes import member_mapping
from node.server.settings import NodeSettings, load_settings
from node.server.telling import told_changes
from node.subgraph.schema import NodeSchema
from node.vocabulary.schema import full_schema

_BATCH = 500
app = typer.Typer(no_args_is_help=True, help="A node's own tables: upgrade, back up, restore.")

SettingsOption = Annotated[Path, typer.Option("--settings", help="The node's settings file (TOML).")]
_Result = TypeVar("_Result")


@app.command(name="upgrade")
def upgrade_tables(settings: SettingsOption, output: FormatOption = Format.TABLE) -> None:
    """Bring the own tables to the version that this release needs."""
    found = load_settings(settings)
    found.state.mkdir(parents=True, exist_ok=True)
    before = _on(found, lambda own: own.run(upgrade))
    if output is Format.JSON:
        print_json({"before": before.found, "after": before.wanted})
        return
    changed = "already" if before.found == before.wanted else f"from {before.found or 'nothing'}"
    typer.echo(f"own tables of {found.member}: version {before.wanted} ({changed})")


@app.command(name="backup")
def back_up(
    settings: SettingsOption,
    to: Annotated[Path, typer.Option("--to", help="A folder that does not exist yet.")],
    output: FormatOption = Format.TABLE,
) -> None:
    """Copy a node's state consistently while it runs: ledger, subject keys, own tables and the rest."""
    found = load_settings(settings)
    part = _on(found, lambda own: own_part(found, own))
    manifest = copy_state(found, part, to, SystemClock())
    size = sum(each.bytes for each in manifest.files.values())
    if output is Format.JSON:
        print_json({"folder": str(to), "files": len(manifest.files), "bytes": size, "entries": manifest.entries})
    else:
        typer.echo(f"{to}: {len(manifest.files)} files, {size} bytes, ledger of {manifest.entries} entries")


@app.command(name="restore")
def restore_state(
    settings: SettingsOption,
    source: Annotated[Path, typer.Option("--from", help="A folder that `crocevia db backup` made.")],
    output: FormatOption = Format.TABLE,
    *,
    force: Annotated[bool, typer.Option("--force", help="Although there is a state; it is moved aside.")] = False,
) -> None:
    """Put a backup in place, once every file and the whole ledger verify. The node must not run."""
    found = load_settings(settings)
    manifest = check_backup(found, source)
    there = found.state.exists() and any(found.state.iterdir())
    head = head_in_place(found) if there else None
    if there and not force:
        known = f", with a ledger of {head.size} entries" if head else ""
        raise BadInputError(f"`{found.state}` holds a state{known}; add --force to move it aside")
    require_unused(found)
    if found.own is not None:
        rows = (source / OWN_ROWS).read_bytes()
        _on(found, lambda own: put_own_rows(own, rows, manifest.own))
    before = put_state(found, source, manifest)
    lost = max(0, (head.size if head else 0) - manifest.entries)
    if output is Format.JSON:
        moved = None if before is None else str(before)
        print_json({"entries": manifest.entries, "before": moved, "entriesLost": lost})
        return
    typer.echo(f"{found.state}: ledger of {manifest.entries} entries verified and in place")
    if before is not None:
        typer.echo(f"the state before is in {before}")
    if lost:
        typer.echo(f"{lost} later entries are only there: witnesses that saw them will call this ledger rolled back")


def outbox(
    settings: SettingsOption,
    after: Annotated[int, typer.Option(min=0, help="The last event that was taken in.")] = 0,
    most: Annotated[int, typer.Option(min=1, max=10_000, help="At most this many.")] = 1_000,
) -> None:
    """Print the events of the node's outbox, one JSON object a line, in order; `--after` says what was taken in."""

    def taken(connection: Connection) -> list[Mapping[str, Any]]:
        events = events_after(connection, after, most)
        take_by_member(connection, after, rfc3339(SystemClock().now()))
        return events

    for event in _on(load_settings(settings), lambda own: own.run(taken)):
        typer.echo(msgspec.json.encode(event).decode())


def changed(
    file: Annotated[Path, typer.Argument(help="JSON objects, one a line: docs/writing.md.")],
    settings: SettingsOption,
) -> None:
    """Tell of what the member's own programs changed in the register, so that subscribers learn of it."""
    found = load_settings(settings)
    schema = NodeSchema.build(full_schema(), member_mapping(found)).schema

    async def tell(own: OwnDatabase) -> int:
        count = 0
        with file.open("rb") as lines:
            told = told_changes(lines, found.member, schema, rfc3339(SystemClock().now()))
            while batch := list(islice(told, _BATCH)):
                await Writes(own).carry_out(batch)
                count += len(batch)
        return count

    typer.echo(f"{_on(found, tell)} changes told")


def _on(settings: NodeSettings, work: Callable[[OwnDatabase], Coroutine[Any, Any, _Result]]) -> _Result:
    async def run() -> _Result:
        own = open_own(settings.own_url)
        try:
            return await work(own)
        finally:
            await own.close()

    return asyncio.run(run())
