"""A node's HTTP surface: the question, the citizen's report, the ledger, and health. Every answer is signed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Final

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from federation.contract.clock import SystemClock
from federation.contract.errors import CroceviaError, NotFoundError, SignatureError, UnavailableError
from federation.contract.graphql_request import GraphQLRequest
from federation.ledger.publication import Audience, publish
from federation.ledger.witness import MAX_SUBMISSION
from federation.ledger.witness_rounds import ADD_CHECKPOINT
from federation.serving.background import beside
from federation.serving.endpoint import Arrived, Endpoint, Reply
from federation.serving.http_graphql import (
    Media,
    accepted,
    check_content_type,
    media_of_refusal,
    refusal,
    status_of_refusal,
)
from federation.serving.server import run_server
from federation.trust.admitting import secured
from federation.trust.arriving import error_of, or_refusal, request_of
from federation.trust.http_messages import HttpRequest, HttpResponse
from federation.trust.http_signatures import RequestBinding, sign_response
from federation.trust.outgoing import open_post
from federation.trust.proposals import CHALLENGE_PATH, answer_challenge
from federation.trust.registry import follow
from node.data.statements import SMALLEST
from node.enforcement.access_report import report
from node.enforcement.answer import answer
from node.enforcement.caller import authenticate
from node.server.planes import require_names, require_own_tables
from node.server.process import NodeProcess
from node.server.publishing import follow_register
from node.server.settings import load_settings

_PROBLEM: Final = "application/problem+json"
_log = logging.getLogger("crocevia.node")

_Endpoint = Callable[[Request], Awaitable[Response]]
_Answering = Callable[[HttpRequest], Awaitable[bytes]]


def create_app(process: NodeProcess) -> Starlette:
    """Return the node as an ASGI application; it closes the process's files when it ends."""

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        await process.record_start()
        async with beside(
            process.follow_policies(),
            follow(process.registry),
            *([process.channel.keep_fresh()] if process.channel else []),
            process.keeping.keep(process.witnesses, partial(open_post, process.channel)),
            follow_register(process),
            process.follow_retention(),
        ):
            yield
        await process.close()

    async def question(message: HttpRequest) -> bytes:
        return await answer(message, process.node())

    async def access_report(message: HttpRequest) -> bytes:
        node = process.node()
        asked = GraphQLRequest.parse(message.body, node.limits)
        caller = await authenticate(message, asked, node.identity, node.limits)
        found = await report(
            asked, caller, node.journal, node.identity.member, node.identity.members.current(), node.identity.clock
        )
        return msgspec.json.encode(found)

    async def ledger(request: Request) -> Response:
        path, query = request.path_params["path"], dict(request.query_params)
        found = await asyncio.to_thread(publish, process.reader, path, query, Audience.PUBLIC)
        return Response(found.body, found.status, found.headers(), found.content_type)

    async def witnessed(request: Request) -> Response:
        note = await asyncio.to_thread(process.witness.by_digest, request.path_params["origin"])
        if note is None:
            raise NotFoundError("no head of such a ledger was cosigned here")
        return PlainTextResponse(note)

    async def challenge(request: Request) -> Response:
        nonce, settings = request.query_params.get("nonce", ""), process.settings
        endpoint = settings.url + "/graphql"
        return PlainTextResponse(answer_challenge(nonce, settings.member, endpoint, process.key, process.clock))

    async def live(_: Request) -> Response:
        return JSONResponse({"status": "pass"})

    async def ready(_: Request) -> Response:
        return await _readiness(process)

    return Starlette(
        routes=[
            Route("/graphql", _signed(process, "/graphql", question), methods=["POST"]),
            Route("/access-report", _signed(process, "/access-report", access_report), methods=["POST"]),
            Route("/ledger/{path:path}", _or_problem(ledger)),
            Route(ADD_CHECKPOINT, _witness(process), methods=["POST"]),
            Route("/witness/checkpoint/{origin}", _or_problem(witnessed)),
            Route(CHALLENGE_PATH, _or_problem(challenge)),
            Route("/healthz", live),
            Route("/readyz", _or_problem(ready)),
        ],
        lifespan=lifespan,
    )


