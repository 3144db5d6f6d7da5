"""Keys are named by their thumbprint and kept from other eyes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from joserfc.jwk import ECKey, OKPKey

from federation.contract.clock import FixedClock
from federation.contract.errors import ConfigurationError, SignatureError
from federation.contract.members import KeyUse
from federation.trust.keys import (
    SigningKey,
    VerifyKey,
    current_message_keys,
    ed25519_from_jwk,
    ed25519_jwk,
    generate_ed25519,
    jwks,
    load_ed25519,
    message_keys,
    publish,
    read_secret,
    thumbprint,
    write_private,
)

KEY = SigningKey.generate()
JWK = KEY.public_jwk()


def test_a_key_file_is_private_and_read_back(tmp_path: Path) -> None:
    KEY.save(tmp_path / "message.pem")
    assert (tmp_path / "message.pem").stat().st_mode & 0o777 == 0o600
    assert SigningKey.load(tmp_path / "message.pem").kid == KEY.kid
    made = generate_ed25519(tmp_path / "ledger.pem")
    assert ed25519_jwk(load_ed25519(tmp_path / "ledger.pem")) == ed25519_jwk(made)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o777])
def test_a_key_file_that_others_may_touch_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "message.pem"
    KEY.save(path)
    path.chmod(mode)
    with pytest.raises(ConfigurationError, match=f"has mode {mode:04o}"):
        SigningKey.load(path)


def test_a_key_file_is_never_overwritten(tmp_path: Path) -> None:
    KEY.save(tmp_path / "message.pem")
    with pytest.raises(ConfigurationError, match="not overwritten"):
        SigningKey.generate().save(tmp_path / "message.pem")


def test_a_missing_wrong_or_broken_key_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="does not exist"):
        SigningKey.load(tmp_path / "message.pem")
    generate_ed25519(tmp_path / "ledger.pem")
    with pytest.raises(ConfigurationError, match="does not hold a P-256 key"):
        SigningKey.load(tmp_path / "ledger.pem")
    write_private(tmp_path / "broken.pem", b"-----BEGIN")
    with pytest.raises(ConfigurationError, match="PEM"):
        load_ed25519(tmp_path / "broken.pem")
    with pytest.raises(ConfigurationError, match="has 10 bytes, expected 32"):
        read_secret(tmp_path / "broken.pem")


def test_a_key_never_shows_its_secret() -> None:
    assert KEY.private_jwk()["d"] not in repr(KEY)
    assert "d" not in KEY.public_jwk()


def test_thumbprints_are_those_of_the_library() -> None:
    assert KEY.kid == ECKey.import_key({**JWK}).thumbprint()
    okp = OKPKey.generate_key("Ed25519", private=False).as_dict()
    assert thumbprint(okp) == OKPKey.import_key(okp).thumbprint()


def test_the_thumbprint_of_rfc_8037_is_found() -> None:
    """RFC 8037 appendix A.3."""
    jwk = {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}
    assert thumbprint(jwk) == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
    assert ed25519_jwk(ed25519_from_jwk(jwk)) == jwk


def test_the_thumbprint_of_rfc_7638_is_found() -> None:
    """RFC 7638 section 3.1."""
    modulus = (
        "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMs"
        "tn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn"
        "1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"
    )
    jwk = {"kty": "RSA", "n": modulus, "e": "AQAB", "alg": "RS256", "kid": "2011-04-29"}
    assert thumbprint(jwk) == "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"


def test_a_signature_verifies_under_its_key_only() -> None:
    signature = KEY.sign(b"message")
    KEY.public().verify(signature, b"message")
    for key, wrong, message in (
        (SigningKey.generate().public(), signature, b"message"),
        (KEY.public(), signature, b"other"),
        (KEY.public(), signature[:-1], b"message"),
        (KEY.public(), bytes(64), b"message"),
    ):
        with pytest.raises(SignatureError):
            key.verify(wrong, message)


NOT_MESSAGE_KEYS: dict[str, dict[str, Any]] = {
    "private": KEY.private_jwk(),
    "symmetric": {"kty": "oct", "k": "AAAA"},
    "another curve": {**JWK, "crv": "P-384"},
    "not on the curve": {**JWK, "y": JWK["x"]},
    "padded": {**JWK, "x": JWK["x"] + "="},
    "short": {**JWK, "x": JWK["x"][:-2]},
    "number": {**JWK, "x": 5},
    "no y": {name: value for name, value in JWK.items() if name != "y"},
    "for encryption": {**JWK, "use": "enc"},
    "for signing": {**JWK, "key_ops": ["sign"]},
    "other algorithm": {**JWK, "alg": "ES384"},
    "with a url": {**JWK, "x5u": "https://attacker.example/key"},
    "Ed25519": {"kty": "OKP", "crv": "Ed25519", "x": JWK["x"]},
}


@pytest.mark.parametrize("jwk", NOT_MESSAGE_KEYS.values(), ids=NOT_MESSAGE_KEYS.keys())
def test_a_jwk_that_is_not_a_public_message_key_is_refused(jwk: dict[str, Any]) -> None:
    with pytest.raises(SignatureError):
        VerifyKey.from_jwk(jwk)


def test_a_key_set_holds_public_keys_that_are_read_back() -> None:
    (published,) = jwks([KEY.public()])["keys"]
    assert VerifyKey.from_jwk(published).kid == published["kid"] == KEY.kid


def test_published_keys_are_found_while_they_are_valid_and_for_their_use() -> None:
    now = datetime(2026, 11, 22, tzinfo=UTC)
    day = timedelta(days=1)
    current = publish(JWK, KeyUse.MESSAGE, now - day, now + day)
    ledger = publish(SigningKey.generate().public_jwk(), KeyUse.LEDGER, now - day, now + day)
    assert message_keys([current, ledger], now)(KEY.kid) is not None
    assert message_keys([current, ledger], now)(ledger.kid) is None
    assert message_keys([current], now + 2 * day)(KEY.kid) is None


def test_current_keys_follow_the_clock_wherever_it_goes() -> None:
    now, second = datetime(2026, 3, 1, tzinfo=UTC), timedelta(seconds=1)
    old, new = SigningKey.generate(), SigningKey.generate()
    overlap = timedelta(minutes=5)
    published = [
        publish(old.public_jwk(), KeyUse.MESSAGE, now - overlap, now + overlap),
        publish(new.public_jwk(), KeyUse.MESSAGE, now, now + 2 * overlap),
    ]
    clock = FixedClock(now)
    known = current_message_keys(published, clock)
    ends = [now - overlap, now, now + overlap, now + 2 * overlap]
    instants = [end + step for end in ends for step in (-second, timedelta(), second)]
    for clock.instant in [*instants, *reversed(instants), *instants]:  # clocks are set back, too
        for key in (old, new):
            assert known(key.kid) == message_keys(published, clock.instant)(key.kid)
    assert known("nobody") is None


def test_a_published_key_under_another_name_is_refused() -> None:
    now = datetime(2026, 11, 22, tzinfo=UTC)
    wrong = publish(SigningKey.generate().public_jwk(), KeyUse.MESSAGE, now, now)
    renamed = type(wrong)(kid=KEY.kid, use=wrong.use, jwk=wrong.jwk, not_before=now, not_after=now)
    with pytest.raises(SignatureError, match="thumbprint"):
        message_keys([renamed], now)
