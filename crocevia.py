"""The `crocevia` command: mounts the commands of node and federation, and founds and runs the demo.

This is the one module that knows both sides of the house: everything else is either a node's or the federation's.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import sys
import time
from datetime import date
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from federation.consumer import ledger_commands as outside_commands
from federation.consumer.changes_command import changes
from federation.consumer.commands import query, report
from federation.consumer.evidence_commands import verify
from federation.consumer.fields_command import fields
from federation.consumer.home import DEFAULT_HOME, HomeOption
from federation.consumer.portal import KNOWN_CITIZENS, find_citizen, write_citizens
from federation.contract.clock import SystemClock, day_in_rome
from federation.contract.errors import ConfigurationError, CroceviaError
from federation.contract.exit_codes import ExitCode, exit_code
from federation.contract.identifiers import DIRECTORY, PORTAL, MemberId
from federation.contract.settings_files import replace_file
from federation.demo.asking import ask
from federation.demo.charter import Charter, read_charter
from federation.demo.checking import (
    STOPPED,
    Findings,
    Showcase,
    check_answers,
    check_ledgers,
    check_partial,
    check_report,
)
from federation.demo.founding import (
    EXCHANGE_MASTER_KEY,
    make_keys,
    publish_federation,
    write_settings,
)
from federation.demo.layout import DEFAULT_PORT, Home, Ports, url
from federation.demo.ledgers import verify_ledgers
from federation.demo.processes import Processes
from federation.demo.running import START_SECONDS, held, programs, require_free_ports
from federation.directory.directory import Directory
from federation.directory.rows import HeldFile
from federation.exchange import server as exchange_server
from federation.gateway import commands as gateway_commands
from federation.gateway import schema_commands as change_commands
from federation.linkage.siv import SivSuite
from federation.membership import agreement_commands
from federation.membership import commands as federation_commands
from federation.membership.purpose_names import read_purpose_names
from federation.trust.authority import certificate_request
from federation.trust.channel import CHANNEL_KEY
from federation.trust.hardware import HardwareKey, generate_in_hardware, load_signer
from federation.trust.keys import ensure_p256, read_secret
from federation.trust.party_keys import known_keys, listed_until, make_party_keys, rotate_message_key
from federation.trust.registry import last_list
from node.console.import_command import import_rows
from node.console.node_commands import app as node_commands
from node.console.policy_commands import app as policy_app
from node.console.policy_folders import shared_policies_folder
from node.data.mapping import Mapping
from node.demo.expectations import Expected, expected_answers
from node.demo.officers import publish_policy
from node.demo.seed import SeedReport, demo_files, read_holdings, read_truth, seed
from node.policy.bundle import VOCABULARY_FILE
from node.server import app as node_app
from node.server.db_commands import app as db_commands
from node.server.db_commands import outbox
from node.server.export_command import export_list
from node.server.join_command import join
from node.server.policies import load_decisions
from node.server.status_command import status as node_status
from node.subgraph.schema import NodeSchema, verified_coordinates
from node.vocabulary.schema import full_schema, printed_schema

SHOWCASE_TAX_CODE = "BNCLRA84H57F257B"
CHILD_TAX_CODE = "FRRSFO14E54F257M"
_CHILD = "sofia"
CHECK_HOME = DEFAULT_HOME.with_name("check")
CITIZENS_FILE = "citizens"
"""How many citizens the registers were made with."""
DEFAULT_CITIZENS = 2000

app = typer.Typer(
    name="crocevia",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    help="Inter-agency data sharing with privacy enforced per field. · Scambio di dati tra enti, policy per campo.",
)
demo_commands = typer.Typer(invoke_without_command=True, help="Start a demo federation, or only make its registers.")
exchange_commands = typer.Typer(no_args_is_help=True, help="Run the pseudonym exchange.")
keys_commands = typer.Typer(no_args_is_help=True, help="Make the keys of a party.")
ledger_commands = typer.Typer(no_args_is_help=True, help="Verify tamper-evident ledgers.")
schema_commands = typer.Typer(no_args_is_help=True, help="The shared vocabulary and composed schemas.")
app.add_typer(demo_commands, name="demo")
app.add_typer(node_commands, name="node")
app.add_typer(gateway_commands.app, name="gateway")
app.add_typer(exchange_commands, name="exchange")
app.add_typer(federation_commands.app, name="federation")
app.add_typer(agreement_commands.app, name="agreement")
app.add_typer(ledger_commands, name="ledger")
app.add_typer(keys_commands, name="keys")
app.add_typer(schema_commands, name="schema")
app.add_typer(policy_app, name="policy")
app.add_typer(db_commands, name="db")
ledger_commands.command(name="prove")(outside_commands.prove)
ledger_commands.command(name="witness")(outside_commands.witness)
app.command(name="query")(query)
app.command(name="fields")(fields)
app.command(name="report")(report)
app.command(name="changes")(changes)
app.command(name="outbox")(outbox)
app.command(name="import")(import_rows)
app.command(name="export")(export_list)
app.command(name="verify")(verify)
schema_commands.command(name="diff")(change_commands.diff_command)
schema_commands.command(name="check")(change_commands.check_command)
app.command(name="compose")(gateway_commands.compose_command)
app.command(name="plan")(gateway_commands.plan_command)

SettingsOption = Annotated[Path, typer.Option("--settings", help="The process's settings file (TOML).")]
_errors = Console(stderr=True)


@demo_commands.callback()
def demo(
    context: typer.Context,
    home: HomeOption = DEFAULT_HOME,
    port: Annotated[int, typer.Option(help="The gateway's port; the others follow it.")] = DEFAULT_PORT,
    citizens: Annotated[
        int | None, typer.Option(min=10, help=f"How many synthetic citizens to make, {DEFAULT_CITIZENS} at first.")
    ] = None,
    *,
    check: Annotated[bool, typer.Option("--check", help="Ask, verify every answer and ledger, then stop.")] = False,
    fresh: Annotated[bool, typer.Option("--fresh", help="Make the registers and ledgers anew.")] = False,
) -> None:
    """Start a federation of five administrations on this machine, and say what to ask."""
    if context.invoked_subcommand is not None:
        return
    # A check begins with empty ledgers; it must not empty those of a demo that somebody works with.
    place = Home((CHECK_HOME if check and home == DEFAULT_HOME else home).resolve())
    charter, ports = _charter(), Ports(port)
    signal.signal(signal.SIGTERM, _stop_like_ctrl_c)
    with held(place), Processes(environment={**os.environ, "PYTHONUNBUFFERED": "1"}) as processes:
        require_free_ports(charter, ports)
        found_demo(place, charter, ports, citizens, fresh=fresh or check)
        started = time.monotonic()
        processes.start(programs(place, charter, ports))
        processes.wait_until_healthy(START_SECONDS)
        _errors.print(f"[green]{len(processes.pids())} processes work after {time.monotonic() - started:.1f} s[/]")
        if check:
            raise typer.Exit(asyncio.run(_check(place, processes)))
        Console().print(_screen(place, charter, ports), soft_wrap=True, highlight=False)
        _wait(processes)


@demo_commands.command(name="seed")
def demo_seed(
    home: HomeOption = DEFAULT_HOME,
    citizens: Annotated[int, typer.Option(min=10, help="How many synthetic citizens to make.")] = DEFAULT_CITIZENS,
) -> None:
    """Make the demo's registers anew, without starting anything."""
    place = Home(home.resolve())
    started = time.monotonic()
    with held(place):
        make_keys(place, _charter())
        made = _seed(place, citizens)
        (place.root / CITIZENS_FILE).write_text(str(citizens))
    _errors.print(f"[green]{made.people} citizens, {made.holdings} files in {time.monotonic() - started:.1f} s[/]")
    for member, register in made.registers.items():
        sys.stdout.write(f"{member}\t{made.known[member]}\t{register}\n")


