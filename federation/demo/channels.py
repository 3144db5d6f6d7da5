"""In a demo with `--tls`: an authority, and a certificate for every party, which has its files among its keys."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Final
from urllib.parse import urlsplit

import httpx

from federation.contract.clock import Clock
from federation.contract.members import MemberList
from federation.contract.settings_files import replace_file
from federation.demo.checking import Findings
from federation.demo.layout import Home
from federation.trust.admitting import OPERATOR
from federation.trust.authority import AUTHORITY_KEY, CERTIFICATE_LIFE, Authority, certificate_request
from federation.trust.channel import (
    AUTHORITY_CERTIFICATE,
    CHANNEL_CERTIFICATE,
    CHANNEL_KEY,
    RELOAD_SECONDS,
    asking_from,
)
from federation.trust.keys import ensure_p256

_RENEWAL_SECONDS: Final = 3 * RELOAD_SECONDS


def certify_channels(home: Home, members: MemberList, clock: Clock) -> None:
    """Give every party of a member list, and the operators, a fresh certificate; processes that run read it again."""
    if not (home.authority / AUTHORITY_KEY).exists():
        home.authority.mkdir(mode=0o700, exist_ok=True)
        Authority.found(home.authority, members.federation, clock.now())
    authority = Authority.load(home.authority)
    trusted = (home.authority / AUTHORITY_CERTIFICATE).read_bytes()
    for party, endpoint in {**_addresses(members), OPERATOR: None}.items():
        keys = home.operators if party == OPERATOR else home.keys(party)
        request = certificate_request(ensure_p256(keys / CHANNEL_KEY), party)
        certificate = authority.certify(request, members.federation, party, endpoint, clock.now(), CERTIFICATE_LIFE)
        replace_file(keys / AUTHORITY_CERTIFICATE, trusted)
        replace_file(keys / CHANNEL_CERTIFICATE, certificate)


async def check_channels(home: Home, members: MemberList, renew: Callable[[], None], findings: Findings) -> None:
    """Every process shows its new certificate soon after all were renewed, and answers nobody who has none."""
    operator = asking_from(home.operators)
    assert isinstance(operator, ssl.SSLContext)
    servers = {party: endpoint for party, endpoint in _addresses(members).items() if endpoint is not None}
    before = {party: await _certificate(endpoint, operator) for party, endpoint in servers.items()}
    renew()
    until, waiting = time.monotonic() + _RENEWAL_SECONDS, dict(servers)
    while waiting and time.monotonic() < until:
        await asyncio.sleep(RELOAD_SECONDS / 10)
        waiting = {
            party: endpoint
            for party, endpoint in waiting.items()
            if await _certificate(endpoint, operator) == before[party]
        }
    faults = [f"`{party}` still shows its old certificate" for party in waiting]
    findings.note(f"mutual TLS: {len(servers)} certificates renewed at work", faults)
    stranger = ssl.create_default_context(cafile=home.authority / AUTHORITY_CERTIFICATE)
    answered = []
    async with httpx.AsyncClient(trust_env=False, verify=stranger) as http:
        for party, endpoint in servers.items():
            with suppress(httpx.TransportError):
                await http.get(endpoint.removesuffix("/graphql") + "/healthz")
                answered.append(f"`{party}` answers who has no certificate")
    findings.note("mutual TLS: nobody without a certificate is answered", answered)


def _addresses(members: MemberList) -> dict[str, str | None]:
    """Return every party's endpoint; a member without a node has none."""
    servers: dict[str, str | None] = {party.id: party.endpoint for party in (members.gateway, members.exchange)}
    return servers | {member.id: member.endpoint for member in members.members}


async def _certificate(endpoint: str, asking: ssl.SSLContext) -> bytes:
    """Return the certificate that a server shows (DER)."""
    at = urlsplit(endpoint)
    _, writer = await asyncio.open_connection(at.hostname, at.port, ssl=asking)
    shown: bytes = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    writer.transport.abort()
    return shown
