"""The gateway proves who asks before it does anything else."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import msgspec
import pytest

from federation.contract.errors import (
    CroceviaError,
    DigestError,
    ProofError,
    PurposeNotAgreedError,
    QuotaExceededError,
    SignatureError,
    TokenError,
    TokenReplayError,
)
from federation.gateway.caller import Caller, Doorkeeper, admitted, proved
from federation.trust.counters import MemoryCounters
from federation.trust.http_messages import HttpRequest
from federation.trust.rates import RateExceededError, RateSettings
from federation.trust.replay import MemoryReplayStore
from federation.trust.tokens import AccessTokens, Confirmation, dpop_proof, make_dpop
from tests.support.parties import FEDERATION, GATEWAY_URL, NODE_URL, NOW, PURPOSE, Parties

QUESTION = {"query": "{ __typename }"}


@pytest.fixture
def parties() -> Parties:
    return Parties()


@pytest.fixture
def door(parties: Parties) -> Doorkeeper:
    return Doorkeeper(
        AccessTokens(FEDERATION, GATEWAY_URL, parties.clock),
        MemoryReplayStore(parties.clock),
        MemoryCounters(),
        parties.clock,
    )


def prove(request: HttpRequest, parties: Parties, door: Doorkeeper) -> Caller:
    members = parties.current()
    return admitted(proved(request, members, door), members, door)


def test_a_proved_caller_has_one_purpose_and_one_agreement(parties: Parties, door: Doorkeeper) -> None:
    caller = prove(parties.consumers(QUESTION), parties, door)
    assert (caller.consumer.id, caller.purpose, caller.agreement.id) == ("inprev", PURPOSE, "acc-1")
    assert caller.legal_basis == ("6.1.c", "6.1.e")


def test_what_is_forwarded_to_nodes_is_what_they_verify_and_no_more(parties: Parties, door: Doorkeeper) -> None:
    caller = prove(parties.consumers(QUESTION), parties, door)
    assert set(caller.request.headers) == {
        "authorization",
        "content-digest",
        "content-type",
        "signature",
        "signature-input",
    }


def without(header: str) -> Callable[[Parties], HttpRequest]:
    def make(parties: Parties) -> HttpRequest:
        sent = parties.consumers(QUESTION)
        kept = {name: value for name, value in sent.headers.items() if name != header}
        return HttpRequest(sent.method, sent.target_uri, kept, sent.body)

    return make


def changed_body(parties: Parties) -> HttpRequest:
    sent = parties.consumers(QUESTION)
    return HttpRequest(sent.method, sent.target_uri, sent.headers, b'{"query":"{ citizens { totalCount } }"}')


def proof_for_another_target(parties: Parties) -> HttpRequest:
    sent, other = parties.consumers(QUESTION), parties.consumers(QUESTION, NODE_URL)
    return HttpRequest(sent.method, sent.target_uri, {**sent.headers, "dpop": other.headers["dpop"]}, sent.body)


def proof_of_another_key(parties: Parties) -> HttpRequest:
    token = parties.token()
    proof = make_dpop(dpop_proof("POST", GATEWAY_URL, parties.nonce(), parties.clock, token), parties.other)
    asked = parties.consumers(QUESTION, token=token)
    return msgspec.structs.replace(asked, headers={**asked.headers, "dpop": proof})


def token_of_another_key(parties: Parties) -> HttpRequest:
    return parties.consumers(QUESTION, token=parties.token(confirmation=Confirmation(parties.other.kid)))


def token_for_others(parties: Parties) -> HttpRequest:
    return parties.consumers(QUESTION, token=parties.token(audience=(NODE_URL,)))


def purpose_not_agreed(parties: Parties) -> HttpRequest:
    return parties.consumers(QUESTION, token=parties.token(purpose="statistics"))


REFUSED: dict[str, tuple[Callable[[Parties], HttpRequest], type[CroceviaError]]] = {
    "without a token": (without("authorization"), TokenError),
    "without a proof": (without("dpop"), ProofError),
    "without a signature": (without("signature"), SignatureError),
    "with another body": (changed_body, DigestError),
    "with a proof for another target": (proof_for_another_target, ProofError),
    "with a proof by another key": (proof_of_another_key, ProofError),
    "with a token of another key": (token_of_another_key, ProofError),
    "with a token for others": (token_for_others, TokenError),
    "for a purpose that was not agreed": (purpose_not_agreed, PurposeNotAgreedError),
}


@pytest.mark.parametrize(("make", "error"), REFUSED.values(), ids=REFUSED.keys())
def test_a_question_is_refused(
    make: Callable[[Parties], HttpRequest], error: type[CroceviaError], parties: Parties, door: Doorkeeper
) -> None:
    with pytest.raises(error):
        prove(make(parties), parties, door)


def test_a_question_is_answered_once(parties: Parties, door: Doorkeeper) -> None:
    sent = parties.consumers(QUESTION)
    prove(sent, parties, door)
    with pytest.raises(TokenReplayError):
        prove(sent, parties, door)


def test_a_used_up_agreement_answers_nobody_until_midnight(parties: Parties, door: Doorkeeper) -> None:
    parties.agreement = msgspec.structs.replace(parties.agreement, daily_requests=2)
    for _ in range(2):
        prove(parties.consumers(QUESTION), parties, door)
    with pytest.raises(QuotaExceededError) as refused:
        prove(parties.consumers(QUESTION), parties, door)
    assert refused.value.extensions == {"retryAfter": 13 * 3600, "scope": "agreement"}  # 11:00 in Rome
    parties.clock.instant += timedelta(hours=13)
    prove(parties.consumers(QUESTION), parties, door)


def test_a_refused_request_is_not_counted(parties: Parties, door: Doorkeeper) -> None:
    parties.agreement = msgspec.structs.replace(parties.agreement, daily_requests=1)
    with pytest.raises(DigestError):
        prove(msgspec.structs.replace(parties.consumers(QUESTION), body=b"{}"), parties, door)
    asked = parties.consumers(QUESTION)
    prove(asked, parties, door)
    with pytest.raises(TokenReplayError):
        prove(asked, parties, door)


def test_a_minutes_questions_are_counted_by_consumer_and_purpose(parties: Parties, door: Doorkeeper) -> None:
    door = replace(door, rates=RateSettings(per_minute=2))
    parties.clock.instant += timedelta(seconds=50)
    left = [prove(parties.consumers(QUESTION), parties, door).standing for _ in range(2)]
    assert [(each.limit, each.remaining, each.reset) for each in left] == [(2, 1, 10), (2, 0, 10)]
    with pytest.raises(RateExceededError) as refused:
        prove(parties.consumers(QUESTION), parties, door)
    assert refused.value.extensions == {"retryAfter": 10, "scope": "purpose"}
    assert door.counters.used("agreement:acc-1", NOW.date()) == 2  # what is refused here does not use up the day
    parties.clock.instant += timedelta(seconds=10)
    assert prove(parties.consumers(QUESTION), parties, door).standing.remaining == 1
