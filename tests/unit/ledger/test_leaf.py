"""A leaf that cannot be read is refused, whatever is wrong with it."""

from __future__ import annotations

import pytest

from federation.contract.entries import Entry
from federation.contract.errors import LedgerCorruptError
from federation.ledger.leaf import Leaf

UNREADABLE = {
    "no JSON": b"leaf",
    "no UTF-8": b'{"entry":{},"nonce":"\xff","subjects":[]}',
    "nested without end": b'{"entry":' + b'{"a":' * 50_000 + b"}" * 50_000 + b',"nonce":"","subjects":[]}',
    "not canonical": b'{"nonce":"","entry":{},"subjects":[]}',
}


@pytest.mark.parametrize("content", UNREADABLE.values(), ids=UNREADABLE.keys())
def test_an_unreadable_leaf_is_refused(content: bytes) -> None:
    with pytest.raises(LedgerCorruptError):
        Leaf.parse(content)
    with pytest.raises(LedgerCorruptError):
        Entry.parse(content)
