"""The policy in force: a bundle read whole; a broken one never replaces a good one (policy R36, R37).

A node reads either published revisions that two officers signed, or, where no officers are set, a folder that anybody
who may write there edits. Both say what holds now, and what has changed since; the process asks now and then.
"""

from __future__ import annotations

import asyncio
import fcntl
import logging
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

import msgspec

from federation.contract.decisions import PolicyVersion
from federation.contract.errors import (
    ConfigurationError,
    CroceviaError,
    NotFoundError,
    PolicyUnavailableError,
)
from node.console.policy_folders import read_files
from node.console.policy_store import PolicyStore, Published, read_officers, write_whole
from node.enforcement.decide import Decisions
from node.policy.bundle import VOCABULARY_FILE, Bundle
from node.policy.errors import BundleError
from node.policy.findings import Severity
from node.policy.loading import load_checked_bundle
from node.policy.schema_view import SchemaView
from node.policy.signing import BundleRefusedError, Manifest, require_files, require_two_officers, verify_lineage
from node.server.settings import NodeSettings

FolderState = tuple[tuple[str, int, int, int], ...]
"""Path, time of change in nanoseconds, size and inode of every file."""

MEMORY_FILE: Final = "policy.json"
_log = logging.getLogger("crocevia.node.policy")


class Remembered(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The policy that was in force last; its manifest, if it was signed."""

    version: PolicyVersion
    manifest: Manifest | None = None


@dataclass(frozen=True, slots=True)
class PolicyMemory:
    """What a node keeps of its policy over a restart, so that an older revision does not come back with it.

    Its worker processes share the file: the first to meet a revision records it, the others see that it is remembered.
    """

    path: Path

    def last(self) -> Remembered | None:
        """Return the policy in force when the node last wrote it; None at its first start.

        Raises:
            ConfigurationError: the file is there and cannot be read: it must not be taken for a first start.
        """
        try:
            return msgspec.json.decode(self.path.read_bytes(), type=Remembered)
        except FileNotFoundError:
            return None
        except (OSError, msgspec.MsgspecError) as error:
            raise ConfigurationError(
                f"`{self.path}` does not say which policy was in force: {error}; restore it, or remove it if two "
                "officers agree that the published revision is the right one"
            ) from error

    def keep(self, remembered: Remembered) -> None:
        """Write down the policy in force."""
        write_whole(self.path, msgspec.json.encode(remembered))

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[None]:
        """Keep the node's other processes from reading and keeping meanwhile; a process that dies lets go."""
        with self.path.with_suffix(".lock").open("ab") as lock:
            await asyncio.to_thread(fcntl.flock, lock, fcntl.LOCK_EX)
            yield


class PolicySource(Protocol):
    """Where a node's policy comes from."""

    def load(self) -> Decisions:
        """Return the decisions to begin with.

        Raises:
            PolicyUnavailableError, ConfigurationError: there is no bundle to decide by.
        """
        ...

    def offered(self) -> Decisions:
        """Return the decisions of what lies there now, whether or not a node would begin with something else.

        Raises:
            PolicyUnavailableError, ConfigurationError: it may not come into force; the message says why.
        """
        ...

    def changed(self, in_force: PolicyVersion) -> Decisions | None:
        """Return the decisions of another good bundle than the one in force; None if there is none, or not yet."""
        ...

    def remembered(self, in_force: PolicyVersion) -> Remembered:
        """Return what to keep of the policy in force over a restart."""
        ...


def open_policies(settings: NodeSettings, schema: SchemaView, last: Remembered | None) -> PolicySource:
    """Return the source that a node's settings name."""
    if settings.officers is None:
        return PolicyFolder(settings.policies, schema)
    return PublishedPolicies(PolicyStore(settings.policies), settings.officers, schema, last)


# --- published revisions ---


@dataclass(slots=True)
class PublishedPolicies:
    """Revisions that officers published, each signed by two of them.

    * A revision comes into force only if it descends from the one before, and both signatures verify with the officers
      that are known at that moment.
    * What is refused is told once; the revision in force stays, over a restart too.
    """

    store: PolicyStore
    officers: Path
    schema: SchemaView
    last: Remembered | None
    _judged: tuple[str | None, PolicyVersion] | None = field(init=False, default=None, repr=False)
    _manifests: dict[PolicyVersion, Manifest] = field(init=False, default_factory=dict, repr=False)

    def load(self) -> Decisions:
        """Return the decisions of the published revision, or of the last one in force if that one is refused."""
        pointer = self.store.pointer()
        try:
            found = self.offered()
        except PolicyUnavailableError as error:
            if self.last is None or self.last.manifest is None:
                raise
            found = self._again(self.last.manifest)
            _log.warning("policy revision %d stays in force: %s", found.version.revision, error)
        self._judged = pointer, found.version
        return found

    def offered(self) -> Decisions:
        """Return the decisions of the published revision, if the node may take it."""
        return self._descending(None if self.last is None else self.last.manifest)

    def changed(self, in_force: PolicyVersion) -> Decisions | None:
        """Return the decisions of a revision that was published after the one in force."""
        pointer = self.store.pointer()
        if (pointer, in_force) == self._judged:
            return None
        before = self._manifests[in_force]
        try:
            found = self._descending(before)
        except (CroceviaError, OSError) as error:
            self._judged = pointer, in_force
            _log.warning("policy %s (revision %d) stays in force: %s", in_force.digest, in_force.revision, error)
            return None
        if found.version == in_force:
            self._judged = pointer, in_force
            return None
        return found

    def remembered(self, in_force: PolicyVersion) -> Remembered:
        """Return the version in force and its manifest."""
        return Remembered(in_force, self._manifests[in_force])

    def _descending(self, before: Manifest | None) -> Decisions:
        """Return the decisions of the published revision if it is the one before, or descends from it."""
        with _refusals_as_unavailable(self.store.root):
            published = self.store.current()
            if published is None:
                raise PolicyUnavailableError(f"`{self.store.root}` holds no published revision: publish one")
            officers = read_officers(self.officers)
            require_files(published.files, published.envelope.manifest)
            if published.envelope.manifest == before:
                require_two_officers(published.envelope, officers)
            else:
                verify_lineage(published.envelope, self.store.envelopes(), officers, before)
            return self._decisions(published)

    def _again(self, before: Manifest) -> Decisions:
        """Return the decisions of the revision that was in force before the node stopped."""
        with _refusals_as_unavailable(self.store.root):
            published = self.store.revision(before.revision)
            require_files(published.files, before)
            require_two_officers(published.envelope, read_officers(self.officers))
            return self._decisions(published)

    def _decisions(self, published: Published) -> Decisions:
        manifest = published.envelope.manifest
        bundle = _sound(published.files, self.schema, published.folder)
        version = PolicyVersion(bundle.digest, manifest.revision)
        self._manifests[version] = manifest
        return Decisions(bundle, version)


@contextmanager
def _refusals_as_unavailable(root: Path) -> Iterator[None]:
    """Tell why a published revision is refused as the one error of a policy that cannot be used."""
    try:
        yield
    except (BundleRefusedError, NotFoundError) as error:
        raise PolicyUnavailableError(f"published policy in `{root}` is refused: {error}") from error


# --- a folder that anybody edits ---


def load_decisions(folder: Path, schema: SchemaView | None = None) -> Decisions:
    """Return the decisions of the bundle in a folder.

    Args:
        folder: holds the bundle; its vocabulary may be the parent folder's.
        schema: what the node serves, and the bundle must cover (R1, R14, R19); None checks the bundle alone (R10).

    Raises:
        ConfigurationError: the folder does not exist.
        PolicyUnavailableError: the bundle has errors; the message names the first and says how to see all.
    """
    if not folder.is_dir():
        raise ConfigurationError(f"policy folder `{folder}` does not exist; set `policies` in the settings")
    bundle = _sound(read_files(folder), schema, folder)
    return Decisions(bundle, PolicyVersion(bundle.digest, _revision(bundle)))


def _sound(files: Mapping[str, bytes], schema: SchemaView | None, folder: Path) -> Bundle:
    try:
        return load_checked_bundle(files, schema)
    except BundleError as error:
        wrong = [finding for finding in error.findings if finding.severity is Severity.ERROR]
        raise PolicyUnavailableError(
            f"policy bundle `{folder}` has {len(wrong)} errors, the first: {wrong[0]}; "
            f"`crocevia policy check --policies {folder}` shows all"
        ) from error


@dataclass(slots=True)
class PolicyFolder:
    """A bundle's folder, looked at from time to time.

    Officers save one file after the other: a changed folder is read once two looks found it the same, so that a bundle
    half saved is not taken for one. What is broken is told once and kept out until the files change again.
    """

    folder: Path
    schema: SchemaView
    _settling: FolderState | None = field(init=False, default=None, repr=False)
    _judged: FolderState | None = field(init=False, default=None, repr=False)

    def load(self) -> Decisions:
        """Return the decisions that the folder holds now; see `load_decisions`."""
        self._settling = self._judged = folder_state(self.folder)
        return self.offered()

    def offered(self) -> Decisions:
        """Return the decisions that the folder holds, changed or not."""
        return load_decisions(self.folder, self.schema)

    def changed(self, in_force: PolicyVersion) -> Decisions | None:
        """Return the decisions of another good bundle than the one in force; None if there is none, or not yet."""
        state = folder_state(self.folder)
        settled, self._settling = state == self._settling, state
        if state == self._judged or not settled:
            return None
        try:
            found = self.offered()
        except (PolicyUnavailableError, ConfigurationError) as error:
            self._judged = state
            _log.warning("policy %s (revision %d) stays in force: %s", in_force.digest, in_force.revision, error)
            return None
        except OSError:
            return None  # a file went away between listing and reading: the folder has not settled
        if folder_state(self.folder) != state:
            return None
        if found.version == in_force:
            self._judged = state
            return None
        return found

    def remembered(self, in_force: PolicyVersion) -> Remembered:
        """Return the version in force."""
        return Remembered(in_force)


def folder_state(folder: Path) -> FolderState:
    """Return what tells whether a bundle's folder changed, without reading its files."""
    return tuple(sorted(_files(folder)))


def _files(folder: Path) -> Iterator[tuple[str, int, int, int]]:
    for path in (*folder.rglob("*"), folder.parent / VOCABULARY_FILE):
        try:
            state = path.stat()
        except OSError:
            continue
        if path.is_file():
            yield str(path), state.st_mtime_ns, state.st_size, state.st_ino


def _revision(bundle: Bundle) -> int:
    """The revision of a bundle that nobody signed yet: the highest version among its documents."""
    return max((document.version for document in bundle.types.values()), default=0)
