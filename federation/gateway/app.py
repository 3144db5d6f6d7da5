"""The gateway's HTTP surface: the one question, tokens, the registry, health, and pages for people."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Final

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from federation.contract.clock import SystemClock
from federation.contract.errors import (
    CroceviaError,
    NotFoundError,
    UnavailableError,
)
from federation.contract.graphql_request import GraphQLRequest
from federation.contract.held_files import MAX_BODY, PUBLISH_PATH
from federation.contract.members import MemberList
from federation.contract.messages import request_digest
from federation.gateway import citizen_page, demo_pages, landing, token_endpoint
from federation.gateway.authorisation_server import TOKEN_PATH
from federation.gateway.demo_partners import DemoPartners
from federation.gateway.find_usage import (
    OPENAPI_PATH,
    USAGE_PATH,
    UsageWanted,
    openapi,
    require_report,
    usages,
    verified,
)
from federation.gateway.pipeline import answer
from federation.gateway.process import GatewayProcess
from federation.gateway.settings import load_settings
from federation.ledger.publication import Audience, publish
from federation.serving.background import beside
from federation.serving.endpoint import Arrived, Endpoint, Reply
from federation.serving.http_graphql import (
    accepted,
    check_content_type,
    media_of_refusal,
    refusal,
    status_of_refusal,
)
from federation.serving.server import Secured, run_server
from federation.trust.admitting import secured
from federation.trust.arriving import error_of, or_refusal, request_of
from federation.trust.http_messages import HttpRequest, HttpResponse
from federation.trust.http_signatures import RequestBinding, sign_response
from federation.trust.outgoing import open_post
from federation.trust.pdnd import DIGEST_HEADER
from federation.trust.rates import RateExceededError
from federation.trust.registry import follow
from federation.trust.trusted_list import API_FILE, MEMBERS_FILE, SUPERGRAPH_FILE

_BARE: Final = {"content-type": "application/json"}
_PROBLEM: Final = "application/problem+json"
_STATIC = Path(__file__).parent / "static"
_TOKEN_BODY = 16_384
_PUBLIC: Final = {MEMBERS_FILE: "application/json", API_FILE: "text/plain", SUPERGRAPH_FILE: "text/plain"}
_NO_STORE = (b"cache-control", b"no-store")
_log = logging.getLogger("crocevia.gateway")

_Endpoint = Callable[[Request], Awaitable[Response]]


def create_app(process: GatewayProcess) -> Starlette:
    """Return the gateway as an ASGI application; it closes the process's files when it ends."""

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with beside(
            follow(process.registry),
            *([process.channel.keep_fresh()] if process.channel else []),
            process.keeping.keep(process.witnesses, partial(open_post, process.channel)),
        ):
            yield
        process.close()

    async def metadata(_: Request) -> Response:
        return JSONResponse(process.authorisation.metadata())

    async def keys(_: Request) -> Response:
        return JSONResponse(process.authorisation.jwks())

    async def described(_: Request) -> Response:
        return JSONResponse(openapi(process.settings.url))

    async def registry(request: Request) -> Response:
        return _registry(process, request.path_params["name"])

    async def ledger(request: Request) -> Response:
        path, query = request.path_params["path"], dict(request.query_params)
        found = await asyncio.to_thread(publish, process.reader, path, query, Audience.PUBLIC)
        return Response(found.body, found.status, found.headers(), found.content_type)

    async def live(_: Request) -> Response:
        return JSONResponse({"status": "pass"})

    async def ready(_: Request) -> Response:
        return await _readiness(process)

    demo = process.settings.demo
    partners = DemoPartners(process, demo) if demo else None
    routes: list[BaseRoute] = [
        *(Route(each.path, each, methods=["POST"]) for each in _endpoints(process)),
        Route("/.well-known/oauth-authorization-server", _or_problem(metadata)),
        Route("/.well-known/jwks.json", _or_problem(keys)),
        Route(OPENAPI_PATH, _or_problem(described)),
        Route("/registry/{name}", _or_problem(registry)),
        Route("/ledger/{path:path}", _or_problem(ledger)),
        Route("/healthz", live),
        Route("/readyz", _or_problem(ready)),
        Mount("/static", StaticFiles(directory=_STATIC)),
        *landing.routes(process, partners, _or_problem),
    ]
    if demo and partners:
        routes += demo_pages.routes(process, demo, partners, _or_problem)
        routes += citizen_page.routes(process, demo, partners, _or_problem)
    return Starlette(routes=routes, lifespan=lifespan)


