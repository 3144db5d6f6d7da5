"""`crocevia federation …`: what operators do, from nothing to a federation with members and agreements."""

from __future__ import annotations

import json
import ssl
import sys
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import httpx
import typer
from rich.console import Console
from rich.table import Table

from federation.contract.clock import SystemClock, rfc3339
from federation.contract.errors import BadInputError, NotFoundError, UnavailableError
from federation.contract.exit_codes import ExitCode
from federation.contract.members import MemberList
from federation.contract.proposals import SignedProposal
from federation.contract.settings_files import replace_file, write_settings
from federation.directory.schema import DIRECTORY_SDL
from federation.membership.admission import Edition, Examination, Examiner
from federation.membership.agreement_files import read_agreement
from federation.membership.publisher import serve
from federation.membership.purpose_names import read_purpose_names
from federation.membership.recorded_usage import recorded_usage
from federation.membership.settings import PUBLISHER, TIMESTAMP_KEY
from federation.membership.workspace import (
    EXCHANGE,
    GATEWAY,
    Addresses,
    Workspace,
    found,
    make_operators,
    renewed,
    with_agreement,
    with_platform,
    with_purpose_names,
    without,
)
from federation.trust.admitting import OPERATOR
from federation.trust.agreements import standing
from federation.trust.authority import CERTIFICATE_LIFE, Authority
from federation.trust.channel import AUTHORITY_CERTIFICATE, CHANNEL_KEY, Channel, ChannelSettings
from federation.trust.keys import load_ed25519, new_nonce, read_ed25519_public
from federation.trust.party_keys import ensure_ed25519
from federation.trust.proposals import CHALLENGE_PATH
from federation.trust.repository import Signatures, key_id

DEFAULT_WORK = Path(".crocevia/federation")
_SECONDS = 5.0
_MAX_ANSWER = 8_192
AUTHORITY = "authority"

app = typer.Typer(
    no_args_is_help=True,
    help="Found a federation and keep its member list.",
)
_console, _errors = Console(), Console(stderr=True)

WorkOption = Annotated[Path, typer.Option("--work", envvar="CROCEVIA_FEDERATION", help="The operators' folder.")]
KeysOption = Annotated[
    list[Path] | None,
    typer.Option("--key", help="An operator's key file; repeat it. Without: every key in `operators/`."),
]


@app.command(name="init")
def init(  # a federation's beginning has that many facts
    name: Annotated[str, typer.Argument(help="The federation's name, an https URL.")],
    work: WorkOption = DEFAULT_WORK,
    operators: Annotated[int, typer.Option(min=1, help="How many operators' keys to make here.")] = 3,
    operator_key: Annotated[
        list[Path] | None, typer.Option(help="Instead: a public key (PEM) of an operator elsewhere; repeat it.")
    ] = None,
    threshold: Annotated[int, typer.Option(min=1, help="How many of them must sign.")] = 2,
    gateway: Annotated[str, typer.Option(help="Where the gateway is reached.")] = "http://127.0.0.1:8400",
    exchange: Annotated[str, typer.Option(help="Where the exchange is reached.")] = "http://127.0.0.1:8401",
    publisher: Annotated[str, typer.Option(help="Where the registry is served.")] = "http://127.0.0.1:8402",
) -> None:
    """Make keys and settings of the federation's own processes, and its first root and edition."""
    if not name.startswith("https://"):
        raise BadInputError(f"expected a name such as `https://dati.example`, got `{name}`")
    place = Workspace(work.resolve(), SystemClock())
    made = [] if operator_key else make_operators(place, operators)
    publics = [read_ed25519_public(path) for path in operator_key or ()]
    publics += [load_ed25519(path).public_key() for path in made]
    addresses = Addresses(gateway, exchange, publisher)
    found(place, name, addresses, publics, threshold, DIRECTORY_SDL)
    _settings(place, addresses)
    _sign_and_publish(place, made)


