"""`crocevia node status`: how a node stands, for the people who answer for it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from federation.contract.decisions import PolicyVersion
from federation.contract.exit_codes import ExitCode
from federation.contract.languages import Language
from node.console.policy_options import LanguageOption
from node.policy.messages import message, said
from node.server.status import NodeStatus, node_status


class StatusFormat(StrEnum):
    """How the status is written."""

    TABLE = "table"
    JSON = "json"


def status(
    settings: Annotated[Path, typer.Option("--settings", help="The node's settings file (TOML).")],
    output: Annotated[StatusFormat, typer.Option("--format", help="How the status is written.")] = StatusFormat.TABLE,
    *,
    lang: LanguageOption,
) -> None:
    """Say by which policy a node decides, and whether its folder holds another: 0 in step, 1 drift, 5 no answer."""
    found = node_status(settings)
    if output is StatusFormat.JSON:
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(_whole(found)), indent=2).decode() + "\n")
    else:
        table = Table(title=found.member, title_justify="left", show_header=False)
        for label, value in _lines(found, lang):
            table.add_row(label, value)
        Console().print(table)
    raise typer.Exit(_code(found))


def _whole(found: NodeStatus) -> dict[str, object]:
    return {**msgspec.to_builtins(found), "drifts": found.drifts}


def _code(found: NodeStatus) -> ExitCode:
    if found.broken or found.drifts:
        return ExitCode.CHECK_FAILED
    return ExitCode.UNREACHABLE if found.running is None else ExitCode.OK


def _lines(found: NodeStatus, lang: Language) -> Iterator[tuple[str, str]]:
    how = message("signed by two officers") if found.signed else message("unsigned")
    yield said(message("decides by"), lang), _version(found.running, lang)
    yield said(message("published"), lang), f"{_version(found.folder, lang)} · {said(how, lang)}"
    yield said(message("member list"), lang), _number(found.member_list, lang)
    yield said(message("ledger entries"), lang), _number(found.ledger_size, lang)
    yield said(message("verdict"), lang), _verdict(found, lang)
    if found.broken:
        yield "", f"[red]{_plain(found.broken)}[/]"


def _verdict(found: NodeStatus, lang: Language) -> str:
    if found.running is None:
        return f"[yellow]{said(message('the node does not answer'), lang)}[/]: {_plain(found.refusal)}"
    if found.drifts:
        return f"[red]{said(message('the node decides by another policy'), lang)}[/]"
    return f"[green]{said(message('the node decides by the published policy'), lang)}[/]"


def _number(number: int | None, lang: Language) -> str:
    return said(message("none"), lang) if number is None else str(number)


def _version(version: PolicyVersion | None, lang: Language) -> str:
    return said(message("none"), lang) if version is None else f"{version.revision} ({version.digest[:19]}…)"


def _plain(text: str) -> str:
    return text.replace("[", "\\[")
