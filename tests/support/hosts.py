"""A federation whose gateway and one member are served by two hosts each, over one PostgreSQL server.

A host is a folder of settings, keys and state of its own, and a process that listens at a port of its own. Of the
gateway the first host listens where the member list says; the member's two stand behind a balancer, as in front of real
hosts. Nobody else runs but publisher and exchange: what is asked is asked of that member.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, closing, suppress
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from typing import Any, Final

import httpx
import msgspec

from federation.contract.clock import SystemClock
from federation.demo.founding import accepted, publish_edition
from federation.demo.layout import HOST, Home, url
from federation.demo.ledgers import place_of
from federation.demo.processes import Processes, Program
from federation.demo.running import programs
from federation.directory.directory import Directory
from federation.membership.workspace import Workspace
from federation.shared.store import Synchronous
from federation.trust.http_messages import HttpRequest
from node.own.database import open_own
from node.own.upgrading import upgrade
from tests.faults.field import Field
from tests.support.demo import REPOSITORY, RunningDemo, demo_charter, found_with_members, free_ports, question, token

MEMBER: Final = "c_m999"
HOSTS: Final = {"gateway": ("gateway", "gateway-2"), MEMBER: (MEMBER, f"{MEMBER}-2")}
_NORMAL: Final = Synchronous.NORMAL
QUERY: Final = "query ($by: CitizenKey!) { citizen(by: $by) { id givenName familyName } }"
_READY_SECONDS: Final = 60.0


@dataclass(slots=True)
class Balancer:
    """Passes each connection on to the next host that listens."""

    ports: tuple[int, ...]
    _turn: Any = field(default_factory=count)

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        first = next(self._turn)
        for number in range(len(self.ports)):
            with suppress(ConnectionError, asyncio.CancelledError):
                port = self.ports[(first + number) % len(self.ports)]
                other_reader, other_writer = await asyncio.open_connection(HOST, port)
                await asyncio.gather(_passed(reader, other_writer), _passed(other_reader, writer))
                return
        writer.close()


async def _passed(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError, asyncio.CancelledError):
        while content := await reader.read(65_536):
            writer.write(content)
            await writer.drain()
    writer.close()


@dataclass(slots=True)
class TwoHosts:
    """The running federation. `ports` are where each host listens, `agreement` is that under which is asked."""

    ground: Field
    agreement: str
    ports: Mapping[str, int]
    programs: dict[str, Program]

    @property
    def home(self) -> Home:
        """The federation's folder."""
        return self.ground.demo.home

    def ask(self, citizen: str) -> HttpRequest:
        """Return a signed question about a citizen, named by tax code or by the consumer's pseudonym."""
        return self._ask(citizen, f"{self.ground.demo.gateway}/graphql", QUERY)

    def ask_node(self, tax_code: str) -> HttpRequest:
        """Return a signed question for the member's node, past the gateway."""
        return self._ask(tax_code, f"{self.ground.node_url(MEMBER)}/graphql", QUERY.replace(" id ", " "))

    def _ask(self, citizen: str, address: str, query: str) -> HttpRequest:
        partner = self.ground.demo.partner(self.ground.consumer)
        members = partner.members
        nodes = filter(None, (member.endpoint for member in members.members))
        audience = (members.gateway.endpoint, members.exchange.endpoint, *nodes)
        access = token(self.ground.demo, partner, self.ground.purpose, audience=audience)
        by = {"taxCode": citizen} if len(citizen) == 16 else {"id": citizen}  # a tax code's length
        return question(partner, address, access, {"query": query, "variables": {"by": by}})

    async def send(self, request: HttpRequest, host: str, *, keep: bool = True) -> tuple[Mapping[str, Any] | None, str]:
        """Send a request to one host over a connection of its own; return the citizen, or why there is none.

        What gateways said is kept, to be held against ledgers and other answers; not where another answer is due.
        """
        target = f"{url(self.ports[host])}/graphql"
        async with httpx.AsyncClient(trust_env=False, timeout=20) as http:
            try:
                answer = await http.post(target, content=request.body, headers=dict(request.headers))
                content = answer.json()
            except (httpx.HTTPError, ValueError) as error:
                return None, type(error).__name__
        citizen = (content.get("data") or {}).get("citizen")
        if keep and citizen is not None and citizen.get("id"):
            self.ground._keep(citizen["id"], content)
        errors = content.get("errors") or [{}]
        return citizen, str(errors[0].get("extensions", {}).get("code", ""))

    def counted(self) -> int:
        """How many questions the agreement's quota has counted, on whatever host."""
        with closing(place_of(self.home, "gateway").open("counters", "SELECT 1", _NORMAL)) as counters:
            ((used,),) = counters.run("SELECT sum(used) FROM counted WHERE name LIKE ?", f"agreement:{self.agreement}%")
        return int(used or 0)

    def publish(self, **changes: Any) -> None:
        """Publish another edition of the member list, in which the agreement is another, accepted by all again."""
        clock = SystemClock()
        edition = Workspace(self.home.root, clock).current()
        agreements = tuple(
            accepted(self.home, msgspec.structs.replace(each, acts=(), **changes), clock.now())
            if each.id == self.agreement
            else each
            for each in edition.members.agreements
        )
        members = msgspec.structs.replace(edition.members, agreements=agreements, version=edition.members.version + 1)
        publish_edition(self.home, self.ground.demo.charter, members, edition.documents, clock)

    def directory(self) -> Directory:
        """Open the directory of the gateway's hosts, as another one."""
        return Directory.open(place_of(self.home, "gateway"))

    def policy(self, type_name: str) -> Path:
        """The file of the member's policy for a type, which both hosts read."""
        return self.home.root / "policies" / MEMBER / "types" / f"{type_name}.yaml"

    def kill(self, *hosts: str) -> None:
        """End hosts with SIGKILL, and all they started."""
        for host in hosts:
            self.ground.kill(host)

    def start(self, *hosts: str) -> None:
        """Start hosts, and wait until they work."""
        processes = self.ground.demo.processes
        processes.start([self.programs[host] for host in hosts])
        processes.wait_until_healthy(_READY_SECONDS)

    def connections(self) -> int:
        """How many connections all processes of all hosts have to the server."""
        with closing(place_of(self.home, "gateway").open("counters", "SELECT 1", _NORMAL)) as counters:
            asked = "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'crocevia-%'"
            return int(counters.run(asked)[0][0]) - 1


