"""Incremental delivery: the initial response first, then every `@defer` fragment when its fetches have ended.

Payloads have the form of the incremental delivery draft of August 2022, which clients name `deferSpec=20220824`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import msgspec

from federation.execution.compiled import CompiledBlock, CompiledPlan
from federation.execution.complete import ResponsePath, complete_at
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
    initial = respond(run, plan.introspect(variables))
    yield Payload(initial, (), more=bool(form.deferred))
    if not form.deferred:
        return
    client = _Client(initial)
    told: set[int] = set(form.initial)
    later = [order for order in range(len(form.fetches)) if order not in told]
    waiting = {number: run.ended(set(block.orders) - told) for number, block in enumerate(form.deferred)}
    running = asyncio.ensure_future(run.fetch(later))
    try:
        while waiting:
            ready = _ready(form.deferred, waiting, ended=running.done())
            if ready:
                parts = tuple(part for number in ready for part in _parts(run, form.deferred[number], told, client))
                yield Payload(None, parts, more=bool(waiting))
                continue
            await asyncio.wait(
                {running, *(future for future in waiting.values() if not future.done())},
                return_when=asyncio.FIRST_COMPLETED,
            )
            if running.done():
                running.result()  # a defect ends everything here
    finally:
        running.cancel()


def _ready(blocks: Sequence[CompiledBlock], waiting: dict[int, asyncio.Future[None]], *, ended: bool) -> list[int]:
    """Take the fragments whose fetches have ended and whose places the client knows, or learns in the same payload."""
    ready: list[int] = []
    for number in list(waiting):  # INVARIANT: a fragment stands after those around it
        unknown = any(other in waiting for other in blocks[number].behind)
        if not unknown and (ended or waiting[number].done()):
            del waiting[number]
            ready.append(number)
    return ready


@dataclass(slots=True)
class _Client:
    """What the client holds so far: the initial response, and parts by their paths.

    A null that went up takes away the places of fragments below (GraphQL section 6.4.4). That never happens without an
    error: until one is reported, every place is known.
    """

    initial: Response
    parts: list[tuple[ResponsePath, Any]] = field(default_factory=list)
    lost: bool = False
    _first: Any = None

    def knows(self, place: ResponsePath) -> bool:
        if not self.lost and not self.initial.errors:
            return True
        if self._first is None:
            self._first = msgspec.json.decode(self.initial.encode())["data"]
        held = [((), self._first), *self.parts]
        return any(_reaches(data, place[len(at) :]) for at, data in held if place[: len(at)] == at)


def _reaches(value: Any, path: ResponsePath) -> bool:
    for step in path:
        if value is None:
            return False
        value = value[step] if isinstance(step, int) else value.get(step)
    return value is not None


def _parts(run: Run, block: CompiledBlock, told: set[int], client: _Client) -> list[dict[str, Any]]:
    """Read a fragment out of the tree, once for every object it stands on; errors come with the first."""
    report = ErrorReport(run.outside.messages)
    report_fetches(run, report, set(block.orders) - told)
    told.update(block.orders)
    parts: list[dict[str, Any]] = []
    for value, node, at in places(run.form.whole, run.root, block.folded.path):
        if node is None or not client.knows(at):
            continue
        data = complete_at(block.node, value, at, partial(field_error, run, report))
        client.parts.append((at, data))
        label = {} if block.folded.label is None else {"label": block.folded.label}
        parts.append({"data": data, "path": list(at), **label})
    if parts and report.entries:
        parts[0]["errors"] = report.entries
        client.lost = True
    return parts
