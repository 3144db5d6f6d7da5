"""`crocevia ledger verify`: every ledger of a demo federation, rebuilt from its entries."""

from __future__ import annotations

import json
import sys
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from federation.consumer.home import DEFAULT_HOME, HomeOption
from federation.contract.exit_codes import ExitCode
from federation.demo.layout import Home
from federation.demo.ledgers import verify_ledgers


def verify(
    home: HomeOption = DEFAULT_HOME,
    format_: Annotated[str, typer.Option("--format", help="`table` or `json`.")] = "table",
) -> None:
    """Rebuild every ledger from its entries and trust only the keys."""
    findings = list(verify_ledgers(Home(home.resolve())))
    if format_ == "json":
        rows = [
            {"party": each.party, "entries": each.entries, "root": each.root, "fault": each.fault} for each in findings
        ]
        sys.stdout.write(json.dumps(rows, indent=2) + "\n")
    else:
        table = Table(title="Ledgers")
        for column in ("party", "entries", "root", "verdict"):
            table.add_column(column, overflow="fold")
        for each in findings:
            table.add_row(each.party, str(each.entries), each.root[:16], each.fault or "[green]whole and signed[/]")
        Console().print(table)
    raise typer.Exit(ExitCode.CHECK_FAILED if any(each.fault for each in findings) else ExitCode.OK)
