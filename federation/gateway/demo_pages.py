"""In a demo only: GraphiQL, and a proxy that signs as a chosen partner's own system would.

The proxy holds the demo partners' keys and asks the gateway over HTTP like anybody else; nothing is bypassed. It exists
when the settings have a `[demo]` table, which is accepted on loopback only.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from federation.contract.errors import BadInputError
from federation.contract.graphql_request import GraphQLRequest, Limits
from federation.gateway.demo_partners import DemoPartners, agreement_of, require_same_origin
from federation.gateway.landing import page
from federation.gateway.process import GatewayProcess
from federation.gateway.settings import DemoSettings

_Endpoint = Callable[[Request], Awaitable[Response]]
_LIMITS = Limits()
# GraphiQL sets styles on elements; everything else is as strict as elsewhere.
_CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "font-src 'self' data:; connect-src 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_START = "query {\n  __typename\n}\n"


def routes(
    process: GatewayProcess, demo: DemoSettings, partners: DemoPartners, guarded: Callable[[_Endpoint], _Endpoint]
) -> list[BaseRoute]:
    """Return the demo's routes; `guarded` answers refusals."""

    async def proxy(request: Request) -> Response:
        require_same_origin(request, process.settings.url)
        member, purpose = _chosen(request)
        asked = GraphQLRequest.parse(await request.body(), _LIMITS)
        found = await partners.ask(member, purpose, asked.query or "", asked.variables, asked.operation_name)
        return Response(found.body, found.status, media_type="application/json")

    async def graphiql(request: Request) -> Response:
        member, purpose = _chosen(request)
        agreement_of(process.registry.current(), member, purpose)
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


def _chosen(request: Request) -> tuple[str, str]:
    member, purpose = request.query_params.get("as"), request.query_params.get("purpose")
    if not member or not purpose:
        raise BadInputError("say which partner asks and for what: `?as=MEMBER&purpose=PURPOSE`")
    return member, purpose


def _showcase(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.is_file() else _START
