"""A node asked by its own developer: the real data plane under the real policy, without a federation around it.

It decides, compiles and answers as a node does (steps 3, 4 and 6 of `node.enforcement.answer`). Who asks is said, not
proved; the agreement is supposed to name every field; keys for masks and cursors are of this run only; nothing is
recorded. So it listens on this machine alone and is no way to serve anybody.
"""

from __future__ import annotations

import json
import logging
import secrets
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final, Self

import msgspec
from starlette.applications import Starlette
from starlette.routing import Route

from federation.contract.clock import SystemClock, day_in_rome
from federation.contract.errors import BadInputError, CroceviaError
from federation.contract.graphql_request import GraphQLRequest, Limits
from federation.serving.endpoint import Arrived, Endpoint, Reply
from federation.trust.arriving import error_of, or_refusal
from node.console.policy_folders import check_folder
from node.data.answer import Answer
from node.data.database import open_database
from node.data.mapping import Mapping as NodeMapping
from node.data.node_keys import cursor_sealer, mask_keys
from node.data.objects import PlanOf
from node.data.operation import Asker, Prepared
from node.data.plane import DataPlane
from node.enforcement.documents import Documents
from node.policy.bundle import Bundle
from node.policy.checks.rule import Subject
from node.policy.checks.specified import check
from node.policy.compile import PlanCache
from node.policy.errors import BundleError, nearest
from node.policy.findings import Severity
from node.policy.requesters import Requester
from node.policy.schema_view import SchemaView
from node.subgraph.schema import NodeSchema, asked_coordinates
from node.subgraph.visible import visible_schema, visible_sdl
from node.vocabulary.schema import full_schema

CONSUMER: Final = "trial"
"""The name under which masks and consents know who tries."""
_LIMITS: Final = Limits(body=1_000_000, tokens=4_000, depth=20, aliases=200, root_fields=40, fields=1_000)
_log = logging.getLogger("crocevia.node.try")


@dataclass(frozen=True, slots=True)
class Trying:
    """Everything a trial needs, checked: a mapping, a bundle that covers it, and who asks for what."""

    mapping: NodeMapping
    base: Path
    served: NodeSchema
    bundle: Bundle
    requester: Requester
    purpose: str

    @classmethod
    def checked(
        cls,
        policies: Path,
        mapping: NodeMapping,
        base: Path,
        kind: str,
        purpose: str,
        basis: Collection[str],
        area: str | None,
    ) -> Self:
        """Check that the parts fit each other.

        Args:
            policies: the bundle's folder.
            mapping: what the node serves.
            base: the folder at which a SQLite file's path begins.
            kind: of the consumer, as `requester.kind`.
            purpose: for which it asks.
            basis: the legal bases that its agreement would record.
            area: its territory, as `requester.area`.

        Raises:
            BundleError: the bundle has errors, or does not cover what the mapping serves.
            BadInputError: the vocabulary does not know the kind, purpose or basis; names the nearest.
            MappingError: the mapping does not fit the vocabulary.
        """
        found = check_folder(policies, None)
        wrong = tuple(each for each in found.findings if each.severity is Severity.ERROR)
        if found.bundle is None or wrong:
            raise BundleError(wrong)
        served = NodeSchema.build(full_schema(), mapping, asked_coordinates(found.bundle.types.values()))
        uncovered = [
            each
            for each in check(Subject(found.bundle, SchemaView.parse(served.published_sdl)))
            if each.severity is Severity.ERROR
        ]
        if uncovered:
            raise BundleError(tuple(uncovered))
        vocabulary = found.bundle.vocabulary
        for option, words, known in (
            ("--as", (kind,), vocabulary.kinds),
            ("--for", (purpose,), tuple(vocabulary.purposes)),
            ("--basis", tuple(basis), tuple(vocabulary.legal_bases)),
        ):
            for word in words:
                if word not in known:
                    raise BadInputError(f"{option} `{word}` is not in the policies' vocabulary{nearest(word, known)}")
        return cls(mapping, base, served, found.bundle, Requester(kind, frozenset(basis), area), purpose)


@dataclass(frozen=True, slots=True)
class Trial:
    """An open data plane, asked by one supposed consumer."""

    asking: Trying
    plane: DataPlane
    documents: Documents
    asker: Asker

    async def ask(self, query: str, variables: str | None = None) -> Answer:
        """Answer a query as the node would.

        Raises:
            BadInputError: the variables are no JSON object.
            CroceviaError: whatever the node would refuse it with.
        """
        try:
            given = json.loads(variables or "{}")
        except ValueError as error:
            raise BadInputError("--variables needs a JSON object") from error
        if not isinstance(given, dict):
            raise BadInputError("--variables needs a JSON object")
        return await self.answer(GraphQLRequest(query, None, None, given, {}))

    async def answer(self, asked: GraphQLRequest) -> Answer:
        """Answer a request as the node would."""
        document = self.documents.understood(asked.query or "")
        return await self.plane.answer(document, asked, self.plans(), self.asker)

    def plans(self) -> PlanOf:
        """Return what the supposed consumer may see."""
        cache = PlanCache(self.asking.bundle)
        day = day_in_rome(SystemClock().now())
        return lambda name: cache.plan(name, self.asking.requester, self.asking.purpose, day)


@asynccontextmanager
async def open_trial(asking: Trying) -> AsyncIterator[Trial]:
    """Open the database for a trial, and give it up.

    Raises:
        DatabaseUnavailableError: it cannot be opened.
    """
    served = asking.served
    database = open_database(asking.mapping.database, asking.base)
    plane = DataPlane(
        served.schema,
        served.entity_keys,
        Prepared.of(asking.mapping, database.dialect, served.custom),
        database,
        partial(visible_schema, served),
        partial(visible_sdl, served),
    )
    try:
        secret = secrets.token_bytes(32)
        asker = Asker(CONSUMER, mask_keys(secret, "trial"), cursor_sealer(secret))
        yield Trial(asking, plane, Documents(served.schema, _LIMITS), asker)
    finally:
        await plane.close()


def as_application(asking: Trying) -> Starlette:
    """Return the trial as an ASGI application that answers `POST /graphql`."""
    opened: list[Trial] = []

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with open_trial(asking) as trial:
            opened.append(trial)
            yield

    async def graphql(arrived: Arrived) -> Reply:
        async def answered() -> Reply:
            answer = await opened[0].answer(GraphQLRequest.parse(arrived.body, _LIMITS))
            content: dict[str, Any] = {"data": answer.data, "extensions": {"decisions": answer.decisions}}
            return _json(content | ({"errors": answer.errors} if answer.errors else {}), 200)

        return await or_refusal(answered(), _refused, _log)

    endpoint = Endpoint("/graphql", _LIMITS.body, graphql, lambda _, fault: _refused(error_of(fault, _LIMITS.body)))
    return Starlette(routes=[Route("/graphql", endpoint, methods=["POST"])], lifespan=lifespan)


def _refused(refusal: CroceviaError) -> Reply:
    return _json({"data": None, "errors": [refusal.graphql()]}, int(refusal.status))


def _json(content: dict[str, Any], status: int) -> Reply:
    return Reply(status, ((b"content-type", b"application/json"),), msgspec.json.encode(content))
