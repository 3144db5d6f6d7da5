"""`crocevia agreement …`: what a member's officers do, from a draft to its end."""

from __future__ import annotations

import json
import sys
from collections.abc import Collection, Iterable
from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console

from federation.contract.clock import Clock, SystemClock, day_in_rome
from federation.contract.errors import BadInputError
from federation.contract.graphql_request import Limits, parse_document
from federation.contract.identifiers import MemberId, capacity_code, member_id
from federation.contract.members import (
    LONGEST_AGREED_LIST,
    LONGEST_LIST,
    Act,
    AgreedProvider,
    AgreedPurpose,
    Agreement,
    AgreementAct,
    AgreementState,
    MemberList,
)
from federation.contract.settings_files import replace_file
from federation.contract.trusted_documents import document_id
from federation.membership.agreement_files import read_agreement, write_agreement
from federation.membership.commands import agreements_table
from federation.trust.agreements import parties, require_officer, sign_act, standing, terms_digest, with_act
from federation.trust.keys import load_ed25519
from federation.trust.registry import last_list

DEFAULT_REGISTRY = Path(".crocevia/federation/registry")

app = typer.Typer(
    no_args_is_help=True,
    help="Draft, sign, suspend and end agreements.",
)
_console, _errors = Console(), Console(stderr=True)

RegistryOption = Annotated[Path, typer.Option("--registry", envvar="CROCEVIA_REGISTRY", help="The registry's folder.")]
FileArgument = Annotated[Path, typer.Argument(help="The agreement's file.")]
MemberOption = Annotated[str, typer.Option("--member", help="The member in whose name the officer signs.")]
KeyOption = Annotated[Path, typer.Option("--key", help="The officer's key file (Ed25519).")]
NoteOption = Annotated[str, typer.Option("--note", help="Why; it is signed and everybody reads it.")]
NodeOption = Annotated[
    Path | None, typer.Option("--node-state", help="The own node's folder `state`: the act holds there at once.")
]


@app.command(name="draft")
def draft(  # the terms of an agreement
    file: FileArgument,
    id_: Annotated[str, typer.Option("--id", help="The agreement's id, such as `acc-2026-012`.")],
    consumer: Annotated[str, typer.Option(help="The member that asks.")],
    purpose: Annotated[
        list[str], typer.Option(help="`purpose=6.1.c,9.2.g`: a purpose and its legal bases; repeat it.")
    ],
    provider: Annotated[
        list[str], typer.Option(help="`member=Citizen.*,Residence.*`: who is asked for which fields; repeat it.")
    ],
    until: Annotated[str, typer.Option(help="The last day, as 2027-12-31.")],
    since: Annotated[str | None, typer.Option("--from", help="The first day; today without it.")] = None,
    daily: Annotated[int, typer.Option(min=1, help="How many requests a day.")] = 100_000,
    longest_list: Annotated[
        list[str] | None,
        typer.Option(
            help=f"`member=500`: elements in a list of its answers, {LONGEST_LIST} unless given, at most "
            f"{LONGEST_AGREED_LIST}; repeat it."
        ),
    ] = None,
    capacity: Annotated[
        list[str] | None,
        typer.Option(help="`member=resident,insured`: asked only about citizens whom it knows as such; repeat it."),
    ] = None,
    holding: Annotated[
        list[str] | None,
        typer.Option(help="In which capacity the consumer must itself hold an open file on the citizen; repeat it."),
    ] = None,
    document: Annotated[
        list[Path] | None, typer.Option(help="File with an operation; with one, nothing else may be asked; repeat it.")
    ] = None,
) -> None:
    """Write the terms of an agreement to a file, for the parties' officers to sign."""
    if file.exists():
        raise BadInputError(f"`{file}` exists; terms that somebody may have signed are not overwritten")
    today = day_in_rome(SystemClock().now())
    first, last = _day(since) if since else today, _day(until)
    if last < first:
        raise BadInputError(f"expected a last day from {first} on, got {last}; `--from` names another first day")
    asked = [(member_id(name), words) for name, words in map(_pair, provider)]
    lengths = _lengths(longest_list or (), [name for name, _ in asked])
    capacities = _capacities(capacity or (), [name for name, _ in asked])
    agreement = Agreement(
        id=id_,
        consumer=member_id(consumer),
        providers=tuple(
            AgreedProvider(name, words, lengths.get(name, LONGEST_LIST), capacities.get(name, ()))
            for name, words in asked
        ),
        purposes=tuple(AgreedPurpose(name, words) for name, words in map(_pair, purpose)),
        valid_from=first,
        valid_until=last,
        state=AgreementState.ACTIVE,
        daily_requests=daily,
        documents=tuple(map(_document, document or ())),
        holding=tuple(map(capacity_code, holding or ())),
    )
    write_agreement(file, agreement)
    sys.stdout.write(f"{file}\nterms {terms_digest(agreement)}\n")
    for text in agreement.documents:
        sys.stdout.write(f"document {document_id(text)}\n")


