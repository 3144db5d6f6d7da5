"""A token is given for one purpose, under one agreement, to who proves to hold the key."""

import json
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest

from federation.contract.errors import (
    AgreementError,
    BadInputError,
    CroceviaError,
    InternalError,
    ProofError,
    ProofNonceError,
    PurposeNotAgreedError,
    TokenError,
    TokenReplayError,
)
from federation.contract.identifiers import MemberId
from federation.gateway.authorisation_server import TOKEN_PATH, AuthorisationServer
from federation.gateway.token_endpoint import read_form, refusal
from federation.trust.dpop_nonces import PERIOD, DpopNonces
from federation.trust.keys import SigningKey, message_keys
from federation.trust.replay import MemoryReplayStore
from federation.trust.tokens import (
    ASSERTION_TYPE,
    ClientAssertion,
    dpop_proof,
    issue_client_assertion,
    make_dpop,
    verify_access_token,
)
from tests.support.parties import FEDERATION, GATEWAY_URL, NODE_URL, PURPOSE, Parties

ORIGIN = "https://gateway.example"
ENDPOINT = ORIGIN + TOKEN_PATH
SECRET = bytes(32)


@pytest.fixture
def parties() -> Parties:
    return Parties()


@pytest.fixture
def server(parties: Parties) -> AuthorisationServer:
    replay = MemoryReplayStore(parties.clock)
    return AuthorisationServer(
        ORIGIN, parties, parties.gateway, replay, DpopNonces.of(SECRET, parties.clock), parties.clock, parties.nonce
    )


def form(parties: Parties, purpose: str = PURPOSE, agreement: str = "acc-1", **changes: Any) -> dict[str, str]:
    member = MemberId(changes.get("member", "inprev"))
    endpoint = changes.get("endpoint", ENDPOINT)
    claims = ClientAssertion.fresh(member, endpoint, (purpose, agreement), parties.nonce(), parties.clock)
    return {
        "grant_type": "client_credentials",
        "client_assertion_type": ASSERTION_TYPE,
        "client_assertion": issue_client_assertion(claims, changes.get("key", parties.consumer)),
    }


def proof(parties: Parties, key: SigningKey | None = None) -> str:
    nonce = DpopNonces.of(SECRET, parties.clock).current()
    made = dpop_proof("POST", ENDPOINT, parties.nonce(), parties.clock, nonce=nonce)
    return make_dpop(made, key or parties.consumer)


def test_a_token_names_one_purpose_one_agreement_and_the_key(parties: Parties, server: AuthorisationServer) -> None:
    given = server.token(form(parties), proof(parties))
    assert (given["token_type"], given["expires_in"]) == ("DPoP", 300)
    keys = message_keys(parties.current().gateway.keys, parties.clock.now())
    for audience in (GATEWAY_URL, NODE_URL):
        claims = verify_access_token(given["access_token"], FEDERATION, audience, keys, parties.clock)
        assert (claims.consumer, claims.purpose, claims.agreement) == ("inprev", PURPOSE, "acc-1")
        assert claims.jkt == parties.consumer.kid


def test_an_assertion_counts_once(parties: Parties, server: AuthorisationServer) -> None:
    asked = form(parties)
    server.token(asked, proof(parties))
    with pytest.raises(TokenReplayError, match="assertion"):
        server.token(asked, proof(parties))


def test_a_proof_counts_once(parties: Parties, server: AuthorisationServer) -> None:
    made = proof(parties)
    server.token(form(parties), made)
    with pytest.raises(TokenReplayError, match="proof"):
        server.token(form(parties), made)


def test_what_is_not_proved_gets_no_token(parties: Parties, server: AuthorisationServer) -> None:
    with pytest.raises(TokenError):
        server.token(form(parties, key=parties.other), proof(parties))
    with pytest.raises(TokenError):
        server.token(form(parties, member="nobody"), proof(parties))
    with pytest.raises(TokenError, match="audience"):
        server.token(form(parties, endpoint="https://other.example/token"), proof(parties))
    with pytest.raises(ProofError, match="DPoP"):
        server.token(form(parties), None)
    with pytest.raises(ProofError, match="message key of the client"):
        server.token(form(parties), proof(parties, parties.other))


def test_what_was_not_agreed_gets_no_token(parties: Parties, server: AuthorisationServer) -> None:
    with pytest.raises(PurposeNotAgreedError):
        server.token(form(parties, purpose="statistics"), proof(parties))
    with pytest.raises(AgreementError):
        server.token(form(parties, agreement="acc-9"), proof(parties))
    with pytest.raises(AgreementError, match="does not belong"):
        server.token(form(parties, member="aslvs", key=parties.other), proof(parties, parties.other))