@app.command(name="admit")
def admit(
    proposal: Annotated[Path, typer.Argument(help="What `crocevia node join` wrote.")],
    work: WorkOption = DEFAULT_WORK,
    key: KeysOption = None,
    usage: Annotated[
        Path | None, typer.Option(help="What was asked so far: the gateway's ledger.db, or a file of coordinates.")
    ] = None,
    *,
    check: Annotated[bool, typer.Option("--check", help="Only say whether it would be admitted.")] = False,
) -> None:
    """Examine a proposal, say what is wrong with it, or stage and sign the edition that admits it."""
    place = Workspace(work.resolve(), SystemClock())
    signed = SignedProposal.parse(_read(proposal))
    used = None if usage is None else recorded_usage(usage)
    asking = partial(ask_challenge, verify=_operators_channel(place))
    examiner = Examiner(place.current(), asking, new_nonce, place.clock, used)
    examination = examiner.examine(signed)
    member = signed.proposal.member
    _console.print(
        _table(examination, f"{member.id}: {member.kind}, area {member.area}, {member.endpoint or 'asks only'}")
    )
    if examination.edition is None:
        raise typer.Exit(ExitCode.CHECK_FAILED)
    if not check:
        _next(place, examination.edition, key)


@app.command(name="remove")
def remove(
    member: Annotated[str, typer.Argument(help="The member's code.")],
    work: WorkOption = DEFAULT_WORK,
    key: KeysOption = None,
) -> None:
    """Stage and sign the edition without a member: its keys and certificates count no more, its agreements end."""
    place = Workspace(work.resolve(), SystemClock())
    _next(place, without(place.current(), member, place.clock), key)


@app.command(name="agree")
def agree(
    agreement: Annotated[Path, typer.Argument(help="An agreement's file, with the signatures there are.")],
    work: WorkOption = DEFAULT_WORK,
    key: KeysOption = None,
) -> None:
    """Stage and sign the edition with an agreement, or with more acts on one."""
    place = Workspace(work.resolve(), SystemClock())
    _next(place, with_agreement(place.current(), read_agreement(agreement), place.clock), key)


@app.command(name="platform")
def platform(
    issuer: Annotated[str, typer.Argument(help="The `iss` of the platform's vouchers.")],
    keys: Annotated[Path, typer.Option(help="Its key set (JWKS file), as its `/.well-known/jwks.json` serves it.")],
    work: WorkOption = DEFAULT_WORK,
    key: KeysOption = None,
) -> None:
    """Stage and sign the edition that accepts a platform's vouchers, such as PDND's, by these keys."""
    place = Workspace(work.resolve(), SystemClock())
    _next(place, with_platform(place.current(), issuer, _read(keys), place.clock), key)


@app.command(name="purposes")
def purposes(
    vocabulary: Annotated[Path, typer.Argument(help="The policy vocabulary, such as `policies/vocabulary.yaml`.")],
    work: WorkOption = DEFAULT_WORK,
    key: KeysOption = None,
) -> None:
    """Stage and sign the edition that calls purposes by their names in this vocabulary, as citizens read them."""
    place = Workspace(work.resolve(), SystemClock())
    _next(place, with_purpose_names(place.current(), read_purpose_names(_read(vocabulary)), place.clock), key)


@app.command(name="authority")
def authority(work: WorkOption = DEFAULT_WORK) -> None:
    """Make the authority that signs the certificates of the federation's channels (mutual TLS)."""
    place = Workspace(work.resolve(), SystemClock())
    folder = place.root / AUTHORITY
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    Authority.found(folder, place.current().members.federation, place.clock.now())
    _errors.print(f"hand `{folder / AUTHORITY_CERTIFICATE}` to every party", highlight=False)


