"""The exchange translates what a consumer's own request makes necessary, and nothing else."""

from __future__ import annotations

from base64 import b64encode
from datetime import timedelta

import msgspec
import pytest

from federation.contract.canonical import b64url
from federation.contract.entries import EntryKind
from federation.contract.errors import CroceviaError, LedgerUnavailableError
from federation.contract.evidence import citizen_handle
from federation.contract.held_files import PublishedFile, PublishRequest, PublishStep
from federation.contract.identifiers import DIRECTORY, MemberId
from federation.contract.members import AgreementState
from federation.contract.messages import ConsumerRequest, named_digest
from federation.exchange.messages import MAX_CONVERSIONS, MAX_PIDS, Conversion, ConvertAnswer, ConvertRequest
from federation.trust.http_messages import HttpRequest
from federation.trust.http_signatures import sign_request
from federation.trust.keys import SigningKey, VerifyKey
from federation.trust.translations import verify_translation
from tests.support.demo import nonce
from tests.support.exchange import CONSUMER, EXCHANGE_KEY, NOW, STRANGER, SUITE, World, member_list

INPREV, ASLVS, USTAT = MemberId("inprev"), MemberId("aslvs"), MemberId("ustat")
SUBJECTS = [number.to_bytes(16) for number in range(5)]


def pids(member: MemberId) -> tuple[str, ...]:
    return tuple(str(SUITE.pseudonym(member, subject)) for subject in SUBJECTS)


def exchange_keys(kid: str) -> VerifyKey | None:
    return EXCHANGE_KEY.public() if kid == EXCHANGE_KEY.kid else None


@pytest.fixture
def world() -> World:
    return World()


async def test_pseudonyms_are_translated_in_order_and_signed(world: World) -> None:
    request = world.consumer_request()
    to_inprev, to_consumer = Conversion(DIRECTORY, INPREV, pids(DIRECTORY)), Conversion(INPREV, USTAT, pids(INPREV))
    answer = await world.exchange().answer(world.asked(to_inprev, to_consumer, request=request))
    for translation, member in zip(answer.translations, (INPREV, USTAT), strict=True):
        statement = verify_translation(translation, exchange_keys, world.clock)
        assert statement.pids == pids(member)
        assert (statement.to, statement.purpose) == (member, "benefit-assessment")
        assert statement.request_digest == request.digest()
    assert ConvertAnswer.parse(answer.to_bytes()) == answer


async def test_handles_are_told_in_the_place_of_pseudonyms(world: World) -> None:
    request = world.consumer_request()
    asked = world.asked(Conversion(INPREV, ASLVS, pids(INPREV), handles=True), request=request)
    (translation,) = (await world.exchange().answer(asked)).translations
    statement = verify_translation(translation, exchange_keys, world.clock)
    known, told = ([citizen_handle(pid, request.digest()) for pid in pids(member)] for member in (INPREV, ASLVS))
    assert (statement.handles, statement.named, list(statement.pids)) == (True, named_digest(known), told)


async def test_what_is_not_a_pseudonym_of_the_source_is_null(world: World) -> None:
    good = pids(INPREV)[0]
    strange = (good, "", "v1.siv.inprev.AAAA", pids(ASLVS)[0], good + "A", "v1.rbp.inprev." + good.rsplit(".")[-1])
    answer = await world.exchange().answer(world.asked(Conversion(INPREV, ASLVS, strange)))
    assert answer.translations[0].statement.pids == (pids(ASLVS)[0], None, None, None, None, None)


async def test_counts_are_recorded_and_no_pseudonym_is(world: World) -> None:
    await world.exchange().answer(world.asked(Conversion(INPREV, ASLVS, (*pids(INPREV), "x"))))
    (entry,) = world.ledger.entries
    assert (entry.kind, entry.subjects, entry.consumer) == (EntryKind.TRANSLATION, 5, "ustat")
    assert entry.detail == "inprev to aslvs: 5 of 6"
    written = entry.to_bytes().decode()
    assert not any(pid in written for member in (INPREV, ASLVS) for pid in pids(member))


async def test_nothing_is_told_that_is_not_recorded(world: World) -> None:
    world.ledger.works = False
    with pytest.raises(LedgerUnavailableError):
        await world.exchange().answer(world.asked(Conversion(INPREV, ASLVS, pids(INPREV))))


