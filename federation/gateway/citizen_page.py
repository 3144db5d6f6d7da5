"""In a demo only: what a citizen sees at the portal, who looked at whose data about them, when and why.

Naming the tax code stands for logging in. The page asks as the portal does, signed and over HTTP, and says of each
entry whether its ledger's signed checkpoint proves it (`federation.consumer.access`).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from math import sqrt
from typing import Any, Final
from urllib.parse import parse_qs

from graphql import GraphQLSchema
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from federation.consumer.access import ACCESS_REPORT, REPORT_PURPOSE, AccessReport, whole_report
from federation.consumer.looks import Look, Looks, laws, looks
from federation.consumer.portal import KNOWN_CITIZENS, find_citizen
from federation.consumer.words import Words
from federation.contract.errors import CroceviaError, NotFoundError
from federation.contract.identifiers import PORTAL
from federation.contract.languages import Language
from federation.contract.members import MemberList
from federation.gateway.demo_partners import DemoPartners, require_same_origin
from federation.gateway.landing import page
from federation.gateway.process import GatewayProcess
from federation.gateway.settings import DemoSettings

_Endpoint = Callable[[Request], Awaitable[Response]]
PATH: Final = "/citizen"
_MOST = 4_096
"""Bytes of a form; a tax code has 16."""
_LARGEST = 16
"""Radius in pixels of the mark of whoever asked most."""


def routes(
    process: GatewayProcess, demo: DemoSettings, partners: DemoPartners, guarded: Callable[[_Endpoint], _Endpoint]
) -> list[BaseRoute]:
    """Return the page's route; `guarded` answers refusals."""

    async def citizen(request: Request) -> Response:
        if request.method == "GET":
            return _page(_language(request.query_params.get("lang")), {})
        require_same_origin(request, process.settings.url)
        form = parse_qs((await request.body())[:_MOST].decode("utf-8", "replace"))
        language = _language(form.get("lang", [""])[0])
        code = form.get("taxCode", [""])[0].strip().upper()
        members = process.registry.current()
        words = Words(language, members, _schema(process))
        try:
            report = await _reported(code, demo, partners, members)
        except CroceviaError as refused:
            unknown = isinstance(refused, NotFoundError)
            return _page(language, {"asked": code, "refused": refused.code, "unknown": unknown})
        return _page(language, {"asked": code, **_shown(report, words)})

    return [Route(PATH, guarded(citizen), methods=["GET", "POST"])]


def _language(given: str | None) -> Language:
    return Language.ENGLISH if given == Language.ENGLISH else Language.ITALIAN


def _schema(process: GatewayProcess) -> GraphQLSchema:
    return process.gateway.questions.supergraph.api_schema


async def _reported(code: str, demo: DemoSettings, partners: DemoPartners, members: MemberList) -> AccessReport:
    """Ask who looked, as the portal, and verify what comes back.

    Raises:
        NotFoundError: the portal knows nobody of this code.
        UnavailableError: the report was not given.
    """
    pseudonym = find_citizen(demo.partners / PORTAL / KNOWN_CITIZENS, code)

    return await whole_report(partial(partners.ask, PORTAL, REPORT_PURPOSE, ACCESS_REPORT), pseudonym, members)


def _shown(report: AccessReport, words: Words) -> dict[str, Any]:
    found = looks(report)
    return {
        "looks": [_look(look, words) for look in found.others],
        "matrix": _matrix(found, words),
        "own": words.own(found.own),
        "warnings": words.warnings(report),
        "sealed": words.sealed(report),
    }


def _look(look: Look, words: Words) -> dict[str, Any]:
    return {
        "at": look.entry.at,
        "when": words.when(look.entry.at),
        "who": words.member(look.entry.consumer),
        "why": words.why(look.entry),
        "proved": look.proved,
        "proof": words.proved(look),
        "delegations": [said for said in dict.fromkeys(map(words.delegation, look.accesses)) if said],
        "holders": [
            {
                "did": words.did(look.entry),
                "name": words.member(holder),
                "told": words.told(accesses),
                "nothing": words.nothing_told(),
                "laws": laws(accesses),
            }
            for holder, accesses in look.holders().items()
        ],
    }


def _matrix(found: Looks, words: Words) -> dict[str, Any]:
    """Who asked whom, how often: rows are who asked, columns whose data it was; areas of the marks are the counts."""
    counts = found.counts()
    holders = sorted({holder for asked in counts.values() for holder in asked})
    most = max((count for asked in counts.values() for count in asked.values()), default=1)
    return {
        "holders": [words.member(holder) for holder in holders],
        "size": 2 * _LARGEST,
        "rows": [
            {
                "who": words.member(consumer),
                "cells": [
                    {"count": asked.get(holder, 0), "radius": round(_LARGEST * sqrt(asked.get(holder, 0) / most), 1)}
                    for holder in holders
                ],
            }
            for consumer, asked in sorted(counts.items())
        ],
    }


def _page(language: Language, shown: dict[str, Any]) -> Response:
    return page("citizen.html", demo=True, lang=language.value, italian=language is Language.ITALIAN, **shown)
