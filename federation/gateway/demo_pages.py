"""In a demo only: GraphiQL, and a proxy that signs as a chosen partner's own system would.

The proxy holds the demo partners' keys and asks the gateway over HTTP like anybody else; nothing is bypassed. It exists
when the settings have a `[demo]` table, which is accepted on loopback only.
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from federation.consumer.client import PartnerClient, Refused
from federation.contract.canonical import b64url
from federation.contract.errors import AuthorisationError, BadInputError, PurposeNotAgreedError
from federation.contract.graphql_request import GraphQLRequest, Limits
from federation.contract.identifiers import member_id
from federation.contract.members import MemberList
from federation.gateway.landing import page
from federation.gateway.process import GatewayProcess
from federation.gateway.settings import DemoSettings
from federation.trust.keys import MESSAGE_KEY, SigningKey

_Endpoint = Callable[[Request], Awaitable[Response]]
_SECONDS = 10.0
_LIMITS = Limits()
# GraphiQL sets styles on elements; everything else is as strict as elsewhere.
_CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "font-src 'self' data:; connect-src 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_START = "query {\n  __typename\n}\n"


def routes(process: GatewayProcess, demo: DemoSettings, guarded: Callable[[_Endpoint], _Endpoint]) -> list[BaseRoute]:
    """Return the demo's routes; `guarded` answers refusals."""
    clients: dict[str, PartnerClient] = {}
    http = httpx.AsyncClient(timeout=_SECONDS, trust_env=False)

    def client_of(member: str) -> PartnerClient:
        if member not in clients:
            known = process.registry.current().member(member_id(member))
            key = SigningKey.load(demo.partners / known.id / "keys" / MESSAGE_KEY)
            clients[member] = PartnerClient(
                known.id, process.settings.url, key, http, process.clock, lambda: b64url(secrets.token_bytes(18))
            )
        return clients[member]

    async def proxy(request: Request) -> Response:
        _require_same_origin(request, process.settings.url)
        member, purpose = _chosen(request)
        asked = GraphQLRequest.parse(await request.body(), _LIMITS)
        client = client_of(member)
        agreement = _agreement(process.registry.current(), member, purpose)
        try:
            found = await client.ask(asked.query or "", purpose, agreement, asked.variables, asked.operation_name)
        except Refused as refused:
            raise AuthorisationError(f"{refused.code}: {refused.message}") from refused
        return Response(found.body, found.status, media_type="application/json")

    async def graphiql(request: Request) -> Response:
        member, purpose = _chosen(request)
        _agreement(process.registry.current(), member, purpose)
        return page(
            "graphiql.html",
            csp=_CSP,
            demo=True,
            partner=member,
            purpose=purpose,
            query=_showcase(demo.queries / f"{purpose}.graphql"),
            variables='{\n  "by": {"taxCode": ""}\n}',
        )

    return [
        Route("/graphiql", guarded(graphiql)),
        Route("/demo/graphql", guarded(proxy), methods=["POST"]),
    ]


def _require_same_origin(request: Request, url: str) -> None:
    """A page of another site must not borrow a partner's signature."""
    origin = request.headers.get("origin")
    if request.headers.get("sec-fetch-site", "same-origin") != "same-origin" or origin not in {None, url}:
        raise AuthorisationError("the signing proxy serves this gateway's own pages only")


def _chosen(request: Request) -> tuple[str, str]:
    member, purpose = request.query_params.get("as"), request.query_params.get("purpose")
    if not member or not purpose:
        raise BadInputError("say which partner asks and for what: `?as=MEMBER&purpose=PURPOSE`")
    return member, purpose


def _agreement(members: MemberList, member: str, purpose: str) -> str:
    for agreement in members.agreements:
        if agreement.consumer == member and any(agreed.id == purpose for agreed in agreement.purposes):
            return agreement.id
    raise PurposeNotAgreedError(f"`{member}` has no agreement for purpose `{purpose}`; the landing page lists them")


def _showcase(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.is_file() else _START
