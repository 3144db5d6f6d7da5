"""The citizen's report over all nodes: each is asked for what its ledger holds, and silence is named."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from federation.contract.errors import BadInputError, CroceviaError
from federation.contract.identifiers import MemberId
from federation.contract.messages import EXTENSION, ConsumerRequest, NodeRequestExtension, Translation
from federation.exchange.messages import MAX_CONVERSIONS, Conversion
from federation.execution.transport.errors import TransportError
from federation.gateway.pseudonyms import Exchange, parts
from federation.gateway.sending import Peer, Sender

_OK = 200


@dataclass(frozen=True, slots=True)
class NodeReporter:
    """Asks every node that may hold the citizen; `peers` are the nodes' report addresses, by member."""

    sender: Sender
    peers: Mapping[str, Peer]
    consumer_request: ConsumerRequest
    trace_id: str
    exchange: Exchange
    consumer: str
    deadline: float

    async def report(self, pseudonym: str, before: Mapping[str, int]) -> dict[str, Any]:
        """Return an `AccessReport`: the entries of all nodes, and the nodes that did not answer.

        Every node is asked, whoever the directory says holds a file: who routes must not be able to hide one. A node
        that knows nobody of that pseudonym learns an opaque text. Where `before` names positions, these members are
        asked for what is below them.

        Raises:
            ExchangeUnavailableError: the citizen cannot be named to the nodes.
            BadInputError: a position is of somebody who has no node.
        """
        members = sorted(before or self.peers)
        if not self.peers.keys() >= set(members):
            raise BadInputError("a position names a member that has no node")
        named = [
            translation
            for part in parts(members, MAX_CONVERSIONS)
            for translation in await self._named(pseudonym, part)
        ]
        answers = await asyncio.gather(
            *(self._ask(member, each, before.get(member)) for member, each in zip(members, named, strict=True))
        )
        return {
            "accesses": list(_accesses(zip(members, answers, strict=True))),
            "gaps": [member for member, answer in zip(members, answers, strict=True) if answer is None],
        }

    async def _named(self, pseudonym: str, members: Sequence[str]) -> Sequence[Translation]:
        source = MemberId(self.consumer)
        return await self.exchange.convert([Conversion(source, MemberId(each), (pseudonym,)) for each in members])

    async def _ask(self, member: str, named: Translation, before: int | None) -> tuple[_NodeAccess, ...] | None:
        """Return a node's entries, or None when it does not answer as it should."""
        peer = self.peers[member]
        (citizen,) = named.statement.pids
        if citizen is None:
            return None
        extension = NodeRequestExtension(self.consumer_request, (named,), self.trace_id)
        content = {
            "query": "query($citizen: ID!) { accessReport(citizen: $citizen) { accesses gaps } }",
            "variables": {"citizen": citizen, "before": before},
            "extensions": {EXTENSION: extension},
        }
        request = self.sender.signed(peer, msgspec.json.encode(content))
        try:
            answer = await self.sender.post(peer, request, self.deadline)
            self.sender.require_answer(peer, request, answer)
            return msgspec.json.decode(answer.body, type=_NodeReport).accesses if answer.status == _OK else None
        except (TransportError, CroceviaError, ValueError):  # ValueError: not the JSON of a report
            return None


class _NodeAccess(msgspec.Struct, frozen=True):
    """An entry as a node gives it; the portal verifies it, not we."""

    leaf: str
    receipt: msgspec.Raw
    personal: str = ""


class _NodeReport(msgspec.Struct, frozen=True):
    accesses: tuple[_NodeAccess, ...]


def _accesses(answers: Iterable[tuple[str, tuple[_NodeAccess, ...] | None]]) -> Iterable[dict[str, Any]]:
    """Yield the entries of all nodes; each node's stand newest first."""
    for member, accesses in answers:
        for access in accesses or ():
            receipt = bytes(access.receipt).decode()
            yield {"member": member, "leaf": access.leaf, "receipt": receipt, "personal": access.personal}
