"""The gateway's settings say what it serves, or are refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from federation.contract.errors import ConfigurationError
from federation.gateway.settings import load_settings

SETTINGS = """listen = "127.0.0.1:8400"
url = "https://127.0.0.1:8400"
keys = "keys"
state = "state"
registry = "registry"
mutual = true
"""
CHANNEL = """[channel]
certificate = "keys/channel.crt.pem"
key = "keys/channel.pem"
authority = "keys/authority.pem"
"""


def test_mutual_tls_without_a_channel_is_refused_and_not_served_in_the_clear(tmp_path: Path) -> None:
    path = tmp_path / "gateway.toml"
    path.write_text(SETTINGS)
    with pytest.raises(ConfigurationError, match=r"`mutual = true`.*`\[channel\]`"):
        load_settings(path)
    path.write_text(SETTINGS + CHANNEL)
    assert load_settings(path).mutual
