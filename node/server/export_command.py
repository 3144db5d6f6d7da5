"""`crocevia export`: a published list as a file, one consumer's view of it and nothing else.

For a consumer of the federation it runs on the node's own settings, beside the node if it runs, and the node's ledger
records every page. Without a federation it is a trial: a kind and a purpose are supposed, as `crocevia node try` does,
and nothing is recorded.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from federation.contract.clock import SystemClock
from federation.contract.errors import BadInputError
from federation.contract.exit_codes import ExitCode
from federation.contract.members import LONGEST_LIST
from node.console.node_commands import DEFAULT_MAPPING, DatabaseOption, MappingOption, chosen_database
from node.console.policy_options import Format, FormatOption, errors_in_words
from node.console.policy_output import print_json, say
from node.console.trying import Trying, open_trial
from node.data.mapping_file import read_mapping
from node.data.objects import PlanOf
from node.data.plane import DataPlane
from node.enforcement.handing_over import HandingOver
from node.exporting.columns import Choice, choose
from node.exporting.files import export_file, require_writable
from node.exporting.run import Ask, Exported, run_export
from node.server.planes import require_names, require_own_tables
from node.server.process import NodeProcess
from node.server.settings import NodeSettings, load_settings


@dataclass(frozen=True, slots=True)
class _Source:
    """Where the pages come from, for whom, and how many rows a page may have."""

    plane: DataPlane
    plans: PlanOf
    ask: Ask
    longest_list: int = LONGEST_LIST


def export_list(
    root: Annotated[str, typer.Argument(metavar="LIST", help="A list that the mapping publishes, as `citizens`.")],
    out: Annotated[Path, typer.Option("--out", help="A .csv, .ndjson or .parquet file.")],
    purpose: Annotated[str, typer.Option("--for", help="The purpose, such as `benefit-assessment`.")],
    settings: Annotated[
        Path | None, typer.Option("--settings", help="The node's settings (TOML): recorded in its ledger.")
    ] = None,
    agreement: Annotated[str | None, typer.Option("--agreement", help="With --settings: of which consumer.")] = None,
    kind: Annotated[str | None, typer.Option("--as", help="A trial: kind of the consumer, such as `national`.")] = None,
    basis: Annotated[list[str] | None, typer.Option("--basis", help="A trial: a legal basis; repeat it.")] = None,
    area: Annotated[str | None, typer.Option("--area", help="A trial: territory of the consumer.")] = None,
    mapping: MappingOption = DEFAULT_MAPPING,
    database: DatabaseOption = None,
    policies: Annotated[Path, typer.Option("--policies", help="A trial: the bundle's folder.")] = Path("policies"),
    fields: Annotated[
        str | None, typer.Option("--fields", help="Columns, `familyName,residence.municipality`; else all scalars.")
    ] = None,
    where: Annotated[str | None, typer.Option("--where", help="The list's filter, as JSON.")] = None,
    output: FormatOption = Format.TABLE,
    *,
    force: Annotated[bool, typer.Option("--force", help="Replace the file if it is there.")] = False,
) -> None:
    """Write a published list into a file as one consumer may see it; what the policy denies is not in it."""
    with errors_in_words():
        require_writable(out, force=force)
        condition = _condition(where)
        if settings is not None:
            if agreement is None or kind is not None:
                raise BadInputError("--settings needs --agreement, and no --as: the agreement says who the consumer is")
            found = load_settings(settings)
            asyncio.run(require_names(found))
            opened = _of_node(found, agreement, purpose)
        else:
            if kind is None or agreement is not None:
                raise BadInputError("give --settings and --agreement of a node, or --as for a trial")
            written = read_mapping(mapping)
            chosen, base = chosen_database(written, mapping, database)
            opened = _of_trial(
                Trying.checked(policies, replace(written, database=chosen), base, kind, purpose, basis or (), area)
            )
        wanted = [name.strip() for name in (fields or "").split(",") if name.strip()]
        choice, done = asyncio.run(_export(opened, root, wanted, condition, out))
    _tell(out, choice, done, output)
    raise typer.Exit(ExitCode.CHECK_FAILED if done.errors else ExitCode.OK)


async def _export(
    opened: Any, root: str, wanted: list[str], where: Mapping[str, Any] | None, out: Path
) -> tuple[Choice, Exported]:
    async with opened as source:
        plane: DataPlane = source.plane
        shown = plane.shown(source.plans)
        choice = choose(plane.schema, shown, plane.entity_keys, root, wanted, filtered=where is not None)
        if choice.denied:
            say(f"denied to this consumer for this purpose, and not in the file: {', '.join(choice.denied)}")
        console = Console(stderr=True)
        columns = (SpinnerColumn(), TextColumn("{task.completed:.0f} rows"), TimeElapsedColumn())
        with (
            Progress(*columns, console=console, disable=not console.is_terminal) as progress,
            export_file(out, choice.columns) as write,
        ):
            task = progress.add_task("rows", total=None)
            done = await run_export(
                choice, source.ask, write, where, lambda count: progress.advance(task, count), source.longest_list
            )
        return choice, done


@asynccontextmanager
async def _of_trial(asking: Trying) -> AsyncIterator[_Source]:
    async with open_trial(asking) as trial:
        yield _Source(trial.plane, trial.plans(), trial.answer)


@asynccontextmanager
async def _of_node(settings: NodeSettings, agreement: str, purpose: str) -> AsyncIterator[_Source]:
    process = NodeProcess.open(settings, SystemClock())
    try:
        await require_own_tables(settings)
        await process.record_start()
        handing = HandingOver.under(process.node(), agreement, purpose)
        yield _Source(process.plane, handing.plans, handing.answer, handing.caller.requested.provider.longest_list)
    finally:
        await process.close()


def _condition(where: str | None) -> Mapping[str, Any] | None:
    if where is None:
        return None
    try:
        return msgspec.json.decode(where, type=dict[str, Any])
    except msgspec.MsgspecError as error:
        raise BadInputError("--where needs a JSON object") from error


def _tell(out: Path, choice: Choice, done: Exported, output: Format) -> None:
    forms = sorted({(each.coordinate, each.form) for each in done.decisions})
    if output is Format.JSON:
        print_json(
            {
                "file": str(out),
                "rows": done.rows,
                "pages": done.pages,
                "columns": [column.name for column in choice.columns],
                "denied": list(choice.denied),
                "forms": [{"coordinate": coordinate, "form": form} for coordinate, form in forms],
                "errors": done.errors,
            }
        )
        return
    masked = [f"{coordinate} ({form})" for coordinate, form in forms if form not in {"clear", "deny"}]
    typer.echo(f"{out}: {done.rows} rows, {len(choice.columns)} columns")
    if masked:
        typer.echo(f"not in clear: {', '.join(masked)}")
    for code, count in sorted(done.errors.items()):
        say(f"{count} values are empty because of an error [{code}]")
