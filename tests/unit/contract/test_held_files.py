"""What a node says about whom it holds a file is bounded before any of it is done."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from federation.contract.errors import BadInputError
from federation.contract.held_files import BUCKETS, MAX_BODY, MAX_FILES, PublishRequest, PublishStep

FILE = {"mark": "A" * 22, "citizen": "v1.siv.c_m999.AAAA", "capacity": "resident", "since": "2026-01-01"}


def body(buckets: list[int], files: list[dict[str, str]]) -> bytes:
    return msgspec.json.encode({"step": "replace", "buckets": buckets, "files": files})


def test_the_bounds_are_those_of_the_document() -> None:
    text = (Path(__file__).parents[3] / "docs" / "limits.md").read_text(encoding="utf-8")
    for number, of_what in ((MAX_FILES, "rows"), (BUCKETS, "buckets"), (MAX_BODY, "bytes")):
        assert f"{number:,} {of_what}".replace(",", " ") in text.replace("\n", " ")


def test_a_bucket_that_is_named_many_times_is_replaced_once() -> None:
    said = body([0] * 990_000, [FILE])
    assert len(said) < MAX_BODY
    assert PublishRequest.parse(said).buckets == {0}


def test_a_request_reads_as_it_was_written() -> None:
    request = PublishRequest(PublishStep.REPLACE, frozenset({3, 1}))
    assert PublishRequest.parse(request.to_bytes()) == request


REFUSED = {
    "a bucket too many": body([*range(BUCKETS + 1)], []),
    "no bucket": body([BUCKETS], []),
    "too many files": body([0], [FILE] * (MAX_FILES + 1)),
    "a file of another bucket": body([1], [FILE]),
    "nothing": b"",
}


@pytest.mark.parametrize("said", REFUSED.values(), ids=REFUSED.keys())
def test_what_is_too_much_or_no_publication_is_refused(said: bytes) -> None:
    with pytest.raises(BadInputError):
        PublishRequest.parse(said)
