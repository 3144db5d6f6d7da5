"""A registry folder is followed forwards; what cannot be trusted in it changes nothing."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest

from federation.contract.clock import FixedClock
from federation.contract.errors import ConfigurationError, RegistryStaleError
from federation.trust.keys import ed25519_jwk
from federation.trust.member_list import ListRollbackError
from federation.trust.registry import MEMBER_LIST_FILE, OPERATORS_FILE, RegistryFolder
from tests.support.members import NOW, ONE, THREE, TWO, signed


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    keys = [ed25519_jwk(key) for key in (ONE, TWO, THREE)]
    (tmp_path / OPERATORS_FILE).write_text(json.dumps({"federation": "demo", "threshold": 2, "keys": keys}))
    return tmp_path


def put(folder: Path, content: bytes) -> None:
    partial = folder / "part"
    partial.write_bytes(content)
    partial.replace(folder / MEMBER_LIST_FILE)


def test_a_newer_list_is_taken_and_an_older_one_is_not(folder: Path) -> None:
    registry = RegistryFolder.open(folder, FixedClock(NOW))
    with pytest.raises(RegistryStaleError):
        registry.current()
    put(folder, signed(3))
    assert registry.current().version == 3
    put(folder, signed(4))
    assert registry.current().version == 4
    put(folder, signed(3))
    assert registry.current().version == 4
    assert isinstance(registry.refusal, ListRollbackError)
    put(folder, signed(5))
    assert registry.current().version == 5
    assert registry.refusal is None


def test_the_last_good_list_serves_until_it_expires(folder: Path) -> None:
    clock = FixedClock(NOW)
    registry = RegistryFolder.open(folder, clock, folder / "kept.json")
    put(folder, signed(3))
    registry.current()
    (folder / MEMBER_LIST_FILE).unlink()
    assert registry.current().version == 3
    assert RegistryFolder.open(folder, clock, folder / "kept.json").current().version == 3
    clock.instant = NOW + timedelta(minutes=11)
    with pytest.raises(RegistryStaleError):
        registry.current()


@pytest.mark.parametrize("content", ["", "{}", '{"federation":"d","threshold":1,"keys":[{"kty":"oct"}]}'])
def test_operators_that_cannot_be_read_are_named(folder: Path, content: str) -> None:
    (folder / OPERATORS_FILE).write_text(content)
    with pytest.raises(ConfigurationError, match=r"operators\.json"):
        RegistryFolder.open(folder, FixedClock(NOW))
