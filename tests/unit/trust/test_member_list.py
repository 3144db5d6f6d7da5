"""A member list is trusted when enough operators signed it, while it lasts, and never an older one again."""

from __future__ import annotations

from base64 import b64encode
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from federation.contract.canonical import canonical
from federation.contract.clock import FixedClock
from federation.contract.errors import BadInputError, ConfigurationError, RegistryStaleError
from federation.contract.members import MemberList
from federation.trust.envelope import Envelope, pre_authentication_encoding, seal
from federation.trust.member_list import (
    ExpiredListError,
    ListRollbackError,
    Operators,
    TrustedMembers,
    UndersignedListError,
    sign_member_list,
    verify_member_list,
)
from tests.support.members import NOW, ONE, STRANGER, THREE, TWO, members, signed

OPERATORS = Operators.of("demo", 2, [key.public_key() for key in (ONE, TWO, THREE)])


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOW)


def test_a_list_signed_by_enough_operators_is_trusted(clock: FixedClock) -> None:
    trusted = TrustedMembers(OPERATORS, clock)
    assert trusted.update(signed(3)) == members(3)
    assert trusted.current().version == trusted.version == 3


UNDERSIGNED = {
    "nobody": [],
    "one": [ONE],
    "one twice": [ONE, ONE],
    "one and a stranger": [ONE, STRANGER],
    "strangers": [STRANGER, STRANGER],
}


@pytest.mark.parametrize("keys", UNDERSIGNED.values(), ids=UNDERSIGNED.keys())
def test_a_list_with_too_few_operators_is_refused(keys: list[Ed25519PrivateKey], clock: FixedClock) -> None:
    with pytest.raises(UndersignedListError):
        TrustedMembers(OPERATORS, clock).update(sign_member_list(members(3), keys))


def test_an_older_list_is_refused(clock: FixedClock) -> None:
    trusted = TrustedMembers(OPERATORS, clock)
    trusted.update(signed(3))
    with pytest.raises(ListRollbackError, match="older"):
        trusted.update(signed(2))
    assert trusted.current().version == 3


def test_the_same_version_must_be_the_same_list(clock: FixedClock) -> None:
    trusted = TrustedMembers(OPERATORS, clock)
    trusted.update(signed(3))
    trusted.update(signed(3))
    trusted.update(sign_member_list(members(3), [TWO, THREE]))
    with pytest.raises(ListRollbackError, match="two member lists"):
        trusted.update(signed(3, supergraph="sha256:1"))


def test_an_expired_list_is_neither_taken_nor_acted_on_and_may_be_replaced(clock: FixedClock) -> None:
    trusted = TrustedMembers(OPERATORS, clock)
    trusted.update(signed(3))
    clock.instant = NOW + timedelta(minutes=9)
    assert trusted.current().version == 3
    clock.instant = NOW + timedelta(minutes=11)
    with pytest.raises(RegistryStaleError) as stale:
        trusted.current()
    assert stale.value.code == "REGISTRY_STALE"
    with pytest.raises(ExpiredListError):
        trusted.update(signed(4))
    trusted.update(signed(4, minutes=20))
    assert trusted.current().version == 4


def test_nothing_is_acted_on_before_the_first_list(clock: FixedClock) -> None:
    with pytest.raises(RegistryStaleError):
        TrustedMembers(OPERATORS, clock).current()


def test_a_restart_does_not_go_back(tmp_path: Path, clock: FixedClock) -> None:
    path = tmp_path / "members.json"
    TrustedMembers.load(OPERATORS, clock, path).update(signed(3))
    again = TrustedMembers.load(OPERATORS, clock, path)
    assert again.current().version == 3
    with pytest.raises(ListRollbackError):
        again.update(signed(2))
    again.update(signed(3))
    assert [each.name for each in tmp_path.iterdir()] == ["members.json"]


def test_a_kept_list_that_was_changed_is_refused(tmp_path: Path, clock: FixedClock) -> None:
    path = tmp_path / "members.json"
    path.write_bytes(sign_member_list(members(3), [ONE]))
    with pytest.raises(ConfigurationError, match="cannot be trusted"):
        TrustedMembers.load(OPERATORS, clock, path)


def changed_payload() -> bytes:
    envelope = Envelope.parse(signed(3))
    content = envelope.content().replace(b'"version":3', b'"version":9')
    return msgspec.structs.replace(envelope, payload=b64encode(content).decode()).to_bytes()


def test_a_changed_list_has_no_signatures(clock: FixedClock) -> None:
    with pytest.raises(UndersignedListError, match="signed by 0 operators"):
        TrustedMembers(OPERATORS, clock).update(changed_payload())


NOT_LISTS = {
    "no JSON": b"\x00",
    "no envelope": b"{}",
    "other type": seal("text/plain", canonical(members(3).to_json()), [ONE, TWO]).to_bytes(),
    "no list": seal(MemberList.MEDIA_TYPE, b"{}", [ONE, TWO]).to_bytes(),
    "not canonical": seal(MemberList.MEDIA_TYPE, canonical(members(3).to_json()) + b" ", [ONE, TWO]).to_bytes(),
    "other federation": sign_member_list(msgspec.structs.replace(members(3), federation="other"), [ONE, TWO]),
    "too many signatures": seal(MemberList.MEDIA_TYPE, canonical(members(3).to_json()), [ONE] * 33).to_bytes(),
    "payload not base64": seal(MemberList.MEDIA_TYPE, b"x", [ONE]).to_bytes().replace(b'"eA=="', b'"?"'),
}


@pytest.mark.parametrize("content", NOT_LISTS.values(), ids=NOT_LISTS.keys())
def test_what_is_not_a_member_list_is_refused(content: bytes) -> None:
    with pytest.raises(BadInputError):
        verify_member_list(content, OPERATORS)


@pytest.mark.parametrize("threshold", [0, 4])
def test_a_threshold_that_nobody_or_everybody_meets_is_refused(threshold: int) -> None:
    with pytest.raises(ConfigurationError, match="threshold"):
        Operators.of("demo", threshold, [ONE.public_key(), TWO.public_key(), TWO.public_key()])


def test_the_encoding_under_the_signature_is_that_of_dsse() -> None:
    """The example of DSSE's protocol document."""
    encoded = pre_authentication_encoding("http://example.com/HelloWorld", b"hello world")
    assert encoded == b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
