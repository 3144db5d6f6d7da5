"""Third-party files are shipped exactly as their packages published them."""

import tomllib
from base64 import b64encode
from hashlib import sha256
from pathlib import Path

VENDOR = Path(__file__).parents[3] / "federation" / "gateway" / "static" / "vendor"


def test_every_vendored_file_is_listed_and_unchanged() -> None:
    listed = {entry["name"]: entry for entry in tomllib.loads((VENDOR / "VENDOR.toml").read_text())["file"]}
    assert listed.keys() == {path.name for path in VENDOR.iterdir()} - {"VENDOR.toml"}
    for name, entry in listed.items():
        digest = b64encode(sha256((VENDOR / name).read_bytes()).digest()).decode()
        assert entry["integrity"] == f"sha256-{digest}", name
        assert entry["licence"] == "MIT"
