"""A message key in a PKCS#11 module signs like one in a file, and never leaves the module."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from federation.contract.clock import FixedClock
from federation.contract.errors import ConfigurationError
from federation.trust.hardware import HARDWARE_FILE, HardwareKey, generate_in_hardware, load_signer
from federation.trust.http_messages import HttpRequest
from federation.trust.http_signatures import sign_request, verify_request
from federation.trust.keys import VerifyKey, write_private
from federation.trust.party_keys import known_keys, make_party_keys, rotate_message_key
from tests.support.members import NOW

MODULE = next(
    (
        path
        for path in map(Path, ("/usr/lib/softhsm/libsofthsm2.so", "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so"))
        if path.exists()
    ),
    None,
)
pytestmark = pytest.mark.skipif(MODULE is None, reason="softhsm2 is not installed (Debian: apt-get install softhsm2)")
PIN = "4711-pin"


@pytest.fixture(scope="module")
def token(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Make a token of its own: the module reads where it is from the environment, once for a process."""
    folder = tmp_path_factory.mktemp("token")
    (folder / "tokens").mkdir()
    configuration = folder / "softhsm2.conf"
    configuration.write_text(f"directories.tokendir = {folder}/tokens\nobjectstore.backend = file\nlog.level = ERROR\n")
    before = os.environ.get("SOFTHSM2_CONF")
    os.environ["SOFTHSM2_CONF"] = str(configuration)
    tool = shutil.which("softhsm2-util")
    assert tool is not None
    made = [tool, "--init-token", "--free", "--label", "crocevia", "--so-pin", "0000", "--pin", PIN]
    subprocess.run(made, check=True, capture_output=True)
    yield folder
    os.environ.pop("SOFTHSM2_CONF")
    if before is not None:
        os.environ["SOFTHSM2_CONF"] = before


@pytest.fixture
def place(token: Path, tmp_path: Path) -> HardwareKey:
    assert token.exists()
    assert MODULE is not None
    write_private(tmp_path / "pin", f"{PIN}\n".encode())
    return HardwareKey(MODULE, "crocevia", f"message-{tmp_path.name}", tmp_path / "pin")


def test_a_message_is_signed_in_the_module(place: HardwareKey, tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    keys.mkdir()
    made = generate_in_hardware(keys, place)
    signer = load_signer(keys)
    assert signer.kid == made.kid
    public = VerifyKey.from_jwk(signer.public_jwk())
    clock = FixedClock(NOW)
    request = HttpRequest("POST", "https://node.example/graphql", {"content-type": "application/json"}, b"{}")
    headers = {**request.headers, **sign_request(request, signer, clock, "nonce-0123456789abcdef")}
    signed = HttpRequest(request.method, request.target_uri, headers, request.body)
    assert verify_request(signed, {public.kid: public}.get, clock).keyid == signer.kid


def test_a_party_lives_with_its_message_key_in_hardware(place: HardwareKey, tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    keys.mkdir()
    kid = generate_in_hardware(keys, place).kid
    make_party_keys(keys)
    assert not (keys / "message.pem").exists()
    first = known_keys(keys)[0]
    assert (first.file, first.kid) == (HARDWARE_FILE, kid)
    with pytest.raises(ConfigurationError, match="in hardware"):
        rotate_message_key(keys)
    with pytest.raises(ConfigurationError, match="already"):
        generate_in_hardware(keys, place)


def test_what_is_wrong_is_named_and_the_pin_is_not(place: HardwareKey, tmp_path: Path) -> None:
    places = {
        "no such token": HardwareKey(place.module, "other", place.label, place.pin),
        "no such key": HardwareKey(place.module, place.token, "other", place.pin),
        "no such module": HardwareKey(Path("/nonexistent.so"), place.token, place.label, place.pin),
    }
    for name, wrong in places.items():
        keys = tmp_path / name.replace(" ", "-")
        keys.mkdir()
        content = f'module = "{wrong.module}"\ntoken = "{wrong.token}"\nlabel = "{wrong.label}"\npin = "{wrong.pin}"\n'
        (keys / HARDWARE_FILE).write_text(content)
        with pytest.raises(ConfigurationError, match="cannot be used") as refused:
            load_signer(keys)
        assert PIN not in str(refused.value)
    place.pin.chmod(0o644)
    (tmp_path / "open").mkdir()
    (tmp_path / "open" / HARDWARE_FILE).write_text(
        f'module = "{place.module}"\ntoken = "crocevia"\nlabel = "x"\npin = "{place.pin}"\n'
    )
    with pytest.raises(ConfigurationError, match="mode 0644"):
        load_signer(tmp_path / "open")
