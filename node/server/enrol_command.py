"""`crocevia node enrol`: every person of a register gets the member's own pseudonym, in batches, resumable."""

from __future__ import annotations

import asyncio
import csv
import secrets
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final

import httpx
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from federation.contract.clock import SystemClock
from federation.contract.enrolment import MAX_ENROLLED
from federation.contract.errors import BadInputError
from federation.contract.exit_codes import ExitCode
from federation.contract.identifiers import MemberId, Pseudonym, member_id
from federation.trust.channel import Channel
from federation.trust.hardware import load_signer
from federation.trust.keys import new_nonce
from federation.trust.registry import Registry
from node.console.node_commands import SQLITE_PREFIX, database_settings
from node.console.policy_options import Format, FormatOption
from node.console.policy_output import print_json
from node.importing.pseudonyms import TRIAL, Key, Names, PseudonymTable
from node.importing.reports import require_own
from node.membership.asking import Asking
from node.membership.enrolment import Enroller
from node.server.planes import member_mapping
from node.server.publish_command import publish_now, said
from node.server.settings import NodeSettings, load_settings
from node.vocabulary.tax_code import is_tax_code

_SECONDS: Final = 60.0
_TOKEN_BYTES: Final = 24
Pseudonyms = Callable[[Sequence[str]], Any]
"""From codes to an awaitable list of pseudonyms."""


@dataclass(slots=True)
class Enrolled:
    """What came of it."""

    enrolled: int = 0
    left_out: int = 0


def enrol(  # every table and column has a name of the member's own
    persons: Annotated[str, typer.Option(help="The register's table of people, perhaps `schema.table`.")],
    key: Annotated[list[str], typer.Option(help="Its key column; repeat it for a key of several.")],
    code: Annotated[str, typer.Option(help="Its column with the tax code.")],
    into: Annotated[str, typer.Option(help="The table for the pseudonyms; made if it is not there.")],
    pseudonym: Annotated[str, typer.Option(help="Its column for the pseudonym.")] = "PSEUDONIMO",
    settings: Annotated[Path | None, typer.Option(help="The node's settings (TOML).")] = None,
    database: Annotated[
        str | None, typer.Option(help="`sqlite:///FILE` or `postgresql://USER@HOST/NAME`; else the mapping's own.")
    ] = None,
    member: Annotated[str | None, typer.Option(help="With --trial: the member's code.")] = None,
    report: Annotated[Path, typer.Option(help="People left out: key of the row and reason.")] = Path(
        "enrol.rejected.csv"
    ),
    output: FormatOption = Format.TABLE,
    *,
    trial: Annotated[bool, typer.Option("--trial", help="Make pseudonyms up, to try without a federation.")] = False,
) -> None:
    """Give each person of a register the member's own pseudonym; no tax code leaves. Interrupted, it goes on.

    Then the federation's directory is told of them, if the mapping says so, as by `crocevia node publish`.
    """
    if trial == (settings is not None) or (trial and not (database and member)):
        raise BadInputError("give --settings of a node in a federation, or --trial with --database and --member")
    node = None if settings is None else load_settings(settings)
    names = Names(persons, tuple(key), code, into, pseudonym)
    console = Console(stderr=True)
    columns = (TextColumn("people"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    with (
        closing(PseudonymTable.open(_address(database, node), names)) as table,
        Progress(*columns, console=console, disable=not console.is_terminal) as shown,
    ):
        task = shown.add_task("people", total=table.waiting())
        asking = _made_up(member_id(member or "")) if node is None else _of_the_exchange(node)
        done = _enrol(table, asking, report, lambda count: shown.advance(task, count))
    published = None if node is None else publish_now(node)
    if output is Format.JSON:
        sent = None if published is None else published.sent
        print_json({"enrolled": done.enrolled, "leftOut": done.left_out, "report": str(report), "published": sent})
    else:
        why = f", {done.left_out} left out: {report} says why" if done.left_out else ""
        typer.echo(f"{into}: {done.enrolled} people enrolled{why}")
        if published is not None:
            typer.echo(said(published))
        elif node is not None:
            typer.echo("directory: nothing is published, since the mapping names no `directory` (docs/joining.md)")
    raise typer.Exit(ExitCode.CHECK_FAILED if done.left_out else ExitCode.OK)


def _address(database: str | None, node: NodeSettings | None) -> str:
    """Return the database that is named, or that of the node's mapping, whose files begin at its folder."""
    if database is not None or node is None:
        return database_settings(database or "", None).url
    url = member_mapping(node).database.url
    file = url.removeprefix(SQLITE_PREFIX)
    return url if file == url else f"{SQLITE_PREFIX}{node.mapping.parent / file}"


def _enrol(table: PseudonymTable, asking: Any, report: Path, progress: Callable[[int], None]) -> Enrolled:
    done = Enrolled()
    head = [*table.names.key, "reason"]
    require_own(report, head)
    with asyncio.Runner() as runner, report.open("w", encoding="utf-8", newline="") as written:
        writer = csv.writer(written)
        writer.writerow(head)
        pseudonyms = runner.run(asking.__aenter__())
        try:
            after: Key | None = None
            while batch := table.next_after(after, MAX_ENROLLED):
                after = batch[-1].key
                codes = {person.key: (person.code or "").strip().upper() for person in batch}
                good = [key for key, code in codes.items() if is_tax_code(code)]
                rejected = [(key, "no well-formed tax code") for key, code in codes.items() if not is_tax_code(code)]
                found = runner.run(pseudonyms([codes[key] for key in good])) if good else []
                twice = table.put(list(zip(good, found, strict=True)))
                rejected += [(key, "the tax code is another row's too") for key in twice]
                writer.writerows([*key, reason] for key, reason in rejected)
                written.flush()
                done.enrolled += len(good) - len(twice)
                done.left_out += len(rejected)
                progress(len(batch))
        finally:
            runner.run(asking.__aexit__(None, None, None))
    return done


@asynccontextmanager
async def _of_the_exchange(settings: NodeSettings) -> AsyncIterator[Pseudonyms]:
    clock = SystemClock()
    members = Registry.open(settings.registry, clock, url=settings.registry_url).current()
    verify = True if settings.channel is None else Channel.open(settings.channel).asking
    async with httpx.AsyncClient(timeout=_SECONDS, trust_env=False, verify=verify) as http:
        asking = Asking(load_signer(settings.keys), http, clock, new_nonce)
        yield Enroller(settings.member, members, asking, secrets.token_bytes).pseudonyms


@asynccontextmanager
async def _made_up(member: MemberId) -> AsyncIterator[Pseudonyms]:
    """Pseudonyms that nobody issued: a later enrolment replaces them."""

    async def made_up(codes: Sequence[str]) -> list[str]:
        return [str(Pseudonym(TRIAL, member, secrets.token_bytes(_TOKEN_BYTES))) for _ in codes]

    yield made_up
