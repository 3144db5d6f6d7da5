"""Enrolment at the exchange: a member with a node gets its own pseudonyms, and the exchange sees no code."""

from __future__ import annotations

import secrets

import msgspec
import pytest

from federation.contract.canonical import from_b64url
from federation.contract.clock import FixedClock
from federation.contract.enrolment import ENROL_PATH, MAX_ENROLLED, EnrolRequest, EnrolStep
from federation.contract.entries import EntryKind
from federation.contract.errors import CroceviaError
from federation.contract.identifiers import MemberId
from federation.exchange.enrol import Enrolment
from federation.linkage.enrolling import enrolment_key, subject_of
from federation.linkage.oprf import blind, evaluate, finalize, random_scalar
from federation.trust.counters import MemoryCounters
from federation.trust.http_messages import HttpRequest
from federation.trust.http_signatures import sign_request
from federation.trust.keys import SigningKey
from federation.trust.replay import MemoryReplayStore
from tests.support.demo import nonce
from tests.support.exchange import (
    CONSUMER,
    EXCHANGE_URL,
    NOW,
    STRANGER,
    SUITE,
    FixedMembers,
    MemoryRecorder,
    member_list,
)

CODE = b"RSSMRA80A01F257G"
KEY = enrolment_key(bytes(range(32)))


class World:
    """An exchange that enrols; `ustat` runs a node, the others do not."""

    def __init__(self) -> None:
        self.clock, self.ledger = FixedClock(NOW), MemoryRecorder()
        members = member_list()
        first, *others = members.members
        first = msgspec.structs.replace(first, endpoint="https://ustat.example/graphql")
        found = FixedMembers(msgspec.structs.replace(members, members=(first, *others)))
        counters, replay = MemoryCounters(), MemoryReplayStore(self.clock)
        self.enrolment = Enrolment(found, replay, counters, SUITE, KEY, self.ledger, self.clock, 4)

    def signed(self, request: EnrolRequest, key: SigningKey = CONSUMER) -> HttpRequest:
        """Return a request under a member's signature."""
        bare = HttpRequest("POST", EXCHANGE_URL + ENROL_PATH, {"content-type": "application/json"}, request.to_bytes())
        headers = {**bare.headers, **sign_request(bare, key, self.clock, nonce())}
        return HttpRequest(bare.method, bare.target_uri, headers, bare.body)


@pytest.fixture
def world() -> World:
    return World()


async def test_a_member_gets_its_own_pseudonyms_and_tells_no_code(world: World) -> None:
    scalar = random_scalar(secrets.token_bytes)
    asked = world.signed(EnrolRequest.of(EnrolStep.EVALUATE, (blind(CODE, scalar),)))
    assert CODE not in asked.body
    [evaluated] = (await world.enrolment.answer(asked)).values
    value = finalize(CODE, scalar, from_b64url(evaluated))
    [issued] = (await world.enrolment.answer(world.signed(EnrolRequest.of(EnrolStep.ISSUE, (value,))))).values
    assert issued == str(SUITE.pseudonym(MemberId("ustat"), subject_of(evaluate(KEY, CODE))))
    [entry] = world.ledger.entries
    assert (entry.kind, entry.consumer, entry.subjects) == (EntryKind.ENROLMENT, "ustat", 1)


REFUSED = {
    "a member without a node": (STRANGER, EnrolRequest(EnrolStep.EVALUATE, ("AAAA",)), "FORBIDDEN"),
    "a stranger": (SigningKey.generate(), EnrolRequest(EnrolStep.EVALUATE, ("AAAA",)), "SIGNATURE_INVALID"),
    "no element": (CONSUMER, EnrolRequest(EnrolStep.EVALUATE, ("AAAA",)), "BAD_USER_INPUT"),
    "no value": (CONSUMER, EnrolRequest(EnrolStep.ISSUE, ("AAAA",)), "BAD_USER_INPUT"),
    "nothing": (CONSUMER, EnrolRequest(EnrolStep.ISSUE, ()), "BAD_USER_INPUT"),
    "too many": (CONSUMER, EnrolRequest(EnrolStep.ISSUE, ("AAAA",) * (MAX_ENROLLED + 1)), "BAD_USER_INPUT"),
}


@pytest.mark.parametrize("case", REFUSED.values(), ids=REFUSED.keys())
async def test_who_may_not_or_says_nonsense_is_refused(
    world: World, case: tuple[SigningKey, EnrolRequest, str]
) -> None:
    key, request, code = case
    with pytest.raises(CroceviaError) as refused:
        await world.enrolment.answer(world.signed(request, key))
    assert refused.value.code == code
    assert world.ledger.entries == []


async def test_a_request_counts_once_and_a_day_has_an_end(world: World) -> None:
    request = EnrolRequest.of(EnrolStep.ISSUE, (bytes(32),))
    signed = world.signed(request)
    await world.enrolment.answer(signed)
    with pytest.raises(CroceviaError, match="already answered"):
        await world.enrolment.answer(signed)
    for _ in range(3):
        await world.enrolment.answer(world.signed(request))
    with pytest.raises(CroceviaError, match="4 messages of enrolment a day") as refused:
        await world.enrolment.answer(world.signed(request))
    assert refused.value.code == "QUOTA_EXCEEDED"


async def test_nothing_is_issued_that_is_not_recorded(world: World) -> None:
    world.ledger.works = False
    with pytest.raises(CroceviaError) as refused:
        await world.enrolment.answer(world.signed(EnrolRequest.of(EnrolStep.ISSUE, (bytes(32),))))
    assert refused.value.code == "LEDGER_UNAVAILABLE"
