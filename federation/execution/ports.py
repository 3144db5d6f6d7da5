"""What execution needs from outside: somebody who fetches, and somebody who translates entity representations."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any, Protocol

import msgspec

from federation.contract.errors import CroceviaError
from federation.planning.plan import OperationKind

Headers = tuple[tuple[bytes, bytes], ...]
"""Header names and values."""


class PassedOn(msgspec.Struct, frozen=True, gc=False):
    """Headers of the client for a member: `headers` may decide the answer, `trace` only says what it belongs to."""

    headers: Headers = ()
    trace: Headers = ()


NOTHING_PASSED = PassedOn()


class FetchRequest(msgspec.Struct, frozen=True, gc=False):
    """One request to one member.

    `operation` is the subgraph operation as a JSON string (quotes included), `variables` a JSON object, both encoded.
    `deadline` is this fetch's share of the request's time, on the event loop's clock, in seconds.
    `representations` counts the entities asked about (0 for a root fetch). `passed` is from the client.
    """

    fetch_id: int
    member: str
    kind: OperationKind
    operation: bytes
    variables: bytes
    deadline: float
    representations: int = 0
    passed: PassedOn = NOTHING_PASSED

    def body(self, extensions: bytes = b"") -> bytes:
        """Return the GraphQL-over-HTTP body; `extensions` is a JSON object, or empty to leave it out."""
        if extensions:
            return b'{"query":%b,"variables":%b,"extensions":%b}' % (self.operation, self.variables, extensions)
        return b'{"query":%b,"variables":%b}' % (self.operation, self.variables)


class FetchAnswer(msgspec.Struct, frozen=True, gc=False):
    """What a member sent back: the raw body, the HTTP status and the media type without parameters.

    `read` is there when several requests wait for this one answer: what one of them read, by who read it.
    """

    body: bytes
    status: int = 200
    media_type: str = "application/json"
    read: dict[Any, Any] | None = None


class Fetcher(Protocol):
    """Sends a request to a member; the only way in which execution touches the network."""

    def fetch(self, request: FetchRequest) -> Awaitable[FetchAnswer]:
        """Start the request and return its future answer.

        An implementation that returns an `asyncio.Future` costs no task. It MUST finish by `request.deadline`.

        Raises (through the awaitable):
            NodeUnavailableError: the member cannot be reached, or its breaker is open.
            NodeTimeoutError: the deadline passed.
            NodeMisbehavedError: what came back is not an acceptable HTTP message.
            CroceviaError: any other refusal, reported with its own code.
        """
        ...


def as_future(pending: Awaitable[FetchAnswer]) -> asyncio.Future[FetchAnswer]:
    """Return what a fetcher returned as a future; most are one already, and `ensure_future` takes long to find out."""
    return pending if isinstance(pending, asyncio.Future) else asyncio.ensure_future(pending)


class Subscriber(Protocol):
    """Opens a subscription at a member; a fetcher may be one too."""

    def subscribe(self, request: FetchRequest) -> AsyncIterator[FetchAnswer]:
        """Yield an answer for every event; leaving the iterator ends the subscription.

        Raises:
            CroceviaError: as for `Fetcher.fetch`; also when the stream breaks off.
        """
        ...


Representation = dict[str, Any]
"""An entity as it is sent to a member: `__typename` and the fields of a key or a `@requires`."""


class KeyedRepresentation(msgspec.Struct, frozen=True, gc=False):
    """A representation, and the member that supplied its keys."""

    source: str
    representation: Representation


class EntityRouter(Protocol):
    """Translates the representations of an entity fetch for the member that will receive them.

    It is asked about the types for which the plan was compiled (`CompiledPlan`), and where the type is known only from
    data about others, too.
    """

    async def route(self, member: str, keyed: Sequence[KeyedRepresentation]) -> Sequence[Representation | None]:
        """Return one representation per input, in order; None is not sent and its entity stays null without an error.

        Raises:
            CroceviaError: the fetch fails with this error's code, as if the member had failed.
        """
        ...


class Answered(msgspec.Struct, frozen=True):
    """How one fetch ended: `extensions` of the answer as raw JSON when there were any, `failure` when it failed."""

    fetch_id: int
    member: str
    extensions: msgspec.Raw | None
    failure: CroceviaError | None


OnAnswer = Callable[[Answered], None]
