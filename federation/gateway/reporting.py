"""The citizen's report over all nodes: each is asked for what its ledger holds, and silence is named."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from federation.contract.errors import CroceviaError
from federation.contract.messages import EXTENSION, ConsumerRequest, NodeRequestExtension
from federation.execution.transport.errors import TransportError
from federation.gateway.pseudonyms import Translator
from federation.gateway.sending import Peer, Sender

_OK = 200


@dataclass(frozen=True, slots=True)
class NodeReporter:
    """Asks every node that may hold the citizen; `peers` are the nodes' report addresses, by member."""

    sender: Sender
    peers: Mapping[str, Peer]
    consumer_request: ConsumerRequest
    trace_id: str
    translator: Translator
    consumer: str
    deadline: float

    async def report(self, pseudonym: str) -> dict[str, Any]:
        """Return an `AccessReport`: the entries of all nodes, and the nodes that did not answer.

        Raises:
            ExchangeUnavailableError: the citizen cannot be named to the nodes.
        """
        members = sorted(self.peers)
        named = {
            member: (await self.translator.translate(self.consumer, [pseudonym], member))[pseudonym]
            for member in members
        }
        asked = [member for member in members if named[member] is not None]
        answers = await asyncio.gather(*(self._ask(member, named[member]) for member in asked))
        return {
            "accesses": list(_accesses(zip(asked, answers, strict=True))),
            "gaps": [member for member, answer in zip(asked, answers, strict=True) if answer is None],
        }

    async def _ask(self, member: str, citizen: str | None) -> list[dict[str, Any]] | None:
        """Return a node's entries, or None when it does not answer as it should."""
        peer = self.peers[member]
        statements = tuple(self.translator.statements.get(member, ()))
        extension = NodeRequestExtension(self.consumer_request, statements, self.trace_id)
        content = {
            "query": "query($citizen: ID!) { accessReport(citizen: $citizen) { accesses gaps } }",
            "variables": {"citizen": citizen},
            "extensions": {EXTENSION: extension},
        }
        request = self.sender.signed(peer, msgspec.json.encode(content))
        try:
            answer = await self.sender.post(peer, request, self.deadline)
            self.sender.require_answer(peer, request, answer)
            found = msgspec.json.decode(answer.body) if answer.status == _OK else {}
        except (TransportError, CroceviaError, ValueError):  # ValueError: not the JSON of an answer
            return None
        accesses = found.get("accesses")
        return accesses if isinstance(accesses, list) else None


def _accesses(answers: Iterable[tuple[str, list[dict[str, Any]] | None]]) -> Iterable[dict[str, Any]]:
    """Yield the entries of all nodes; each node's stand newest first."""
    for member, accesses in answers:
        for access in accesses or ():
            yield {
                "member": member,
                "leaf": access["leaf"],
                "receipt": msgspec.json.encode(access["receipt"]).decode(),
            }
