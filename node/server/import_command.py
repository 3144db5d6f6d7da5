"""`crocevia import`: a file of rows into a table of the member's own register."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from federation.contract.clock import SystemClock
from federation.contract.errors import NotFoundError
from federation.contract.exit_codes import ExitCode
from node.console.node_commands import SQLITE_PREFIX, database_settings
from node.console.policy_options import Format, FormatOption
from node.console.policy_output import print_json
from node.data.catalogue import Catalogue, read_catalogue
from node.data.database import open_database
from node.data.mapping import DatabaseSettings
from node.importing.run import run_import
from node.importing.target import PostgreSQLTarget, SqliteTarget, Target
from node.policy.errors import nearest
from node.server.import_telling import telling
from node.server.settings import load_settings


def import_rows(
    file: Annotated[Path, typer.Argument(help="A .csv (with a header), .ndjson or .parquet file.")],
    database: Annotated[str, typer.Option(help="`sqlite:///FILE` or `postgresql://USER@HOST/NAME`, to be written.")],
    table: Annotated[str, typer.Option(help="The table that gets the rows.")],
    schema: Annotated[str | None, typer.Option(help="PostgreSQL's schema.")] = None,
    settings: Annotated[
        Path | None,
        typer.Option("--settings", help="The node's settings (TOML): what is added is told to subscribers."),
    ] = None,
    report: Annotated[Path | None, typer.Option(help="Rows left out: line and reason; else FILE.rejected.csv.")] = None,
    output: FormatOption = Format.TABLE,
) -> None:
    """Bring rows into a register's table; interrupted, it goes on where it was. Nothing is overwritten."""
    node = None if settings is None else load_settings(settings)
    where = database_settings(database, schema)
    catalogue = asyncio.run(_catalogue(where))
    facts = catalogue.table(table)
    if facts is None:
        known = [each.name for each in catalogue.tables.values()]
        raise NotFoundError(f"table `{table}` is not in the database{nearest(table, known)}")
    rejected = report or file.with_name(f"{file.name}.rejected.csv")

    def open_target(columns: tuple[str, ...]) -> Target:
        if where.is_postgres:
            return PostgreSQLTarget(where.url, schema, facts.name, columns)
        return SqliteTarget(Path(where.url.removeprefix(SQLITE_PREFIX)), facts.name, columns)

    console = Console(stderr=True)
    columns = (SpinnerColumn(), TextColumn("{task.completed:.0f} rows"), TimeElapsedColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as shown:
        task = shown.add_task("rows", total=None)
        done = run_import(
            file,
            facts,
            open_target,
            rejected,
            lambda count: shown.advance(task, count),
            None if node is None else lambda columns: telling(node, facts.name, columns, SystemClock()),
            typed=where.is_postgres,
        )
    if output is Format.JSON:
        print_json(
            {"added": done.added, "rejected": done.refused, "resumedAfter": done.resumed, "report": str(rejected)}
        )
    else:
        began = f", after line {done.resumed} of an earlier run" if done.resumed else ""
        typer.echo(f"{table}: {done.added} rows added, {done.refused} left out{began}; {rejected} says why")
    raise typer.Exit(ExitCode.CHECK_FAILED if done.refused else ExitCode.OK)


async def _catalogue(settings: DatabaseSettings) -> Catalogue:
    found = open_database(settings, Path())
    try:
        return await read_catalogue(found, settings.schema)
    finally:
        await found.close()
