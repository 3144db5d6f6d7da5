"""Fetches from nodes: every request signed and carrying the consumer's own, every answer's signature verified."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final

import msgspec

from federation.contract.errors import CroceviaError, NodeMisbehavedError
from federation.contract.identifiers import DIRECTORY
from federation.contract.messages import EXTENSION, ConsumerRequest, NodeAnswerExtension, NodeRequestExtension
from federation.execution.answer import failure_of_status
from federation.execution.members import fault
from federation.execution.ports import FetchAnswer, Fetcher, FetchRequest
from federation.execution.transport.errors import TransportError
from federation.execution.transport.message import HttpAnswer
from federation.gateway.pseudonyms import Translator
from federation.gateway.recorded import require_recorded
from federation.gateway.sending import Peer, Sender, Signed

_UNABLE: Final = int(HTTPStatus.SERVICE_UNAVAILABLE)


@dataclass(frozen=True, slots=True)
class SignedFetcher:
    """The executor's `Fetcher` for one consumer's request; `directory` is not reached through it.

    `said` keeps what nodes said beside their data, by fetch, and `unable` which of them signed that they cannot answer
    now; `digest` names the consumer's request.
    """

    sender: Sender
    peers: Mapping[str, Peer]
    consumer_request: ConsumerRequest
    trace_id: str
    translator: Translator
    digest: str
    said: dict[int, NodeAnswerExtension] = field(default_factory=dict)
    unable: set[str] = field(default_factory=set)

    def fetch(self, request: FetchRequest) -> asyncio.Future[FetchAnswer]:
        """Send the request to its member.

        Raises:
            UnavailableError: at once, when the key in hardware does not sign.
            NodeUnavailableError, NodeTimeoutError: through the future, from the transport, or by an unsigned answer's
                status.
            NodeMisbehavedError: through the future: the answer is no HTTP message, unsigned, signed for
                something else, or not recorded.
        """
        peer = self.peers[request.member]
        signed = self.sender.signed(peer, request.body(self._extension(request)))
        # Never sent twice as it is: its nonce counts once. Whoever tries again has it signed again.
        return self.sender.post(peer, signed, request.deadline, _Awaited(self, request, peer, signed))

    def _extension(self, request: FetchRequest) -> bytes:
        left = max(0, int((request.deadline - asyncio.get_running_loop().time()) * 1000))
        statements = tuple(self.translator.statements.get(request.member, ()))
        return msgspec.json.encode(
            {EXTENSION: NodeRequestExtension(self.consumer_request, statements, self.trace_id, left)}
        )


class _Awaited(msgspec.Struct, frozen=True):
    """Turns a member's answer, or a fault on the way, into what execution knows: the `Outcome` of one fetch.

    INVARIANT: no part of an answer is read before it is known to be this member's answer to this request.
    """

    fetcher: SignedFetcher
    request: FetchRequest
    peer: Peer
    signed: Signed

    def answered(self, answer: HttpAnswer) -> FetchAnswer:
        member = self.request.member
        try:
            self.fetcher.sender.require_answer(self.peer, self.signed, answer)
        except CroceviaError as error:
            # An overloaded node, or a proxy before it, refuses before there is anything to bind a signature to. Its
            # status is believed: nothing else of it is used, and who forges it could as well cut the connection.
            failure = failure_of_status(member, answer.status)
            if not isinstance(failure, NodeMisbehavedError):
                raise failure from error
            raise NodeMisbehavedError(
                f"member `{member}` gave an answer whose signature does not hold ({error.code})", member=member
            ) from error
        said = require_recorded(answer.body, member, self.fetcher.digest)
        if said is not None:
            self.fetcher.said[self.request.fetch_id] = said
        if answer.status == _UNABLE:
            self.fetcher.unable.add(member)
        return FetchAnswer(answer.body, answer.status, answer.media_type)

    def failed(self, error: TransportError) -> CroceviaError:
        return fault(self.request.member, error)


@dataclass(frozen=True, slots=True)
class WithDirectory:
    """A fetcher that answers for the member `directory` itself and leaves everything else to another."""

    directory: Fetcher
    members: Fetcher

    def fetch(self, request: FetchRequest) -> Awaitable[FetchAnswer]:
        """Send the request to whoever answers for its member. See `Fetcher`."""
        return (self.directory if request.member == DIRECTORY else self.members).fetch(request)
