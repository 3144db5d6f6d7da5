"""The published vectors of RFC 9421 appendix B and RFC 9530 that the profile's algorithms admit."""

from __future__ import annotations

from base64 import b64decode, urlsafe_b64encode

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from federation.contract.errors import SignatureError
from federation.trust.http_messages import content_digest
from federation.trust.keys import VerifyKey

pytestmark = pytest.mark.conformance

ECC_P256 = b"""-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEqIVYZVLCrPZHGHjP17CTW0/+D9Lf
w0EkjqF7xB4FivAxzic30tMM4GF+hR6Dxh71Z50VGGdldkkDXZCnTNnoXQ==
-----END PUBLIC KEY-----
"""
SIGNATURE_BASE = (
    '"@status": 200\n'
    '"content-type": application/json\n'
    '"content-digest": sha-512=:mEWXIS7MaLRuGgxOBdODa3xqM1XdEvxoYhvlCFJ41QJgJc4GTsPp29l5oGX69wWdXymyU0rjJuahq4l5aGgfLQ'
    "==:\n"
    '"content-length": 23\n'
    '"@signature-params": ("@status" "content-type" "content-digest" "content-length")'
    ';created=1618884473;keyid="test-key-ecc-p256"'
)
SIGNATURE = "wNmSUAhwb5LxtOtOpNa6W5xj067m5hFrj0XQ4fvpaCLx0NKocgPquLgyahnzDnDAUy5eCdlYUEkLIj+32oiasw=="


def published_key() -> VerifyKey:
    key = load_pem_public_key(ECC_P256)
    assert isinstance(key, EllipticCurvePublicKey)
    numbers = key.public_numbers()
    x, y = (urlsafe_b64encode(value.to_bytes(32)).rstrip(b"=").decode() for value in (numbers.x, numbers.y))
    return VerifyKey.from_jwk({"kty": "EC", "crv": "P-256", "x": x, "y": y})


def test_the_p256_signature_of_appendix_b_2_4_verifies() -> None:
    published_key().verify(b64decode(SIGNATURE), SIGNATURE_BASE.encode())


def test_the_same_signature_over_another_status_does_not() -> None:
    with pytest.raises(SignatureError):
        published_key().verify(b64decode(SIGNATURE), SIGNATURE_BASE.replace("200", "201", 1).encode())


def test_the_digest_of_rfc_9530_appendix_d_is_found() -> None:
    """RFC 9530 appendix D: the body `{"hello": "world"}` with its newline."""
    assert content_digest(b'{"hello": "world"}\n') == "sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:"
    assert content_digest(b'{"hello": "world"}') == "sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:"
