"""`crocevia node join`: a node proposes itself with a policy for every field that it serves, or not at all (R34)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest

from federation.contract.errors import PolicyUnavailableError
from federation.contract.governed import governed_fields
from federation.contract.proposals import SignedProposal
from node.server.join_command import join

if TYPE_CHECKING:
    from pathlib import Path

    from node.server.settings import NodeSettings


def joined(settings: NodeSettings, folder: Path) -> Path:
    """Run the command with settings in a file, and return where it writes the proposal."""
    file, out = folder / "settings.toml", folder / "proposal.json"
    written = msgspec.to_builtins(settings, enc_hook=str)
    paths = {"mapping", "policies", "keys", "state", "registry"}
    lines = [f'{name} = "{written[name]}"' for name in ("member", "listen", "url", *sorted(paths))]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    join(
        ["it=Comune"],
        "municipality",
        "M999",
        settings=file,
        member=None,
        keys=None,
        registry=None,
        clients=None,
        out=out,
    )
    return out


def test_r34_a_proposal_says_which_fields_the_policy_governs(settings: NodeSettings, tmp_path: Path) -> None:
    proposal = SignedProposal.parse(joined(settings, tmp_path).read_bytes()).proposal
    assert governed_fields(proposal.schema) <= set(proposal.governed)
    assert proposal.policy.startswith("sha256:")


def test_r34_a_node_with_a_field_without_a_policy_does_not_join(settings: NodeSettings, tmp_path: Path) -> None:
    (settings.policies / "types" / "Location.yaml").unlink()
    (settings.policies / "tests" / "Location_test.yaml").unlink(missing_ok=True)
    with pytest.raises(PolicyUnavailableError, match="type `Location` of the schema has no policy"):
        joined(settings, tmp_path)
    assert not (tmp_path / "proposal.json").exists()
