"""The policy in force: a folder of documents, read whole; a broken one never replaces a good one (policy R36, R37)."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from federation.contract.decisions import PolicyVersion
from federation.contract.errors import ConfigurationError, PolicyUnavailableError
from node.console.policy_folders import read_files
from node.enforcement.decide import Decisions
from node.policy.bundle import VOCABULARY_FILE, Bundle
from node.policy.errors import BundleError
from node.policy.findings import Severity
from node.policy.loading import load_checked_bundle
from node.policy.schema_view import SchemaView

FolderState = tuple[tuple[str, int, int, int], ...]
"""Path, time of change in nanoseconds, size and inode of every file."""

_log = logging.getLogger("crocevia.node.policy")


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
    try:
        bundle = load_checked_bundle(read_files(folder), schema)
    except BundleError as error:
        wrong = [finding for finding in error.findings if finding.severity is Severity.ERROR]
        raise PolicyUnavailableError(
            f"policy bundle `{folder}` has {len(wrong)} errors, the first: {wrong[0]}; "
            f"`crocevia policy check --policies {folder}` shows all"
        ) from error
    return Decisions(bundle, PolicyVersion(bundle.digest, _revision(bundle)))


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
        return load_decisions(self.folder, self.schema)

    def changed(self, in_force: PolicyVersion) -> Decisions | None:
        """Return the decisions of another good bundle than the one in force; None if there is none, or not yet."""
        state = folder_state(self.folder)
        settled, self._settling = state == self._settling, state
        if state == self._judged or not settled:
            return None
        try:
            found = load_decisions(self.folder, self.schema)
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
