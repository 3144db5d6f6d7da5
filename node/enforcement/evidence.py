"""Commitments to the values of an answer, where the consumer asked for evidence (docs/adr/0011)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec

from federation.contract.evidence import SEED_BYTES, AnswerEvidence, Commitment, asks_for_evidence, commit
from federation.contract.graphql_request import GraphQLRequest
from federation.contract.receipts import Receipt
from node.journal.journal import Journal


@dataclass(frozen=True, slots=True)
class Committed:
    """What is recorded (`digest`) and given out of an answer's commitments; empty where nobody asked for any."""

    digest: str = ""
    commitments: tuple[Commitment, ...] = ()

    async def evidence(self, receipt: Receipt, journal: Journal) -> AnswerEvidence | None:
        """Return what the consumer needs beside the receipt, or None where it did not ask."""
        if not self.digest:
            return None
        leaf = await asyncio.to_thread(journal.reader.leaf, receipt.index)
        return AnswerEvidence(leaf.decode(), self.commitments)


def committed_to(data: dict[str, Any], operation: GraphQLRequest, random: Callable[[int], bytes]) -> Committed:
    """Commit to the values of an answer as JSON will carry them, if the consumer's signed request asks for it."""
    if not asks_for_evidence(operation.extensions):
        return Committed()
    return Committed(*commit(msgspec.json.decode(msgspec.json.encode(data)), random(SEED_BYTES)))
