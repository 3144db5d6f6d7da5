"""The policy in force: a folder of documents, read whole; a broken one never replaces a good one (policy R37)."""

from __future__ import annotations

from pathlib import Path

from federation.contract.decisions import PolicyVersion
from federation.contract.errors import ConfigurationError, PolicyUnavailableError
from node.console.policy_folders import read_files
from node.enforcement.decide import Decisions
from node.policy.bundle import Bundle, load_bundle
from node.policy.errors import BundleError


def load_decisions(folder: Path) -> Decisions:
    """Return the decisions of the bundle in a folder.

    Raises:
        ConfigurationError: the folder does not exist.
        PolicyUnavailableError: the bundle has errors; the message names the first and says how to see all.
    """
    if not folder.is_dir():
        raise ConfigurationError(f"policy folder `{folder}` does not exist; set `policies` in the settings")
    try:
        bundle = load_bundle(read_files(folder))
    except BundleError as error:
        first = error.findings[0]
        raise PolicyUnavailableError(
            f"policy bundle `{folder}` has {len(error.findings)} findings, the first: {first}; "
            f"`crocevia policy check --policies {folder}` shows all"
        ) from error
    return Decisions(bundle, PolicyVersion(bundle.digest, _revision(bundle)))


def _revision(bundle: Bundle) -> int:
    """The revision of a bundle that nobody signed yet: the highest version among its documents."""
    return max((document.version for document in bundle.types.values()), default=0)
