"""The subgraphs of the benchmark as nodes that sign: `python private_subgraphs.py FOLDER PORT SUBGRAPH_PORT`.

Answers are ready but for the digest and the signature that bind each to its request; nothing is verified or recorded.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import msgspec
import uvloop
from starlette.applications import Starlette
from starlette.routing import Route

sys.path.insert(0, str(Path(__file__).parents[3]))

from federation.contract.clock import SystemClock  # found through the line above
from federation.contract.decisions import FieldDecision, PolicyVersion
from federation.contract.identifiers import MemberId
from federation.contract.messages import EXTENSION, NodeAnswerExtension, NodeRequestExtension
from federation.contract.receipts import Receipt
from federation.serving.connection import answering
from federation.serving.endpoint import Arrived, Endpoint, Fault, Reply
from federation.trust.http_messages import HttpRequest, HttpResponse, single_headers
from federation.trust.http_signatures import RequestBinding, sign_response
from federation.trust.keys import SigningKey
from tests.bench.gateway.private import AGREEMENT, PURPOSE, Setting
from tests.bench.gateway.workload import classic

_COORDINATES = {
    "products": ("Product.id", "Product.name", "Product.description", "Product.price", "Money.amount"),
    "stock": ("Product.inStock", "Product.quantity", "Product.warehouse", "Warehouse.name", "Warehouse.city"),
    "reviews": ("Product.rating", "Product.reviews", "Review.id", "Review.text", "Review.author", "Author.name"),
}
_DIGEST = "sha256:" + "0" * 64
"""Stands where the digest of the consumer's request goes."""


class _Asked(msgspec.Struct):
    """What is read of a request."""

    extensions: dict[str, NodeRequestExtension]


def content(setting: Setting, name: str, request_digest: str) -> bytes:
    """Return a subgraph's answer with what a node says beside its data."""
    answer: dict[str, Any] = json.loads(json.dumps(setting.work.answers[name]))
    for product in answer["data"].get("topProducts", ()):
        product["_k_id"] = product["id"]
    decisions = tuple(FieldDecision(each, "clear", ("g1",), ("law",), "P30D") for each in _COORDINATES[name])
    receipt = Receipt(f"bench.example/{name}/ledger", 7, "A" * 43 + "=", "note\n" * 5, ("B" * 43 + "=",) * 12)
    extension = NodeAnswerExtension(
        MemberId(name),
        request_digest,
        PURPOSE,
        AGREEMENT,
        PolicyVersion("sha256:" + "1" * 64, 3),
        decisions,
        receipt,
    )
    return msgspec.json.encode({**answer, "extensions": {EXTENSION: extension}})


def endpoint(setting: Setting, name: str, key: SigningKey) -> Endpoint:
    """Return what answers and signs as one subgraph."""
    clock, target = SystemClock(), setting.endpoint(name)
    before, after = content(setting, name, _DIGEST).split(_DIGEST.encode())
    headers = {"content-type": "application/json"}

    async def answer(arrived: Arrived) -> Reply:
        request = HttpRequest(arrived.method, target, single_headers(arrived.headers), arrived.body)
        asked = msgspec.json.decode(arrived.body, type=_Asked).extensions[EXTENSION]
        body = before + asked.consumer_request.digest().encode() + after
        signature = sign_response(HttpResponse(200, headers, body), RequestBinding.of(request), key, clock)
        return Reply(200, [(name.encode(), value.encode()) for name, value in {**headers, **signature}.items()], body)

    def refuse(_: Arrived, fault: Fault) -> Reply:
        return Reply(400, (), fault.value.encode())

    return Endpoint(f"/{setting.work.name}/{name}", 1_000_000, answer, refuse)


async def serve(folder: Path, port: int, subgraph_port: int) -> None:
    """Serve until the process is ended."""
    import uvicorn  # noqa: PLC0415  # only here

    setting = Setting(folder, classic(), port, subgraph_port)
    made = [endpoint(setting, name, setting.key(name)) for name in setting.work.subgraphs]
    app = Starlette(routes=[Route(each.path, each, methods=["POST"]) for each in made])
    config = uvicorn.Config(
        app, host="0.0.0.0", port=subgraph_port, http=answering(made), ws="none", access_log=False, log_level="warning"
    )
    await uvicorn.Server(config).serve()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])))