@app.command(name="sign")
def sign(file: FileArgument, member: MemberOption, key: KeyOption, registry: RegistryOption = DEFAULT_REGISTRY) -> None:
    """Accept the terms in a file in the name of a party."""
    agreement = read_agreement(file)
    act = _act(agreement, Act.ACCEPT, member, key, registry)
    write_agreement(file, with_act(agreement, act))
    _say(with_act(agreement, act), last_list(registry))


@app.command(name="suspend")
def suspend(  # who, what, why, and where it holds at once
    agreement: Annotated[str, typer.Argument(help="The agreement's id.")],
    member: MemberOption,
    key: KeyOption,
    note: NoteOption = "",
    registry: RegistryOption = DEFAULT_REGISTRY,
    out: Annotated[Path | None, typer.Option(help="The file for the operators; `<id>.json` without it.")] = None,
    node_state: NodeOption = None,
) -> None:
    """Suspend an agreement at once; until a second officer does the same, it is flagged as not countersigned."""
    _acted(Act.SUSPEND, agreement, member, key, note, registry, out, node_state)


@app.command(name="resume")
def resume(  # as `suspend`
    agreement: Annotated[str, typer.Argument(help="The agreement's id.")],
    member: MemberOption,
    key: KeyOption,
    note: NoteOption = "",
    registry: RegistryOption = DEFAULT_REGISTRY,
    out: Annotated[Path | None, typer.Option(help="The file for the operators; `<id>.json` without it.")] = None,
) -> None:
    """Sign that a suspension of this member ends; it ends when two of its officers have signed."""
    _acted(Act.RESUME, agreement, member, key, note, registry, out, None)


@app.command(name="end")
def end(  # as `suspend`
    agreement: Annotated[str, typer.Argument(help="The agreement's id.")],
    member: MemberOption,
    key: KeyOption,
    note: NoteOption = "",
    registry: RegistryOption = DEFAULT_REGISTRY,
    out: Annotated[Path | None, typer.Option(help="The file for the operators; `<id>.json` without it.")] = None,
    node_state: NodeOption = None,
) -> None:
    """End an agreement: two officers of one party; the first one has suspended it."""
    _acted(Act.END, agreement, member, key, note, registry, out, node_state)


@app.command(name="list")
def list_(
    registry: RegistryOption = DEFAULT_REGISTRY,
    format_: Annotated[str, typer.Option("--format", help="`table` or `json`.")] = "table",
) -> None:
    """Show the published agreements and where they stand."""
    members = last_list(registry)
    if format_ == "json":
        rows = [{"id": each.id, "consumer": each.consumer, "state": each.state.value} for each in members.agreements]
        sys.stdout.write(json.dumps(rows, indent=2) + "\n")
    else:
        _console.print(agreements_table(members))


@app.command(name="show")
def show(
    agreement: Annotated[str, typer.Argument(help="The agreement's id, or its file.")],
    registry: RegistryOption = DEFAULT_REGISTRY,
) -> None:
    """Show the terms of an agreement, who did what to it, and where it stands."""
    members = last_list(registry)
    path = Path(agreement)
    found = read_agreement(path) if path.exists() else members.agreement(agreement)
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(found), indent=2).decode() + "\n")
    _say(found, members)


