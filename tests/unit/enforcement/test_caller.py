"""A node believes what the consumer signed, and nothing else."""

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import TypeVar

import msgspec
import pytest
from typing_extensions import override

from federation.contract.errors import (
    AddresseeError,
    AgreementError,
    CroceviaError,
    DigestError,
    ProofError,
    PurposeNotAgreedError,
    RegistryStaleError,
    ReplayError,
    SignatureError,
    StaleSignatureError,
    TokenError,
    TokenExpiredError,
    UnavailableError,
    UnknownMemberError,
)
from federation.contract.graphql_request import GraphQLRequest, Limits
from federation.contract.identifiers import DIRECTORY, MemberId
from federation.contract.members import AgreementState
from federation.contract.messages import TranslationStatement
from federation.shared.place import SharedPlace
from federation.trust.counters import MemoryCounters
from federation.trust.http_messages import HttpRequest
from federation.trust.replay import MemoryReplayStore, SharedReplayStore
from federation.trust.tokens import AccessTokens, Confirmation
from federation.trust.translations import sign_translation
from node.enforcement.caller import Caller, Identity, authenticate
from tests.support.parties import FEDERATION, GATEWAY_URL, NODE_URL, PURPOSE, Parties

_Result = TypeVar("_Result")
QUESTION = {"query": "query($by: CitizenKey!) { citizen(by: $by) { givenName } }", "variables": {"by": {"id": "x"}}}
SUB_QUESTION = {"query": "query($r: [_Any!]!) { _entities(representations: $r) { __typename } }", "variables": {}}


class CountingStore(MemoryReplayStore):
    """A memory that notes how often it is committed."""

    commits = 0

    @override
    def together(self, work: Callable[[], _Result]) -> _Result:
        self.commits += 1
        return super().together(work)


@pytest.fixture
def parties() -> Parties:
    return Parties()


@pytest.fixture
def identity(parties: Parties) -> Identity:
    tokens = AccessTokens(FEDERATION, NODE_URL, parties.clock)
    return Identity(
        MemberId("c_m999"), parties, tokens, MemoryReplayStore(parties.clock), MemoryCounters(), parties.clock
    )


def prove(request: HttpRequest, identity: Identity) -> Caller:
    return asyncio.run(authenticate(request, GraphQLRequest.parse(request.body, Limits()), identity, Limits()))


def test_a_direct_question_is_the_consumers_own(parties: Parties, identity: Identity) -> None:
    caller = prove(parties.consumers(QUESTION, NODE_URL), identity)
    assert (caller.consumer.id, caller.requested.purpose, caller.legal_basis) == ("inprev", PURPOSE, ("6.1.c", "6.1.e"))
    assert caller.requested.requester.kind == "national"
    assert caller.relayed is None
    assert caller.operation.query == QUESTION["query"]


def test_a_relayed_question_carries_the_consumers_own_operation(parties: Parties, identity: Identity) -> None:
    caller = prove(parties.relayed(SUB_QUESTION, parties.consumers(QUESTION)), identity)
    assert caller.operation.query == QUESTION["query"]
    assert caller.relayed is not None


def test_one_question_may_need_several_fetches_from_one_node(parties: Parties, identity: Identity) -> None:
    own = parties.consumers(QUESTION)
    first, second = (prove(parties.relayed(SUB_QUESTION, own), identity) for _ in range(2))
    assert first.request_digest == second.request_digest


def test_r9_attributes_come_from_the_member_list_and_nowhere_else(parties: Parties, identity: Identity) -> None:
    asked = {**QUESTION, "variables": {"by": {"id": "x"}, "kind": "health", "requester": {"kind": "health"}}}
    assert prove(parties.consumers(asked, NODE_URL), identity).requested.requester.kind == "national"


def forged_gateway(parties: Parties) -> HttpRequest:
    return parties.relayed(SUB_QUESTION, parties.consumers(QUESTION), key=parties.other)


def forged_consumer(parties: Parties) -> HttpRequest:
    return parties.relayed(SUB_QUESTION, parties.consumers(QUESTION, key=parties.other))


