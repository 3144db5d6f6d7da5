"""The published vectors of RFC 9497 (A.3.1) and RFC 9380 (J.1.1), and what the function promises."""

from __future__ import annotations

import secrets

import pytest

from federation.contract.errors import BadInputError
from federation.linkage.hash_to_curve import N, expand_message_xmd, hash_to_curve
from federation.linkage.oprf import blind, blind_evaluate, derive_key, evaluate, finalize, random_scalar

# RFC 9497 A.3.1: P256-SHA256, mode OPRF.
KEY = 0x159749D750713AFE245D2D39CCFAAE8381C53CE92D098A9375EE70739C7AC0BF
BLIND = 0x3338FA65EC36E0290022B48EB562889D89DBFA691D1CDE91517FA222ED7AD364
VECTORS = {
    "one byte": (
        "00",
        "03723a1e5c09b8b9c18d1dcbca29e8007e95f14f4732d9346d490ffc195110368d",
        "030de02ffec47a1fd53efcdd1c6faf5bdc270912b8749e783c7ca75bb412958832",
        "a0b34de5fa4c5b6da07e72af73cc507cceeb48981b97b7285fc375345fe495dd",
    ),
    "seventeen bytes": (
        "5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a",
        "03cc1df781f1c2240a64d1c297b3f3d16262ef5d4cf102734882675c26231b0838",
        "03a0395fe3828f2476ffcd1f4fe540e5a8489322d398be3c4e5a869db7fcb7c52c",
        "c748ca6dd327f0ce85f4ae3a8cd6d4d5390bbb804c9e12dcf94f853fece3dcce",
    ),
}


def test_the_servers_key_is_derived_as_the_rfc_does() -> None:
    assert derive_key(bytes([0xA3]) * 32, b"test key") == KEY


@pytest.mark.parametrize("vector", VECTORS.values(), ids=VECTORS.keys())
def test_the_published_vectors_hold(vector: tuple[str, str, str, str]) -> None:
    given, blinded, evaluated, output = (bytes.fromhex(each) for each in vector)
    assert blind(given, BLIND) == blinded
    assert blind_evaluate(KEY, blinded) == evaluated
    assert finalize(given, BLIND, evaluated) == output
    assert evaluate(KEY, given) == output


def test_hashing_to_the_curve_holds_its_published_vectors() -> None:
    dst = b"QUUX-V01-CS02-with-P256_XMD:SHA-256_SSWU_RO_"
    assert hash_to_curve(b"", dst) == (
        0x2C15230B26DBC6FC9A37051158C95B79656E17A1A920B11394CA91C44247D3E4,
        0x8A7A74985CC5C776CDFE4B1F19884970453912E9D31528C060BE9AB5C43E8415,
    )
    expander = b"QUUX-V01-CS02-with-expander-SHA256-128"
    assert (
        expand_message_xmd(b"abc", expander, 32).hex()
        == "d8ccab23b5985ccea865c6c97b6e5b8350e794e603b4b97902f53a8a0d605615"
    )


def test_what_the_server_sees_says_nothing_and_the_value_is_the_same() -> None:
    key = random_scalar(secrets.token_bytes)
    seen = set()
    values = set()
    for _ in range(5):
        scalar = random_scalar(secrets.token_bytes)
        hidden = blind(b"RSSMRA80A01F257G", scalar)
        seen.add(hidden)
        values.add(finalize(b"RSSMRA80A01F257G", scalar, blind_evaluate(key, hidden)))
    assert len(seen) == 5
    assert values == {evaluate(key, b"RSSMRA80A01F257G")}


@pytest.mark.parametrize("scalar", [1, 2, N - 2, N - 1])
def test_the_ends_of_the_group_are_multiplied_rightly(scalar: int) -> None:
    hidden = blind(b"x", scalar)
    assert finalize(b"x", scalar, hidden) == finalize(b"x", 1, blind(b"x", 1))


NO_ELEMENTS = {
    "too short": b"\x02" + bytes(31),
    "uncompressed": b"\x04" + bytes(32),
    "not on the curve": b"\x02" + (5).to_bytes(32)[:31] + b"\x01",
    "beyond the field": b"\x02" + b"\xff" * 32,
}


@pytest.mark.parametrize("element", NO_ELEMENTS.values(), ids=NO_ELEMENTS.keys())
def test_what_is_no_element_is_refused(element: bytes) -> None:
    with pytest.raises(BadInputError, match="element of P-256"):
        blind_evaluate(KEY, element)
