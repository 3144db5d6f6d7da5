"""Published revisions on disk: one folder per revision, and `current`, a link to the one in force.

A revision's folder is written whole beside the others and never changes again; moving the link is what publishes it. So
a reader who follows the link once sees one revision, and a crash leaves the old one in force.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from federation.contract.errors import BadInputError, ConfigurationError, NotFoundError, SignatureError
from federation.trust.keys import ed25519_from_jwk, ed25519_jwk, load_ed25519, thumbprint
from node.console.policy_folders import read_files
from node.policy.messages import message
from node.policy.signing import (
    ENVELOPE_FILE,
    BundleRefusedError,
    Envelope,
    Manifest,
    Officer,
    OfficerRow,
    Role,
    add_signature,
    officer_rows,
    verify_bundle,
)

_CURRENT: Final = "current"
_LOCK: Final = ".lock"


@dataclass(frozen=True, slots=True)
class Published:
    """One revision: its files by relative path, and its signed manifest."""

    folder: Path
    files: Mapping[str, bytes]
    envelope: Envelope


@dataclass(frozen=True, slots=True)
class PolicyStore:
    """The published revisions of one administration.

    * A revision is published only if it follows the one in force (R37), whoever else publishes at the same moment.
    * What was published stays: nodes follow parents from revision to revision, and `rollback` copies an old one.
    """

    root: Path

    def current(self) -> Published | None:
        """Return the revision in force, None before the first.

        Raises:
            BundleRefusedError: its bundle.json is none.
        """
        name = self.pointer()
        return None if name is None else self._read(self.root / name)

    def pointer(self) -> str | None:
        """Return the name of the revision in force, without reading it."""
        try:
            return (self.root / _CURRENT).readlink().name
        except OSError:
            return None

    def revision(self, number: int) -> Published:
        """Return a revision that was published.

        Raises:
            NotFoundError: it was not.
        """
        folder = self.root / str(number)
        if not folder.is_dir():
            raise NotFoundError(message("revision {number} is not in `{root}`", number=number, root=self.root))
        return self._read(folder)

    def envelopes(self) -> dict[str, Envelope]:
        """Return the manifest of every revision by its digest; what cannot be read is none."""
        found: dict[str, Envelope] = {}
        for folder in self.root.iterdir() if self.root.is_dir() else ():
            if folder.name.isdigit():
                try:
                    envelope = read_envelope(folder)
                except (NotFoundError, BundleRefusedError):
                    continue
                found[envelope.manifest.digest] = envelope
        return found

    def publish(self, files: Mapping[str, bytes], envelope: Envelope, officers: Mapping[str, Officer]) -> None:
        """Bring a signed bundle into force.

        Raises:
            BundleRefusedError: it must not come into force; the one in force stays.
        """
        self.root.mkdir(parents=True, exist_ok=True)
        with self._alone():
            current = self.current()
            verify_bundle(files, envelope, officers, None if current is None else current.envelope.manifest)
            self._keep(files, envelope)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Let one officer publish at a time: the second then finds that her bundle follows no longer."""
        with (self.root / _LOCK).open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _keep(self, files: Mapping[str, bytes], envelope: Envelope) -> None:
        """Write the revision beside the others, then move the link: a reader sees the old or the new, never both."""
        target = self.root / str(envelope.manifest.revision)
        draft = Path(tempfile.mkdtemp(dir=self.root))
        for path, content in {**files, ENVELOPE_FILE: envelope.to_bytes()}.items():
            (draft / path).parent.mkdir(parents=True, exist_ok=True)
            write_whole(draft / path, content)
        for folder in (draft, *(child for child in draft.iterdir() if child.is_dir())):
            folder.chmod(0o755)  # the node that reads policies need not run as the officer who publishes them
        if target.exists():
            shutil.rmtree(target)  # left by a publication that was interrupted before it moved the link
        draft.rename(target)
        link = self.root / f".{_CURRENT}"
        link.unlink(missing_ok=True)
        link.symlink_to(target.name)
        link.rename(self.root / _CURRENT)

    def _read(self, folder: Path) -> Published:
        return Published(folder, read_files(folder), read_envelope(folder))


def read_envelope(folder: Path) -> Envelope:
    """Return a bundle's signed manifest.

    Raises:
        NotFoundError: nobody signed it.
        BundleRefusedError: bundle.json is not one.
    """
    path = folder / ENVELOPE_FILE
    if not path.is_file():
        raise NotFoundError(message("`{path}` does not exist; sign the bundle first", path=path))
    return Envelope.parse(path.read_bytes())


def read_officers(path: Path) -> dict[str, Officer]:
    """Return the officers of officers.json by the id of their key.

    Raises:
        NotFoundError: the file does not exist.
        BundleRefusedError: it is not a list of officers.
    """
    if not path.is_file():
        raise NotFoundError(message("officers file `{path}` does not exist", path=path))
    return dict(_officer(row) for row in officer_rows(path.read_bytes()))


def _officer(row: OfficerRow) -> tuple[str, Officer]:
    try:
        return thumbprint(row.jwk), Officer(row.holder, frozenset(row.roles), ed25519_from_jwk(row.jwk).verify)
    except (BadInputError, SignatureError) as error:
        raise BundleRefusedError(
            message(
                "the key of officer `{holder}` is not a public Ed25519 JWK: {error}", holder=row.holder, error=error
            )
        ) from error


def signed(envelope: Envelope, role: Role, key: Path) -> Envelope:
    """Return the envelope with the signature of a key file.

    Raises:
        NotFoundError: the key does not exist.
        BadInputError: it is none, or others may read it.
        BundleRefusedError: it signed in the other role; whether two keys are one person's, the officers file says.
    """
    if not key.is_file():
        raise NotFoundError(message("key file `{path}` does not exist; `crocevia policy officer` makes one", path=key))
    try:
        private = load_ed25519(key)
    except ConfigurationError as error:
        raise BadInputError(message("key file `{path}` cannot be used: {problem}", path=key, problem=error)) from error
    kid = thumbprint(ed25519_jwk(private))
    for earlier in envelope.signatures:
        if earlier.kid == kid and earlier.role is not role:
            told = message(
                "this key signed as {role} already; another officer approves, with a key of that officer's own",
                role=earlier.role,
            )
            raise BundleRefusedError(told)
    return add_signature(envelope, role, kid, private.sign)


def next_manifest(files: Mapping[str, bytes], current: Manifest | None) -> Manifest:
    """Return the manifest of a bundle that follows the one in force."""
    if current is None:
        return Manifest.of(files, 1, None)
    return Manifest.of(files, current.revision + 1, current.digest)


def write_whole(path: Path, content: bytes) -> None:
    """Write a file whole or not at all, and durably."""
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    written = Path(file.name)
    written.chmod(0o644)  # unlike a key, a policy is for others to read
    written.replace(path)