@app.command(name="certify")
def certify(
    party: Annotated[str, typer.Argument(help="A member's code, `gateway`, `exchange`, or `operator`.")],
    request: Annotated[Path, typer.Argument(help="What `crocevia keys request` wrote.")],
    work: WorkOption = DEFAULT_WORK,
    out: Annotated[Path, typer.Option(help="Where to write the certificate.")] = Path("channel.crt.pem"),
    url: Annotated[
        str | None,
        typer.Option(help="The address of a party that is only proposed and not let in yet."),
    ] = None,
    days: Annotated[int, typer.Option(min=1, max=90, help="How many days it is good for.")] = CERTIFICATE_LIFE.days,
) -> None:
    """Sign the certificate of a party's channels; its names and its address come from the member list."""
    place = Workspace(work.resolve(), SystemClock())
    members = place.current().members
    address = url if party == OPERATOR or url is not None else members.party(party).endpoint
    signed = Authority.load(place.root / AUTHORITY).certify(
        _read(request), members.federation, party, address, place.clock.now(), timedelta(days=days)
    )
    replace_file(out, signed)
    sys.stdout.write(f"{out}\n")


@app.command(name="renew")
def renew(work: WorkOption = DEFAULT_WORK, key: KeysOption = None) -> None:
    """Stage and sign the same edition for another week, with the keys that gateway and exchange have here."""
    place = Workspace(work.resolve(), SystemClock())
    _next(place, renewed(place.current(), place.clock, place.with_own_keys), key)


@app.command(name="rotate")
def rotate(
    operator_key: Annotated[list[Path], typer.Option(help="A public or private key (PEM) of an operator from now on.")],
    threshold: Annotated[int, typer.Option(min=1, help="How many of them must sign.")],
    work: WorkOption = DEFAULT_WORK,
    key: KeysOption = None,
) -> None:
    """Stage the root with other operators, or with a new key for the timestamp; old and new operators sign it."""
    place = Workspace(work.resolve(), SystemClock())
    online = place.root / PUBLISHER / "keys" / TIMESTAMP_KEY
    ensure_ed25519(online)
    timestamp = load_ed25519(online).public_key()
    publics = [read_ed25519_public(path) for path in operator_key]
    place.repository.stage_root(place.current().members.federation, threshold, publics, timestamp)
    _sign_and_publish(place, key or _operators(place))


@app.command(name="sign")
def sign(work: WorkOption = DEFAULT_WORK, key: KeysOption = None) -> None:
    """Sign what is staged, and publish it when enough operators have."""
    place = Workspace(work.resolve(), SystemClock())
    _sign_and_publish(place, key or _operators(place))


@app.command(name="status")
def status(
    work: WorkOption = DEFAULT_WORK,
    format_: Annotated[str, typer.Option("--format", help="`table` or `json`.")] = "table",
) -> None:
    """Show the edition in force, its members and agreements, and what waits for signatures."""
    place = Workspace(work.resolve(), SystemClock())
    members = place.current().members
    try:
        staged = place.repository.standing()
    except NotFoundError:
        staged = ()
    if format_ == "json":
        sys.stdout.write(json.dumps(_status(members, staged), indent=2) + "\n")
        return
    _console.print(f"{members.federation}, edition {members.version} of {rfc3339(members.issued)}")
    table = Table("member", "kind", "area", "node")
    for member in members.members:
        table.add_row(member.id, member.kind, member.area, member.endpoint or "asks only")
    _console.print(table if members.members else "no members yet; `crocevia federation admit` lets one in")
    _console.print(agreements_table(members))
    _say_standing(staged)


@app.command(name="serve")
def serve_command(
    settings: Annotated[Path, typer.Option("--settings", help="The publisher's settings (TOML).")],
) -> None:
    """Run the publisher: serve the registry and keep its timestamp fresh."""
    serve(settings)


def _operators_channel(place: Workspace) -> ssl.SSLContext | bool:
    """The operators' own certificate, where there is one in `operators/`: nodes behind mutual TLS answer no other."""
    folder = place.root / "operators"
    files = ChannelSettings(
        folder / "channel.crt.pem", folder / CHANNEL_KEY, place.root / AUTHORITY / AUTHORITY_CERTIFICATE
    )
    return Channel.open(files).asking if files.certificate.exists() else True


