"""Subscriptions: one member's stream of events, each joined with what other members know about it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any

from federation.execution.compiled import CompiledPlan
from federation.execution.ports import Subscriber
from federation.execution.respond import Response, respond
from federation.execution.run import Outside, Run


async def subscribe(
    plan: CompiledPlan, variables: Mapping[str, Any], outside: Outside, source: Subscriber, seconds: float
) -> AsyncIterator[Response]:
    """Yield one response for every event of the root field's member; every event has `seconds` of its own.

    Raises:
        CroceviaError: the stream cannot be opened, or broke off.
    """
    form = plan.form(variables)
    loop = asyncio.get_running_loop()
    opening = Run(form, variables, outside, loop.time() + seconds)
    async for answer in source.subscribe(opening.root_request(0)):
        run = Run(form, variables, outside, loop.time() + seconds)
        run.seed(0, answer)
        await run.fetch(form.initial)
        yield respond(run, {})
