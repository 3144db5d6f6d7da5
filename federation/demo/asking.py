"""Asking a running demo federation, over HTTP and with signatures like anybody else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from federation.consumer.commands import Partner
from federation.demo.layout import Home

_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class Asked:
    """A question that was answered: who asked, for what, and the JSON that came back."""

    consumer: str
    purpose: str
    status: int
    answer: dict[str, Any]
    request_digest: str


async def ask(home: Home, consumer: str, purpose: str, query: str, variables: dict[str, Any]) -> Asked:
    """Ask one question as a demo partner."""
    partner = Partner.open(home.root, consumer)
    agreement = partner.agreement_for(purpose)
    async with partner.http(_SECONDS) as http:
        found = await partner.client(http).ask(query, purpose, agreement.id, variables)
    return Asked(consumer, purpose, found.status, found.content, found.request.digest())