def serve(path: Path) -> None:
    """Run the node of a settings file until it is told to stop.

    Raises:
        ConfigurationError: settings, a key, the mapping, the policies, the registry or the database cannot be used.
        LedgerUnavailableError, LedgerCorruptError: the ledger cannot be opened.
    """
    settings = load_settings(path)
    asyncio.run(require_names(settings))
    opened: list[NodeProcess] = []

    async def open_app() -> Starlette:
        process = NodeProcess.open(settings, SystemClock())
        try:
            await require_own_tables(settings)
        except CroceviaError:
            await process.close()
            raise
        opened.append(process)
        return create_app(process)

    run_server(
        open_app,
        settings.listen,
        settings.clients,
        secured=lambda: secured(opened[0].channel, opened[0].registry),
        workers=settings.workers,
    )


def _signed(process: NodeProcess, path: str, answering: _Answering) -> Endpoint:
    """Answer a signed message with a signed one, refusals too; what is unsigned gets an unsigned refusal."""
    limit = process.settings.limits.body

    async def answered(arrived: Arrived) -> Reply:
        message: list[HttpRequest] = []

        async def signed() -> Reply:
            message.append(request_of(arrived, process.settings.url))
            media = accepted(arrived.header(b"accept")).single
            check_content_type(arrived.header(b"content-type"))
            return _reply(process, message[0], await answering(message[0]), 200, media)

        return await or_refusal(signed(), lambda refusal: _refused(process, arrived, message, refusal), _log)

    return Endpoint(
        path, limit, answered, lambda arrived, fault: _refused(process, arrived, [], error_of(fault, limit))
    )


def _refused(process: NodeProcess, arrived: Arrived, message: list[HttpRequest], refused: CroceviaError) -> Reply:
    media = media_of_refusal(arrived.header(b"accept"))
    status = status_of_refusal(refused, media)
    reply = _reply(process, message[0] if message else None, refusal([refused.graphql()]), status, media)
    after = refused.extensions.get("retryAfter")
    if after is None:
        return reply
    return msgspec.structs.replace(reply, headers=[*reply.headers, (b"retry-after", str(after).encode())])


def _reply(process: NodeProcess, message: HttpRequest | None, body: bytes, status: int, media: Media) -> Reply:
    headers = {"content-type": media.value, "cache-control": "no-store"}
    if message is not None:
        try:
            binding = RequestBinding.of(message)
        except SignatureError:
            pass  # nothing to bind to: the refusal of an unsigned request
        else:
            response = HttpResponse(status, headers, body)
            headers |= sign_response(response, binding, process.key, process.clock)
    return Reply(status, [(name.encode(), value.encode()) for name, value in headers.items()], body)


def _witness(process: NodeProcess) -> Endpoint:
    """Cosign another ledger's head, or say why not (C2SP tlog-witness); anybody may ask, known ledgers are answered."""

    async def said(arrived: Arrived) -> Reply:
        body = request_of(arrived, process.settings.url).body.decode("utf-8", "replace")
        found = await asyncio.to_thread(process.witness.add_checkpoint, body, process.known_ledgers())
        return Reply(found.status, ((b"content-type", found.content_type.encode()),), found.body.encode())

    async def said_or_refused(arrived: Arrived) -> Reply:
        return await or_refusal(said(arrived), _refused_witness, _log)

    return Endpoint(
        ADD_CHECKPOINT,
        MAX_SUBMISSION,
        said_or_refused,
        lambda _, fault: _refused_witness(error_of(fault, MAX_SUBMISSION)),
    )


def _refused_witness(refusal: CroceviaError) -> Reply:
    return Reply(int(refusal.status), ((b"content-type", _PROBLEM.encode()),), msgspec.json.encode(refusal.problem()))


async def _readiness(process: NodeProcess) -> Response:
    """Ready means: a member list in force, a policy that decides, a database that answers, a ledger that records.

    And a clock that witnesses find right.
    """
    standing = process.registry.standing()
    await process.plane.database.rows(SMALLEST, {})
    if not await process.ledger.ready():
        raise UnavailableError("ledger cannot record")
    await asyncio.to_thread(process.replay.require_working)
    policy = process.node().policy.version
    return JSONResponse(
        {
            "status": "pass",
            **standing,
            "policy": {"digest": policy.digest, "revision": policy.revision},
            "ledger": await asyncio.to_thread(process.keeping.standing),
        }
    )


def _or_problem(endpoint: _Endpoint) -> _Endpoint:
    """Answer refusals as problem documents (RFC 9457)."""

    async def answered(request: Request) -> Response:
        return await or_refusal(endpoint(request), _problem, _log)

    return answered


def _problem(refusal: CroceviaError) -> Response:
    headers = {"retry-after": "1"} if isinstance(refusal, UnavailableError) else {}
    return JSONResponse(refusal.problem(), int(refusal.status), headers, _PROBLEM)
