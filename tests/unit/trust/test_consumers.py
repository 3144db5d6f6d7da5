"""A request with a platform's voucher is proved at gateway and node alike, and recorded with who was behind it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from msgspec.structs import replace

from federation.contract.errors import CroceviaError, ReplayError
from federation.contract.graphql_request import GraphQLRequest, Limits
from federation.contract.identifiers import MemberId
from federation.contract.members import MemberList
from federation.gateway.caller import Caller, Doorkeeper, admitted, proved
from federation.trust.counters import MemoryCounters
from federation.trust.http_messages import HttpRequest
from federation.trust.replay import MemoryReplayStore
from federation.trust.tokens import AccessTokens, dpop_proof, make_dpop
from node.enforcement.caller import Identity
from node.enforcement.caller import authenticate as at_node
from tests.support.parties import FEDERATION, GATEWAY_URL, NODE_URL, PURPOSE
from tests.support.vouchers import STRANGER, WithPlatform


def at_gateway(request: HttpRequest, members: MemberList, door: Doorkeeper) -> Caller:
    return admitted(proved(request, members, door), members, door)


@pytest.fixture
def parties() -> WithPlatform:
    return WithPlatform()


@pytest.fixture
def door(parties: WithPlatform) -> Doorkeeper:
    tokens = AccessTokens(FEDERATION, GATEWAY_URL, parties.clock)
    return Doorkeeper(tokens, MemoryReplayStore(parties.clock), MemoryCounters(), parties.clock)


@pytest.fixture
def identity(parties: WithPlatform) -> Identity:
    tokens = AccessTokens(FEDERATION, NODE_URL, parties.clock)
    replay = MemoryReplayStore(parties.clock)
    return Identity(MemberId("c_m999"), parties, tokens, replay, MemoryCounters(), parties.clock)


def test_a_voucher_stands_for_the_agreement_that_the_list_names(parties: WithPlatform, door: Doorkeeper) -> None:
    caller = at_gateway(parties.asked(parties.voucher()), parties.current(), door)
    assert (caller.consumer.id, caller.purpose, caller.agreement.id) == ("inprev", PURPOSE, "acc-1")


def test_a_signed_request_counts_once_and_a_voucher_often(parties: WithPlatform, door: Doorkeeper) -> None:
    voucher = parties.voucher()
    asked = parties.asked(voucher)
    at_gateway(asked, parties.current(), door)
    at_gateway(parties.asked(voucher), parties.current(), door)
    with pytest.raises(ReplayError):
        at_gateway(asked, parties.current(), door)


def test_a_voucher_bound_to_a_key_needs_its_proof(parties: WithPlatform, door: Doorkeeper) -> None:
    voucher = parties.voucher(cnf={"jkt": parties.consumer.kid})
    asked = parties.asked(voucher, scheme="DPoP")
    with pytest.raises(CroceviaError, match="expected a header `DPoP`"):
        at_gateway(asked, parties.current(), door)
    for key, good in ((parties.other, False), (parties.consumer, True)):
        proof = make_dpop(dpop_proof("POST", GATEWAY_URL, parties.nonce(), parties.clock, voucher), key)
        with_proof = replace(asked, headers={**asked.headers, "dpop": proof})
        if good:
            at_gateway(with_proof, parties.current(), door)
        else:
            with pytest.raises(CroceviaError, match="another key"):
                at_gateway(with_proof, parties.current(), door)


def test_the_node_proves_the_relayed_request_itself_and_keeps_the_evidence(
    parties: WithPlatform, door: Doorkeeper, identity: Identity
) -> None:
    evidence = parties.evidence()
    asked = parties.asked(parties.voucher(evidence), evidence)
    relayed = at_gateway(asked, parties.current(), door).request
    question = {"query": "{ __typename }"}
    message = parties.relayed(question, HttpRequest.of_consumer(relayed))
    caller = asyncio.run(at_node(message, GraphQLRequest.parse(message.body, Limits()), identity, Limits()))
    assert (caller.consumer.id, caller.requested.purpose, caller.end_user.user) == ("inprev", PURPOSE, "operator-12")
    assert (caller.end_user.office, caller.end_user.assurance) == ("office 3", "LoA3")
    assert caller.request_digest == relayed.digest()


def test_a_gateway_cannot_change_what_a_voucher_s_holder_signed(parties: WithPlatform, identity: Identity) -> None:
    own = replace(parties.asked(parties.voucher()), body=b'{"query":"{ citizens { id } }"}')
    message = parties.relayed({"query": "{ __typename }"}, own)
    with pytest.raises(CroceviaError) as refused:
        asyncio.run(at_node(message, GraphQLRequest.parse(message.body, Limits()), identity, Limits()))
    assert refused.value.code == "DIGEST_MISMATCH"


def _bare(asked: HttpRequest, name: str) -> HttpRequest:
    return replace(asked, headers={key: value for key, value in asked.headers.items() if key != name})


def _with_evidence(parties: WithPlatform, **changes: str) -> HttpRequest:
    evidence = parties.evidence(**changes)
    return parties.asked(parties.voucher(evidence), evidence)


REFUSED: dict[str, tuple[Callable[[WithPlatform], HttpRequest], str]] = {
    "another issuer": (lambda p: p.asked(p.voucher(iss="elsewhere")), "TOKEN_INVALID"),
    "another platform's key": (lambda p: p.asked(p.voucher(key=STRANGER)), "TOKEN_INVALID"),
    "another audience": (lambda p: p.asked(p.voucher(aud=["https://other"])), "TOKEN_INVALID"),
    "a client that nobody registered": (lambda p: p.asked(p.voucher(sub="x", client_id="x")), "TOKEN_INVALID"),
    "two clients": (lambda p: p.asked(p.voucher(sub="x")), "TOKEN_INVALID"),
    "a purpose that nobody registered": (lambda p: p.asked(p.voucher(purposeId="x")), "AGREEMENT_INACTIVE"),
    "no purpose": (lambda p: p.asked(p.voucher(purposeId="")), "TOKEN_INVALID"),
    "an expired voucher": (lambda p: p.asked(p.voucher(iat=0, nbf=0, exp=600)), "TOKEN_EXPIRED"),
    "no token": (lambda p: _bare(p.asked(p.voucher()), "authorization"), "TOKEN_INVALID"),
    "no digest": (lambda p: _bare(p.asked(p.voucher()), "digest"), "TOKEN_INVALID"),
    "another scheme": (lambda p: p.asked(p.voucher(), scheme="Basic"), "TOKEN_INVALID"),
    "a bound voucher as bearer": (lambda p: p.asked(p.voucher(cnf={"jkt": "x"})), "PROOF_MISMATCH"),
    "an unbound voucher as DPoP": (lambda p: p.asked(p.voucher(), scheme="DPoP"), "PROOF_MISMATCH"),
    "another client's signature": (lambda p: p.asked(p.voucher(), key=STRANGER), "TOKEN_INVALID"),
    "a signature for others": (lambda p: p.asked(p.voucher(), aud="https://other"), "TOKEN_INVALID"),
    "a signature by another client": (lambda p: p.asked(p.voucher(), iss="x", sub="x"), "TOKEN_INVALID"),
    "a signature without the digest": (
        lambda p: p.asked(p.voucher(), signed_headers=[{"content-type": "application/json"}]),
        "TOKEN_INVALID",
    ),
    "another body": (lambda p: replace(p.asked(p.voucher()), body=b"{}"), "DIGEST_MISMATCH"),
    "another target": (lambda p: replace(p.asked(p.voucher()), target_uri=NODE_URL), "ADDRESSEE_MISMATCH"),
    "evidence that is missing": (lambda p: p.asked(p.voucher(p.evidence())), "EVIDENCE_MISMATCH"),
    "evidence of another request": (lambda p: p.asked(p.voucher(p.evidence()), p.evidence()), "EVIDENCE_MISMATCH"),
    "evidence of another client": (lambda p: _with_evidence(p, iss="another"), "EVIDENCE_MISMATCH"),
}


@pytest.mark.parametrize(("make", "code"), REFUSED.values(), ids=REFUSED.keys())
def test_a_request_with_a_voucher_is_refused(
    parties: WithPlatform, door: Doorkeeper, make: Callable[[WithPlatform], HttpRequest], code: str
) -> None:
    with pytest.raises(CroceviaError) as refused:
        at_gateway(make(parties), parties.current(), door)
    assert refused.value.code == code