@node_commands.command(name="serve")
def node_serve(settings: SettingsOption) -> None:
    """Run a node until it is told to stop."""
    node_app.serve(settings)


node_commands.command(name="status")(node_status)
node_commands.command(name="join")(join)


@exchange_commands.command(name="serve")
def exchange_serve(settings: SettingsOption) -> None:
    """Run the pseudonym exchange until it is told to stop."""
    exchange_server.serve(settings)


@ledger_commands.command(name="verify")
def ledger_verify(
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


@keys_commands.command(name="generate")
def keys_generate(
    folder: Annotated[Path, typer.Argument(help="The party's key folder; keys that are there are kept.")],
    module: Annotated[
        Path | None, typer.Option("--pkcs11", help="Make the message key in this PKCS#11 module.")
    ] = None,
    token: Annotated[str, typer.Option(help="The token's label in the module.")] = "crocevia",  # noqa: S107  # a name
    label: Annotated[str, typer.Option(help="The key's label in the token.")] = "message",
    pin: Annotated[Path | None, typer.Option("--pin-file", help="The file of mode 0600 with the token's PIN.")] = None,
) -> None:
    """Make a party's missing keys, in files of mode 0600 or the message key in hardware, and print its thumbprint."""
    if module is not None:
        if pin is None:
            raise ConfigurationError("give `--pin-file` with `--pkcs11`")
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        generate_in_hardware(folder, HardwareKey(module, token, label, pin.resolve()))
    for path in make_party_keys(folder):
        sys.stdout.write(f"{path}\n")
    sys.stdout.write(f"message key {load_signer(folder).kid}\n")


@keys_commands.command(name="rotate")
def keys_rotate(folder: Annotated[Path, typer.Argument(help="The party's key folder.")]) -> None:
    """Take the next step of replacing a party's message key, with both keys listed while both are in use."""
    sys.stdout.write(rotate_message_key(folder) + "\n")


@keys_commands.command(name="list")
def keys_list(
    folder: Annotated[Path, typer.Argument(help="The party's key folder.")],
    registry: Annotated[
        Path | None, typer.Option(help="Also say which keys the registry in this folder lists.")
    ] = None,
) -> None:
    """Show the keys of a party: use, thumbprint, and until when they are listed; never a private one."""
    members = None if registry is None else last_list(registry)
    table = Table("file", "signs", "thumbprint", "listed until")
    for each in known_keys(folder):
        table.add_row(each.file, each.use, each.kid, "" if members is None else listed_until(each.kid, members))
    Console().print(table)


@keys_commands.command(name="request")
def keys_request(
    folder: Annotated[Path, typer.Argument(help="The party's key folder.")],
    party: Annotated[str, typer.Argument(help="The party: a member's code, `gateway`, `exchange`, or `operator`.")],
    out: Annotated[Path, typer.Option(help="Where to write the request.")] = Path("channel.csr.pem"),
) -> None:
    """Make the key of a party's channels (mutual TLS) unless it is there, and write a request for its certificate."""
    replace_file(out, certificate_request(ensure_p256(folder / CHANNEL_KEY), party))
    sys.stdout.write(f"{out}\n")


@schema_commands.command(name="print")
def schema_print() -> None:
    """Print the shared vocabulary as GraphQL SDL."""
    sys.stdout.write(printed_schema())


def found_demo(home: Home, charter: Charter, ports: Ports, citizens: int | None, *, fresh: bool) -> None:
    """Make keys, registers, the reference directory, signed policies, settings, and the signed member list.

    Raises:
        ConfigurationError: the registers hold another number of citizens, and `fresh` does not allow to remake them.
    """
    make_keys(home, charter)
    known = home.root / CITIZENS_FILE
    found = known.read_text() if known.exists() else None
    if found is not None and not fresh and citizens is not None and found != str(citizens):
        raise ConfigurationError(
            f"`{home.root}` holds {found} citizens: add --fresh to make {citizens}, which removes its ledgers"
        )
    if fresh or found is None:
        _forget(home, charter)
        _seed(home, citizens or DEFAULT_CITIZENS)
        known.write_text(str(citizens or DEFAULT_CITIZENS))
    policies = {
        str(member.id): publish_policy(home.party(member.id), shared_policies_folder() / member.id)
        for member in charter.nodes()
    }
    write_settings(home, charter, ports, policies, demo_files() / "queries")
    sdls = {str(member.id): published_sdl(member.id) for member in charter.nodes()}
    purposes = read_purpose_names((shared_policies_folder() / VOCABULARY_FILE).read_bytes())
    publish_federation(home, charter, ports, sdls, purposes, SystemClock())


def published_sdl(member: str) -> str:
    """Return the schema that a demo member publishes to the federation."""
    mapping = Mapping.parse((demo_files() / member / "node.yaml").read_text(encoding="utf-8"))
    decisions = load_decisions(shared_policies_folder() / member)
    return NodeSchema.build(full_schema(), mapping, verified_coordinates(decisions.bundle.types.values())).published_sdl


def _charter() -> Charter:
    return read_charter((demo_files() / "federation.yaml").read_text(encoding="utf-8"))


def _seed(home: Home, citizens: int) -> SeedReport:
    """Fill the registers, the reference directory and the portal from one set of synthetic people."""
    suite = SivSuite(read_secret(home.keys("exchange") / EXCHANGE_MASTER_KEY))

    def pseudonym(member: str, subject: bytes) -> str:
        return str(suite.pseudonym(MemberId(member), subject))

    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed}/{task.total}"),
        TimeElapsedColumn(),
        console=_errors,
        disable=not _errors.is_terminal,
    ) as progress:
        people = progress.add_task("synthetic citizens", total=citizens)
        made = seed(home.root, citizens, lambda done, _: progress.update(people, completed=done), pseudonym)
    home.directory.parent.mkdir(parents=True, exist_ok=True)
    directory = Directory.open(home.directory)
    directory.load(
        HeldFile.parse(
            pseudonym(DIRECTORY, bytes.fromhex(row.subject)), row.member, row.capacity, date.fromisoformat(row.since)
        )
        for row in read_holdings(made.holdings_file)
    )
    directory.close()
    write_citizens(
        home.party(PORTAL) / KNOWN_CITIZENS,
        ((person.tax_code, pseudonym(PORTAL, person.subject_id)) for person in read_truth(made.truth_file)),
    )
    return made


