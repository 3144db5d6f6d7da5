"""Fetches from nodes: every request signed and carrying the consumer's own, every answer's signature verified."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import msgspec

from federation.contract.clock import Clock
from federation.contract.errors import CroceviaError, NodeMisbehavedError
from federation.contract.identifiers import DIRECTORY
from federation.contract.messages import EXTENSION, ConsumerRequest, NodeRequestExtension
from federation.execution.ports import FetchAnswer, FetchRequest
from federation.execution.transport.client import HttpClient
from federation.execution.transport.message import Endpoint, HttpAnswer
from federation.gateway.directory_subgraph import DirectorySubgraph
from federation.gateway.pseudonyms import Translator
from federation.planning.plan import OperationKind
from federation.trust.http_messages import HttpRequest, HttpResponse, single_headers
from federation.trust.http_signatures import RequestBinding, sign_request, verify_response
from federation.trust.keys import KeyLookup, MessageSigner

_JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Peer:
    """A member's node as the member list has it: where it is, and which keys its answers may be signed with."""

    url: str
    endpoint: Endpoint
    keys: KeyLookup


@dataclass(frozen=True, slots=True)
class Sender:
    """What all fetches of a gateway share. `random` returns a fresh base64url nonce."""

    client: HttpClient
    signer: MessageSigner
    clock: Clock
    nonce: Callable[[], str]


@dataclass(frozen=True, slots=True)
class SignedFetcher:
    """The executor's `Fetcher` for one consumer's request."""

    sender: Sender
    peers: Mapping[str, Peer]
    consumer_request: ConsumerRequest
    trace_id: str
    translator: Translator
    directory: DirectorySubgraph | None

    async def fetch(self, request: FetchRequest) -> FetchAnswer:
        """Send the request to its member; `directory` is answered here.

        Raises:
            NodeUnavailableError, NodeTimeoutError: from the transport.
            NodeMisbehavedError: the answer is unsigned, or signed for something else.
        """
        if request.member == DIRECTORY:
            if self.directory is None:
                raise NodeMisbehavedError("the directory cannot ask itself", member=DIRECTORY)
            return await self.directory.answer(request)
        peer = self.peers[request.member]
        signed = self._signed(peer, request)
        answer = await self.sender.client.post(
            peer.endpoint,
            [(name.encode(), value.encode()) for name, value in signed.headers.items()],
            signed.body,
            request.deadline,
            repeatable=request.kind is OperationKind.QUERY,
        )
        self._require_answer_to(request.member, peer, signed, answer)
        return FetchAnswer(answer.body, answer.status, answer.media_type)

    def _signed(self, peer: Peer, request: FetchRequest) -> HttpRequest:
        left = max(0, int((request.deadline - asyncio.get_running_loop().time()) * 1000))
        extension = NodeRequestExtension(
            self.consumer_request, tuple(self.translator.statements.get(request.member, ())), self.trace_id, left
        )
        body = request.body(msgspec.json.encode({EXTENSION: extension}))
        bare = HttpRequest("POST", peer.url, {"content-type": _JSON, "accept": _JSON}, body)
        signature = sign_request(bare, self.sender.signer, self.sender.clock, self.sender.nonce())
        return HttpRequest("POST", peer.url, {**bare.headers, **signature}, body)

    def _require_answer_to(self, member: str, peer: Peer, request: HttpRequest, answer: HttpAnswer) -> None:
        """INVARIANT: no part of an answer is read before it is known to be this member's answer to this request."""
        try:
            response = HttpResponse(answer.status, single_headers(answer.headers), answer.body)
            verify_response(response, RequestBinding.of(request), peer.keys, self.sender.clock)
        except CroceviaError as error:
            raise NodeMisbehavedError(
                f"member `{member}` gave an answer whose signature does not hold ({error.code})", member=member
            ) from error
