"""Two officers with keys, who sign and publish bundles as the console does."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import msgspec

from federation.trust.keys import ed25519_jwk, generate_ed25519, load_ed25519
from node.console.policy_folders import read_files
from node.console.policy_store import PolicyStore, next_manifest, read_officers, signed
from node.policy.signing import Envelope, Role


@dataclass(frozen=True, slots=True)
class Officers:
    """The keys of an author and an approver, officers.json, and the store where they publish."""

    root: Path

    @classmethod
    def employed(cls, root: Path) -> Officers:
        """Make their keys and officers.json."""
        root.mkdir()
        rows = []
        for role in Role:
            generate_ed25519(root / f"{role}.pem")
            jwk = ed25519_jwk(load_ed25519(root / f"{role}.pem"))
            rows.append({"holder": f"the {role}", "roles": [str(role)], "jwk": jwk})
        (root / "officers.json").write_bytes(msgspec.json.encode(rows))
        return cls(root)

    @property
    def file(self) -> Path:
        return self.root / "officers.json"

    @property
    def store(self) -> PolicyStore:
        return PolicyStore(self.root / "store")

    def publish(self, folder: Path) -> Envelope:
        """Sign a bundle as the next revision, and bring it into force."""
        files, current = read_files(folder), self.store.current()
        envelope = Envelope(next_manifest(files, None if current is None else current.envelope.manifest))
        for role in Role:
            envelope = signed(envelope, role, self.root / f"{role}.pem")
        self.store.publish(files, envelope, read_officers(self.file))
        return envelope
