"""The demo federation in one process: gateway, exchange and nodes as they are, joined by calls instead of sockets.

Everything but the wire and the clock is real: keys, signatures, policies, registers and ledgers. A test changes the
world: it stops a node, lets one lie, lets the gateway ask for more than it was asked, moves the clock, swaps a policy,
or publishes another member list.
"""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import msgspec
from typing_extensions import override

from federation.consumer.client import Answer, PartnerClient
from federation.contract.clock import FixedClock, SystemClock, epoch_seconds
from federation.contract.identifiers import MemberId
from federation.contract.on_denied import HEADER as ON_DENIED
from federation.contract.on_denied import OnDenied
from federation.demo.founding import accepted, publish_edition, stamp, write_settings
from federation.demo.layout import Home, Ports
from federation.exchange.server import Process as ExchangeProcess
from federation.exchange.server import create_app as exchange_app
from federation.exchange.settings import load_settings as exchange_settings
from federation.execution.transport.client import HttpClient
from federation.execution.transport.errors import ConnectError, TransportError
from federation.execution.transport.limits import TransportLimits
from federation.execution.transport.message import Endpoint, HttpAnswer, Origin
from federation.gateway.app import create_app as gateway_app
from federation.gateway.process import GatewayProcess
from federation.gateway.settings import load_settings as gateway_settings
from federation.trust.http_messages import HttpRequest
from federation.trust.http_signatures import sign_request
from federation.trust.keys import MESSAGE_KEY, MessageSigner, SigningKey
from federation.trust.tokens import AccessClaims, Confirmation, issue_access_token
from federation.trust.trusted_list import MEMBERS_FILE
from node.demo.seed import demo_files
from node.own.upgrading import require_current
from node.server.app import create_app as node_app
from node.server.process import NodeProcess
from node.server.settings import load_settings as node_settings
from tests.support.demo import REPOSITORY, demo_charter, found_with_members, nonce
from tests.support.postgres import Registers, read_from, write

if TYPE_CHECKING:
    from starlette.applications import Starlette

    from federation.contract.members import Agreement, MemberList
    from federation.execution.transport.message import Headers, Outcome

PORTS = Ports()
CITIZENS = 40

Malice = Callable[[dict[str, Any]], None]
"""Changes the JSON that the gateway is about to send; what it leaves is signed by the gateway."""
PATIENCE = 30.0
"""Seconds that the simulated gateway gives a request."""
REGISTER = "register.db"
"""Where the mappings of the demo say that a register is."""

Lie = Callable[[HttpAnswer], HttpAnswer]
"""Changes an answer after its sender signed it."""


@dataclass(slots=True)
class Wire(HttpClient):
    """The gateway's client, by calls: whom it reaches, who is stopped, and who does not behave."""

    parties: dict[Origin, tuple[str, Starlette]]
    gateway: MessageSigner
    clock: FixedClock
    stopped: set[str] = field(default_factory=set)
    lies: dict[str, Lie] = field(default_factory=dict)
    malice: dict[str, Malice] = field(default_factory=dict)
    heard: list[tuple[str, int, dict[str, Any]]] = field(default_factory=list)
    """Who was asked, and with which status and content it answered, in this order."""
    watch: Callable[[str, bytes, HttpAnswer], None] | None = None
    """Told of every answer as it arrives: of whom, to which body."""

    def __post_init__(self) -> None:
        HttpClient.__init__(self, TransportLimits())

    @override
    def send(
        self,
        endpoint: Endpoint,
        headers: Headers,
        body: bytes,
        deadline: float,
        outcome: Outcome,
        *,
        repeatable: bool,
    ) -> asyncio.Future[Any]:
        """Call the party of the endpoint. See `HttpClient.send`."""
        del deadline, repeatable
        request, *lines = endpoint.head.split(b"\r\n")[:-1]
        always = dict(line.split(b": ", 1) for line in lines)
        path = request.split(b" ")[1].decode()
        return asyncio.ensure_future(self._ended(endpoint.origin, path, {**always, **dict(headers)}, body, outcome))

    async def _ended(
        self, origin: Origin, path: str, headers: dict[bytes, bytes], body: bytes, outcome: Outcome
    ) -> object:
        try:
            answer = await self._answered(origin, path, headers, body)
        except TransportError as error:
            raise outcome.failed(error) from error
        return outcome.answered(answer)

    async def _answered(self, origin: Origin, path: str, headers: dict[bytes, bytes], body: bytes) -> HttpAnswer:
        name, app = self.parties[origin]
        if name in self.stopped:
            raise ConnectError("refused")
        url = f"{origin.scheme}://{origin.host}:{origin.port}{path}"
        if name in self.malice:
            headers, body = self._resigned(url, body, self.malice[name])
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app)) as http:
            found = await http.post(url, content=body, headers=list(headers.items()))
        self.heard.append((name, found.status_code, msgspec.json.decode(found.content)))
        media_type = found.headers["content-type"].partition(";")[0]
        answer = HttpAnswer(found.status_code, media_type, tuple(found.headers.raw), found.content)
        if self.watch is not None:
            self.watch(name, body, answer)
        return self.lies[name](answer) if name in self.lies else answer

    def _resigned(self, url: str, body: bytes, malice: Malice) -> tuple[dict[bytes, bytes], bytes]:
        content = msgspec.json.decode(body)
        malice(content)
        bare = HttpRequest("POST", url, {"content-type": "application/json"}, msgspec.json.encode(content))
        signed = {**bare.headers, **sign_request(bare, self.gateway, self.clock, nonce())}
        return {key.encode(): value.encode() for key, value in signed.items()}, bare.body


