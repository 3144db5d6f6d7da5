"""What a node says to the gateway about whom it holds a file on, so that questions about them are sent to it.

Rows lie in buckets by their marks. `compare` gets a digest of each bucket; where it differs from the node's own, the
node sends all its rows of that bucket, which `replace` what stood there. Said twice it changes nothing; interrupted,
the next comparison goes on; rows of one citizen are always in one bucket, so the last that was said of them holds.

A row names its citizen by the node's own pseudonym, which the exchange translates for the directory on the node's own
signed request. The mark is the node's secret name of the citizen: the directory keeps it, to compare and nothing else.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date
from enum import StrEnum
from hashlib import sha256
from typing import Annotated, Final

import msgspec

from federation.contract.canonical import b64url, from_b64url
from federation.contract.errors import BadInputError
from federation.contract.members import MemberList

PUBLISH_PATH: Final = "/directory"
"""At the gateway, beside `/graphql`."""
BUCKETS: Final = 4_096
MAX_FILES: Final = 8_000
"""Rows in one message: a bucket of them when a node holds thirty million."""
MAX_BODY: Final = 2_000_000
"""Bytes of a message; answers to a comparison have about 70 000."""
MARK_BYTES: Final = 16
DIGEST_BYTES: Final = 12
DIGESTS: Final = 1 << (8 * DIGEST_BYTES)
"""How many there are: sums are taken modulo this."""


class PublishStep(StrEnum):
    """What is asked for."""

    COMPARE = "compare"
    REPLACE = "replace"


class PublishedFile(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True, omit_defaults=True):
    """A node's file on a citizen; see `federation.directory.rows.HeldFile`."""

    mark: str
    citizen: str
    capacity: str
    since: date
    until: date | None = None

    def mark_bytes(self) -> bytes:
        """Return the mark.

        Raises:
            BadInputError: it is none.
        """
        mark = from_b64url(self.mark)
        if len(mark) != MARK_BYTES:
            raise BadInputError(f"expected a mark of {MARK_BYTES} bytes")
        return mark


class PublishRequest(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True, omit_defaults=True):
    """With `REPLACE`: the buckets that are replaced, and everything that stands in them from now on."""

    step: PublishStep
    buckets: Annotated[frozenset[int], msgspec.Meta(max_length=BUCKETS)] = frozenset()
    files: Annotated[tuple[PublishedFile, ...], msgspec.Meta(max_length=MAX_FILES)] = ()

    @classmethod
    def parse(cls, body: bytes) -> PublishRequest:
        """Read a request.

        Raises:
            BadInputError: not one, too large, or a row that stands in no bucket that is replaced.
        """
        try:
            request = msgspec.json.decode(body, type=cls)
        except (ValueError, RecursionError) as error:
            raise BadInputError(f"publication cannot be read: {error}") from error
        if not all(0 <= bucket < BUCKETS for bucket in request.buckets):
            raise BadInputError(f"expected buckets from 0 to {BUCKETS - 1}")
        if not {bucket_of(each.mark_bytes()) for each in request.files} <= request.buckets:
            raise BadInputError("a file stands in a bucket that is not replaced")
        return request

    def to_bytes(self) -> bytes:
        """Return the request as JSON."""
        return msgspec.json.encode(self)


class PublishAnswer(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """`COMPARE`: a digest for each of the `BUCKETS`, see `BucketDigests`. `REPLACE`: none."""

    digests: tuple[str, ...] = ()

    @classmethod
    def parse(cls, body: bytes) -> PublishAnswer:
        """Read an answer.

        Raises:
            BadInputError: not one.
        """
        try:
            return msgspec.json.decode(body, type=cls)
        except (ValueError, RecursionError) as error:
            raise BadInputError(f"answer to a publication cannot be read: {error}") from error

    def to_bytes(self) -> bytes:
        """Return the answer as JSON."""
        return msgspec.json.encode(self)


def publish_address(members: MemberList) -> str:
    """Return where nodes publish: the target of their signed requests."""
    return members.gateway.endpoint.removesuffix("/graphql") + PUBLISH_PATH


def bucket_of(mark: bytes) -> int:
    """Return the bucket of a mark; rows that came without one stand in the first."""
    return int.from_bytes(mark[:2]) % BUCKETS


class BucketDigests:
    """A digest of the rows in each bucket, in whatever order they come; both sides of a comparison compute it.

    `sums` are numbers below `DIGESTS` by bucket. That of a bucket without rows is 0 or missing.
    """

    def __init__(self, sums: Mapping[int, int] | None = None) -> None:
        """Begin with these, or with empty buckets."""
        self.sums = defaultdict(int, sums or {})

    def add(self, mark: bytes, capacity: str, since: date, until: date | None) -> None:
        """Add a row, once."""
        self._change(mark, _number_of(mark, capacity, since, until))

    def remove(self, mark: bytes, capacity: str, since: date, until: date | None) -> None:
        """Take out a row that was added, here or before."""
        self._change(mark, -_number_of(mark, capacity, since, until))

    def texts(self) -> tuple[str, ...]:
        """Return the digests, empty ones for empty buckets."""
        found = (self.sums.get(bucket, 0) for bucket in range(BUCKETS))
        return tuple(b64url(each.to_bytes(DIGEST_BYTES)) if each else "" for each in found)

    def _change(self, mark: bytes, by: int) -> None:
        bucket = bucket_of(mark)
        self.sums[bucket] = (self.sums[bucket] + by) % DIGESTS


def _number_of(mark: bytes, capacity: str, since: date, until: date | None) -> int:
    """Return the hash of a row, of which digests are sums.

    Sums need no rows kept; they guard against what was lost, not against whoever keeps the rows.
    """
    end = "" if until is None else until.isoformat()
    line = f"{mark.hex()} {capacity} {since.isoformat()} {end}"
    return int.from_bytes(sha256(line.encode()).digest()[:DIGEST_BYTES])


def differing(ours: Iterable[str], theirs: Iterable[str]) -> list[int]:
    """Return the buckets whose digests differ, the first bucket last.

    What was loaded when the directory was founded has no mark and stands in the first: it leaves once the rest is said.
    """
    found = [number for number, (a, b) in enumerate(zip(ours, theirs, strict=True)) if a != b]
    return found[::-1]
