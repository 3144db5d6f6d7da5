"""`crocevia changes`: a subscriber takes in what changed at a member, one JSON object a line."""

from __future__ import annotations

import asyncio
import secrets
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from federation.consumer.commands import Partner
from federation.consumer.home import DEFAULT_HOME, HomeOption
from federation.consumer.subscribing import Kept, Signal, Subscription
from federation.contract.changes import OLDEST


def changes(
    as_: Annotated[str, typer.Option("--as", help="The member that asks.")],
    purpose: Annotated[str, typer.Option(help="The one purpose it asks for.")],
    at: Annotated[str, typer.Option(help="The member whose changes it asks for.")],
    state: Annotated[Path, typer.Option(help="The file that keeps how far the signals were taken in.")],
    every: Annotated[float, typer.Option(min=0.1, help="Seconds between two questions, with --follow.")] = 5.0,
    home: HomeOption = DEFAULT_HOME,
    *,
    oldest: Annotated[
        bool, typer.Option("--oldest", help="Begin with the oldest that is kept, once everything was read anew.")
    ] = False,
    follow: Annotated[bool, typer.Option("--follow", help="Go on until interrupted.")] = False,
) -> None:
    """Take in signals of change: who and what changed, never how; each at least once, in order."""
    partner = Partner.open(home, as_)
    agreement = partner.agreement_for(purpose)
    kept = Kept(state)
    if oldest:
        kept.keep(OLDEST)

    async def run() -> None:
        async with partner.http() as http:
            client = partner.client(http)

            async def ask(query: str, variables: dict[str, Any]) -> dict[str, Any]:
                return (await client.ask(query, purpose, agreement.id, variables)).content

            chance = secrets.SystemRandom().random
            subscription = Subscription(at, ask, kept, _print, asyncio.sleep, chance)
            await (subscription.follow(every) if follow else subscription.catch_up())

    with suppress(KeyboardInterrupt):
        asyncio.run(run())


def _print(signals: Sequence[Signal]) -> None:
    """Hand over a page: it is with whoever reads before its cursor is kept."""
    for signal in signals:
        sys.stdout.write(msgspec.json.encode(signal).decode() + "\n")
    sys.stdout.flush()
