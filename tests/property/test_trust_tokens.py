"""Our narrow token reader never accepts what a JOSE library refuses, and fast forms equal the general ones."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from federation.contract.canonical import canonical
from federation.contract.errors import CroceviaError, SignatureError
from federation.contract.identifiers import MemberId
from federation.contract.messages import TranslationStatement
from federation.trust.http_messages import content_digest, require_content_digest
from federation.trust.keys import SigningKey
from federation.trust.tokens import DpopProof, make_dpop, verify_dpop
from federation.trust.translations import _content
from tests.support.http_signatures import CLOCK

pytestmark = pytest.mark.property

KEY = SigningKey.generate()
LIBRARY_KEY = ECKey.import_key({**KEY.public_jwk()})
PROOF = make_dpop(DpopProof("POST", "https://gateway.example/graphql", "proof-1", int(CLOCK.instant.timestamp())), KEY)
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=+/ \n"


def library_accepts(text: str) -> bool:
    try:
        jws.deserialize_compact(text, LIBRARY_KEY, algorithms=["ES256"])
    except (JoseError, ValueError):
        return False
    return True


def ours_accepts(text: str) -> bool:
    try:
        verify_dpop(text, "POST", "https://gateway.example/graphql", CLOCK)
    except CroceviaError:
        return False
    return True


def test_the_library_verifies_what_we_sign() -> None:
    assert library_accepts(PROOF)
    assert ours_accepts(PROOF)


def test_we_verify_what_the_library_signs() -> None:
    claims = {
        "htm": "POST",
        "htu": "https://gateway.example/graphql",
        "jti": "x",
        "iat": int(CLOCK.instant.timestamp()),
    }
    header = {"alg": "ES256", "typ": "dpop+jwt", "jwk": {**KEY.public_jwk()}}
    key = ECKey.import_key({**KEY.private_jwk()})
    assert ours_accepts(jws.serialize_compact(header, canonical(claims), key, algorithms=["ES256"]))


@given(st.data())
@settings(max_examples=300)
def test_a_mutated_token_is_accepted_only_if_nothing_changed(data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(PROOF)))
    gone = data.draw(st.integers(0, 3))
    put = data.draw(st.text(ALPHABET, max_size=3))
    text = PROOF[:at] + put + PROOF[at + gone :]
    assert ours_accepts(text) == (text == PROOF)
    assert not ours_accepts(text) or library_accepts(text)


@given(st.text(max_size=200))
@settings(max_examples=200)
def test_no_text_breaks_the_token_reader(text: str) -> None:
    assert not ours_accepts(text)


texts = st.text(max_size=40)


@given(
    st.builds(
        TranslationStatement,
        source=texts.map(MemberId),
        to=texts.map(MemberId),
        purpose=texts,
        request_digest=texts,
        pids=st.lists(st.none() | texts, max_size=5).map(tuple),
        issued_at=st.integers(0, 2**53 - 1),
    )
)
@settings(max_examples=300)
def test_the_fast_form_of_a_statement_is_its_canonical_json(statement: TranslationStatement) -> None:
    assert _content(statement) == canonical(msgspec.to_builtins(statement))


@given(st.binary(max_size=60), st.text(max_size=80))
@settings(max_examples=200)
def test_a_digest_is_that_of_the_body_in_its_one_spelling(body: bytes, other: str) -> None:
    headers = {"content-digest": content_digest(body)}
    assert require_content_digest(headers, body) == headers["content-digest"]
    with pytest.raises(CroceviaError):
        require_content_digest({"content-digest": other}, body)


@given(st.binary(min_size=64, max_size=64), st.binary(max_size=20))
@settings(max_examples=100)
def test_no_bytes_are_a_signature_by_chance(signature: bytes, message: bytes) -> None:
    with pytest.raises(SignatureError):
        KEY.public().verify(signature, message)
