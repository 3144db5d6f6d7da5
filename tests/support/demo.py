"""A demo federation of real processes on loopback, and the command as a person at a terminal meets it."""

from __future__ import annotations

import os
import secrets
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from federation.consumer.commands import Partner
from federation.contract.canonical import b64url
from federation.contract.clock import SystemClock, epoch_seconds
from federation.demo.charter import Charter, charter_of
from federation.demo.layout import HOST, Home, Ports
from federation.demo.making import found_demo
from federation.demo.processes import Processes
from federation.demo.running import START_SECONDS, programs
from federation.trust.http_messages import HttpRequest
from federation.trust.http_signatures import sign_request
from federation.trust.keys import MESSAGE_KEY, SigningKey
from federation.trust.tokens import AccessClaims, Confirmation, dpop_proof, issue_access_token, make_dpop
from node.demo.seed import demo_files
from node.demo.side import DemoMembers

if TYPE_CHECKING:
    from collections.abc import Sequence

REPOSITORY = Path(__file__).parents[2]
CITIZENS = 200
_FIRST_PORT, _LAST_PORT, _STEP = 18_400, 32_000, 20


@dataclass(frozen=True, slots=True)
class RunningDemo:
    """A federation that works: where its files are, on which ports it listens, and its processes."""

    home: Home
    charter: Charter
    ports: Ports
    processes: Processes

    @property
    def gateway(self) -> str:
        """The gateway's origin."""
        return f"http://{HOST}:{self.ports.gateway}"

    def partner(self, member: str) -> Partner:
        """A partner at its own machine."""
        return Partner.open(self.home.root, member)


@dataclass(frozen=True, slots=True)
class Ran:
    """How a command ended, and what it said where."""

    status: int
    out: str
    err: str


Command = Callable[..., Ran]
"""`crocevia` with arguments."""


@contextmanager
def running(home: Home, ports: Ports) -> Iterator[RunningDemo]:
    """Run a founded demo until the context ends."""
    charter = demo_charter()
    with Processes() as processes:
        processes.start(programs(home, charter, ports))
        processes.wait_until_healthy(START_SECONDS)
        yield RunningDemo(home, charter, ports, processes)


def nonce() -> str:
    """Return an unguessable base64url text."""
    return b64url(secrets.token_bytes(18))


def token(demo: RunningDemo, partner: Partner, asked_for: str, **changes: Any) -> str:
    """Return an access token of a partner as the gateway makes them, with some claims changed."""
    agreement, now = partner.agreement_for(asked_for), epoch_seconds(SystemClock())
    endpoints = (partner.members.member(each.member).endpoint for each in agreement.providers)
    claims = AccessClaims(
        issuer=partner.members.federation,
        subject=partner.member,
        client_id=partner.member,
        audience=(partner.members.gateway.endpoint, *filter(None, endpoints)),
        purpose=asked_for,
        agreement=agreement.id,
        jti=nonce(),
        iat=now,
        exp=now + 300,
        confirmation=Confirmation(partner.key.kid),
    )
    gateway = SigningKey.load(demo.home.keys("gateway") / MESSAGE_KEY)
    return issue_access_token(msgspec.structs.replace(claims, **changes), gateway)


def question(partner: Partner, url: str, access: str, content: dict[str, Any]) -> HttpRequest:
    """Return a question that a partner signed, with a fresh proof of possession."""
    headers = {"content-type": "application/json", "authorization": f"DPoP {access}"}
    bare = HttpRequest("POST", url, headers, msgspec.json.encode(content))
    proof = make_dpop(dpop_proof("POST", url, nonce(), SystemClock(), access), partner.key)
    signature = sign_request(bare, partner.key, SystemClock(), nonce())
    return HttpRequest(bare.method, url, {**headers, **signature, "dpop": proof}, bare.body)


def demo_charter() -> Charter:
    """Return the charter of the demo federation."""
    return charter_of(demo_files())


def found_with_members(home: Home, charter: Charter, ports: Ports, citizens: int, *, fresh: bool = True) -> None:
    """Found the demo with its members, as the command does."""
    found_demo(DemoMembers(), home, charter, ports, citizens, fresh=fresh)


def crocevia(arguments: Sequence[str], seconds: float = 120.0) -> Ran:
    """Run the command in a process of its own."""
    ended = subprocess.run(
        [sys.executable, "-m", "crocevia", *arguments],
        cwd=REPOSITORY,
        env={**os.environ, "COLUMNS": "200", "NO_COLOR": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
    return Ran(ended.returncode, ended.stdout, ended.stderr)


def free_ports() -> Ports:
    """Return ports of which all that a demo needs are free now."""
    nodes = range(len(demo_charter().nodes()))
    start = _FIRST_PORT + os.getpid() % 500 * _STEP  # two test runs on one machine seldom begin at the same place
    for base in (*range(start, _LAST_PORT, _STEP), *range(_FIRST_PORT, start, _STEP)):
        ports = Ports(base)
        if _free([ports.gateway, ports.exchange, *map(ports.node, nodes)]):
            return ports
    raise AssertionError("no ports for a demo are free")


def _free(ports: Sequence[int]) -> bool:
    with ExitStack() as stack:
        for port in ports:
            probe = stack.enter_context(closing(socket.socket(socket.AF_INET, socket.SOCK_STREAM)))
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError:
                return False
    return True