def _acted(  # what the three commands have in common
    act: Act,
    agreement_id: str,
    member: str,
    key: Path,
    note: str,
    registry: Path,
    out: Path | None,
    node_state: Path | None,
) -> None:
    members = last_list(registry)
    path = out or Path(f"{agreement_id}.json")
    known = read_agreement(path) if path.exists() else members.agreement(agreement_id)
    done = _act(known, act, member, key, registry, note)
    write_agreement(path, with_act(known, done))
    if node_state is not None:
        local = {"agreement": agreement_id, "act": msgspec.to_builtins(done)}
        folder = node_state / "acts"
        folder.mkdir(parents=True, exist_ok=True)
        replace_file(folder / f"{agreement_id}-{done.keyid[:12]}-{act.value}.json", msgspec.json.encode(local))
        _errors.print("it holds at the own node now")
    _errors.print(f"hand `{path}` to the operators: `crocevia federation agree {path}`", highlight=False)
    _say(with_act(known, done), members)


def _act(  # one signature
    agreement: Agreement, act: Act, member: str, key: Path, registry: Path, note: str = "", clock: Clock | None = None
) -> AgreementAct:
    name = MemberId(member_id(member))
    officer = load_ed25519(key)
    require_officer(last_list(registry).member(name), officer)
    return sign_act(agreement, name, act, officer, (clock or SystemClock()).now(), note)


def _say(agreement: Agreement, members: MemberList) -> None:
    stands = standing(agreement, members.members)
    _errors.print(f"[bold]{agreement.id}[/] is {stands.state.value}", highlight=False)
    signed = [party for party in parties(agreement) if party not in stands.awaited]
    if stands.awaited:
        _errors.print(f"signed: {', '.join(signed) or 'nobody'}; awaited: {', '.join(stands.awaited)}", highlight=False)
    for text in agreement.documents:
        _errors.print(f"document {document_id(text)}, {len(text)} characters", highlight=False)
    if stands.flagged:
        _errors.print(f"[yellow]not countersigned by a second officer of {', '.join(stands.flagged)}[/]")
    if stands.refused:
        _errors.print(f"[red]{stands.refused} signatures do not verify and count for nothing[/]")


def _pair(text: str) -> tuple[str, tuple[str, ...]]:
    name, equals, words = text.partition("=")
    found = tuple(word.strip() for word in words.split(",") if word.strip())
    if not equals or not name or not found:
        raise BadInputError(f"expected `name=one,two`, got `{text}`")
    return name, found


def _capacities(written: Iterable[str], providers: Collection[str]) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for name, words in map(_pair, written):
        if name not in providers:
            raise BadInputError(f"`--capacity` names `{name}`, which `--provider` does not")
        found[name] = tuple(map(capacity_code, words))
    return found


def _lengths(written: Iterable[str], providers: Collection[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for name, words in map(_pair, written):
        if name not in providers:
            raise BadInputError(f"`--longest-list` names `{name}`, which `--provider` does not")
        [length] = words if len(words) == 1 else ("",)
        if not length.isdecimal() or not 1 <= int(length) <= LONGEST_AGREED_LIST:
            raise BadInputError(f"`--longest-list` is from 1 to {LONGEST_AGREED_LIST}, got `{','.join(words)}`")
        found[name] = int(length)
    return found


def _document(file: Path) -> str:
    """Return the text of an operation, which must be one that a gateway would read."""
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInputError(f"document `{file}` cannot be read; give a text file with a GraphQL operation") from error
    parse_document(text, Limits())
    return text


def _day(text: str) -> date:
    try:
        return datetime.strptime(text, "%Y-%m-%d").date()  # noqa: DTZ007  # a day has no zone
    except ValueError as error:
        raise BadInputError(f"expected a day such as 2027-12-31, got `{text}`") from error
