"""What `crocevia keys` prints is what parties compare over the telephone."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from federation.membership.key_commands import app
from federation.trust.party_keys import known_keys, make_party_keys


def test_no_letter_of_a_thumbprint_is_lost_on_a_narrow_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_party_keys(tmp_path)
    monkeypatch.setenv("COLUMNS", "60")
    rows = [re.split("[│┃]", line) for line in CliRunner().invoke(app, ["list", str(tmp_path)]).stdout.splitlines()]
    printed = "".join(cells[3].strip() for cells in rows if len(cells) > 3)
    assert [each.kid for each in known_keys(tmp_path) if each.kid not in printed] == []
