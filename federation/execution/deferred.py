"""Incremental delivery: the initial response first, then every `@defer` fragment when its fetches have ended.

Payloads have the form of the incremental delivery draft of August 2022, which clients name `deferSpec=20220824`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from federation.execution.compiled import CompiledBlock, CompiledPlan
from federation.execution.complete import complete_at
from federation.execution.places import places
from federation.execution.report import ErrorReport
from federation.execution.respond import Response, field_error, report_fetches, respond
from federation.execution.run import Outside, Run


@dataclass(frozen=True, slots=True)
class Payload:
    """A part of a response: the initial one, or what some fragments hold. `more` says whether another follows."""

    initial: Response | None
    incremental: tuple[dict[str, Any], ...]
    more: bool


async def execute_incrementally(
    plan: CompiledPlan, variables: Mapping[str, Any], outside: Outside, deadline: float
) -> AsyncIterator[Payload]:
    """Run a plan and yield its parts as they become ready. Arguments as for `execute`."""
    form = plan.form(variables)
    run = Run(form, variables, outside, deadline)
    await run.fetch(form.initial)
    yield Payload(respond(run, plan.introspect(variables)), (), more=bool(form.deferred))
    if not form.deferred:
        return
    told: set[int] = set(form.initial)
    later = [order for order in range(len(form.fetches)) if order not in told]
    waiting = {run.ended(set(block.orders) - told): block for block in form.deferred}
    running = asyncio.ensure_future(run.fetch(later))
    try:
        while waiting:
            done, _ = await asyncio.wait({*waiting, running}, return_when=asyncio.FIRST_COMPLETED)
            if running in done:
                running.result()  # a defect ends everything here
                done = set(waiting)
            blocks = [waiting.pop(future) for future in list(waiting) if future in done]
            if blocks:
                parts = tuple(part for block in blocks for part in _parts(run, block, told))
                yield Payload(None, parts, more=bool(waiting))
    finally:
        running.cancel()


def _parts(run: Run, block: CompiledBlock, told: set[int]) -> list[dict[str, Any]]:
    """Read a fragment out of the tree, once for every object it stands on; errors come with the first."""
    report = ErrorReport(run.outside.messages)
    report_fetches(run, report, set(block.orders) - told)
    told.update(block.orders)
    parts: list[dict[str, Any]] = []
    for value, _, at in places(run.form.node, run.root, block.folded.path):
        data = complete_at(block.node, value, at, partial(field_error, run, report))
        label = {} if block.folded.label is None else {"label": block.folded.label}
        parts.append({"data": data, "path": list(at), **label})
    if parts and report.entries:
        parts[0]["errors"] = report.entries
    return parts
