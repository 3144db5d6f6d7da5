"""`crocevia node status`: how a node stands, for the people who answer for it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from federation.contract.decisions import PolicyVersion
from federation.contract.exit_codes import ExitCode
from node.policy.messages import Language
from node.server.status import NodeStatus, node_status


class StatusFormat(StrEnum):
    """How the status is written."""

    TABLE = "table"
    JSON = "json"


def status(
    settings: Annotated[Path, typer.Option("--settings", help="The node's settings file (TOML).")],
    output: Annotated[StatusFormat, typer.Option("--format", help="How the status is written.")] = StatusFormat.TABLE,
    lang: Annotated[Language, typer.Option("--lang", help="Language of the words.")] = Language.ITALIAN,
) -> None:
    """Say by which policy a node decides, and whether its folder holds another: 0 in step, 1 drift, 5 no answer."""
    found = node_status(settings)
    if output is StatusFormat.JSON:
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(_whole(found)), indent=2).decode() + "\n")
    else:
        table = Table(title=found.member, title_justify="left", show_header=False)
        for label, value in _lines(found, _WORDS[lang]):
            table.add_row(label, value)
        Console().print(table)
    raise typer.Exit(_code(found))


def _whole(found: NodeStatus) -> dict[str, object]:
    return {**msgspec.to_builtins(found), "drifts": found.drifts}


def _code(found: NodeStatus) -> ExitCode:
    if found.broken or found.drifts:
        return ExitCode.CHECK_FAILED
    return ExitCode.UNREACHABLE if found.running is None else ExitCode.OK


class _Words(msgspec.Struct, frozen=True):
    running: str
    folder: str
    verdict: str
    members: str
    ledger: str
    signed: str
    unsigned: str
    none: str
    in_step: str
    drift: str
    stopped: str


_WORDS: Final = {
    Language.ITALIAN: _Words(
        running="decide con",
        folder="pubblicata",
        verdict="esito",
        members="lista dei membri",
        ledger="voci del registro",
        signed="firmata da due incaricati",
        unsigned="senza firme",
        none="nessuna",
        in_step="il nodo decide con la politica pubblicata",
        drift="il nodo decide con un'altra politica",
        stopped="il nodo non risponde",
    ),
    Language.ENGLISH: _Words(
        running="decides by",
        folder="published",
        verdict="verdict",
        members="member list",
        ledger="ledger entries",
        signed="signed by two officers",
        unsigned="unsigned",
        none="none",
        in_step="the node decides by the published policy",
        drift="the node decides by another policy",
        stopped="the node does not answer",
    ),
}


def _lines(found: NodeStatus, words: _Words) -> Iterator[tuple[str, str]]:
    yield words.running, _version(found.running, words)
    how = words.signed if found.signed else words.unsigned
    yield words.folder, f"{_version(found.folder, words)} · {how}"
    yield words.members, words.none if found.member_list is None else str(found.member_list)
    yield words.ledger, words.none if found.ledger_size is None else str(found.ledger_size)
    if found.running is None:
        yield words.verdict, f"[yellow]{words.stopped}[/]: {_plain(found.refusal)}"
    elif found.drifts:
        yield words.verdict, f"[red]{words.drift}[/]"
    else:
        yield words.verdict, f"[green]{words.in_step}[/]"
    if found.broken:
        yield "", f"[red]{_plain(found.broken)}[/]"


def _version(version: PolicyVersion | None, words: _Words) -> str:
    return words.none if version is None else f"{version.revision} ({version.digest[:19]}…)"


def _plain(text: str) -> str:
    return text.replace("[", "\\[")
