"""The gateway takes in what nodes say of whom they hold files on: from whom, and how much of it in a day."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from federation.contract.clock import FixedClock
from federation.contract.errors import CroceviaError
from federation.contract.held_files import BUCKETS, PublishRequest, PublishStep, publish_address
from federation.contract.messages import ConsumerRequest, Translation
from federation.directory.directory import Directory
from federation.exchange.messages import Conversion
from federation.gateway.publishing import Publishing
from federation.shared.place import SharedPlace
from federation.trust.counters import MemoryCounters
from federation.trust.http_messages import HttpRequest
from federation.trust.http_signatures import sign_request
from federation.trust.keys import SigningKey
from federation.trust.replay import MemoryReplayStore
from tests.support.demo import nonce
from tests.support.exchange import CONSUMER, NOW, STRANGER, FixedMembers, member_list

COMPARE = PublishRequest(PublishStep.COMPARE).to_bytes()


async def unasked(_: ConsumerRequest, __: Sequence[Conversion]) -> Sequence[Translation]:
    raise AssertionError("the exchange is asked about citizens only, and these requests name none")


class World:
    """A gateway that is told three times a day; `ustat` runs a node, the others do not."""

    def __init__(self, directory: Directory) -> None:
        members = member_list()
        first, *others = members.members
        first = msgspec.structs.replace(first, endpoint="https://ustat.example/graphql")
        self.members = msgspec.structs.replace(members, members=(first, *others))
        self.directory, self.counters = directory, MemoryCounters()
        self.now = NOW

    async def said(self, body: bytes, key: SigningKey = CONSUMER) -> int:
        """Say something as a member, and return how many digests come back."""
        clock = FixedClock(self.now)
        bare = HttpRequest("POST", publish_address(self.members), {"content-type": "application/json"}, body)
        signed = {**bare.headers, **sign_request(bare, key, clock, nonce())}
        publishing = Publishing(
            members=FixedMembers(self.members),
            replay=MemoryReplayStore(clock),
            counters=self.counters,
            directory=self.directory,
            convert=unasked,
            clock=clock,
            messages_a_day=3,
        )
        answer = await publishing.answer(HttpRequest(bare.method, bare.target_uri, signed, body))
        return len(answer.digests)


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[Directory]:
    with closing(Directory.open(SharedPlace(tmp_path))) as opened:
        yield opened


async def test_a_member_that_never_ends_is_stopped_until_the_next_day(directory: Directory) -> None:
    world = World(directory)
    assert await world.said(COMPARE) == BUCKETS
    assert await world.said(PublishRequest(PublishStep.REPLACE, frozenset({1})).to_bytes()) == 0
    with pytest.raises(CroceviaError, match="cannot be read"):
        await world.said(b"nonsense is counted too")
    with pytest.raises(CroceviaError, match="3 messages of publication a day of `ustat`") as refused:
        await world.said(COMPARE)
    assert refused.value.code == "QUOTA_EXCEEDED"
    world.now += timedelta(days=1)
    assert await world.said(COMPARE) == BUCKETS


async def test_who_runs_no_node_uses_nothing_up(directory: Directory) -> None:
    world = World(directory)
    for _ in range(4):
        with pytest.raises(CroceviaError) as refused:
            await world.said(COMPARE, STRANGER)
        assert refused.value.code == "FORBIDDEN"
