"""A server behind mutual TLS, an authority that its certificates come from, and another one that is nobody's."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import uvicorn
from starlette.applications import Starlette
from starlette.routing import Route

from federation.serving.connection import answering
from federation.serving.endpoint import Arrived, Endpoint, Reply
from federation.trust.authority import Authority, certificate_request
from federation.trust.channel import AUTHORITY_CERTIFICATE, Channel, ChannelSettings, party_of
from federation.trust.keys import ensure_p256

if TYPE_CHECKING:
    from federation.serving.connection import Admits

FEDERATION = "https://test.example"
LOOPBACK = "https://127.0.0.1"


@dataclass(frozen=True, slots=True)
class Issuer:
    """An authority in a folder, and what it issues."""

    folder: Path
    authority: Authority

    @classmethod
    def found(cls, folder: Path, federation: str = FEDERATION) -> Issuer:
        """Make an authority."""
        folder.mkdir(parents=True)
        return cls(folder, Authority.found(folder, federation, datetime.now(UTC)))

    def party(
        self,
        name: str,
        federation: str = FEDERATION,
        life: timedelta = timedelta(days=1),
        age: timedelta = timedelta(0),
    ) -> ChannelSettings:
        """Issue a certificate, anew for a party that has a key, and return where its files are."""
        key = self.folder / f"{name}.pem"
        request = certificate_request(ensure_p256(key), name)
        now = datetime.now(UTC) - age
        certificate = self.folder / f"{name}.crt.pem"
        partial = certificate.with_suffix(".part")
        partial.write_bytes(self.authority.certify(request, federation, name, LOOPBACK, now, life))
        partial.replace(certificate)
        return ChannelSettings(certificate, key, self.folder / AUTHORITY_CERTIFICATE)


def listed(*parties: str) -> Admits:
    """Admit these parties of the federation."""
    return lambda certificate: party if (party := party_of(certificate, FEDERATION)) in parties else None


async def _whoami(arrived: Arrived) -> Reply:
    return Reply(200, ((b"content-type", b"text/plain"),), (arrived.peer or "nobody").encode())


@asynccontextmanager
async def serving(channel: Channel, admits: Admits) -> AsyncIterator[int]:
    """Serve who asks by the channel, and tell its port."""
    endpoint = Endpoint("/whoami", 1_000, _whoami, lambda _arrived, _fault: Reply(400, (), b""))
    bound = socket.socket()
    bound.bind(("127.0.0.1", 0))
    config = uvicorn.Config(
        Starlette(routes=[Route("/whoami", endpoint, methods=["POST"])]),
        http=answering([endpoint], admits),
        ssl_context_factory=lambda _config, _default: channel.accepting,
        log_level="critical",
    )
    server = uvicorn.Server(config)
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]  # a test is no process
    task = asyncio.create_task(server.serve(sockets=[bound]))
    async with asyncio.timeout(10):
        while not server.started:  # noqa: ASYNC110  # uvicorn has no event for it
            await asyncio.sleep(0.01)
    try:
        yield int(bound.getsockname()[1])
    finally:
        server.should_exit = True
        await task
        bound.close()


async def ask(port: int, context: ssl.SSLContext, times: int = 1, pause: Callable[[int], Any] | None = None) -> str:
    """Ask over one connection, `times` times, and return the last answer; empty when the connection was refused."""
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
    except (OSError, ssl.SSLError):
        return ""
    said = b""
    try:
        for number in range(times):
            if pause is not None:
                pause(number)
            writer.write(b"POST /whoami HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
            said = await reader.readexactly(length)
    except (OSError, ssl.SSLError, asyncio.IncompleteReadError):
        return ""
    finally:
        writer.close()
        with suppress(OSError, ssl.SSLError):
            await writer.wait_closed()
    return said.decode()