@dataclass(slots=True)
class Simulator:
    """A federation whose world a test may change."""

    home: Home
    clock: FixedClock
    process: GatewayProcess
    app: Starlette
    nodes: dict[str, NodeProcess]
    wire: Wire
    registers: dict[str, str]
    """Where the registers are that are in PostgreSQL, by member; the others are SQLite files."""

    async def ask(
        self, consumer: str, purpose: str, query: str, variables: dict[str, Any], on_denied: OnDenied | None = None
    ) -> Answer:
        """Ask one question as a partner, through the gateway's own door."""
        async with self._partner(consumer) as client:
            return await client.ask(query, purpose, _agreement(consumer, purpose), variables, on_denied=on_denied)

    async def ask_gateway(
        self,
        consumer: str,
        purpose: str,
        query: str,
        variables: dict[str, Any],
        on_denied: OnDenied | None = None,
        token: str | None = None,
    ) -> dict[str, Any]:
        """Ask one question as a partner, through the gateway's own door, with the token given or one of its own."""
        async with self._partner(consumer) as client:
            shown = token or await client._token(purpose, _agreement(consumer, purpose))
            body = msgspec.json.encode({"query": query, "variables": variables})
            return (await client.post("/graphql", body, shown, on_denied)).content

    async def ask_node(
        self,
        member: str,
        consumer: str,
        purpose: str,
        query: str,
        variables: dict[str, Any],
        on_denied: OnDenied | None = None,
        token: str | None = None,
    ) -> dict[str, Any]:
        """Ask one question as a partner, past the gateway, at a member's node; with the token given, if one is."""
        if token is None:
            async with self._partner(consumer) as client:
                token = await client._token(purpose, _agreement(consumer, purpose))
        body = msgspec.json.encode({"query": query, "variables": variables})
        sent = self.signed(member, consumer, body, token, on_denied)
        origin = Endpoint.parse(sent.target_uri).origin
        async with httpx.AsyncClient(transport=httpx.ASGITransport(self.wire.parties[origin][1])) as http:
            found = await http.post(sent.target_uri, content=sent.body, headers=dict(sent.headers))
        content: dict[str, Any] = found.json()
        return content

    def signed(
        self, member: str, consumer: str, body: bytes, token: str, on_denied: OnDenied | None = None
    ) -> HttpRequest:
        """Return a request to a member's node, signed by a partner, whatever its body is."""
        headers = {"content-type": "application/json", "authorization": f"DPoP {token}"}
        headers |= {} if on_denied is None else {ON_DENIED: str(on_denied)}
        bare = HttpRequest("POST", self.nodes[member].settings.url + "/graphql", headers, body)
        key = SigningKey.load(self.home.keys(consumer) / MESSAGE_KEY)
        return msgspec.structs.replace(bare, headers=headers | sign_request(bare, key, self.clock, nonce()))

    async def write(self, member: str, statement: str, *values: object) -> int:
        """Change rows of a member's register, as its own system does, and return how many.

        Names in the statement are quoted: registers have capital letters.
        """
        if member in self.registers:
            return await write(self.registers[member], statement, values)
        with closing(sqlite3.connect(self.home.root / member / REGISTER)) as connection, connection:
            return connection.execute(statement, values).rowcount

    async def stop(self, member: str) -> None:
        """Close a member's node for good."""
        self.wire.stopped.add(member)
        await self.nodes.pop(member).close()

    @asynccontextmanager
    async def _partner(self, consumer: str) -> AsyncIterator[PartnerClient]:
        key = SigningKey.load(self.home.keys(consumer) / MESSAGE_KEY)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(self.app)) as http:
            yield PartnerClient(MemberId(consumer), self.process.settings.url, key, http, self.clock, nonce)

    def token(self, consumer: str, purpose: str, /, **changes: Any) -> str:
        """Return an access token as the gateway makes them, with some claims changed."""
        members, now = self.process.registry.current(), epoch_seconds(self.clock)
        agreement = members.agreement(_agreement(consumer, purpose))
        endpoints = (members.member(each.member).endpoint for each in agreement.providers)
        claims = AccessClaims(
            issuer=members.federation,
            subject=MemberId(consumer),
            client_id=MemberId(consumer),
            audience=(members.gateway.endpoint, *filter(None, endpoints)),
            purpose=purpose,
            agreement=agreement.id,
            jti=nonce(),
            iat=now,
            exp=now + 300,
            confirmation=Confirmation(SigningKey.load(self.home.keys(consumer) / MESSAGE_KEY).kid),
        )
        gateway = SigningKey.load(self.home.keys("gateway") / MESSAGE_KEY)
        return issue_access_token(msgspec.structs.replace(claims, **changes), gateway)

    def agree(self, consumer: str, purpose: str, change: Callable[[Agreement], Agreement]) -> None:
        """Change the terms of an agreement, and let an officer of every party accept them anew."""

        def changed(members: MemberList) -> MemberList:
            old = members.agreement(_agreement(consumer, purpose))
            new = accepted(self.home, msgspec.structs.replace(change(old), acts=()), self.clock.now())
            agreements = tuple(new if each.id == old.id else each for each in members.agreements)
            return msgspec.structs.replace(members, agreements=agreements)

        self.publish(changed)

    def publish(self, change: Callable[[MemberList], MemberList]) -> None:
        """Publish a member list of the next version, signed by as many operators as it takes."""
        current = self.process.registry.current()
        changed = msgspec.structs.replace(change(current), version=current.version + 1)
        files = self.process.registry.in_force().files
        documents = {name: content for name, content in files.items() if name != MEMBERS_FILE}
        publish_edition(self.home, demo_charter(), changed, documents, self.clock)

    def policy(self, member: str, type_name: str) -> Path:
        """Return the file of a member's policy for a type, for a test to write; `renew` puts it in force."""
        return self.home.root / "policies" / member / "types" / f"{type_name}.yaml"

    async def renew(self, member: str) -> None:
        """Let a member's node look at its policies: once to see that they changed, once to see that they settled."""
        await self.nodes[member].renew_policy()
        await self.nodes[member].renew_policy()

    def forward(self, time: timedelta) -> None:
        """Move everybody's clock."""
        self.clock.instant += time