def _forget(home: Home, charter: Charter) -> None:
    """Remove the state of an earlier demo; keys stay."""
    for party in ("gateway", "exchange", *(member.id for member in charter.members)):
        state = home.party(party) / "state"
        for path in state.glob("*") if state.is_dir() else ():
            path.unlink()


async def _check(home: Home, processes: Processes) -> ExitCode:
    """Ask everything, stop a node, ask again, read the citizen's report, verify every ledger."""
    suite = SivSuite(read_secret(home.keys("exchange") / EXCHANGE_MASTER_KEY))

    def pseudonym(member: str, subject: bytes) -> str:
        return str(suite.pseudonym(MemberId(member), subject))

    today = day_in_rome(SystemClock().now())
    expected = list(expected_answers(home.root / "truth.ndjson", demo_files() / "queries", today, pseudonym))
    findings = Findings()
    await check_answers(home, (_showcase(each) for each in expected), findings)
    child = next(each for each in expected if each.name == f"emergency-care of {_CHILD}")
    whole = await ask(home, child.consumer, child.purpose, child.query, dict(child.variables))
    processes.stop(STOPPED)
    await check_partial(home, _showcase(child), whole.answer, findings)
    portal = find_citizen(home.party(PORTAL) / KNOWN_CITIZENS, CHILD_TAX_CODE)
    await check_report(home, portal, ("inprev", "istsc_bv01", "aslvs"), findings)
    check_ledgers(verify_ledgers(home), findings)
    Console().print(findings.table())
    return ExitCode.OK if findings.passed else ExitCode.CHECK_FAILED


