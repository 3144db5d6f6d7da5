"""The publisher: serves the registry's files to whoever asks, and renews the timestamp that keeps them fresh.

Any web server may serve the files, they prove themselves. What must run somewhere is the renewal: when it stops, the
federation goes on for the ten minutes of the last timestamp, and then refuses (`REGISTRY_STALE`).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from federation.contract.clock import Clock, SystemClock
from federation.contract.errors import CroceviaError, UnavailableError
from federation.membership.settings import TIMESTAMP_KEY, PublisherSettings, load_settings
from federation.serving.background import beside
from federation.serving.limits import ClientLimits
from federation.serving.server import run_server
from federation.trust.keys import load_ed25519
from federation.trust.registry import ROOT_FILE
from federation.trust.repository import Repository
from federation.trust.trusted_list import METADATA, TARGETS

_LOOK_SECONDS: Final = 1.0
_log = logging.getLogger("crocevia.publisher")


@dataclass(frozen=True, slots=True)
class Publisher:
    """A registry with the key of its timestamp."""

    settings: PublisherSettings
    repository: Repository
    key: Ed25519PrivateKey

    @classmethod
    def open(cls, settings: PublisherSettings, clock: Clock) -> Publisher:
        """Open the registry.

        Raises:
            ConfigurationError: the key is missing or may be read by others.
        """
        key = load_ed25519(settings.keys / TIMESTAMP_KEY)
        return cls(settings, Repository(settings.registry, settings.staged, clock), key)

    def renew(self) -> None:
        """Stamp the newest edition if it is new, or the last stamp is past half of its life."""
        if self.repository.needs_stamp():
            self.repository.stamp(self.key)

    async def keep_fresh(self, every: float = _LOOK_SECONDS) -> None:
        """Renew again and again, until cancelled."""
        while True:
            try:
                await asyncio.to_thread(self.renew)
            except (CroceviaError, OSError) as error:
                _log.error("registry is not stamped: %s", error)  # the message says what to do
            await asyncio.sleep(every)


def create_app(publisher: Publisher) -> Starlette:
    """Return the publisher as an ASGI application."""
    folder = publisher.settings.registry

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with beside(publisher.keep_fresh()):
            yield

    async def root(_: Request) -> Response:
        return Response((folder / ROOT_FILE).read_bytes(), media_type="application/json")

    async def live(_: Request) -> Response:
        return JSONResponse({"status": "pass"})

    async def ready(_: Request) -> Response:
        if publisher.repository.needs_stamp():
            refusal = UnavailableError("registry has no fresh timestamp")
            return JSONResponse(refusal.problem(), int(refusal.status), media_type="application/problem+json")
        return JSONResponse({"status": "pass", "edition": publisher.repository.next_version() - 1})

    return Starlette(
        routes=[
            Route(f"/{ROOT_FILE}", root),
            Route("/healthz", live),
            Route("/readyz", ready),
            *(Mount(f"/{name}", StaticFiles(directory=folder / name, check_dir=False)) for name in (METADATA, TARGETS)),
        ],
        lifespan=lifespan,
    )


def serve(path: Path) -> None:
    """Run the publisher of a settings file until it is told to stop.

    Raises:
        ConfigurationError: the settings or the key cannot be used.
    """
    settings = load_settings(path)
    run_server(lambda: create_app(Publisher.open(settings, SystemClock())), settings.listen, ClientLimits())