@asynccontextmanager
async def two_hosts(
    root: Path, database: str, citizens: int, workers: int, modules: Mapping[str, str] | None = None
) -> AsyncIterator[TwoHosts]:
    """Found the federation in a folder and run it; `modules` are programs that run in the place of a host's own."""
    with Processes() as processes:
        home, charter, ports = Home(root), demo_charter(), free_ports()
        await asyncio.to_thread(found_with_members, home, charter, ports, citizens)
        position = [str(member.id) for member in charter.nodes()].index(MEMBER)
        listed = ports.node(position)
        listening = {"gateway": ports.gateway, "gateway-2": ports.gateway + 4}
        listening |= {host: ports.gateway + 5 + number for number, host in enumerate(HOSTS[MEMBER])}
        _set_up(home, database, workers, listening)
        own = open_own(database)
        await own.run(upgrade)
        await own.close()
        every = {program.name: program for program in programs(home, charter, ports)}
        found = {
            host: replace(
                every[party],
                name=host,
                module=(modules or {}).get(host, every[party].module),
                arguments=("--settings", str(home.party(host) / "settings.toml")),
                health=f"{url(listening[host])}/readyz",
                log=home.logs / f"{host}.log",
            )
            for party, hosts in HOSTS.items()
            for host in hosts
        }
        balancer = Balancer(tuple(listening[host] for host in HOSTS[MEMBER]))
        async with await asyncio.start_server(balancer.handle, HOST, listed):
            processes.start([every["publisher"], every["exchange"], *found.values()])
            await asyncio.to_thread(processes.wait_until_healthy, _READY_SECONDS)
            ground = Field(RunningDemo(home, charter, ports, processes))
            agreed = ground.demo.partner(ground.consumer).agreement_for(ground.purpose)
            yield TwoHosts(ground, agreed.id, listening, found)


def _set_up(home: Home, database: str, workers: int, listening: Mapping[str, int]) -> None:
    """Give each party's first host the database, and make the second from it."""
    shutil.copytree(REPOSITORY / "policies", home.root / "policies")
    mapping = home.party(MEMBER) / "node.yaml"
    register = f"sqlite:///{home.party(MEMBER) / 'register.db'}"
    text = mapping.read_text().replace("sqlite:///register.db", register)
    mapping.write_text(f"{text}\ndirectory: {{of: Citizen, capacity: resident}}\n")
    shared = {"shared": f'"{database}"', "workers": str(workers)}
    _settings(home.party("gateway"), shared)
    apart = {"own": f'"{database}"', "policies": f'"{home.root / "policies" / MEMBER}"', "officers": ""}
    _settings(home.party(MEMBER), shared | apart | {"listen": f'"{HOST}:{listening[MEMBER]}"'})
    for first, second in HOSTS.values():
        shutil.copytree(home.party(first), home.party(second))
        _settings(home.party(second), {"listen": f'"{HOST}:{listening[second]}"'})
        shutil.rmtree(home.party(second) / "state")


def _settings(folder: Path, values: Mapping[str, str]) -> None:
    """Change lines of a settings file; an empty value takes one out."""
    path = folder / "settings.toml"
    kept = [line for line in path.read_text().splitlines() if line.partition(" = ")[0] not in values]
    path.write_text("\n".join([*(f"{name} = {value}" for name, value in values.items() if value), *kept]) + "\n")
