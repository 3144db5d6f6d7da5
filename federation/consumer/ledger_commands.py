"""`crocevia ledger prove` and `crocevia ledger witness`: other members' ledgers, checked from outside."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import httpx
import msgspec
import typer
from rich.console import Console
from rich.table import Table

from federation.consumer.home import DEFAULT_HOME, HomeOption, federation_at
from federation.consumer.ledgers import LedgersOutside, Verdict, WitnessView
from federation.contract.exit_codes import ExitCode
from federation.trust.channel import asking_from

_GOOD = {Verdict.SAME_HISTORY, Verdict.NOT_SEEN}


def prove(
    party: Annotated[str, typer.Argument(help="Whose ledger: a member, `gateway` or `exchange`.")],
    index: Annotated[int, typer.Argument(min=0, help="The entry's position, from 0.")],
    receipt: Annotated[Path | None, typer.Option(help="Write the receipt to this file.")] = None,
    home: HomeOption = DEFAULT_HOME,
) -> None:
    """Fetch the proof that an entry stands in a ledger, and verify it under the key on the member list."""
    with httpx.Client(trust_env=False, verify=asking_from(home / "operators")) as http:
        found = LedgersOutside(federation_at(home), http).prove(party, index)
    written = msgspec.json.format(msgspec.json.encode(found)).decode() + "\n"
    if receipt is None:
        sys.stdout.write(written)
    else:
        receipt.write_text(written, encoding="utf-8")
    sys.stderr.write(f"entry {index} of {found.origin} is proved; {len(found.inclusion)} hashes\n")


def witness(
    format_: Annotated[str, typer.Option("--format", help="`table` or `json`.")] = "table",
    home: HomeOption = DEFAULT_HOME,
) -> None:
    """Ask every witness for the heads it cosigned, and compare them with what each ledger shows now."""
    with httpx.Client(trust_env=False, verify=asking_from(home / "operators")) as http:
        views = list(LedgersOutside(federation_at(home), http).views())
    if format_ == "json":
        sys.stdout.write(json.dumps([_row(view) for view in views], indent=2) + "\n")
    else:
        Console().print(_table(views))
    raise typer.Exit(ExitCode.OK if all(view.verdict in _GOOD for view in views) else ExitCode.CHECK_FAILED)


def _row(view: WitnessView) -> dict[str, object]:
    return {
        "ledger": view.ledger,
        "witness": view.witness,
        "seen": view.size,
        "entries": view.head,
        "verdict": view.verdict.value,
        "detail": view.detail,
    }


def _table(views: Sequence[WitnessView]) -> Table:
    table = Table(title="Ledgers and their witnesses")
    for column in ("ledger", "witness", "seen", "entries", "verdict"):
        table.add_column(column, overflow="fold")
    for view in views:
        colour = "green" if view.verdict in _GOOD else "red"
        said = f"{view.verdict.value} {view.detail}".strip()
        table.add_row(view.ledger, view.witness, str(view.size), str(view.head), f"[{colour}]{said}[/]")
    return table
