"""`crocevia demo`: founds and runs a federation of five administrations on one machine.

With `crocevia.py`, the command, it is what knows both sides of the house: everything else is either a node's or the
federation's.
"""

from __future__ import annotations

import asyncio
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

from federation.consumer.home import DEFAULT_HOME, HomeOption
from federation.consumer.portal import KNOWN_CITIZENS, find_citizen, write_citizens
from federation.contract.clock import SystemClock, day_in_rome
from federation.contract.errors import ConfigurationError
from federation.contract.exit_codes import ExitCode
from federation.contract.identifiers import DIRECTORY, PORTAL, MemberId
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
from federation.linkage.siv import SivSuite
from federation.membership.purpose_names import read_purpose_names
from federation.trust.keys import read_secret
from node.console.policy_folders import shared_policies_folder
from node.data.mapping import Mapping
from node.demo.expectations import Expected, expected_answers
from node.demo.officers import publish_policy
from node.demo.seed import SeedReport, demo_files, read_holdings, read_truth, seed
from node.policy.bundle import VOCABULARY_FILE
from node.server.policies import load_decisions
from node.subgraph.schema import NodeSchema, verified_coordinates
from node.vocabulary.schema import full_schema

SHOWCASE_TAX_CODE = "BNCLRA84H57F257B"
CHILD_TAX_CODE = "FRRSFO14E54F257M"
_CHILD = "sofia"
CHECK_HOME = DEFAULT_HOME.with_name("check")
CITIZENS_FILE = "citizens"
"""How many citizens the registers were made with."""
DEFAULT_CITIZENS = 2000

app = typer.Typer(invoke_without_command=True, help="Start a demo federation, or only make its registers.")
_errors = Console(stderr=True)


@app.callback()
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


@app.command(name="seed")
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
