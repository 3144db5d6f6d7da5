"""Where the time of the classic request goes: `python tests/bench/gateway/stages.py`. Best of seven, µs of CPU.

Everything after planning is measured in one process without sockets; `run.py` shows what HTTP adds on both sides.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
import time
import timeit
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import uvloop
from graphql import parse, validate

sys.path.insert(0, str(Path(__file__).parents[3]))

from federation.composition.supergraph import Supergraph  # found through the line above
from federation.contract.graphql_request import GraphQLRequest, Limits
from federation.execution.collect import Found, encoded_list
from federation.execution.compiled import CompiledPlan
from federation.execution.execute import execute
from federation.execution.ports import FetchAnswer, FetchRequest
from federation.execution.resilient import ResilienceSettings, ResilientFetcher
from federation.execution.run import Outside
from federation.execution.sharing import SharingFetcher
from federation.planning.planner import Planner
from tests.bench.gateway.workload import classic

WORK = classic()
BODIES = {name: json.dumps(answer, separators=(",", ":")).encode() for name, answer in WORK.answers.items()}


class Ready:
    """A fetcher whose answers are there already."""

    def fetch(self, request: FetchRequest) -> asyncio.Future[FetchAnswer]:
        """Return a future that is done."""
        future: asyncio.Future[FetchAnswer] = asyncio.get_running_loop().create_future()
        future.set_result(FetchAnswer(BODIES[request.member]))
        return future


def show(name: str, act: Callable[[], Any], times: int = 1_000) -> float:
    """Measure and print one stage."""
    best = min(timeit.repeat(act, number=times, repeat=7, timer=time.process_time)) / times * 1e6
    print(f"{name:40}{best:9.1f}")
    return best


def main() -> None:
    """Measure every stage, and the whole."""
    supergraph = Supergraph.parse(WORK.sdl(1))
    document = parse(WORK.query)
    planner = Planner(supergraph)
    plan = planner.plan(document)
    print("once per operation")
    show("parse", lambda: parse(WORK.query), 100)
    show("validate", lambda: validate(supergraph.api_schema, document), 20)
    show("plan", lambda: planner.plan(document), 20)
    show("compile", lambda: CompiledPlan(plan, supergraph.api_schema).form({}), 20)
    print("per request")
    body = json.dumps({"query": WORK.query}).encode()
    rows = {
        "read the request strictly": show("read the request strictly", lambda: GraphQLRequest.parse(body, Limits()))
    }
    compiled = CompiledPlan(plan, supergraph.api_schema)
    form = compiled.form({})
    answers = [FetchAnswer(BODIES[fetch.folded.member]) for fetch in form.fetches]
    rows["decode the answers"] = show(
        "decode the answers",
        lambda: [fetch.reading.read("m", answer) for fetch, answer in zip(form.fetches, answers, strict=True)],
    )
    root = form.root()
    (whole,), _ = form.fetches[0].reading.read("m", answers[0])
    if form.fetches[0].merge_root is not None:
        form.fetches[0].merge_root(root, whole.data)
    target = form.fetches[1].entities[0].targets[0]

    def collect() -> Found:
        found = Found()
        target.collect(root, found.index, found.objects, found.numbers)
        found.encoded = encoded_list(found.index)
        return found

    rows["collect and encode representations"] = show("collect and encode representations", collect)
    found = collect()
    for fetch, answer in zip(form.fetches[1:], answers[1:], strict=True):
        (entities,), _ = fetch.reading.read("m", answer)
        values = [*getattr(entities.data, fetch.entities[0].attribute), None]
        name, merge = f"merge {fetch.folded.member}", fetch.entities[0].targets[0].merge
        rows[name] = show(name, lambda m=merge, v=values: m(found.objects, found.numbers, v))  # type: ignore[misc]  # binds the loop's values
    project = form.project
    if project is not None:
        rows["project and encode"] = show("project and encode", lambda: msgspec.json.encode(project(root)))
    uvloop.run(together(compiled, rows))


async def together(compiled: CompiledPlan, rows: dict[str, float]) -> None:
    """Measure the whole engine without sockets, alone and as open mode wraps its fetches; print every stage's share."""
    resilient = ResilientFetcher(Ready(), ResilienceSettings(), random.random)
    wrapped = Outside(SharingFetcher(resilient), on_answer=resilient.discredit, retries=resilient.retries)
    known = sum(rows.values()) - rows["read the request strictly"]
    for name, outside in (("schedule the fetches", Outside(Ready())), ("breakers, shared queries", wrapped)):
        loop = asyncio.get_running_loop()
        best = float("inf")
        for _ in range(7):
            start = time.process_time()
            for _ in range(300):
                (await execute(compiled, {}, outside, loop.time() + 10)).encode()
            best = min(best, (time.process_time() - start) / 300)
        print(f"{'all together, up to: ' + name:46}{best * 1e6:9.1f}")
        rows[name], known = max(0.0, best * 1e6 - known), best * 1e6
    total = sum(rows.values())
    print("the share of each stage of a request")
    for name, spent in rows.items():
        print(f"{name:40}{spent:9.1f}{spent / total:6.0%}")


if __name__ == "__main__":
    main()
