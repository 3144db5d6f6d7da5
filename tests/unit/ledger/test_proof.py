"""A receipt convinces only when every part of it fits."""

from __future__ import annotations

import msgspec
import pytest

from federation.contract.errors import CroceviaError
from federation.contract.receipts import Receipt
from federation.ledger.log import Ledger
from federation.ledger.proof import verify_receipt
from federation.ledger.reader import LedgerReader
from tests.support.ledger import SIGNER, entry

CHANGES = {
    "another ledger": {"origin": "other.example/ledger"},
    "another index": {"index": 1},
    "beyond the tree": {"index": 7},
    "negative index": {"index": -1},
    "another leaf": {"leaf_hash": "A" * 43 + "="},
    "leaf that is not base64": {"leaf_hash": "?"},
    "no proof": {"inclusion": ()},
    "endless proof": {"inclusion": ("A" * 43 + "=",) * 1000},
    "no checkpoint": {"checkpoint": ""},
}


@pytest.fixture
async def receipt(ledger: Ledger) -> Receipt:
    await ledger.append(entry(0))
    await ledger.append(entry(1))
    return await ledger.append(entry(2))


async def test_a_receipt_verifies_with_its_leaf(receipt: Receipt, reader: LedgerReader) -> None:
    assert verify_receipt(receipt, SIGNER.verifier, reader.store.leaf(2)).checkpoint.size == 3
    with pytest.raises(CroceviaError, match="not the one its receipt names"):
        verify_receipt(receipt, SIGNER.verifier, reader.store.leaf(1))


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
async def test_a_changed_receipt_is_refused(receipt: Receipt, change: dict[str, object]) -> None:
    with pytest.raises(CroceviaError):
        verify_receipt(msgspec.structs.replace(receipt, **change), SIGNER.verifier)
