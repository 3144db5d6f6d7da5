"""A ledger publishes what others need to check it, and entries to auditors only."""

from __future__ import annotations

import asyncio
from base64 import b64decode

import msgspec
import pytest

from federation.contract.errors import BadInputError, NotFoundError
from federation.ledger.checkpoint import open_checkpoint
from federation.ledger.log import Ledger
from federation.ledger.publication import Audience, publish
from federation.ledger.reader import LedgerReader
from federation.ledger.tree import leaf_hash, proves_consistency, proves_inclusion
from tests.support.ledger import SIGNER, entry


@pytest.fixture
async def full(ledger: Ledger, reader: LedgerReader) -> LedgerReader:
    await asyncio.gather(*(ledger.append(entry(number)) for number in range(300)))
    return reader


async def test_head_tiles_and_proofs_are_published(full: LedgerReader) -> None:
    head = open_checkpoint(publish(full, "checkpoint", {}, Audience.PUBLIC).body.decode(), SIGNER.verifier).checkpoint
    tile = publish(full, "tile/0/000", {}, Audience.PUBLIC)
    assert (len(tile.body), tile.immutable) == (8192, True)
    proof = msgspec.json.decode(publish(full, "proof/inclusion", {"index": "7"}, Audience.PUBLIC).body)
    path = [b64decode(part) for part in proof["path"]]
    assert proves_inclusion(tile.body[7 * 32 : 8 * 32], 7, head.size, path, head.root)
    answer = publish(full, "proof/consistency", {"first": "100", "second": "300"}, Audience.PUBLIC)
    link = [b64decode(part) for part in msgspec.json.decode(answer.body)["path"]]
    assert proves_consistency(100, full.root_at(100), head.size, head.root, link)


async def test_entries_are_for_auditors(full: LedgerReader) -> None:
    with pytest.raises(NotFoundError):
        publish(full, "tile/entries/000", {}, Audience.PUBLIC)
    bundle = publish(full, "tile/entries/000", {}, Audience.AUDITOR).body
    length = int.from_bytes(bundle[:2], "big")
    assert leaf_hash(bundle[2 : 2 + length]) == publish(full, "tile/0/000", {}, Audience.PUBLIC).body[:32]


@pytest.mark.parametrize("path", ["", "checkpoint/", "tile/0/999", "tile/9/000", "proof", "proof/x", "../ledger.db"])
async def test_nothing_else_is_there(path: str, full: LedgerReader) -> None:
    with pytest.raises(NotFoundError):
        publish(full, path, {}, Audience.PUBLIC)


@pytest.mark.parametrize("query", [{}, {"index": ""}, {"index": "-1"}, {"index": "1e3"}, {"index": "007"}])
async def test_a_query_without_its_number_is_refused(query: dict[str, str], full: LedgerReader) -> None:
    with pytest.raises(BadInputError):
        publish(full, "proof/inclusion", query, Audience.PUBLIC)


@pytest.mark.parametrize("query", [{"first": "3", "second": "2"}, {"first": "1", "second": "301"}])
async def test_a_proof_that_cannot_be_is_not_found(query: dict[str, str], full: LedgerReader) -> None:
    with pytest.raises(NotFoundError):
        publish(full, "proof/consistency", query, Audience.PUBLIC)
