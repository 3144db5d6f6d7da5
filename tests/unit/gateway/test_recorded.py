"""An answer with data that names no record of this request is discarded whole."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from federation.contract.errors import NodeMisbehavedError
from federation.gateway.recorded import require_recorded

RECEIPT = {"origin": "o", "index": 0, "leafHash": "", "checkpoint": "", "inclusion": []}
SAID = {
    "member": "aslvs",
    "requestDigest": "sha256:1",
    "purpose": "p",
    "agreement": "a",
    "policy": {"digest": "sha256:2", "revision": 1},
    "decisions": [],
    "receipt": RECEIPT,
}


def answer(**changes: Any) -> bytes:
    return msgspec.json.encode({"data": {"a": 1}, "extensions": {"crocevia": SAID | changes}})


def test_a_recorded_answer_passes() -> None:
    require_recorded(answer(), "aslvs", "sha256:1")
    require_recorded(b'{"data":null,"errors":[]}', "aslvs", "sha256:1")
    require_recorded(b"<html>", "aslvs", "sha256:1")


@pytest.mark.parametrize(
    "body",
    [
        b'{"data":{"a":1}}',
        b'{"data":{"a":1},"extensions":{"crocevia":null}}',
        b'{"data":{"a":1},"extensions":{"crocevia":{}}}',
        b'{"data":{"a":1},"extensions":7}',
        answer(member="inprev"),
        answer(requestDigest="sha256:9"),
        answer(receipt=None),
        answer(more=1),
    ],
)
def test_an_answer_without_a_record_of_this_request_is_discarded(body: bytes) -> None:
    with pytest.raises(NodeMisbehavedError, match="`aslvs`"):
        require_recorded(body, "aslvs", "sha256:1")
