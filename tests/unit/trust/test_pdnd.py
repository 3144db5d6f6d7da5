"""Vouchers and signatures of PDND and ModI are accepted as they are, and not a bit otherwise."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from joserfc import jws
from joserfc.jwk import ECKey, OctKey, RSAKey

from federation.contract.canonical import canonical
from federation.contract.clock import FixedClock
from federation.contract.errors import ConfigurationError, CroceviaError
from federation.trust.foreign_keys import PinnedKeys
from federation.trust.pdnd import (
    DIGEST_HEADER,
    INTEGRITY_HEADER,
    IntegrityClaims,
    TrackingEvidence,
    digest_header,
    evidence_digest,
    sign_evidence,
    sign_integrity,
    verify_evidence,
    verify_integrity,
    verify_voucher,
)

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
SECONDS = int(NOW.timestamp())
CLOCK = FixedClock(NOW)
ISSUER, AUDIENCE = "uat.interop.example", "https://node.example/graphql"
PLATFORM = RSAKey.generate_key(2048, auto_kid=False)
CLIENT = ECKey.generate_key("P-256", auto_kid=False)
BODY = b'{"query":"{ citizen { id } }"}'


def public(key: RSAKey | ECKey, kid: str, **more: str) -> dict[str, Any]:
    return {**key.as_dict(private=False), "kid": kid, **more}


def pinned(algorithm: str, *keys: dict[str, Any]) -> PinnedKeys:
    return PinnedKeys.parse(json.dumps({"keys": list(keys)}).encode(), algorithm)


PLATFORM_KEYS = pinned("RS256", public(PLATFORM, "platform-1", use="sig", alg="RS256"))
CLIENT_KEYS = pinned("ES256", public(CLIENT, "client-1"))


def evidence(**changes: Any) -> str:
    claims = {
        "iss": "client",
        "aud": AUDIENCE,
        "iat": SECONDS,
        "exp": SECONDS + 300,
        "jti": "e",
        "purpose_id": "p-1",
        "user_id": "u7",
        "user_location": "office 3",
        "level": "LoA3",
        "dnonce": "1234567890123",
    }
    return sign_evidence(TrackingEvidence(**{**claims, **changes}), "client-1", CLIENT)


EVIDENCE = evidence()
VOUCHER = {
    "iss": ISSUER,
    "aud": [AUDIENCE],
    "sub": "client",
    "client_id": "client",
    "iat": SECONDS,
    "nbf": SECONDS,
    "exp": SECONDS + 600,
    "jti": "v",
    "purposeId": "p-1",
    "producerId": "producer",
    "consumerId": "consumer",
    "eserviceId": "service",
    "descriptorId": "version",
    "digest": {"alg": "SHA256", "value": evidence_digest(EVIDENCE)},
    "cnf": {"jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"},
}


def voucher(header: dict[str, Any] | None = None, key: Any = PLATFORM, algorithm: str = "RS256", **changes: Any) -> str:
    shown = {"alg": algorithm, "typ": "at+jwt", "use": "sig", "kid": "platform-1", **(header or {})}
    claims = {name: value for name, value in {**VOUCHER, **changes}.items() if value is not None}
    registry = jws.JWSRegistry(algorithms=[algorithm], strict_check_header=False)
    return jws.serialize_compact(shown, canonical(claims), key, registry=registry)


def test_a_voucher_is_accepted_as_the_platform_makes_it() -> None:
    found = verify_voucher(voucher(), ISSUER, AUDIENCE, PLATFORM_KEYS, CLOCK)
    assert (found.purpose_id, found.client_id, found.eservice_id) == ("p-1", "client", "service")
    assert found.cnf is not None
    without = voucher(digest=None, cnf=None, aud=AUDIENCE, somethingNew=1)
    assert verify_voucher(without, ISSUER, AUDIENCE, PLATFORM_KEYS, CLOCK).digest is None


BAD_VOUCHERS = {
    "other issuer": (voucher(iss="x"), "TOKEN_INVALID"),
    "other audience": (voucher(aud=["x"]), "TOKEN_INVALID"),
    "two clients": (voucher(client_id="x"), "TOKEN_INVALID"),
    "no purpose": (voucher(purposeId=None), "TOKEN_INVALID"),
    "two purposes": (voucher(purposeId=["a", "b"]), "TOKEN_INVALID"),
    "digest too short": (voucher(digest={"alg": "SHA256", "value": "ab"}), "TOKEN_INVALID"),
    "digest by another algorithm": (voucher(digest={"alg": "MD5", "value": "ab" * 32}), "TOKEN_INVALID"),
    "other type": (voucher({"typ": "JWT"}), "TOKEN_INVALID"),
    "unknown key": (voucher({"kid": "platform-2"}), "TOKEN_INVALID"),
    "key in the header": (voucher({"jwk": public(PLATFORM, "x")}), "TOKEN_INVALID"),
    "another key": (voucher(key=RSAKey.generate_key(2048)), "TOKEN_INVALID"),
    "another algorithm": (voucher(key=CLIENT, algorithm="ES256"), "TOKEN_INVALID"),
    "public key as a secret": (
        voucher(key=OctKey.import_key(str(PLATFORM.as_dict(private=False)["n"])), algorithm="HS256"),
        "TOKEN_INVALID",
    ),
    "expired": (voucher(iat=SECONDS - 700, nbf=SECONDS - 700, exp=SECONDS - 31), "TOKEN_EXPIRED"),
    "not yet": (voucher(nbf=SECONDS + 31), "TOKEN_EXPIRED"),
    "two days": (voucher(exp=SECONDS + 2 * 24 * 3600), "TOKEN_INVALID"),
}


@pytest.mark.parametrize(("text", "code"), BAD_VOUCHERS.values(), ids=BAD_VOUCHERS.keys())
def test_a_bad_voucher_is_refused(text: str, code: str) -> None:
    with pytest.raises(CroceviaError) as refused:
        verify_voucher(text, ISSUER, AUDIENCE, PLATFORM_KEYS, CLOCK)
    assert refused.value.code == code


def signed_headers(**changes: str) -> list[dict[str, str]]:
    signed = {"digest": digest_header(BODY), "content-type": "application/json", "content-encoding": "identity"}
    return [{name: value} for name, value in {**signed, **changes}.items() if value]


def message(headers: Any = None, **changes: Any) -> dict[str, str]:
    claims = {
        "iss": "client",
        "sub": "client",
        "aud": AUDIENCE,
        "iat": SECONDS,
        "exp": SECONDS + 60,
        "jti": "i",
        "signed_headers": signed_headers() if headers is None else headers,
    }
    text = sign_integrity(IntegrityClaims(**{**claims, **changes}), "client-1", CLIENT)
    return {DIGEST_HEADER: digest_header(BODY), "content-type": "application/json", INTEGRITY_HEADER: text}


def test_an_integrity_signature_covers_body_and_headers_in_both_shapes() -> None:
    listed = verify_integrity(message(), BODY, AUDIENCE, CLIENT_KEYS, CLOCK)
    merged: dict[str, str] = {}
    for each in signed_headers():
        merged |= each
    as_one = verify_integrity(message(merged), BODY, AUDIENCE, CLIENT_KEYS, CLOCK)
    assert listed.headers() == as_one.headers() == merged


BAD_MESSAGES = {
    "other body": (message(), BODY + b" ", "DIGEST_MISMATCH"),
    "other digest header": ({**message(), DIGEST_HEADER: digest_header(b"")}, BODY, "TOKEN_INVALID"),
    "other type": ({**message(), "content-type": "text/plain"}, BODY, "TOKEN_INVALID"),
    "packed": ({**message(), "content-encoding": "gzip"}, BODY, "TOKEN_INVALID"),
    "digest not covered": (message([{"content-type": "application/json"}]), BODY, "TOKEN_INVALID"),
    "type not covered": (message([{"digest": digest_header(BODY)}]), BODY, "TOKEN_INVALID"),
    "header twice": (message([*signed_headers(), {"Digest": "x"}]), BODY, "TOKEN_INVALID"),
    "header that is not there": (message(signed_headers(**{"x-correlation-id": "7"})), BODY, "TOKEN_INVALID"),
    "other audience": (message(aud="x"), BODY, "TOKEN_INVALID"),
    "expired": (message(iat=SECONDS - 100, exp=SECONDS - 31), BODY, "TOKEN_EXPIRED"),
    "no signature": ({**message(), INTEGRITY_HEADER: ""}, BODY, "TOKEN_INVALID"),
}


@pytest.mark.parametrize(("headers", "body", "code"), BAD_MESSAGES.values(), ids=BAD_MESSAGES.keys())
def test_a_message_changed_after_signing_is_refused(headers: dict[str, str], body: bytes, code: str) -> None:
    with pytest.raises(CroceviaError) as refused:
        verify_integrity(headers, body, AUDIENCE, CLIENT_KEYS, CLOCK)
    assert refused.value.code == code


def test_the_evidence_is_the_one_that_the_voucher_names() -> None:
    found = verify_voucher(voucher(), ISSUER, AUDIENCE, PLATFORM_KEYS, CLOCK)
    shown = verify_evidence(EVIDENCE, found, AUDIENCE, CLIENT_KEYS, CLOCK)
    assert (shown.user_id, shown.user_location, shown.assurance) == ("u7", "office 3", "LoA3")
    lower = evidence(level="", level_lower="LoA2")
    named = verify_voucher(
        voucher(digest={"alg": "SHA256", "value": evidence_digest(lower)}), ISSUER, AUDIENCE, PLATFORM_KEYS, CLOCK
    )
    assert verify_evidence(lower, named, AUDIENCE, CLIENT_KEYS, CLOCK).assurance == "LoA2"


BAD_EVIDENCE = {
    "another one": (evidence(jti="other"), "EVIDENCE_MISMATCH"),
    "another purpose": (evidence(purpose_id="p-2"), "EVIDENCE_MISMATCH"),
    "another audience": (evidence(aud="x"), "TOKEN_INVALID"),
    "no user": (evidence(user_id=""), "TOKEN_INVALID"),
    "no assurance": (evidence(level=""), "TOKEN_INVALID"),
    "short dnonce": (evidence(dnonce="1"), "TOKEN_INVALID"),
    "expired": (evidence(iat=SECONDS - 400, exp=SECONDS - 40), "TOKEN_EXPIRED"),
    "nothing": ("", "TOKEN_INVALID"),
}


@pytest.mark.parametrize(("text", "code"), BAD_EVIDENCE.values(), ids=BAD_EVIDENCE.keys())
def test_other_evidence_is_refused(text: str, code: str) -> None:
    found = verify_voucher(voucher(), ISSUER, AUDIENCE, PLATFORM_KEYS, CLOCK)
    with pytest.raises(CroceviaError) as refused:
        verify_evidence(text, found, AUDIENCE, CLIENT_KEYS, CLOCK)
    assert refused.value.code == code


def test_a_voucher_without_a_digest_takes_no_evidence() -> None:
    found = verify_voucher(voucher(digest=None), ISSUER, AUDIENCE, PLATFORM_KEYS, CLOCK)
    with pytest.raises(CroceviaError, match="not the one"):
        verify_evidence(EVIDENCE, found, AUDIENCE, CLIENT_KEYS, CLOCK)


def test_clocks_may_differ_by_half_a_minute() -> None:
    verify_voucher(voucher(), ISSUER, AUDIENCE, PLATFORM_KEYS, FixedClock(NOW - timedelta(seconds=30)))
    verify_voucher(voucher(), ISSUER, AUDIENCE, PLATFORM_KEYS, FixedClock(NOW + timedelta(seconds=630)))


RSA, EC = public(PLATFORM, "a"), public(CLIENT, "a")
BAD_SETS: dict[str, list[dict[str, Any]]] = {
    "empty": [],
    "private": [{**PLATFORM.as_dict(private=True), "kid": "a"}],
    "symmetric": [{"kty": "oct", "k": "AAAA", "kid": "b"}, RSA],
    "same id twice": [RSA, RSA],
    "no id": [{name: value for name, value in RSA.items() if name != "kid"}],
    "short modulus": [{**RSA, "n": RSA["n"][:171]}],
    "even exponent": [{**RSA, "e": "Ag"}],
    "exponent one": [{**RSA, "e": "AQ"}],
    "padded": [{**RSA, "n": RSA["n"] + "="}],
    "for encryption only": [{**RSA, "use": "enc"}],
    "other algorithm only": [{**RSA, "alg": "RS512"}],
    "other type only": [EC],
}


@pytest.mark.parametrize("keys", BAD_SETS.values(), ids=BAD_SETS.keys())
def test_a_key_set_that_no_issuer_should_have_is_refused(keys: list[dict[str, Any]]) -> None:
    with pytest.raises(ConfigurationError):
        pinned("RS256", *keys)


def test_only_the_two_algorithms_of_the_platform_are_known() -> None:
    for algorithm in ("HS256", "none", "PS256"):
        with pytest.raises(ConfigurationError):
            pinned(algorithm, RSA)
    with pytest.raises(ConfigurationError):
        pinned("ES256", public(ECKey.generate_key("P-384"), "a"))
