"""`crocevia verify`, and what `crocevia query --evidence` keeps: the evidence of one answer."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from federation.consumer.client import Answer
from federation.consumer.evidence import Bundle, Verified, verify_bundle
from federation.consumer.home import DEFAULT_HOME, HomeOption, federation_at
from federation.contract.errors import BadInputError, NotFoundError
from federation.contract.exit_codes import ExitCode
from federation.contract.identifiers import MemberId
from federation.contract.members import MemberList
from federation.ledger.note import Ed25519Verifier

_ORIGIN_PARTS = 3


def keep_evidence(path: Path, consumer: MemberId, answer: Answer, members: MemberList) -> ExitCode:
    """Write an answer's evidence to a file that only its owner reads, and verify it."""
    bundle = Bundle.of(consumer, answer)
    _write(path, bundle)
    found = verify_bundle(bundle, members.ledgers(), members.member(consumer).keys, members.exchange.keys)
    _say(found)
    return ExitCode.CHECK_FAILED if found.faults else ExitCode.OK


def verify(
    file: Annotated[Path, typer.Argument(help="Evidence that `crocevia query --evidence FILE` wrote.")],
    ledger_key: Annotated[
        list[str] | None,
        typer.Option(help="Verifier key of a ledger, `name+id+base64`; verifies without any federation. Repeatable."),
    ] = None,
    without_values: Annotated[
        Path | None, typer.Option(help="Also write the evidence with every value removed to this file.")
    ] = None,
    format_: Annotated[str, typer.Option("--format", help="`text` or `json`.")] = "text",
    home: HomeOption = DEFAULT_HOME,
) -> None:
    """Verify the evidence of one answer: that nodes recorded it, and that nobody altered a value on the way."""
    bundle = _read(file)
    if ledger_key:
        found = verify_bundle(bundle, _by_member(ledger_key))
    else:
        members = federation_at(home)
        keys = members.member(bundle.consumer).keys
        found = verify_bundle(bundle, members.ledgers(), keys, members.exchange.keys)
    if without_values is not None:
        _write(without_values, bundle.without_values())
    if format_ == "json":
        sys.stdout.write(json.dumps(_row(found), indent=2) + "\n")
    else:
        _say(found)
    raise typer.Exit(ExitCode.CHECK_FAILED if found.faults else ExitCode.OK)


def _by_member(keys: list[str]) -> dict[str, str]:
    """A ledger is named `federation/member/ledger`: its key says whose it is."""
    found = {}
    for vkey in keys:
        parts = Ed25519Verifier.parse(vkey).name.rsplit("/", _ORIGIN_PARTS - 1)
        if len(parts) != _ORIGIN_PARTS:
            raise BadInputError("`--ledger-key` must be of a ledger named `federation/member/ledger`")
        found[parts[1]] = vkey
    return found


def _read(path: Path) -> Bundle:
    try:
        return Bundle.parse(path.read_bytes())
    except FileNotFoundError as error:
        raise NotFoundError(f"`{path}` does not exist; `crocevia query --evidence {path} …` writes it") from error
    except OSError as error:
        raise BadInputError(f"`{path}` cannot be read: {error.strerror}") from error


def _write(path: Path, bundle: Bundle) -> None:
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(bundle.to_bytes())
    except OSError as error:
        raise BadInputError(f"`{path}` cannot be written: {error.strerror}") from error


def _say(found: Verified) -> None:
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    for member, index, entry in found.entries:
        console.print(f"{member}: entry {index}, of {entry.at}")
    for fault in found.faults:
        console.print(f"[red]{fault}[/]")
    counts = f"{found.proved} values proved, {found.removed} removed, {found.nulls} nulls that no node accounts for"
    if found.untied:
        console.print(f"{found.untied} objects or names are tied to a citizen by nobody but the gateway: ask for `id`")
    console.print(f"{counts}: {'[red]does not hold[/]' if found.faults else '[green]holds[/]'}")


def _row(found: Verified) -> dict[str, object]:
    return {
        "entries": [{"member": member, "index": index, "at": entry.at} for member, index, entry in found.entries],
        "proved": found.proved,
        "removed": found.removed,
        "nulls": found.nulls,
        "untied": found.untied,
        "faults": found.faults,
    }
