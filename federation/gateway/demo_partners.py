"""In a demo only: the partners' own systems, played with their keys; they ask over HTTP and sign as anybody does."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx
from starlette.requests import Request

from federation.consumer.client import Answer, PartnerClient, Refused
from federation.contract.canonical import b64url
from federation.contract.errors import AuthorisationError, PurposeNotAgreedError
from federation.contract.identifiers import member_id
from federation.contract.members import MemberList
from federation.gateway.process import GatewayProcess
from federation.gateway.settings import DemoSettings
from federation.trust.channel import asking_from
from federation.trust.keys import MESSAGE_KEY, SigningKey

_SECONDS = 10.0
_NONCE_BYTES = 18


@dataclass(slots=True)
class DemoPartners:
    """Every partner's client, opened when it first asks."""

    process: GatewayProcess
    demo: DemoSettings
    _clients: dict[str, PartnerClient] = field(init=False, default_factory=dict)

    async def ask(
        self,
        member: str,
        purpose: str,
        query: str,
        variables: Mapping[str, Any] | None = None,
        operation_name: str | None = None,
    ) -> Answer:
        """Ask one question as a partner.

        Raises:
            AuthorisationError: the partner may not ask for this purpose.
            ConfigurationError: its key cannot be used.
            UnavailableError: the gateway does not answer itself.
        """
        agreement = agreement_of(self.process.registry.current(), member, purpose)
        try:
            return await self._client(member).ask(query, purpose, agreement, variables, operation_name)
        except Refused as refused:
            raise AuthorisationError(f"{refused.code}: {refused.message}") from refused

    def _client(self, member: str) -> PartnerClient:
        if member not in self._clients:
            known = self.process.registry.current().member(member_id(member))
            keys = self.demo.partners / known.id / "keys"
            http = httpx.AsyncClient(timeout=_SECONDS, trust_env=False, verify=asking_from(keys))
            url, clock = self.process.settings.url, self.process.clock
            key = SigningKey.load(keys / MESSAGE_KEY)
            self._clients[member] = PartnerClient(known.id, url, key, http, clock, _nonce)
        return self._clients[member]


def agreement_of(members: MemberList, member: str, purpose: str) -> str:
    """Return the agreement under which a partner asks for a purpose.

    Raises:
        PurposeNotAgreedError: there is none.
    """
    for agreement in members.agreements:
        if agreement.consumer == member and any(agreed.id == purpose for agreed in agreement.purposes):
            return agreement.id
    raise PurposeNotAgreedError(f"`{member}` has no agreement for purpose `{purpose}`; the landing page lists them")


def require_same_origin(request: Request, url: str) -> None:
    """A page of another site must not borrow a partner's signature."""
    origin = request.headers.get("origin")
    if request.headers.get("sec-fetch-site", "same-origin") != "same-origin" or origin not in {None, url}:
        raise AuthorisationError("the signing proxy serves this gateway's own pages only")


def _nonce() -> str:
    return b64url(secrets.token_bytes(_NONCE_BYTES))
