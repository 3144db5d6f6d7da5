"""The landing page: members, purposes, services, and where everything is."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from jinja2 import Environment, FileSystemLoader, select_autoescape
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Route

from federation.contract.clock import rfc3339
from federation.contract.errors import CroceviaError
from federation.contract.identifiers import PERSON
from federation.contract.members import Member, MemberList
from federation.gateway.demo_partners import DemoPartners
from federation.gateway.process import GatewayProcess
from federation.trust.channel import Channel

_log = logging.getLogger("crocevia.gateway")

_Endpoint = Callable[[Request], Awaitable[Response]]
_SECONDS = 0.8
_DAYS = re.compile(r"P([0-9]+)D")
_SERVICES = """query PublicServices {
  publicServices(first: 50) {
    edges { node { id title description cost processingTime competentAuthority { prefLabel } } }
  }
}"""
_CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)

TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=select_autoescape(),
    trim_blocks=True,
    lstrip_blocks=True,
)


def page(name: str, csp: str = _CSP, **values: Any) -> Response:
    """Return a page from its template, under a content security policy."""
    return HTMLResponse(TEMPLATES.get_template(name).render(**values), headers={"content-security-policy": csp})


def routes(
    process: GatewayProcess, partners: DemoPartners | None, guarded: Callable[[_Endpoint], _Endpoint]
) -> list[BaseRoute]:
    """Return the page's route; `guarded` answers refusals.

    The catalogue of services is asked for as everything is, so it is shown where somebody may be asked for: in a demo.
    """
    catalogue = None if partners is None else Catalogue(partners)

    async def landing(_: Request) -> Response:
        in_force = process.registry.in_force()
        members = in_force.members
        states = await _states(members, process.channel)
        return page(
            "landing.html",
            demo=process.settings.demo is not None,
            federation=members.federation.removeprefix("https://"),
            url=process.settings.url,
            version=members.version,
            expires=rfc3339(in_force.expires),
            members=[_row(member, members, states[member.id], process) for member in members.members],
            purposes=list(_purposes(members)),
            services=await catalogue.services(members) if catalogue else [],
            partners=list(_partners(members)) if process.settings.demo else [],
        )

    return [Route("/", guarded(landing))]


@dataclass(slots=True)
class Catalogue:
    """The public services, asked of who has them by the first partner whose agreement opens their list."""

    partners: DemoPartners
    _known: list[dict[str, Any]] = field(default_factory=list)

    async def services(self, members: MemberList) -> list[dict[str, Any]]:
        """Return the services; none while they cannot be had. They are asked for once, not at every visit."""
        if not self._known:
            try:
                self._known = [service async for service in self._asked(members)]
            except CroceviaError as error:
                _log.warning("the catalogue of services is not shown: %s", error.message)
        return self._known

    async def _asked(self, members: MemberList) -> AsyncIterator[dict[str, Any]]:
        for agreement in members.agreements:
            if not any(provider.covers("Query", "publicServices") for provider in agreement.providers):
                continue
            answer = await self.partners.ask(agreement.consumer, agreement.purposes[0].id, _SERVICES)
            edges = ((answer.content.get("data") or {}).get("publicServices") or {}).get("edges") or ()
            for edge in edges:
                yield _service(edge["node"])
            return


def _service(node: Mapping[str, Any]) -> dict[str, Any]:
    """Return a service as the page shows it; what was not given is left out."""
    days, cost = _DAYS.fullmatch(node.get("processingTime") or ""), node.get("cost")
    facts = [
        f"{days[1]} days" if days and int(days[1]) else "at once" if days else "",
        "" if cost is None else "free" if float(cost) == 0 else f"€\u00a0{cost}",
    ]
    return {
        "title": node.get("title") or node.get("id"),
        "description": node.get("description") or "",
        "authority": (node.get("competentAuthority") or {}).get("prefLabel") or "",
        "facts": [fact for fact in facts if fact],
    }


async def _states(members: MemberList, channel: Channel | None) -> dict[str, str]:
    """Ask every node whether it is ready: `up`, `down`, or nothing for members that only ask."""
    verify = True if channel is None else channel.asking
    async with httpx.AsyncClient(timeout=_SECONDS, trust_env=False, verify=verify) as client:
        found = await asyncio.gather(*(_state(client, member) for member in members.members))
    return {member.id: state for member, state in zip(members.members, found, strict=True)}


async def _state(client: httpx.AsyncClient, member: Member) -> str:
    if member.endpoint is None:
        return ""
    try:
        answer = await client.get(member.endpoint.removesuffix("/graphql") + "/readyz")
    except httpx.TransportError:
        return "down"
    return "up" if answer.status_code == httpx.codes.OK else "down"


def _row(member: Member, members: MemberList, state: str, process: GatewayProcess) -> dict[str, Any]:
    return {
        "id": member.id,
        "name_it": members.member_name(member.id, "it"),
        "name_en": members.member_name(member.id, "en"),
        "kind": member.kind,
        "state": state,
        "fields": _answered_by(member, process),
    }


def _answered_by(member: Member, process: GatewayProcess) -> list[str]:
    """Return the fields of citizens and the lists that the member's node answers, as the supergraph has them."""
    types = process.gateway.questions.supergraph.types
    return [
        f"{type_name}.{name}" if type_name == "Query" else name
        for type_name in (PERSON, "Query")
        for name, field in types[type_name].fields.items()
        if member.id in field.subgraphs and name != "id"
    ]


def _purposes(members: MemberList) -> Any:
    for agreement in members.agreements:
        for purpose in agreement.purposes:
            yield {
                "purpose": purpose.id,
                "name_it": members.purpose_name(purpose.id, "it"),
                "name_en": members.purpose_name(purpose.id, "en"),
                "consumer": members.member_name(agreement.consumer, "it"),
                "bases": purpose.bases,
                "agreement": agreement.id,
                "state": agreement.state.value,
                "until": agreement.valid_until,
                "providers": [provider.member for provider in agreement.providers],
            }


def _partners(members: MemberList) -> Any:
    for agreement in members.agreements:
        for purpose in agreement.purposes:
            yield {
                "id": agreement.consumer,
                "name": members.member_name(agreement.consumer, "it"),
                "purpose": purpose.id,
                "purpose_name": members.purpose_name(purpose.id, "it"),
            }
