"""The registry as its operators keep it: editions are staged, signed by enough operators, published, and stamped.

```
metadata/   1.root.json, 3.targets.json, 3.snapshot.json, timestamp.json
targets/    the member list and the schemas, each under its digest
root.json   the first root, for members to take home
```

Root, targets and snapshot are signed by a threshold of operators, each perhaps on a machine of its own: what is not
signed by enough of them waits in a folder beside the registry. Only the timestamp, which says for ten minutes at a time
which snapshot is the newest, is signed by a key that is online; whoever steals it can hold the federation at its last
edition and nothing else.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from securesystemslib.signer._crypto_signer import CryptoSigner
from securesystemslib.signer._key import SSlibKey
from tuf.api._payload import MetaFile, Role, Root, Snapshot, TargetFile, Targets, Timestamp
from tuf.api.exceptions import RepositoryError
from tuf.api.metadata import Metadata
from tuf.api.serialization.json import JSONSerializer

from federation.contract.canonical import canonical
from federation.contract.clock import Clock
from federation.contract.errors import BadInputError, ConfigurationError, NotFoundError
from federation.contract.members import MemberList
from federation.trust.list_errors import UndersignedListError
from federation.trust.registry import ROOT_FILE
from federation.trust.trusted_list import FEDERATION_FIELD, MEMBERS_FILE, METADATA, TARGETS, TIMESTAMP_NAME

ROOT_LIFE: Final = timedelta(days=365)
LIST_LIFE: Final = timedelta(days=7)
TIMESTAMP_LIFE: Final = timedelta(minutes=10)
"""How long nodes go on when nobody stamps any more: as long as a signed configuration of X-Road."""

_ROOT, _TARGETS, _SNAPSHOT = "root.json", "targets.json", "snapshot.json"
_BY_OPERATORS = ("root", "targets", "snapshot")
_WRITTEN = JSONSerializer(compact=True)


@dataclass(frozen=True, slots=True)
class Signatures:
    """How far the signing of a staged file is: operators' key ids that signed, and how many more must."""

    role: str
    version: int
    signed: tuple[str, ...]
    missing: int