def another_question(parties: Parties) -> HttpRequest:
    own = parties.consumers(QUESTION)
    changed = HttpRequest(own.method, own.target_uri, own.headers, own.body.replace(b"givenName", b"taxCode  "))
    return parties.relayed(SUB_QUESTION, changed)


def changed_after_signing(parties: Parties) -> HttpRequest:
    sent = parties.relayed(SUB_QUESTION, parties.consumers(QUESTION))
    return HttpRequest(sent.method, sent.target_uri, sent.headers, sent.body + b" ")


def meant_for_somebody_else(parties: Parties) -> HttpRequest:
    return parties.relayed(SUB_QUESTION, parties.consumers(QUESTION, "https://other-gateway.example/graphql"))


def another_node(parties: Parties) -> HttpRequest:
    return parties.consumers(QUESTION, NODE_URL, parties.token(audience=(GATEWAY_URL,)))


def another_members_token(parties: Parties) -> HttpRequest:
    return parties.consumers(QUESTION, NODE_URL, parties.token(subject="aslvs", client_id="aslvs"))


def nobodys_token(parties: Parties) -> HttpRequest:
    return parties.consumers(QUESTION, NODE_URL, parties.token(subject="nobody", client_id="nobody"))


def expired_token(parties: Parties) -> HttpRequest:
    now = int(parties.clock.now().timestamp())
    return parties.consumers(QUESTION, NODE_URL, parties.token(iat=now - 400, exp=now - 100))


def no_token(parties: Parties) -> HttpRequest:
    sent = parties.consumers(QUESTION, NODE_URL)
    return HttpRequest(sent.method, sent.target_uri, {**sent.headers, "authorization": "Bearer x"}, sent.body)


def other_purpose(parties: Parties) -> HttpRequest:
    return parties.consumers(QUESTION, NODE_URL, parties.token(purpose="statistics"))


def other_agreement(parties: Parties) -> HttpRequest:
    return parties.consumers(QUESTION, NODE_URL, parties.token(agreement="acc-2"))


REFUSED: dict[str, tuple[Callable[[Parties], HttpRequest], type[CroceviaError]]] = {
    "a gateway that is not the gateway": (forged_gateway, SignatureError),
    "a consumer that is not the consumer": (forged_consumer, ProofError),
    "another question than the consumer signed": (another_question, DigestError),
    "a body changed on the way": (changed_after_signing, DigestError),
    "a question to another gateway": (meant_for_somebody_else, AddresseeError),
    "a token for other nodes": (another_node, TokenError),
    "another member's token": (another_members_token, SignatureError),
    "a token of nobody": (nobodys_token, UnknownMemberError),
    "an expired token": (expired_token, TokenExpiredError),
    "no token": (no_token, TokenError),
    "a purpose that was not agreed": (other_purpose, PurposeNotAgreedError),
    "an agreement that does not exist": (other_agreement, AgreementError),
}


