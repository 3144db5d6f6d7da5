"""Telling the federation's directory on whom this member holds a file (`federation.contract.held_files`).

1. compare: digests of what the directory has, with those of the register as it is now
2. for the buckets that differ, some at a time: read the register again, and send what stands in them
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from federation.contract.canonical import b64url
from federation.contract.errors import BadInputError, UnavailableError
from federation.contract.held_files import (
    BUCKETS,
    MARK_BYTES,
    BucketDigests,
    PublishAnswer,
    PublishedFile,
    PublishRequest,
    PublishStep,
    bucket_of,
    differing,
    publish_address,
)
from federation.contract.members import MemberList
from node.data.held_files import Held
from node.membership.asking import Asking

Files = Callable[[], AsyncIterator[Sequence[Held]]]
"""Reads all files of the register, in pages."""

_CALLED: Final = "the gateway"
_ONE_MESSAGE: Final = 1_000
"""Rows, unless one bucket has more."""
_BUCKETS_AT_ONCE: Final = 512
"""Buckets of which the rows are held in memory: an eighth of the register."""


@dataclass(frozen=True, slots=True)
class Published:
    """How many files the register has, and how many rows were sent since the directory had others."""

    files: int
    sent: int


@dataclass(frozen=True, slots=True)
class Publisher:
    """`secret` makes the marks: the member's names of citizens that nobody else can make."""

    members: MemberList
    asking: Asking
    secret: bytes = field(repr=False)
    capacity: str

    async def publish(self, files: Files) -> Published:
        """Let the directory have what the register has; what it has already is not sent.

        Raises:
            UnavailableError: the gateway or the exchange does not answer; what was sent before stands.
            AuthorisationError: the member is not on the list, or not with a node.
            QuotaExceededError: the member's messages of today are used up; what was sent before stands.
            DatabaseUnavailableError: the register does not answer.
        """
        theirs = (await self._say(PublishRequest(PublishStep.COMPARE))).digests  # (1)
        if len(theirs) != BUCKETS:
            raise UnavailableError(f"{_CALLED} gave an answer that does not fit the question")
        ours, count = BucketDigests(), 0
        async for page in files():
            count += len(page)
            for each in page:
                ours.add(self._mark(each), self.capacity, each.since, each.until)
        wanted, sent = differing(ours.texts(), theirs), 0
        for start in range(0, len(wanted), _BUCKETS_AT_ONCE):  # (2)
            rows = await self._rows(wanted[start : start + _BUCKETS_AT_ONCE], files)
            for request in _messages(rows):
                await self._say(request)
                sent += len(request.files)
        return Published(count, sent)

    async def _rows(self, buckets: Sequence[int], files: Files) -> dict[int, list[PublishedFile]]:
        found: dict[int, list[PublishedFile]] = {bucket: [] for bucket in buckets}
        async for page in files():
            for each in page:
                mark = self._mark(each)
                if (rows := found.get(bucket_of(mark))) is not None:
                    rows.append(PublishedFile(b64url(mark), each.citizen, self.capacity, each.since, each.until))
        return found

    def _mark(self, file: Held) -> bytes:
        return hashlib.blake2b(file.citizen.encode(), digest_size=MARK_BYTES, key=self.secret).digest()

    async def _say(self, request: PublishRequest) -> PublishAnswer:
        gateway, address = self.members.gateway, publish_address(self.members)
        found = await self.asking.ask(gateway, _CALLED, UnavailableError, address, request.to_bytes())
        try:
            return PublishAnswer.parse(found)
        except BadInputError as error:
            raise UnavailableError(f"{_CALLED} gave an answer that cannot be used") from error


def _messages(rows: dict[int, list[PublishedFile]]) -> list[PublishRequest]:
    """Return the requests that replace these buckets, in their order, several small ones at once."""
    made: list[PublishRequest] = []
    buckets: list[int] = []
    files: list[PublishedFile] = []
    for bucket, found in rows.items():
        if buckets and len(files) + len(found) > _ONE_MESSAGE:
            made.append(PublishRequest(PublishStep.REPLACE, frozenset(buckets), tuple(files)))
            buckets, files = [], []
        buckets.append(bucket)
        files += found
    if buckets:
        made.append(PublishRequest(PublishStep.REPLACE, frozenset(buckets), tuple(files)))
    return made
