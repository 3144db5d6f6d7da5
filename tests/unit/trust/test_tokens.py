"""A token says one thing to one audience for a short time, and a proof goes with one request."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from joserfc import jws
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

from federation.contract.canonical import b64url, canonical
from federation.contract.clock import FixedClock
from federation.contract.errors import CroceviaError, ProofError, TokenError, TokenExpiredError
from federation.contract.identifiers import MemberId
from federation.trust.keys import KeyLookup, SigningKey, VerifyKey
from federation.trust.tokens import (
    AccessClaims,
    AccessTokens,
    ClientAssertion,
    Confirmation,
    bearer_of,
    dpop_proof,
    issue_access_token,
    issue_client_assertion,
    make_dpop,
    require_possession,
    used_once,
    verify_access_token,
    verify_client_assertion,
    verify_dpop,
)

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
SECONDS = int(NOW.timestamp())
CLOCK = FixedClock(NOW)
SERVER, CLIENT, OTHER = SigningKey.generate(), SigningKey.generate(), SigningKey.generate()
ISSUER, GATEWAY, TOKEN_ENDPOINT = "https://gw.example", "https://gw.example/graphql", "https://gw.example/token"
CLAIMS = AccessClaims(
    issuer=ISSUER,
    subject="c_m999",
    client_id="c_m999",
    audience=(GATEWAY, "https://inprev.example/graphql"),
    purpose="benefit-assessment",
    agreement="agr-2026-1",
    jti="token-1",
    iat=SECONDS,
    exp=SECONDS + 300,
    confirmation=Confirmation(CLIENT.kid),
)
PUBLIC = {key.kid: key.public() for key in (SERVER, CLIENT)}
ASSERTION = ClientAssertion.fresh(
    MemberId("c_m999"), TOKEN_ENDPOINT, ("benefit-assessment", "agr-2026-1"), "assertion-1", CLOCK
)


def keys(kid: str) -> VerifyKey | None:
    return PUBLIC.get(kid)


def keys_of(member: str) -> KeyLookup:
    return keys if member == "c_m999" else lambda _: None


def later(seconds: int) -> FixedClock:
    return FixedClock(NOW + timedelta(seconds=seconds))


def forged(header: dict[str, Any], payload: Any, key: Any = None, algorithm: str = "ES256") -> str:
    """Return a JWS that the library signs as it is told."""
    signer = key or ECKey.import_key({**SERVER.private_jwk()})
    content = payload if isinstance(payload, bytes) else canonical(payload)
    return jws.serialize_compact({"alg": algorithm, **header}, content, signer, algorithms=[algorithm])


def claims(**changes: Any) -> dict[str, Any]:
    return {**msgspec.to_builtins(CLAIMS), **changes}


def test_an_access_token_says_what_was_signed() -> None:
    token = issue_access_token(CLAIMS, SERVER)
    assert verify_access_token(token, ISSUER, GATEWAY, keys, CLOCK) == CLAIMS
    assert (CLAIMS.consumer, CLAIMS.jkt) == ("c_m999", CLIENT.kid)


@pytest.mark.parametrize("seconds", [-30, 0, 300, 330])
def test_an_access_token_is_good_within_its_time_and_the_skew(seconds: int) -> None:
    verify_access_token(issue_access_token(CLAIMS, SERVER), ISSUER, GATEWAY, keys, later(seconds))


@pytest.mark.parametrize("seconds", [-3600, -31, 331, 3600])
def test_an_access_token_out_of_its_time_is_named_as_such(seconds: int) -> None:
    with pytest.raises(TokenExpiredError):
        verify_access_token(issue_access_token(CLAIMS, SERVER), ISSUER, GATEWAY, keys, later(seconds))


HEADER = {"typ": "at+jwt", "kid": SERVER.kid}
OCT = OctKey.import_key(json.dumps(SERVER.public_jwk()))
BAD_ACCESS_TOKENS = {
    "empty": "",
    "two segments": "a.b",
    "four segments": issue_access_token(CLAIMS, SERVER) + ".a",
    "space": issue_access_token(CLAIMS, SERVER) + " ",
    "padding": issue_access_token(CLAIMS, SERVER) + "=",
    "too long": "a" * 9000 + ".b.c",
    "other type": forged({"typ": "JWT", "kid": SERVER.kid}, claims()),
    "no type": forged({"kid": SERVER.kid}, claims()),
    "no kid": forged({"typ": "at+jwt"}, claims()),
    "unknown kid": forged({"typ": "at+jwt", "kid": "x"}, claims()),
    "own key in the header": forged({**HEADER, "jwk": OTHER.public_jwk()}, claims()),
    "key by url": forged({**HEADER, "jku": "https://attacker.example/jwks.json"}, claims()),
    "critical extension": f"{b64url(canonical({'alg': 'ES256', 'crit': ['b64'], 'b64': False, **HEADER}))}.e30.AAAA",
    "another key": forged(HEADER, claims(), ECKey.import_key({**OTHER.private_jwk()})),
    "public key as a secret": forged(HEADER, claims(), OCT, "HS256"),
    "RSA": forged(HEADER, claims(), RSAKey.generate_key(2048), "RS256"),
    "none": f"{b64url(canonical({'alg': 'none', **HEADER}))}.{b64url(canonical(claims()))}.",
    "no signature": issue_access_token(CLAIMS, SERVER).rpartition(".")[0] + ".AA",
    "claims are no object": forged(HEADER, []),
    "claims are no JSON": forged(HEADER, b"\xff{"),
    "two purposes": forged(HEADER, claims(purposeId=["a", "b"])),
    "no purpose": forged(HEADER, {name: value for name, value in claims().items() if name != "purposeId"}),
    "empty purpose": forged(HEADER, claims(purposeId="")),
    "purpose twice": forged(HEADER, canonical(claims()).replace(b'"purposeId":', b'"purposeId":"x","purposeId":')),
    "unknown claim": forged(HEADER, claims(scope="all")),
    "other issuer": forged(HEADER, claims(iss="https://other.example")),
    "other audience": forged(HEADER, claims(aud=["https://other.example/graphql"])),
    "audience as text": forged(HEADER, claims(aud=GATEWAY)),
    "two clients": forged(HEADER, claims(client_id="aslvs")),
    "no member": forged(HEADER, claims(sub="C M", client_id="C M")),
    "not bound": forged(HEADER, {name: value for name, value in claims().items() if name != "cnf"}),
    "long life": forged(HEADER, claims(exp=SECONDS + 601)),
    "no life": forged(HEADER, claims(exp=SECONDS)),
    "time as text": forged(HEADER, claims(exp=str(SECONDS + 60))),
    "time as fraction": forged(HEADER, claims(exp=SECONDS + 60.5)),
    "deep": forged(HEADER, b"[" * 5000 + b"]" * 5000),
}


@pytest.mark.parametrize("token", BAD_ACCESS_TOKENS.values(), ids=BAD_ACCESS_TOKENS.keys())
def test_a_bad_access_token_is_refused(token: str) -> None:
    with pytest.raises(TokenError):
        verify_access_token(token, ISSUER, GATEWAY, keys, CLOCK)


def test_a_verified_token_is_remembered_until_it_expires_or_its_key_is_withdrawn() -> None:
    clock = FixedClock(NOW)
    tokens = AccessTokens(ISSUER, GATEWAY, clock)
    text = issue_access_token(CLAIMS, SERVER)
    assert tokens.verify(text, keys) == CLAIMS
    assert tokens.verify(text, keys) is tokens.verify(text, keys)
    with pytest.raises(TokenError, match="key that is not known"):
        tokens.verify(text, lambda _: None)
    clock.instant += timedelta(seconds=331)
    with pytest.raises(TokenExpiredError):
        tokens.verify(text, keys)


def test_tokens_that_expired_are_not_kept() -> None:
    clock = FixedClock(NOW)
    tokens = AccessTokens(ISSUER, GATEWAY, clock)
    for number in range(6):
        late = {"iat": CLAIMS.iat + 400 * number, "exp": CLAIMS.exp + 400 * number}
        clock.instant = NOW + timedelta(seconds=400 * number)
        tokens.verify(issue_access_token(msgspec.structs.replace(CLAIMS, **late), SERVER), keys)
        assert len(tokens._verified) == 1


def test_a_client_assertion_says_who_asks_and_for_what() -> None:
    text = issue_client_assertion(ASSERTION, CLIENT)
    assert verify_client_assertion(text, TOKEN_ENDPOINT, keys_of, CLOCK) == ASSERTION
    assert ASSERTION.member == "c_m999"


def assertion(**changes: Any) -> str:
    content = {**msgspec.to_builtins(ASSERTION), **changes}
    return forged({"typ": "JWT", "kid": CLIENT.kid}, content, ECKey.import_key({**CLIENT.private_jwk()}))


BAD_ASSERTIONS = {
    "another member": assertion(sub="aslvs", iss="aslvs"),
    "another issuer": assertion(iss="aslvs"),
    "another audience": assertion(aud="https://other.example/token"),
    "with nbf": assertion(nbf=SECONDS),
    "long life": assertion(exp=SECONDS + 301),
    "no jti": assertion(jti=""),
    "an access token": issue_access_token(CLAIMS, SERVER),
    "member with a newline": assertion(sub="c_m999\n", iss="c_m999\n"),
    "another key": issue_client_assertion(ASSERTION, OTHER),
}


@pytest.mark.parametrize("text", BAD_ASSERTIONS.values(), ids=BAD_ASSERTIONS.keys())
def test_a_bad_client_assertion_is_refused(text: str) -> None:
    with pytest.raises(TokenError):
        verify_client_assertion(text, TOKEN_ENDPOINT, keys_of, CLOCK)


def test_an_old_client_assertion_is_named_as_such() -> None:
    with pytest.raises(TokenExpiredError):
        verify_client_assertion(issue_client_assertion(ASSERTION, CLIENT), TOKEN_ENDPOINT, keys_of, later(91))


def test_a_proof_goes_with_its_request_and_its_token() -> None:
    proof = dpop_proof("POST", GATEWAY, "proof-1", CLOCK, "token")
    verified = verify_dpop(make_dpop(proof, CLIENT), "POST", GATEWAY, CLOCK, "token")
    assert (verified.jkt, verified.jti) == (CLIENT.kid, "proof-1")
    require_possession(CLAIMS.jkt, verified)
    with pytest.raises(ProofError, match="another key"):
        require_possession(CLAIMS.jkt, verify_dpop(make_dpop(proof, OTHER), "POST", GATEWAY, CLOCK, "token"))


def test_a_proof_at_the_token_endpoint_needs_no_token() -> None:
    proof = dpop_proof("POST", TOKEN_ENDPOINT, "proof-2", CLOCK)
    assert verify_dpop(make_dpop(proof, CLIENT), "POST", TOKEN_ENDPOINT, CLOCK).jkt == CLIENT.kid


PROOF = {
    "htm": "POST",
    "htu": GATEWAY,
    "jti": "p",
    "iat": SECONDS,
    "ath": "PEaenWxYddN6Q_NT1PiOYfz4EsZu7jRXRlpAsNpBU-A",
}
CLIENT_KEY = ECKey.import_key({**CLIENT.private_jwk()})
JWK = CLIENT.public_jwk()


def proof(header: dict[str, Any] | None = None, **changes: Any) -> str:
    return forged({"typ": "dpop+jwt", "jwk": JWK, **(header or {})}, {**PROOF, **changes}, CLIENT_KEY)


BAD_PROOFS = {
    "empty": "",
    "two proofs": f"{proof()}, {proof()}",
    "other method": proof(htm="GET"),
    "other target": proof(htu=GATEWAY + "?a=1"),
    "other host": proof(htu="https://gw.example:8443/graphql"),
    "other token": proof(ath="47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU"),
    "no token": forged({"typ": "dpop+jwt", "jwk": JWK}, {n: v for n, v in PROOF.items() if n != "ath"}, CLIENT_KEY),
    "too old": proof(iat=SECONDS - 91),
    "from the future": proof(iat=SECONDS + 31),
    "no jti": proof(jti=""),
    "other type": proof({"typ": "JWT"}),
    "private key shown": proof({"jwk": {**JWK, "d": CLIENT.private_jwk()["d"]}}),
    "key of another": proof({"jwk": OTHER.public_jwk()}),
    "symmetric key": proof({"jwk": {"kty": "oct", "k": "AAAA"}}),
    "named key": proof({"kid": CLIENT.kid}),
    "claims a thumbprint": proof(jkt=OTHER.kid),
    "unknown claim": proof(htx="POST"),
}


RSA = RSAKey.generate_key(2048)
OTHER_ALGORITHMS: dict[str, Any] = {
    "RS256": RSA,
    "PS256": RSA,
    "ES384": ECKey.generate_key("P-384"),
    "ES512": ECKey.generate_key("P-521"),
    "Ed25519": OKPKey.generate_key("Ed25519"),
}


@pytest.mark.parametrize("algorithm", OTHER_ALGORITHMS)
def test_a_proof_by_another_algorithm_is_refused_though_its_signature_is_good(algorithm: str) -> None:
    key = OTHER_ALGORITHMS[algorithm]
    text = forged({"typ": "dpop+jwt", "jwk": key.as_dict(private=False)}, PROOF, key, algorithm)
    with pytest.raises(ProofError):
        verify_dpop(text, "POST", GATEWAY, CLOCK, "token")


def test_the_proof_of_these_tables_is_good_before_it_is_changed() -> None:
    assert verify_dpop(proof(), "POST", GATEWAY, CLOCK, "token").jkt == CLIENT.kid


@pytest.mark.parametrize("text", BAD_PROOFS.values(), ids=BAD_PROOFS.keys())
def test_a_bad_proof_is_refused(text: str) -> None:
    with pytest.raises(ProofError):
        verify_dpop(text, "POST", GATEWAY, CLOCK, "token")


def test_a_proof_whose_header_was_read_before_is_verified_anew() -> None:
    """The header of one key's proofs is always the same; signature, time, target and token are asked each time."""
    good = proof()
    verify_dpop(good, "POST", GATEWAY, CLOCK, "token")
    head, payload, signature = good.split(".")
    last = "A" if signature[0] != "A" else "B"
    with pytest.raises(ProofError):
        verify_dpop(f"{head}.{payload}.{last}{signature[1:]}", "POST", GATEWAY, CLOCK, "token")
    with pytest.raises(ProofError):
        verify_dpop(good, "POST", GATEWAY, FixedClock(CLOCK.instant + timedelta(minutes=5)), "token")
    with pytest.raises(ProofError):
        verify_dpop(good, "POST", GATEWAY, CLOCK, "another token")


def test_a_proof_is_remembered_for_as_long_as_it_is_accepted() -> None:
    text = make_dpop(dpop_proof("POST", GATEWAY, "proof-1", CLOCK, "token"), CLIENT)
    proof = verify_dpop(text, "POST", GATEWAY, CLOCK, "token")
    namespace, name, until = used_once(proof)
    assert (namespace, name) == (f"dpop:{CLIENT.kid}", "proof-1")
    with pytest.raises(ProofError, match="just now"):
        verify_dpop(text, "POST", GATEWAY, FixedClock(datetime.fromtimestamp(until, UTC)), "token")


def test_the_authorisation_header_holds_one_dpop_token() -> None:
    assert bearer_of("DPoP abc") == bearer_of("dpop abc") == "abc"
    for wrong in ("", "DPoP", "DPoP ", "Bearer abc", "DPoP a b", "DPoP  a"):
        with pytest.raises(CroceviaError):
            bearer_of(wrong)