@pytest.mark.parametrize(
    ("name", "value"),
    [("grant_type", "password"), ("client_assertion_type", "x"), ("client_assertion", ""), ("scope", "all")],
)
def test_a_wrong_form_is_named(name: str, value: str, parties: Parties, server: AuthorisationServer) -> None:
    with pytest.raises(BadInputError, match=name):
        server.token({**form(parties), name: value}, proof(parties))


def test_the_metadata_is_that_of_rfc_8414(server: AuthorisationServer) -> None:
    metadata = server.metadata()
    assert metadata["issuer"] == FEDERATION
    assert metadata["token_endpoint"] == ENDPOINT
    assert metadata["dpop_signing_alg_values_supported"] == ["ES256"]


def test_a_proof_carries_the_servers_nonce_or_learns_it_at_no_cost(
    parties: Parties, server: AuthorisationServer
) -> None:
    asked = form(parties)
    for nonce in ("", "invented", DpopNonces.of(bytes(31) + b"x", parties.clock).current()):
        bare = make_dpop(dpop_proof("POST", ENDPOINT, parties.nonce(), parties.clock, nonce=nonce), parties.consumer)
        with pytest.raises(ProofNonceError):
            server.token(asked, bare)
    server.token(asked, proof(parties))  # the assertion was not used up


def test_a_nonce_is_good_for_its_period_and_the_next(parties: Parties) -> None:
    nonces = DpopNonces.of(SECRET, parties.clock)
    given = nonces.current()
    parties.clock.instant += timedelta(seconds=PERIOD)
    assert nonces.accepts(given)
    assert nonces.current() != given
    parties.clock.instant += timedelta(seconds=PERIOD)
    assert not nonces.accepts(given)


def test_every_key_that_is_listed_and_valid_is_published(parties: Parties, server: AuthorisationServer) -> None:
    assert [key["kid"] for key in server.jwks()["keys"]] == [parties.gateway.kid]
    parties.clock.instant += timedelta(days=31)
    assert server.jwks() == {"keys": []}


def refused(server: AuthorisationServer, asked: dict[str, str], made: str | None) -> tuple[int, str]:
    """Return status and `error` of a refused token request, from its bytes to its bytes."""
    with pytest.raises(CroceviaError) as found:
        server.token(read_form("application/x-www-form-urlencoded", urlencode(asked).encode()), made)
    status, body = refusal(found.value)
    said = json.loads(body)
    assert (said["error_description"], said["code"]) == (found.value.message, found.value.code)
    return int(status), said["error"]


def test_refusals_have_the_names_of_rfc_6749_and_rfc_9449(parties: Parties, server: AuthorisationServer) -> None:
    good, made = form(parties), proof(parties)
    bare = make_dpop(dpop_proof("POST", ENDPOINT, parties.nonce(), parties.clock), parties.consumer)
    cases = {
        (400, "invalid_request"): (good | {"client_assertion": ""}, made),
        (400, "unsupported_grant_type"): (good | {"grant_type": "password"}, made),
        (400, "invalid_scope"): (good | {"scope": "everything"}, made),
        (401, "invalid_client"): (form(parties, key=parties.other), made),
        (400, "unauthorized_client"): (form(parties, agreement="acc-9"), proof(parties)),
        (400, "use_dpop_nonce"): (good, bare),
        (400, "invalid_dpop_proof"): (good, proof(parties, parties.other)),
    }
    assert {expected: refused(server, *asked) for expected, asked in cases.items()} == {
        expected: expected for expected in cases
    }
    assert refused(server, form(parties, purpose="statistics"), proof(parties)) == (400, "invalid_scope")
    assert refused(server, good | {"client_id": "aslvs"}, made) == (401, "invalid_client")
    assert server.token(good | {"client_id": "inprev", "unknown": "is ignored"}, made)["token_type"] == "DPoP"
    assert refused(server, good, proof(parties)) == (401, "invalid_client")  # used before


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/json", b"{}"),
        ("application/x-www-form-urlencoded", b"a=1&a=2"),
        ("application/x-www-form-urlencoded", b"a=%ff"),
        ("application/x-www-form-urlencoded", "à=1".encode()),
        ("application/x-www-form-urlencoded", b"&".join(b"a%d=1" % number for number in range(17))),
    ],
    ids=["no form", "a parameter twice", "no UTF-8", "no ASCII", "too many"],
)
def test_a_form_that_has_no_one_meaning_is_refused(kind: str, body: bytes) -> None:
    with pytest.raises(BadInputError):
        read_form(kind, body)
    assert read_form("Application/X-WWW-Form-Urlencoded; charset=utf-8", b"a=1&b=") == {"a": "1"}


def test_a_defect_of_ours_is_named_as_such() -> None:
    status, body = refusal(InternalError("the request failed here"))
    assert (int(status), json.loads(body)["error"]) == (500, "server_error")
