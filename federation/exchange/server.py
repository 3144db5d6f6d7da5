"""The exchange's HTTP surface and wiring: conversion, enrolment, ledger and health, in a process with its own keys."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Final

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from federation.contract.clock import Clock, SystemClock
from federation.contract.enrolment import ENROL_PATH
from federation.contract.errors import CroceviaError, UnavailableError
from federation.exchange.convert import EXCHANGE, Exchange
from federation.exchange.enrol import Enrolment
from federation.exchange.messages import CONVERT_PATH, MAX_BODY_BYTES
from federation.exchange.settings import ExchangeSettings, load_settings
from federation.ledger.keeping import Keeping
from federation.ledger.log import Ledger
from federation.ledger.names import ledger_origin
from federation.ledger.note import Ed25519Signer
from federation.ledger.place import open_store, open_subject_keys
from federation.ledger.publication import Audience, publish
from federation.ledger.reader import LedgerReader
from federation.ledger.subject_keys import SubjectKeys
from federation.ledger.witness_rounds import WitnessAt, witnesses_at
from federation.linkage.enrolling import enrolment_key
from federation.linkage.siv import SivSuite
from federation.serving.background import beside
from federation.serving.endpoint import Arrived, Endpoint, Reply
from federation.serving.server import run_server
from federation.trust.admitting import secured
from federation.trust.arriving import error_of, or_refusal
from federation.trust.channel import Channel
from federation.trust.counters import SharedCounters
from federation.trust.hardware import load_signer
from federation.trust.http_messages import HttpRequest, HttpResponse, single_headers
from federation.trust.http_signatures import RequestBinding, sign_response
from federation.trust.keys import LEDGER_KEY, load_ed25519, read_secret
from federation.trust.outgoing import open_post
from federation.trust.registry import KEPT_FILE, Registry, follow
from federation.trust.replay import SharedReplayStore
from federation.trust.tokens import AccessTokens

MASTER_KEY: Final = "master.key"
SUBJECTS_KEY: Final = "subjects.key"
_JSON: Final = {"content-type": "application/json"}
_PROBLEM: Final = "application/problem+json"
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Process:
    """An exchange with its files open."""

    settings: ExchangeSettings
    exchange: Exchange
    enrolment: Enrolment
    registry: Registry
    ledger: Ledger
    reader: LedgerReader
    keeping: Keeping
    subject_keys: SubjectKeys
    replay: SharedReplayStore
    counters: SharedCounters
    channel: Channel | None

    @classmethod
    def open(cls, settings: ExchangeSettings, clock: Clock) -> Process:
        """Open keys, registry, ledger and replay store.

        Raises:
            ConfigurationError: a key or the registry is missing or cannot be used; names the file.
            LedgerUnavailableError, LedgerCorruptError: the ledger cannot be opened.
        """
        signer = load_signer(settings.keys)
        master = read_secret(settings.keys / MASTER_KEY)
        suite = SivSuite(master)
        ledger_key, subjects_key = load_ed25519(settings.keys / LEDGER_KEY), read_secret(settings.keys / SUBJECTS_KEY)
        channel = None if settings.channel is None else Channel.open(settings.channel)
        settings.state.mkdir(parents=True, exist_ok=True)
        registry = Registry.open(settings.registry, clock, settings.state / KEPT_FILE, settings.registry_url)
        origin = ledger_origin(registry.federation, EXCHANGE)
        place, ledger_signer = settings.shared_place, Ed25519Signer.of(origin, ledger_key)
        subject_keys = open_subject_keys(place, subjects_key, secrets.token_bytes)
        ledger = Ledger.open(ledger_signer, lambda: open_store(place, origin), subject_keys, secrets.token_bytes)
        reader = LedgerReader.of(open_store(place, origin), ledger_signer.verifier)
        keeping = Keeping.open(settings.state, reader, settings.witnessing, settings.timestamps, clock)
        replay = SharedReplayStore.open(place, clock)
        tokens = AccessTokens(registry.federation, settings.url, clock)
        exchange = Exchange(registry, tokens, replay, suite, signer, ledger, clock)
        counters = SharedCounters.open(place)
        enrolment = Enrolment(
            registry, replay, counters, suite, enrolment_key(master), ledger, clock, settings.enrolments
        )
        return cls(
            settings=settings,
            exchange=exchange,
            enrolment=enrolment,
            registry=registry,
            ledger=ledger,
            reader=reader,
            keeping=keeping,
            subject_keys=subject_keys,
            replay=replay,
            counters=counters,
            channel=channel,
        )

    def witnesses(self) -> list[WitnessAt]:
        """Who witnesses the exchange's ledger, as the member list in force has it."""
        return witnesses_at(self.registry.current().witnesses(EXCHANGE))

    def close(self) -> None:
        """Write what waits, then close every file."""
        self.ledger.close()
        self.keeping.close()
        self.reader.close()
        self.subject_keys.close()
        self.replay.close()
        self.counters.close()