async def test_one_consumer_request_may_need_several_questions_but_no_question_twice(world: World) -> None:
    exchange, request = world.exchange(), world.consumer_request()
    first = world.asked(Conversion(INPREV, ASLVS, pids(INPREV)), request=request)
    await exchange.answer(first)
    await exchange.answer(world.asked(Conversion(INPREV, DIRECTORY, pids(INPREV)), request=request))
    with pytest.raises(CroceviaError) as refused:
        await exchange.answer(first)
    assert refused.value.code == "REQUEST_REPLAYED"


async def test_a_consumers_request_counts_until_it_expires(world: World) -> None:
    exchange, request = world.exchange(), world.consumer_request()
    await exchange.answer(world.asked(Conversion(INPREV, ASLVS, ()), request=request))
    world.clock.instant += timedelta(seconds=91)
    with pytest.raises(CroceviaError) as refused:
        await exchange.answer(world.asked(Conversion(INPREV, ASLVS, ()), request=request))
    assert refused.value.code == "SIGNATURE_STALE"


async def test_an_agreement_that_was_suspended_meanwhile_counts_no_more(world: World) -> None:
    exchange, request = world.exchange(), world.consumer_request()
    await exchange.answer(world.asked(Conversion(INPREV, ASLVS, ()), request=request))
    world.members.members = msgspec.structs.replace(member_list(AgreementState.SUSPENDED), version=2)
    with pytest.raises(CroceviaError) as refused:
        await exchange.answer(world.asked(Conversion(INPREV, ASLVS, ()), request=request))
    assert refused.value.code == "AGREEMENT_INACTIVE"


def changed(world: World, **changes: object) -> ConsumerRequest:
    return msgspec.structs.replace(world.consumer_request(), **changes)


CONSUMER_REQUESTS = {
    "another purpose": (lambda w: w.consumer_request(w.token(purpose="statistics")), "PURPOSE_NOT_AGREED"),
    "another agreement": (lambda w: w.consumer_request(w.token(agreement="agr-2")), "AGREEMENT_INACTIVE"),
    "another audience": (lambda w: w.consumer_request(w.token(audience=("https://x",))), "TOKEN_INVALID"),
    "a member nobody knows": (
        lambda w: w.consumer_request(w.token(subject="nobody", client_id="nobody")),
        "MEMBER_UNKNOWN",
    ),
    "a token for another member's agreement": (
        lambda w: w.consumer_request(w.token(subject="inprev", client_id="inprev")),
        "SIGNATURE_INVALID",
    ),
    "signed by another key": (lambda w: w.consumer_request(key=STRANGER), "PROOF_MISMATCH"),
    "made to another gateway": (lambda w: w.consumer_request(target="https://x.example/graphql"), "ADDRESSEE_MISMATCH"),
    "another body": (lambda w: changed(w, body="e30="), "DIGEST_MISMATCH"),
    "no signature": (lambda w: changed(w, headers={}), "TOKEN_INVALID"),
    "body not base64": (lambda w: changed(w, body="?"), "BAD_USER_INPUT"),
}


@pytest.mark.parametrize(("make", "code"), CONSUMER_REQUESTS.values(), ids=CONSUMER_REQUESTS.keys())
async def test_a_request_that_no_consumer_made_is_refused_and_recorded(make: object, code: str, world: World) -> None:
    assert callable(make)
    with pytest.raises(CroceviaError) as refused:
        await world.exchange().answer(world.asked(Conversion(INPREV, ASLVS, pids(INPREV)), request=make(world)))
    assert refused.value.code == code
    (entry,) = world.ledger.entries
    assert (entry.kind, entry.code) == (EntryKind.REFUSAL, code)


@pytest.mark.parametrize(("source", "to"), [("c_m999", "inprev"), ("inprev", "c_m999"), ("inprev", "portal")])
async def test_a_member_without_part_in_the_agreement_is_refused(source: str, to: str, world: World) -> None:
    with pytest.raises(CroceviaError) as refused:
        await world.exchange().answer(world.asked(Conversion(MemberId(source), MemberId(to), ())))
    assert refused.value.code == "SCOPE_EXCEEDED"


