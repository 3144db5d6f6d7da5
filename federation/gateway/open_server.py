"""Starts open mode: a supergraph file, and the members' addresses in it."""

from __future__ import annotations

import logging
import random

from federation.composition.supergraph import Supergraph
from federation.contract.errors import ConfigurationError
from federation.execution.members import HttpFetcher
from federation.execution.resilient import ResilienceSettings, ResilientFetcher
from federation.execution.sharing import SharingFetcher
from federation.execution.transport.client import HttpClient
from federation.execution.transport.limits import TransportLimits
from federation.execution.transport.message import Endpoint
from federation.gateway.open_access import AccessRules
from federation.gateway.open_graph import OpenGraph, OpenSettings
from federation.gateway.open_mode import OpenApp
from federation.serving.limits import ClientLimits
from federation.serving.server import run_server

_log = logging.getLogger("crocevia.gateway.open")

IDLE_SECONDS = 10
"""Kept connections of clients are closed after this time without a request."""


def open_app(supergraph: Supergraph, settings: OpenSettings, limits: TransportLimits) -> OpenApp:
    """Return the application for a supergraph whose subgraphs name their addresses.

    Raises:
        ConfigurationError: a subgraph has no usable address.
    """
    endpoints: dict[str, Endpoint] = {}
    for subgraph in supergraph.subgraphs:
        try:
            endpoints[subgraph.name] = Endpoint.parse(subgraph.url)
        except ValueError as error:
            raise ConfigurationError(f"subgraph `{subgraph.name}` has no usable address: {error}") from error
    client = HttpClient(limits)
    http = HttpFetcher(client, endpoints)
    resilient = ResilientFetcher(http, ResilienceSettings(), random.random)  # of what is sent, not of who waits for it
    graph = OpenGraph(supergraph, SharingFetcher(resilient), settings, source=http)
    graph.heeding(resilient)
    return OpenApp(graph, client.close)


def _decided(settings: OpenSettings) -> str:
    """Say what is done about access directives."""
    if settings.believed is None:
        return "ignored here, as `--ignore-access-directives` says; subgraphs must decide"
    if settings.believed.header is None:
        return "denied to all; see `--scopes-header` and `--ignore-access-directives`"
    return f"decided by the header `{settings.believed.header.decode()}`, which only a proxy may set"


def serve(supergraph: Supergraph, host: str, port: int, settings: OpenSettings) -> None:
    """Serve a supergraph until a signal ends the process; what is in work is finished first.

    Raises:
        ConfigurationError: a subgraph has no usable address, or the server cannot listen on its own.
    """
    app = open_app(supergraph, settings, TransportLimits())
    where = f"http://{host}:{port}/graphql"
    _log.warning("open mode at %s: no tokens, no signatures, no policies; do not use it for personal data", where)
    if asking := len(AccessRules.of(supergraph).needs):
        _log.warning("%d fields ask for authentication, scopes or policies: %s", asking, _decided(settings))
    run_server(lambda: app, f"{host}:{port}", ClientLimits(idle=IDLE_SECONDS))