def _showcase(expected: Expected) -> Showcase:
    return Showcase(
        expected.name, expected.consumer, expected.purpose, expected.query, expected.variables, expected.faults
    )


def _screen(home: Home, charter: Charter, ports: Ports) -> str:
    """The one screen: where everything is, whom to be, three questions, and how to stop. Commands stay on one line."""
    queries = demo_files() / "queries"
    command = _short(Path(sys.argv[0]))
    at = "" if home.root == DEFAULT_HOME.resolve() else f" --home {home.root}"
    asks = [
        ("inprev", "benefit-assessment", SHOWCASE_TAX_CODE),
        ("istsc_bv01", "school-enrolment", CHILD_TAX_CODE),
        ("aslvs", "emergency-care", CHILD_TAX_CODE),
    ]
    lines = [
        "",
        f"[bold]gateway[/]    {url(ports.gateway)}   open it in a browser: members, purposes, GraphiQL",
        f"[bold]exchange[/]   {url(ports.exchange)}",
        *(
            f"[bold]{member.id:<10}[/] {url(ports.node(position))}   {member.name['it']}"
            for position, member in enumerate(charter.nodes())
        ),
        "",
        f"Partners' keys: {_short(home.root)}/<member>/keys. Three partners, three purposes, in another terminal:",
        "",
        *(
            f"  {command} query --as {member} --purpose {purpose} --citizen {code}{at} "
            f"{_short(queries / f'{purpose}.graphql')}"
            for member, purpose, code in asks
        ),
        "",
        "Who looked at her, and whether every ledger is whole:",
        "",
        f"  {command} report --citizen {CHILD_TAX_CODE}{at}",
        f"  {command} ledger verify{at}",
        "",
        "Ctrl-C stops all of it.",
    ]
    return "\n".join(lines)


def _short(path: Path) -> str:
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def _wait(processes: Processes) -> None:
    """Watch until somebody stops us or a process ends by itself."""
    try:
        while (ended := processes.ended()) is None:
            time.sleep(0.5)
    except KeyboardInterrupt:
        _errors.print("stopping")
        return
    raise ConfigurationError(f"`{ended}` ended by itself; its log is in the demo's folder `logs`")


def _stop_like_ctrl_c(_signal: int, _frame: object) -> None:
    """SIGTERM stops what was started, in order, as Ctrl-C does."""
    raise KeyboardInterrupt


def main() -> None:
    """Run the command; a refusal is one line on standard error and an exit status that says what kind it is."""
    # Registers, ledgers and keys are for whom they belong to.
    os.umask(0o077)
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    try:
        app()
    except CroceviaError as error:
        _errors.print(f"[red]{error.code}[/] {error.message}", highlight=False, markup=True, soft_wrap=True)
        raise SystemExit(exit_code(error)) from error
    except KeyboardInterrupt:
        raise SystemExit(130) from None


if __name__ == "__main__":
    main()