def ask_challenge(endpoint: str, nonce: str, verify: ssl.SSLContext | bool = True) -> str:  # noqa: FBT001, FBT002  # as httpx has it
    """Ask the node at a GraphQL address to prove itself.

    Raises:
        UnavailableError: nothing answers there, or not with 200.
    """
    url = endpoint.removesuffix("/graphql") + CHALLENGE_PATH
    try:
        found = httpx.get(url, params={"nonce": nonce}, timeout=_SECONDS, trust_env=False, verify=verify)
    except httpx.HTTPError as error:
        raise UnavailableError(f"nothing answers at `{url}`: {type(error).__name__}") from error
    if found.status_code != httpx.codes.OK or len(found.content) > _MAX_ANSWER:
        raise UnavailableError(f"`{url}` answers {found.status_code}; does a node run there?")
    return found.text


def agreements_table(members: MemberList) -> Table | str:
    """Return the agreements with their states, and who has not signed or has suspended alone; or that there is none."""
    if not members.agreements:
        return "no agreements yet; `crocevia agreement draft` writes one"
    table = Table("agreement", "consumer", "purposes", "state", "until", "a day")
    for each in members.agreements:
        stands = standing(each, members.members)
        note = f", awaits {', '.join(stands.awaited)}" if stands.awaited else ""
        note += f", not countersigned by {', '.join(stands.flagged)}" if stands.flagged else ""
        purposes = ", ".join(purpose.id for purpose in each.purposes)
        row = (each.id, each.consumer, purposes, f"{each.state.value}{note}", str(each.valid_until))
        table.add_row(*row, str(each.daily_requests))
    return table


def _next(place: Workspace, edition: Edition, keys: list[Path] | None) -> None:
    place.stage(edition)
    _sign_and_publish(place, keys or _operators(place))


def _sign_and_publish(place: Workspace, keys: list[Path]) -> None:
    """Sign with the keys at hand; when that is not enough, say who else must."""
    standing = place.sign([load_ed25519(path) for path in keys])
    _say_standing(standing)
    if any(each.missing for each in standing):
        _errors.print("carry the folder `staged` to the next operator: `crocevia federation sign --key …`")
        return
    place.publish()
    _errors.print(f"[green]published edition {place.current().members.version}[/]")


def _say_standing(standing: tuple[Signatures, ...]) -> None:
    for each in standing:
        missing = f", {each.missing} more must sign" if each.missing else ""
        _errors.print(f"{each.role} {each.version}: signed by {len(each.signed)}{missing}", highlight=False)


def _operators(place: Workspace) -> list[Path]:
    """The operators' keys on this machine that the root knows."""
    known = {keyid for each in place.repository.roots() for keyid in each}
    return [
        path
        for path in sorted((place.root / "operators").glob("operator-*.pem"))
        if key_id(load_ed25519(path).public_key()) in known
    ]


def _settings(place: Workspace, addresses: Addresses) -> None:
    registry = {"keys": "keys", "registry": "../registry"}
    parties = {
        PUBLISHER: (addresses.publisher, {**registry, "staged": "../staged"}),
        GATEWAY: (addresses.gateway, {**registry, "state": "state"}),
        EXCHANGE: (addresses.exchange, {**registry, "state": "state"}),
    }
    for name, (url, values) in parties.items():
        split = urlsplit(url)
        listen = f"{split.hostname}:{split.port or (443 if split.scheme == 'https' else 80)}"
        write_settings(place.root / name / "settings.toml", {"listen": listen, "url": url, **values})


def _table(examination: Examination, title: str) -> Table:
    # As wide as its title, which would else be folded to the width of the checks' names.
    table = Table("check", "outcome", title=title, min_width=min(len(title), _console.width))
    for finding in examination.findings:
        table.add_row(finding.check.value, "\n".join(finding.faults) or "[green]passed[/]")
    return table


def _status(members: MemberList, staged: tuple[Signatures, ...]) -> dict[str, object]:
    return {
        "federation": members.federation,
        "edition": members.version,
        "members": [member.id for member in members.members],
        "agreements": {each.id: each.state.value for each in members.agreements},
        "staged": [{"role": each.role, "version": each.version, "missing": each.missing} for each in staged],
    }


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise NotFoundError(f"`{path}` cannot be read: {error.strerror}") from error