def create_app(process: Process) -> Starlette:
    """Return the exchange as an ASGI application; it closes the process's files when it ends."""

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with beside(
            follow(process.registry),
            *([process.channel.keep_fresh()] if process.channel else []),
            process.keeping.keep(process.witnesses, partial(open_post, process.channel)),
        ):
            yield
        process.close()

    async def ledger(request: Request) -> Response:
        path, query = request.path_params["path"], dict(request.query_params)
        found = await asyncio.to_thread(publish, process.reader, path, query, Audience.PUBLIC)
        return Response(found.body, found.status, found.headers(), found.content_type)

    async def converted(asked: HttpRequest) -> bytes:
        return (await process.exchange.answer(asked)).to_bytes()

    async def enrolled(asked: HttpRequest) -> bytes:
        return (await process.enrolment.answer(asked)).to_bytes()

    async def live(_: Request) -> Response:
        return JSONResponse({"status": "pass"})

    async def ready(_: Request) -> Response:
        return await _readiness(process)

    return Starlette(
        routes=[
            Route(CONVERT_PATH, _asked(process, CONVERT_PATH, converted), methods=["POST"]),
            Route(ENROL_PATH, _asked(process, ENROL_PATH, enrolled), methods=["POST"]),
            Route("/ledger/{path:path}", _or_problem(ledger)),
            Route("/healthz", live),
            Route("/readyz", _or_problem(ready)),
        ],
        lifespan=lifespan,
    )


def serve(path: Path) -> None:
    """Run the exchange of a settings file until it is told to stop.

    Raises:
        ConfigurationError: the settings, a key or the registry cannot be used.
        LedgerUnavailableError, LedgerCorruptError: the ledger cannot be opened.
    """
    settings = load_settings(path)
    opened: list[Process] = []

    def open_app() -> Starlette:
        opened.append(Process.open(settings, SystemClock()))
        return create_app(opened[0])

    run_server(
        open_app,
        settings.listen,
        settings.clients,
        secured=lambda: secured(opened[0].channel, opened[0].registry),
        workers=settings.workers,
    )


def _asked(process: Process, path: str, answer: Callable[[HttpRequest], Awaitable[bytes]]) -> Endpoint:
    """A signed question, answered with a signed answer; a refusal is a problem document."""
    exchange, target = process.exchange, process.settings.url

    async def told(arrived: Arrived) -> Reply:
        process.keeping.witnessed.require()
        # The target is where this exchange knows itself to be, not what a Host header says.
        asked = HttpRequest(arrived.method, target + path, single_headers(arrived.headers), arrived.body, arrived.peer)
        response = HttpResponse(HTTPStatus.OK, _JSON, await answer(asked))
        signature = sign_response(response, RequestBinding.of(asked), exchange.signer, exchange.clock)
        headers = [(name.encode(), value.encode()) for name, value in {**_JSON, **signature}.items()]
        return Reply(HTTPStatus.OK, headers, response.body)

    async def told_or_refused(arrived: Arrived) -> Reply:
        return await or_refusal(told(arrived), _refused, _LOG)

    return Endpoint(
        path,
        MAX_BODY_BYTES,
        told_or_refused,
        lambda _, fault: _refused(error_of(fault, MAX_BODY_BYTES)),
    )


def _refused(error: CroceviaError) -> Reply:
    """Answer a refusal as a problem document (RFC 9457)."""
    headers = [(b"content-type", _PROBLEM.encode())]
    if isinstance(error, UnavailableError):
        headers.append((b"retry-after", b"1"))
    return Reply(int(error.status), headers, msgspec.json.encode(error.problem()))


async def _readiness(process: Process) -> Response:
    """Ready means: a member list in force, a ledger that can record, and a clock that witnesses find right."""
    standing = process.registry.standing()
    if not await process.ledger.ready():
        raise UnavailableError("ledger cannot record")
    await asyncio.to_thread(process.replay.require_working)
    ledger = await asyncio.to_thread(process.keeping.standing)
    return JSONResponse({"status": "pass", **standing, "ledger": ledger})


_Endpoint = Callable[[Request], Awaitable[Response]]


def _or_problem(endpoint: _Endpoint) -> _Endpoint:
    """Answer every refusal as a problem document (RFC 9457); a defect of ours says nothing of itself."""

    async def answered(request: Request) -> Response:
        return await or_refusal(endpoint(request), _problem, _LOG)

    return answered


def _problem(error: CroceviaError) -> Response:
    headers = {"retry-after": "1"} if isinstance(error, UnavailableError) else {}
    return JSONResponse(error.problem(), status_code=error.status, headers=headers, media_type=_PROBLEM)
