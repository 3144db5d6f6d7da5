"""A party's key folder: made once, shown by public halves, and rotated without a moment in which no key is listed."""

from __future__ import annotations

from pathlib import Path

import pytest

from federation.contract.errors import ConfigurationError
from federation.contract.members import KeyUse
from federation.trust.keys import SigningKey
from federation.trust.party_keys import known_keys, make_party_keys, message_keys_of, officer_keys, rotate_message_key
from tests.support.members import NOW


def test_making_keys_again_changes_none(tmp_path: Path) -> None:
    files = make_party_keys(tmp_path)
    before = {path: path.read_bytes() for path in files}
    assert make_party_keys(tmp_path) == files
    assert {path: path.read_bytes() for path in files} == before
    assert {path.stat().st_mode & 0o777 for path in files} == {0o600}


def test_a_message_key_is_rotated_with_overlap(tmp_path: Path) -> None:
    make_party_keys(tmp_path)
    old = SigningKey.load(tmp_path / "message.pem").kid

    def listed() -> list[str]:
        return [key.kid for key in message_keys_of(tmp_path, NOW)]

    assert listed() == [old]
    assert "propose it" in rotate_message_key(tmp_path)
    new = SigningKey.load(tmp_path / "message.next.pem").kid
    assert listed() == [old, new]
    assert "restart" in rotate_message_key(tmp_path)
    assert listed() == [new, old]
    assert SigningKey.load(tmp_path / "message.pem").kid == new
    assert "without it" in rotate_message_key(tmp_path)
    assert listed() == [new]


def test_keys_are_shown_by_their_public_halves(tmp_path: Path) -> None:
    make_party_keys(tmp_path)
    shown = {each.file: each for each in known_keys(tmp_path)}
    assert set(shown) == {"message.pem", "ledger.pem", "witness.pem", "officer-1.pem", "officer-2.pem"}
    assert shown["message.pem"].kid == SigningKey.load(tmp_path / "message.pem").kid
    officers = {key.kid for key in officer_keys(tmp_path, NOW) if key.use is KeyUse.OFFICER}
    assert officers == {shown["officer-1.pem"].kid, shown["officer-2.pem"].kid}


@pytest.mark.parametrize("name", ["message.pem", "ledger.pem", "officer-1.pem"])
def test_a_key_that_others_may_read_is_named(tmp_path: Path, name: str) -> None:
    make_party_keys(tmp_path)
    (tmp_path / name).chmod(0o604)
    with pytest.raises(ConfigurationError, match=rf"{name}` has mode 0604"):
        known_keys(tmp_path)