@pytest.mark.parametrize(("make", "error"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_not_proved_is_refused_by_its_own_code(
    make: Callable[[Parties], HttpRequest], error: type[CroceviaError], parties: Parties, identity: Identity
) -> None:
    with pytest.raises(error):
        prove(make(parties), identity)


def test_a_gateways_request_is_answered_once(parties: Parties, identity: Identity) -> None:
    sent = parties.relayed(SUB_QUESTION, parties.consumers(QUESTION))
    prove(sent, identity)
    with pytest.raises(ReplayError):
        prove(sent, identity)


def test_a_forged_request_does_not_burn_the_nonce_of_the_true_one(parties: Parties, identity: Identity) -> None:
    sent = parties.consumers(QUESTION, NODE_URL)
    forged = HttpRequest(sent.method, sent.target_uri, sent.headers, sent.body + b" ")
    with pytest.raises(DigestError):
        prove(forged, identity)
    assert prove(sent, identity).consumer.id == "inprev"


def test_questions_of_one_moment_are_one_commit_and_each_is_answered_once(parties: Parties, identity: Identity) -> None:
    replay = CountingStore(parties.clock)
    counting = replace(identity, replay=replay)
    questions = [parties.relayed(SUB_QUESTION, parties.consumers(QUESTION)) for _ in range(8)]

    async def at_once() -> list[Caller | BaseException]:
        asked = [GraphQLRequest.parse(each.body, Limits()) for each in (*questions, questions[0])]
        coming = zip((*questions, questions[0]), asked, strict=True)
        return await asyncio.gather(
            *(authenticate(each, said, counting, Limits()) for each, said in coming), return_exceptions=True
        )

    *answered, again = asyncio.run(at_once())
    assert all(isinstance(each, Caller) for each in answered)
    assert isinstance(again, ReplayError)
    assert replay.commits == 1


def test_who_is_let_in_was_seen_by_every_process_before(parties: Parties, identity: Identity, tmp_path: Path) -> None:
    question = parties.consumers(QUESTION, NODE_URL)
    with (
        closing(SharedReplayStore.open(SharedPlace(tmp_path), parties.clock)) as here,
        closing(SharedReplayStore.open(SharedPlace(tmp_path), parties.clock)) as there,
    ):
        prove(question, replace(identity, replay=here))
        with pytest.raises(ReplayError):
            prove(question, replace(identity, replay=there))


def test_a_question_is_let_in_only_if_that_it_was_used_is_committed(
    parties: Parties, identity: Identity, tmp_path: Path
) -> None:
    question = parties.consumers(QUESTION, NODE_URL)
    with (
        closing(SharedReplayStore.open(SharedPlace(tmp_path), parties.clock)) as replay,
        closing(sqlite3.connect(tmp_path / "replay.db", isolation_level=None)) as other,
    ):
        replay._shared._connection.execute("PRAGMA busy_timeout=1")  # type: ignore[attr-defined]  # two seconds otherwise
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(UnavailableError):
            prove(question, replace(identity, replay=replay))
        other.execute("ROLLBACK")
        prove(question, replace(identity, replay=replay))


def test_an_old_request_is_refused(parties: Parties, identity: Identity) -> None:
    sent = parties.consumers(QUESTION, NODE_URL)
    parties.clock.instant += timedelta(minutes=3)
    with pytest.raises(StaleSignatureError):
        prove(sent, identity)


def test_a_token_bound_to_another_key_is_of_no_use(parties: Parties, identity: Identity) -> None:
    token = parties.token(confirmation=Confirmation(parties.other.kid))
    with pytest.raises(ProofError):
        prove(parties.consumers(QUESTION, NODE_URL, token), identity)


@pytest.mark.parametrize(
    "changes",
    [
        {"state": AgreementState.SUSPENDED},
        {"valid_until": date(2026, 11, 21)},
        {"providers": ()},
    ],
    ids=["suspended", "over", "without this node"],
)
def test_no_data_without_an_agreement(changes: dict[str, object], parties: Parties, identity: Identity) -> None:
    parties.agreement = msgspec.structs.replace(parties.agreement, **changes)
    with pytest.raises(AgreementError):
        prove(parties.consumers(QUESTION, NODE_URL), identity)


def test_a_translation_must_be_signed_by_the_exchange(parties: Parties, identity: Identity) -> None:
    own = parties.consumers(QUESTION)
    now = int(parties.clock.now().timestamp())
    statement = TranslationStatement(DIRECTORY, MemberId("c_m999"), PURPOSE, "sha256:0", ("p",), now)
    caller = prove(parties.relayed(SUB_QUESTION, own, (sign_translation(statement, parties.exchange),)), identity)
    assert caller.translations == (statement,)
    with pytest.raises(SignatureError, match="exchange"):
        prove(parties.relayed(SUB_QUESTION, own, (sign_translation(statement, parties.gateway),)), identity)


def test_without_a_valid_member_list_nobody_is_answered(parties: Parties, identity: Identity) -> None:
    class Stale:
        def current(self) -> object:
            raise RegistryStaleError("the member list expired")

    stale = Identity(identity.member, Stale(), identity.tokens, identity.replay, identity.counters, identity.clock)  # type: ignore[arg-type]  # raises
    with pytest.raises(RegistryStaleError):
        prove(parties.consumers(QUESTION, NODE_URL), stale)