def serve(path: Path) -> None:
    """Run the gateway of a settings file until it is told to stop.

    Raises:
        ConfigurationError: the settings, a key, the registry or a schema cannot be used.
        LedgerUnavailableError, LedgerCorruptError: the ledger cannot be opened.
    """
    settings = load_settings(path)
    if settings.demo:
        _log.warning("demo: the signing proxy at /demo/graphql plays the partners' own systems; loopback only")
    opened: list[GatewayProcess] = []

    def open_app() -> Starlette:
        opened.append(GatewayProcess.open(settings, SystemClock()))
        return create_app(opened[0])

    def mutual() -> Secured | None:
        return secured(opened[0].channel, opened[0].registry) if settings.mutual else None

    run_server(open_app, settings.listen, settings.clients, workers=settings.workers, secured=mutual)


def _question(process: GatewayProcess) -> Endpoint:
    """The one question, answered with GraphQL over HTTP: refusals as an `errors` list."""

    async def answered(arrived: Arrived) -> Reply:
        message = request_of(arrived, process.settings.url)
        media = accepted(arrived.header(b"accept")).single
        check_content_type(arrived.header(b"content-type"))
        given = await answer(message, GraphQLRequest.parse(message.body, process.settings.limits), process.gateway)
        headers = [(b"content-type", media.value.encode()), _NO_STORE, *given.standing.headers()]
        if given.client:
            digest = message.headers[DIGEST_HEADER]
            signed = process.answers.headers(given.body, media.value, given.client, digest)
            headers += [(name.encode(), value.encode()) for name, value in signed.items()]
        return Reply(200, headers, given.body)

    async def answered_or_refused(arrived: Arrived) -> Reply:
        return await or_refusal(answered(arrived), lambda refusal: _refused(refusal, arrived), _log)

    return Endpoint(
        "/graphql",
        process.settings.limits.body,
        answered_or_refused,
        lambda arrived, fault: _refused(error_of(fault, process.settings.limits.body), arrived),
    )


def _usage(process: GatewayProcess) -> Endpoint:
    """The citizen's report for portals that speak REST: the question of `/graphql`, its answer in another shape."""

    async def answered(arrived: Arrived) -> Reply:
        wanted = UsageWanted.parse(arrived.query_string)
        message = request_of(msgspec.structs.replace(arrived, path="/graphql"), process.settings.url)
        check_content_type(arrived.header(b"content-type"))
        asked = GraphQLRequest.parse(message.body, process.settings.limits)
        require_report(asked)
        given = await answer(message, asked, process.gateway)
        members = process.registry.current()
        found = await asyncio.to_thread(shown, given.body, message, wanted, members)
        return Reply(200, ((b"content-type", b"application/json"), _NO_STORE, *given.standing.headers()), found)

    def shown(body: bytes, message: HttpRequest, wanted: UsageWanted, members: MemberList) -> bytes:
        report = verified(msgspec.json.decode(body), message.body, request_digest(message.headers), members)
        return msgspec.json.encode(usages(report, wanted, members))

    async def answered_or_refused(arrived: Arrived) -> Reply:
        return await or_refusal(answered(arrived), _problem_reply, _log)

    limit = process.settings.limits.body
    return Endpoint(USAGE_PATH, limit, answered_or_refused, lambda _, fault: _problem_reply(error_of(fault, limit)))


def _token(process: GatewayProcess) -> Endpoint:
    """The token endpoint (RFC 6749 section 3.2)."""

    async def given(arrived: Arrived) -> Reply:
        message = request_of(arrived, process.settings.url)
        form = token_endpoint.read_form(message.headers.get("content-type", ""), message.body)
        token = process.authorisation.token(form, message.headers.get("dpop"))
        headers = ((b"content-type", b"application/json"), _NO_STORE, nonce())
        return Reply(200, headers, msgspec.json.encode(token))

    def nonce() -> tuple[bytes, bytes]:
        return b"dpop-nonce", process.authorisation.nonces.current().encode()

    async def given_or_refused(arrived: Arrived) -> Reply:
        return await or_refusal(given(arrived), lambda refusal: _token_refused(refusal, nonce()), _log)

    return Endpoint(
        TOKEN_PATH,
        _TOKEN_BODY,
        given_or_refused,
        lambda _, fault: _token_refused(error_of(fault, _TOKEN_BODY), nonce()),
    )


