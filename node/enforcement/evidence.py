"""Commitments to the values of an answer, where the consumer asked for evidence (docs/adr/0011)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import msgspec

from federation.contract.coverage import AskedField
from federation.contract.evidence import SEED_BYTES, AnswerEvidence, Commitment, asks_for_evidence, commit
from federation.contract.receipts import Receipt
from node.enforcement.caller import Caller
from node.enforcement.scope import asked_citizens
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


def committed_to(
    data: dict[str, Any], wanted: Iterable[AskedField], caller: Caller, random: Callable[[int], bytes]
) -> Committed:
    """Commit to the values of an answer as JSON will carry them, if the consumer's signed request asks for it."""
    if not asks_for_evidence(caller.operation.extensions):
        return Committed()
    carried = msgspec.json.decode(msgspec.json.encode(data))
    found = [(place, name) for place, name in asked_citizens(wanted) if _object_at(carried, *place) is not None]
    return Committed(*commit(carried, random(SEED_BYTES), caller.request_digest, found))


def _object_at(data: dict[str, Any], key: str | int, position: str | int) -> Any:
    objects = data.get(str(key)) or []
    return objects[int(position)] if int(position) < len(objects) else None
