"""The privacy officers of the demo's members: two people with a key each, who sign and publish the members' bundles.

In a real administration the two keys never lie in one folder; here one person plays all parts.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import msgspec

from federation.trust.keys import ed25519_jwk, generate_ed25519, load_ed25519
from node.console.policy_folders import read_files
from node.console.policy_store import PolicyStore, next_manifest, read_officers, signed
from node.policy.signing import Envelope, Manifest, OfficerRow, Role

STORE_FOLDER: Final = "policies"
OFFICERS_FOLDER: Final = "officers"
OFFICERS_FILE: Final = "officers.json"


def publish_policy(party: Path, bundle: Path) -> dict[str, str]:
    """Sign a member's bundle and bring it into force, unless the one in force is the same.

    Args:
        party: the member's folder.
        bundle: the folder where the policy is written.

    Returns:
        The node's settings that say where its policy comes from.
    """
    keys, store = party / OFFICERS_FOLDER, PolicyStore(party / STORE_FOLDER)
    _employ(keys)
    files, current = read_files(bundle), store.current()
    in_force = None if current is None else current.envelope.manifest
    if in_force is None or Manifest.of(files, in_force.revision, in_force.parent) != in_force:
        envelope = Envelope(next_manifest(files, in_force))
        for role in Role:
            envelope = signed(envelope, role, keys / f"{role}.pem")
        store.publish(files, envelope, read_officers(keys / OFFICERS_FILE))
    return {"policies": STORE_FOLDER, "officers": f"{OFFICERS_FOLDER}/{OFFICERS_FILE}"}


def _employ(keys: Path) -> None:
    """Make the keys of an author and an approver, and the file that says whose they are."""
    if (keys / OFFICERS_FILE).exists():
        return
    keys.mkdir(parents=True, exist_ok=True, mode=0o700)
    for role in Role:
        if not (keys / f"{role}.pem").exists():
            generate_ed25519(keys / f"{role}.pem")
    rows = [
        OfficerRow(f"{role}@{keys.parent.name}", (role,), ed25519_jwk(load_ed25519(keys / f"{role}.pem")))
        for role in Role
    ]
    (keys / OFFICERS_FILE).write_bytes(msgspec.json.format(msgspec.json.encode(rows), indent=2) + b"\n")
