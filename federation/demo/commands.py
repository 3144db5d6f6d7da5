"""`crocevia demo`: founds, runs and checks a federation of five administrations on one machine."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from federation.consumer.home import DEFAULT_HOME, HomeOption, federation_at
from federation.consumer.portal import KNOWN_CITIZENS, find_citizen
from federation.contract.clock import SystemClock, day_in_rome
from federation.contract.errors import ConfigurationError
from federation.contract.exit_codes import ExitCode
from federation.contract.identifiers import PORTAL
from federation.demo.asking import ask
from federation.demo.channels import certify_channels, check_channels
from federation.demo.charter import Charter, charter_of
from federation.demo.checking import STOPPED, Findings, check_answers, check_ledgers, check_partial, check_report
from federation.demo.founding import make_keys
from federation.demo.layout import DEFAULT_PORT, Home, Ports
from federation.demo.ledgers import verify_ledgers
from federation.demo.making import DEFAULT_CITIZENS, found_demo, pseudonyms, seed
from federation.demo.members_side import MembersSide
from federation.demo.processes import Processes
from federation.demo.running import START_SECONDS, held, programs, require_free_ports
from federation.trust.channel import asking_from

SHOWCASE_TAX_CODE = "BNCLRA84H57F257B"
CHILD_TAX_CODE = "FRRSFO14E54F257M"
_CHILD = "sofia"
CHECK_HOME = DEFAULT_HOME.with_name("check")

_OPEN = "open it in a browser: members, purposes, GraphiQL"
_PROVED = "mutual TLS: certificates in <member>/keys, a browser has none"

_errors = Console(stderr=True)


def demo_commands(members: MembersSide) -> typer.Typer:
    """Return the commands, for the demo of these members."""
    app = typer.Typer(invoke_without_command=True, help="Start a demo federation, or only make its registers.")

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
        tls: Annotated[bool, typer.Option("--tls", help="Mutual TLS between all parties, consumers too.")] = False,
    ) -> None:
        """Start a federation of five administrations on this machine, and say what to ask."""
        if context.invoked_subcommand is None:
            # A check begins with empty ledgers; it must not empty those of a demo that somebody works with.
            place = Home((CHECK_HOME if check and home == DEFAULT_HOME else home).resolve())
            _run(members, place, Ports(port, tls), citizens, check=check, fresh=fresh or check)

    @app.command(name="seed")
    def demo_seed(
        home: HomeOption = DEFAULT_HOME,
        citizens: Annotated[int, typer.Option(min=10, help="How many synthetic citizens to make.")] = DEFAULT_CITIZENS,
    ) -> None:
        """Make the demo's registers anew, without starting anything."""
        _seed(members, Home(home.resolve()), citizens)

    return app


def _run(members: MembersSide, place: Home, ports: Ports, citizens: int | None, *, check: bool, fresh: bool) -> None:
    charter = charter_of(members.files)
    signal.signal(signal.SIGTERM, _stop_like_ctrl_c)
    with held(place), Processes(environment={**os.environ, "PYTHONUNBUFFERED": "1"}) as processes:
        require_free_ports(charter, ports)
        with _errors.status("keys, agreements and registers …"):
            found_demo(members, place, charter, ports, citizens, fresh=fresh)
        processes.asking = asking_from(place.operators)
        started = time.monotonic()
        with _errors.status("starting the processes …"):
            processes.start(programs(place, charter, ports))
            processes.wait_until_healthy(START_SECONDS)
        _errors.print(f"[green]{len(processes.pids())} processes work after {time.monotonic() - started:.1f} s[/]")
        if check:
            with _errors.status("asking everything, verifying every answer and every ledger …"):
                status = asyncio.run(_check(members, place, ports, processes))
            raise typer.Exit(status)
        screen = _screen(place, charter, ports, members.files / "queries")
        Console().print(screen, soft_wrap=True, highlight=False)
        _wait(processes)


def _seed(members: MembersSide, place: Home, citizens: int) -> None:
    started = time.monotonic()
    with held(place), _errors.status("registers …"):
        make_keys(place, charter_of(members.files))
        made = seed(members, place, citizens)
    _errors.print(f"[green]{made.people} citizens, {made.holdings} files in {time.monotonic() - started:.1f} s[/]")
    for member, register in made.registers.items():
        sys.stdout.write(f"{member}\t{made.known[member]}\t{register}\n")


async def _check(members: MembersSide, home: Home, ports: Ports, processes: Processes) -> ExitCode:
    """Ask everything, renew certificates, stop a node, ask again, read the citizen's report, verify every ledger."""
    today = day_in_rome(SystemClock().now())
    expected = list(members.showcases(home.root, today, pseudonyms(home)))
    findings = Findings()
    await check_answers(home, expected, findings)
    if ports.tls:
        listed = federation_at(home.root)
        await check_channels(home, listed, lambda: certify_channels(home, listed, SystemClock()), findings)
    child = next(each for each in expected if each.name == f"emergency-care of {_CHILD}")
    whole = await ask(home, child.consumer, child.purpose, child.query, dict(child.variables))
    processes.stop(STOPPED)
    await check_partial(home, child, whole.answer, findings)
    portal = find_citizen(home.party(PORTAL) / KNOWN_CITIZENS, CHILD_TAX_CODE)
    await check_report(home, portal, ("inprev", "istsc_bv01", "aslvs"), findings)
    check_ledgers(verify_ledgers(home), findings)
    Console().print(findings.table())
    return ExitCode.OK if findings.passed else ExitCode.CHECK_FAILED


def _screen(home: Home, charter: Charter, ports: Ports, queries: Path) -> str:
    """The one screen: where everything is, whom to be, three questions, and how to stop. Commands stay on one line."""
    command = _short(Path(sys.argv[0]))
    at = "" if home.root == DEFAULT_HOME.resolve() else f" --home {home.root}"
    asks = [
        ("inprev", "benefit-assessment", SHOWCASE_TAX_CODE),
        ("istsc_bv01", "school-enrolment", CHILD_TAX_CODE),
        ("aslvs", "emergency-care", CHILD_TAX_CODE),
    ]
    lines = [
        "",
        f"[bold]gateway[/]    {ports.url(ports.gateway)}   {_PROVED if ports.tls else _OPEN}",
        f"[bold]exchange[/]   {ports.url(ports.exchange)}",
        *(
            f"[bold]{member.id:<10}[/] {ports.url(ports.node(position))}   {member.name['it']}"
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