def _agreement(consumer: str, purpose: str) -> str:
    return next(each.id for each in demo_charter().agreements if each.consumer == consumer and purpose in each.purposes)


def found(root: Path) -> Home:
    """Found a federation, once for many simulators."""
    home = Home(root)
    found_with_members(home, demo_charter(), PORTS, CITIZENS)
    shutil.copytree(REPOSITORY / "policies", root / "policies")
    return home


def registers_of(founded: Home) -> dict[str, Path]:
    """Return the files of the members' registers."""
    return {str(member.id): founded.root / member.id / REGISTER for member in demo_charter().nodes()}


@asynccontextmanager
async def simulated(
    founded: Home, root: Path, registers: Registers | None = None, shared: str | None = None
) -> AsyncIterator[Simulator]:
    """Open a federation on a copy of a founded one, at the present instant, at which the clock stands still.

    With `registers`, the nodes read copies of those, in PostgreSQL, and keep their own tables there. `shared` is the
    database in which every party keeps what its hosts share.
    """
    shutil.copytree(founded.root, root)
    home, charter, clock = Home(root), demo_charter(), FixedClock(SystemClock().now())
    # Unsigned folders: what a test writes there is in force without two officers.
    policies = {str(member.id): {"policies": str(root / "policies" / member.id)} for member in charter.nodes()}
    write_settings(home, charter, PORTS, policies, demo_files() / "queries")
    stamp(home, clock)
    for party in ("gateway", "exchange", *(member.id for member in charter.nodes())) if shared else ():
        settings = home.party(party) / "settings.toml"
        settings.write_text(f'shared = "{shared}"\n{settings.read_text()}')
    urls = {} if registers is None else await registers.copy()
    for member_id, url in urls.items():
        read_from(root / member_id / "node.yaml", url)
        settings = home.party(member_id) / "settings.toml"
        settings.write_text(f'own = "{url}"\n{settings.read_text()}')
    nodes = {
        str(member.id): NodeProcess.open(node_settings(home.party(member.id) / "settings.toml"), clock)
        for member in charter.nodes()
    }
    for node in nodes.values():
        await node.own.run(require_current)
    exchange = ExchangeProcess.open(exchange_settings(home.party("exchange") / "settings.toml"), clock)
    # Everybody works in this one process, perhaps on a busy machine: time runs out in tests of time only.
    patient = msgspec.structs.replace(gateway_settings(home.party("gateway") / "settings.toml"), deadline=PATIENCE)
    process = GatewayProcess.open(patient, clock)
    parties = {Endpoint.parse(node.settings.url).origin: (member, node_app(node)) for member, node in nodes.items()} | {
        Endpoint.parse(exchange.settings.url).origin: ("exchange", exchange_app(exchange))
    }
    wire = Wire(parties, process.key, clock)
    process._sender = replace(process._sender, client=wire)
    try:
        yield Simulator(home, clock, process, gateway_app(process), nodes, wire, urls)
    finally:
        process.close()
        exchange.close()
        for node in nodes.values():
            await node.close()
