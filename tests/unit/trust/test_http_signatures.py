"""A signed message verifies as it was signed, in time, and as nothing else."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from federation.contract.clock import FixedClock
from federation.contract.errors import BadInputError, CroceviaError, DigestError, SignatureError, StaleSignatureError
from federation.trust.http_messages import HttpRequest, HttpResponse, is_visible, single_headers
from federation.trust.http_signatures import (
    MAX_LIFETIME,
    SKEW,
    RequestBinding,
    sign_request,
    verify_request,
    verify_response,
)
from tests.support.http_signatures import (
    CLOCK,
    CONSUMER,
    NODE,
    NONCE,
    NOW,
    keys,
    library_accepts,
    signed_request,
    signed_response,
)


def test_a_request_verifies_and_names_its_key_and_nonce() -> None:
    request = signed_request()
    verified = verify_request(request, keys, CLOCK)
    assert (verified.keyid, verified.nonce) == (CONSUMER.kid, NONCE)
    assert verified.expires - verified.created == MAX_LIFETIME
    assert library_accepts(request)


def test_a_request_without_authorisation_verifies_too() -> None:
    request = HttpRequest("POST", "https://node.example/graphql", {"content-type": "application/json"}, b"{}")
    headers = {**request.headers, **sign_request(request, CONSUMER, CLOCK, NONCE)}
    signed = HttpRequest("POST", "https://node.example/graphql", headers, b"{}")
    assert verify_request(signed, keys, CLOCK).keyid == CONSUMER.kid
    assert library_accepts(signed)
    with_token = HttpRequest("POST", signed.target_uri, {**headers, "authorization": "DPoP x"}, b"{}")
    with pytest.raises(SignatureError, match="authorization"):
        verify_request(with_token, keys, CLOCK)


def test_a_response_verifies_for_its_request_only() -> None:
    request, other = signed_request(), signed_request()
    response = signed_response(request)
    assert verify_response(response, RequestBinding.of(request), keys, CLOCK).keyid == NODE.kid
    assert library_accepts(response, request)
    with pytest.raises(SignatureError):
        verify_response(response, RequestBinding.of(other), keys, CLOCK)
    assert not library_accepts(response, other)


@pytest.mark.parametrize("seconds", [-SKEW, 0, MAX_LIFETIME, MAX_LIFETIME + SKEW])
def test_a_request_verifies_while_it_is_fresh(seconds: int) -> None:
    verify_request(signed_request(), keys, FixedClock(NOW + timedelta(seconds=seconds)))


@pytest.mark.parametrize("seconds", [-3600, -SKEW - 1, MAX_LIFETIME + SKEW + 1, 3600])
def test_a_request_out_of_its_time_is_stale(seconds: int) -> None:
    clock = FixedClock(NOW + timedelta(seconds=seconds))
    with pytest.raises(StaleSignatureError):
        verify_request(signed_request(), keys, clock)
    with pytest.raises(StaleSignatureError):
        verify_response(signed_response(request := signed_request()), RequestBinding.of(request), keys, clock)


def test_a_changed_body_is_named_as_such() -> None:
    request = signed_request()
    changed = HttpRequest(request.method, request.target_uri, request.headers, request.body + b" ")
    with pytest.raises(DigestError):
        verify_request(changed, keys, CLOCK)
    response = signed_response(request)
    altered = HttpResponse(response.status, response.headers, b"{}")
    with pytest.raises(DigestError):
        verify_response(altered, RequestBinding.of(request), keys, CLOCK)


def test_a_key_that_is_not_trusted_is_refused() -> None:
    with pytest.raises(SignatureError, match="not known"):
        verify_request(signed_request(), lambda _: None, CLOCK)


REPLACED = {
    "other method": {"method": "PUT"},
    "lower-case method": {"method": "post"},
    "other target": {"target_uri": "https://gateway.example/graphql?x=1"},
    "relative target": {"target_uri": "/graphql"},
    "target with a fragment": {"target_uri": "https://gateway.example/graphql#x"},
    "target with a newline": {"target_uri": 'https://gateway.example/graphql\n"content-type": x'},
}
HEADERS = {
    "no signature": {"signature": ""},
    "other label": {"signature": ("rq=", "rs=")},
    "unpadded": {"signature": ("==:", ":")},
    "two signatures": {"signature": (":", ":, other=:AAAA:")},
    "two inputs": {"signature-input": ("rq=", "other=();created=1, rq=")},
    "other tag": {"signature-input": ("crocevia-req", "crocevia-resp")},
    "other algorithm": {"signature-input": ("ecdsa-p256-sha256", "hmac-sha256")},
    "no algorithm": {"signature-input": (';alg="ecdsa-p256-sha256"', "")},
    "none algorithm": {"signature-input": ("ecdsa-p256-sha256", "none")},
    "longer life": {"signature-input": (f"{int(NOW.timestamp()) + 60}", f"{int(NOW.timestamp()) + 61}")},
    "expires before created": {"signature-input": (f"{int(NOW.timestamp()) + 60}", f"{int(NOW.timestamp()) - 1}")},
    "number as text": {"signature-input": (f"created={int(NOW.timestamp())}", f'created="{int(NOW.timestamp())}"')},
    "parameter twice": {"signature-input": (";tag=", ';tag="crocevia-req";tag=')},
    "unknown parameter": {"signature-input": (";tag=", ';nance="x";tag=')},
    "less covered": {"signature-input": (' "content-digest"', "")},
    "another order": {"signature-input": ('"@method" "@target-uri"', '"@target-uri" "@method"')},
    "component parameter": {"signature-input": ('"content-type"', '"content-type";sf')},
    "upper case": {"signature-input": ('"@method"', '"@METHOD"')},
    "other type": {"content-type": "text/plain"},
    "type with a newline": {"content-type": 'application/json\n"content-digest": x'},
    "type not ASCII": {"content-type": "application/json\u00a0"},
    "no type": {"content-type": ""},
    "other token": {"authorization": "DPoP other"},
    "no token": {"authorization": None},
    "no digest": {"content-digest": ""},
    "other digest": {"content-digest": ("sha-256", "sha-512")},
    "two digests": {"content-digest": ("sha-256", "unixsum=:AAAA:, sha-256")},
}


@pytest.mark.parametrize("change", REPLACED.values(), ids=REPLACED.keys())
def test_a_request_changed_after_signing_is_refused(change: dict[str, str]) -> None:
    request = signed_request()
    changed = HttpRequest(
        change.get("method", request.method),
        change.get("target_uri", request.target_uri),
        request.headers,
        request.body,
    )
    with pytest.raises(CroceviaError):
        verify_request(changed, keys, CLOCK)


@pytest.mark.parametrize("change", HEADERS.values(), ids=HEADERS.keys())
def test_headers_changed_after_signing_are_refused(change: dict[str, str | tuple[str, str] | None]) -> None:
    request = signed_request()
    headers = dict(request.headers)
    for name, value in change.items():
        match value:
            case None:
                del headers[name]
            case (old, new):
                assert old in headers[name]
                headers[name] = headers[name].replace(old, new, 1)
            case _:
                headers[name] = value
    with pytest.raises(CroceviaError) as refused:
        verify_request(HttpRequest(request.method, request.target_uri, headers, request.body), keys, CLOCK)
    assert refused.value.code in {"SIGNATURE_INVALID", "SIGNATURE_STALE", "DIGEST_MISMATCH"}


NOT_SIGNABLE = {
    "nonce with a quote": ({}, 'a"b'),
    "empty nonce": ({}, ""),
    "no type": ({"content-type": ""}, NONCE),
    "type with a newline": ({"content-type": "a\nb"}, NONCE),
}


@pytest.mark.parametrize(("headers", "nonce"), NOT_SIGNABLE.values(), ids=NOT_SIGNABLE.keys())
def test_what_the_profile_cannot_say_is_not_signed(headers: dict[str, str], nonce: str) -> None:
    request = HttpRequest("POST", "https://g.example/graphql", {"content-type": "application/json", **headers}, b"")
    with pytest.raises(BadInputError):
        sign_request(request, CONSUMER, CLOCK, nonce)


def test_a_request_that_is_not_signed_cannot_be_answered_bound() -> None:
    with pytest.raises(SignatureError):
        RequestBinding.of(HttpRequest("POST", "https://g.example/graphql", {}, b""))


@pytest.mark.parametrize("name", [b"Host", b"Authorization", b"DPoP", b"Signature", b"Content-Type", b"Content-Digest"])
def test_a_repeated_header_that_matters_is_refused(name: bytes) -> None:
    with pytest.raises(BadInputError, match="repeated"):
        single_headers([(name, b"a"), (name.lower(), b"a")])


def test_other_repeated_headers_are_joined_and_strange_bytes_refused() -> None:
    assert single_headers([(b"Accept", b"a"), (b"accept", b" b ")]) == {"accept": "a, b"}
    with pytest.raises(BadInputError):
        single_headers([(b"X", b"\xff")])
    with pytest.raises(BadInputError):
        single_headers([(b"Authorization", b"a\x0bb")])


def test_an_answer_read_before_is_judged_anew_by_time_key_body_and_question() -> None:
    """What a Signature-Input says is remembered; whether it counts is not."""
    request, other = signed_request(), signed_request(b'{"query":"{ other }"}')
    response, binding = signed_response(request), RequestBinding.of(request)
    verify_response(response, binding, keys, CLOCK)
    with pytest.raises(StaleSignatureError):
        verify_response(response, binding, keys, FixedClock(NOW + timedelta(hours=1)))
    with pytest.raises(SignatureError, match="not known"):
        verify_response(response, binding, lambda _: None, CLOCK)
    with pytest.raises(DigestError):
        verify_response(HttpResponse(200, response.headers, b"{}"), binding, keys, CLOCK)
    with pytest.raises(SignatureError):
        verify_response(response, RequestBinding.of(other), keys, CLOCK)
    verify_response(response, binding, keys, CLOCK)


def test_a_signature_in_another_spelling_of_its_base64_is_refused() -> None:
    """The last character of 64 bytes has four bits that say nothing: they must be zero."""
    request = signed_request()
    label, _, rest = request.headers["signature"].partition(":")
    last = rest[85]
    other = chr(ord(last) + 1)
    spelt = f"{label}:{rest[:85]}{other}{rest[86:]}"
    with pytest.raises(SignatureError):
        verify_request(
            HttpRequest("POST", request.target_uri, {**request.headers, "signature": spelt}, request.body), keys, CLOCK
        )


def test_long_names_and_inputs_are_read_without_being_remembered() -> None:
    name = b"X-" + b"n" * 500
    assert single_headers([(name, b"v")]) == {name.decode().lower(): "v"}
    request = signed_request()
    headers = {**request.headers, "signature-input": request.headers["signature-input"] + " " * 2_000}
    with pytest.raises(SignatureError):
        verify_request(HttpRequest("POST", request.target_uri, headers, request.body), keys, CLOCK)


def test_visible_is_printable_ascii_without_space_around_it() -> None:
    visible = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?")
    for each in map(chr, range(0x250)):
        for text in (each, f"a{each}", f"{each}a", f"a{each}a", ""):
            assert is_visible(text) is (visible.fullmatch(text) is not None), repr(text)