async def test_only_the_gateway_may_ask(world: World) -> None:
    body = ConvertRequest(world.consumer_request(), (Conversion(INPREV, ASLVS, pids(INPREV)),)).to_bytes()
    for key in (STRANGER, CONSUMER, EXCHANGE_KEY):
        with pytest.raises(CroceviaError) as refused:
            await world.exchange().answer(world.signed(body, key))
        assert refused.value.code == "SIGNATURE_INVALID"
    assert world.ledger.entries == []


BODIES = {
    "no JSON": b"\xff",
    "empty": b"{}",
    "deep": b"[" * 20_000,
    "unknown key": b'{"consumerRequest":{},"conversions":[],"more":1}',
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
async def test_a_body_that_is_no_question_is_refused(body: bytes, world: World) -> None:
    with pytest.raises(CroceviaError) as refused:
        await world.exchange().answer(world.signed(body))
    assert refused.value.code == "BAD_USER_INPUT"


@pytest.mark.parametrize(
    "conversions",
    [
        (),
        (Conversion(INPREV, ASLVS, ()),) * (MAX_CONVERSIONS + 1),
        (Conversion(INPREV, ASLVS, ("x",) * (MAX_PIDS + 1)),),
    ],
    ids=["none", "too many", "too long"],
)
async def test_a_question_over_the_limits_is_refused(conversions: tuple[Conversion, ...], world: World) -> None:
    with pytest.raises(CroceviaError, match="expected"):
        await world.exchange().answer(world.asked(*conversions))


def publication(
    world: World, key: SigningKey = CONSUMER, target: str = "https://gateway.example/directory"
) -> ConsumerRequest:
    """What a node that holds a file on two citizens says to the gateway."""
    files = tuple(PublishedFile(b64url(bytes(16)), pid, "patient", NOW.date()) for pid in pids(USTAT)[:2])
    body = PublishRequest(PublishStep.REPLACE, frozenset({0}), files).to_bytes()
    bare = HttpRequest("POST", target, {"content-type": "application/json"}, body)
    headers = {**bare.headers, **sign_request(bare, key, world.clock, nonce())}
    return ConsumerRequest("POST", target, headers, b64encode(body).decode())


@pytest.fixture
def with_node(world: World) -> World:
    """`ustat` runs a node."""
    members = world.members.members
    first, *others = members.members
    first = msgspec.structs.replace(first, endpoint="https://ustat.example/graphql")
    world.members.members = msgspec.structs.replace(members, members=(first, *others))
    return world


async def test_a_node_is_named_to_the_directory_those_on_whom_it_says_it_holds_a_file(with_node: World) -> None:
    asked = with_node.asked(Conversion(USTAT, DIRECTORY, pids(USTAT)[:3]), request=publication(with_node))
    (told,) = (await with_node.exchange().answer(asked)).translations
    assert told.statement.pids == (*pids(DIRECTORY)[:2], None), "the third is not in what the node signed"
    (entry,) = with_node.ledger.entries
    assert (entry.consumer, entry.subjects, entry.detail) == ("ustat", 2, "ustat to directory: 2 of 3")


NOT_FOR_A_PUBLICATION = {
    "another member's pseudonyms": (Conversion(INPREV, DIRECTORY, ()), CONSUMER, "SCOPE_EXCEEDED"),
    "for another member": (Conversion(USTAT, INPREV, ()), CONSUMER, "SCOPE_EXCEEDED"),
    "by a member without a node": (Conversion(USTAT, DIRECTORY, ()), STRANGER, "FORBIDDEN"),
    "by nobody": (Conversion(USTAT, DIRECTORY, ()), SigningKey.generate(), "SIGNATURE_INVALID"),
}


@pytest.mark.parametrize("case", NOT_FOR_A_PUBLICATION.values(), ids=NOT_FOR_A_PUBLICATION.keys())
async def test_a_publication_translates_for_the_directory_alone(
    with_node: World, case: tuple[Conversion, SigningKey, str]
) -> None:
    conversion, key, code = case
    with pytest.raises(CroceviaError) as refused:
        await with_node.exchange().answer(with_node.asked(conversion, request=publication(with_node, key)))
    assert refused.value.code == code