def _endpoints(process: GatewayProcess) -> Iterable[Endpoint]:
    yield from (_question(process), _usage(process), _token(process), _published(process))


def _published(process: GatewayProcess) -> Endpoint:
    """What a node says of the citizens on whom it holds a file, answered with a signature."""

    async def taken_in(arrived: Arrived) -> Reply:
        message = request_of(arrived, process.settings.url)
        response = HttpResponse(HTTPStatus.OK, _BARE, (await process.publishing.answer(message)).to_bytes())
        signature = sign_response(response, RequestBinding.of(message), process.key, process.clock)
        headers = [(name.encode(), value.encode()) for name, value in {**_BARE, **signature}.items()]
        return Reply(HTTPStatus.OK, [*headers, _NO_STORE], response.body)

    async def taken_in_or_refused(arrived: Arrived) -> Reply:
        return await or_refusal(taken_in(arrived), _problem_reply, _log)

    return Endpoint(
        PUBLISH_PATH, MAX_BODY, taken_in_or_refused, lambda _, fault: _problem_reply(error_of(fault, MAX_BODY))
    )


def _registry(process: GatewayProcess, name: str) -> Response:
    """Serve for reading what this gateway acts on; who wants to verify it asks the registry itself."""
    if name not in _PUBLIC:
        raise NotFoundError(f"the gateway shows {', '.join(f'`{each}`' for each in _PUBLIC)} of the registry")
    return Response(process.registry.document(name), media_type=_PUBLIC[name])


async def _readiness(process: GatewayProcess) -> Response:
    """Ready means: a member list in force, a ledger that can record, and a clock that witnesses find right."""
    standing = process.registry.standing()
    if not await process.ledger.ready():
        raise UnavailableError("ledger cannot record")
    await asyncio.to_thread(process.replay.require_working)
    breakers = {member: state.value for member, state in process.fetching.states().items()}
    ledger = await asyncio.to_thread(process.keeping.standing)
    return JSONResponse({"status": "pass", **standing, "breakers": breakers, "ledger": ledger})


def _refused(refused: CroceviaError, arrived: Arrived) -> Reply:
    """Answer a refusal as GraphQL over HTTP has it: an `errors` list, and a status that says whose fault it is."""
    media = media_of_refusal(arrived.header(b"accept"))
    headers = ((b"content-type", media.value.encode()), _NO_STORE, *_when_again(refused))
    return Reply(status_of_refusal(refused, media), headers, refusal([refused.graphql()]))


def _problem_reply(refusal: CroceviaError) -> Reply:
    headers = ((b"content-type", _PROBLEM.encode()), _NO_STORE, *_when_again(refusal))
    return Reply(int(refusal.status), headers, msgspec.json.encode(refusal.problem()))


def _when_again(refusal: CroceviaError) -> list[tuple[bytes, bytes]]:
    """Return what a refusal's headers say about another try."""
    said = [(name.encode(), value.encode()) for name, value in _retry(refusal).items()]
    return [*said, *refusal.standing.headers()] if isinstance(refusal, RateExceededError) else said


def _token_refused(refusal: CroceviaError, nonce: tuple[bytes, bytes]) -> Reply:
    status, body = token_endpoint.refusal(refusal)
    retry = [(name.encode(), value.encode()) for name, value in _retry(refusal).items()]
    return Reply(int(status), ((b"content-type", b"application/json"), _NO_STORE, nonce, *retry), body)


def _or_problem(endpoint: _Endpoint) -> _Endpoint:
    """Answer refusals as problem documents (RFC 9457)."""

    async def answered(request: Request) -> Response:
        return await or_refusal(endpoint(request), _problem, _log)

    return answered


def _problem(refusal: CroceviaError) -> Response:
    return JSONResponse(refusal.problem(), int(refusal.status), _retry(refusal), _PROBLEM)


def _retry(refusal: CroceviaError) -> dict[str, str]:
    after = refusal.extensions.get("retryAfter", 1 if isinstance(refusal, UnavailableError) else None)
    return {} if after is None else {"retry-after": str(after)}