@dataclass(frozen=True, slots=True)
class Repository:
    """A registry with its staging folder."""

    folder: Path
    staged: Path
    clock: Clock

    def stage_root(
        self,
        federation: str,
        threshold: int,
        operators: Sequence[Ed25519PublicKey],
        timestamp: Ed25519PublicKey,
    ) -> None:
        """Stage the first root, or the next one with other keys: both the old and the new operators must sign it.

        Raises:
            ConfigurationError: the threshold is not between 1 and the number of different keys.
        """
        keys = {key.keyid: key for key in map(SSlibKey.from_crypto, operators)}
        if not 0 < threshold <= len(keys):
            raise ConfigurationError(f"expected a threshold between 1 and {len(keys)} operator keys, got {threshold}")
        online = SSlibKey.from_crypto(timestamp)
        before = self._newest_root()
        root = Root(
            version=1 if before is None else before.signed.version + 1,
            expires=self._in(ROOT_LIFE),
            keys={**keys, online.keyid: online},
            roles={
                **{role: Role(list(keys), threshold) for role in _BY_OPERATORS},
                "timestamp": Role([online.keyid], 1),
            },
            consistent_snapshot=True,
            unrecognized_fields={FEDERATION_FIELD: federation},
        )
        self._stage(_ROOT, Metadata(root))

    def stage_list(self, members: MemberList, documents: Mapping[str, bytes]) -> None:
        """Stage an edition: the member list, of the version that `next_version` says, and what is published with it."""
        files = {MEMBERS_FILE: canonical(members.to_json()), **documents}
        infos = {name: TargetFile.from_data(name, content, ["sha256"]) for name, content in files.items()}
        targets = Metadata(Targets(version=members.version, expires=self._in(LIST_LIFE), targets=infos))
        self._stage(_TARGETS, targets)
        snapshot = Snapshot(version=members.version, expires=self._in(LIST_LIFE))
        snapshot.meta[_TARGETS] = MetaFile(version=members.version)
        self._stage(_SNAPSHOT, Metadata(snapshot))
        for name, info in infos.items():
            _write(self.staged / TARGETS / info.get_prefixed_paths()[0], files[name])

    def next_version(self) -> int:
        """Return the version of the next edition."""
        newest = self._newest(_TARGETS)
        return 1 if newest is None else newest.signed.version + 1

    def sign(self, key: Ed25519PrivateKey) -> tuple[Signatures, ...]:
        """Add one operator's signature to everything that is staged, and return how far the signing is.

        Raises:
            NotFoundError: nothing is staged.
            BadInputError: the key is not an operator's.
        """
        signer = CryptoSigner(key)
        if not any(signer.public_key.keyid in root for root in self.roots()):
            raise BadInputError("the key is not among the operators' keys of the root that is in force or staged")
        for name, staged in self._all_staged():
            staged.sign(signer, append=True)
            _write(self.staged / name, staged.to_bytes(_WRITTEN))
        return self.standing()

    def roots(self) -> tuple[frozenset[str], ...]:
        """Return the key ids of the operators of the root in force, and of one that is staged."""
        found = (self._newest_root(), self._read(self.staged / _ROOT))
        return tuple(frozenset(root.signed.roles["root"].keyids) for root in found if root is not None)

    def standing(self) -> tuple[Signatures, ...]:
        """Return who signed what is staged.

        Raises:
            NotFoundError: nothing is staged.
        """
        return tuple(self._signatures(staged) for _, staged in self._all_staged())

    def publish(self) -> tuple[Signatures, ...]:
        """Move what is staged into the registry; the timestamp is for whoever holds its key (`stamp`).

        Raises:
            NotFoundError: nothing is staged.
            UndersignedListError: not enough operators signed; says how many are missing where.
        """
        standing = self.standing()
        for each in standing:
            if each.missing:
                raise UndersignedListError(
                    f"{each.role} {each.version} is signed by {len(each.signed)} operators, "
                    f"{each.missing} more must sign"
                )
        staged_files = self.staged / TARGETS
        if staged_files.exists():
            shutil.copytree(staged_files, self.folder / TARGETS, dirs_exist_ok=True)
        for name, staged in self._all_staged():
            content = (self.staged / name).read_bytes()
            _write(self.folder / METADATA / f"{staged.signed.version}.{name}", content)
            if name == _ROOT and staged.signed.version == 1:
                _write(self.folder / ROOT_FILE, content)
        shutil.rmtree(self.staged)
        return standing

    def stamp(self, key: Ed25519PrivateKey, life: timedelta = TIMESTAMP_LIFE) -> None:
        """Say with the online key that the newest snapshot is the newest, for `life` from now.

        Raises:
            NotFoundError: no edition was published yet.
        """
        snapshot = self._newest(_SNAPSHOT)
        if snapshot is None:
            raise NotFoundError(f"registry `{self.folder}` holds no edition to stamp; publish one first")
        version = snapshot.signed.version
        content = (self.folder / METADATA / f"{version}.{_SNAPSHOT}").read_bytes()
        timestamp = Timestamp(version=self._last_stamp() + 1, expires=self._in(life))
        timestamp.snapshot_meta = MetaFile.from_data(version, content, ["sha256"])
        stamped = Metadata(timestamp)
        stamped.sign(CryptoSigner(key))
        _write(self.folder / TIMESTAMP_NAME, stamped.to_bytes(_WRITTEN))

    def needs_stamp(self) -> bool:
        """Tell whether the timestamp is past half of its life, or an edition is newer than the one it names."""
        stamped, newest = self._read(self.folder / TIMESTAMP_NAME), self._newest(_SNAPSHOT)
        if newest is None:
            return False
        if stamped is None or stamped.signed.snapshot_meta.version != newest.signed.version:
            return True
        return bool(stamped.signed.expires - self.clock.now() < TIMESTAMP_LIFE / 2)

    def _last_stamp(self) -> int:
        stamped = self._read(self.folder / TIMESTAMP_NAME)
        return 0 if stamped is None else int(stamped.signed.version)

    def _signatures(self, staged: Metadata[Any]) -> Signatures:
        signed, content = staged.signed, staged.signed_bytes
        before = self._newest_root()
        if isinstance(signed, Root):
            both = signed.get_root_verification_result(
                None if before is None else before.signed, content, staged.signatures
            )
            missing = max(both.first.missing, both.second.missing)
            return Signatures("root", signed.version, tuple(sorted(both.signed)), missing)
        root = self._read(self.staged / _ROOT) or before
        if root is None:
            raise ConfigurationError(f"registry `{self.folder}` has no root; run `crocevia federation init` first")
        result = root.signed.get_verification_result(signed.type, content, staged.signatures)
        return Signatures(signed.type, signed.version, tuple(sorted(result.signed)), result.missing)

    def _all_staged(self) -> list[tuple[str, Metadata[Any]]]:
        found = [(name, self._read(self.staged / name)) for name in (_ROOT, _TARGETS, _SNAPSHOT)]
        staged = [(name, each) for name, each in found if each is not None]
        if not staged:
            raise NotFoundError(f"nothing is staged in `{self.staged}`")
        return staged

    def _stage(self, name: str, staged: Metadata[Any]) -> None:
        _write(self.staged / name, staged.to_bytes(_WRITTEN))

    def _newest_root(self) -> Metadata[Any] | None:
        return self._newest(_ROOT)

    def _newest(self, name: str) -> Metadata[Any] | None:
        versions = [int(path.name.partition(".")[0]) for path in (self.folder / METADATA).glob(f"[0-9]*.{name}")]
        return self._read(self.folder / METADATA / f"{max(versions)}.{name}") if versions else None

    def _read(self, path: Path) -> Metadata[Any] | None:
        try:
            return Metadata[Any].from_bytes(path.read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, RepositoryError) as error:
            raise ConfigurationError(f"registry's file `{path}` cannot be read: {error}") from error

    def _in(self, life: timedelta) -> Any:
        return self.clock.now().astimezone(UTC) + life


def key_id(key: Ed25519PublicKey) -> str:
    """Return the id under which the root names a key."""
    return str(SSlibKey.from_crypto(key).keyid)


def _write(path: Path, content: bytes) -> None:
    """Replace a file in one step, so that a reader sees the old or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.{sha256(content).hexdigest()[:8]}.part")
    with partial.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
