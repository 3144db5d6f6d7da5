"""Every half-sentence of the threat model names a test or an attack that exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
_CITED = re.compile(r"`(tests/[\w/]+\.py)`: ((?:`[^`]+`(?:, )?)+)")
MODEL = (ROOT / "docs" / "threat-model.md").read_text(encoding="utf-8")
CITED = [(file, name) for file, names in _CITED.findall(MODEL) for name in re.findall(r"`([^`]+)`", names)]


@pytest.mark.parametrize(("file", "name"), CITED)
def test_what_the_threat_model_cites_exists(file: str, name: str) -> None:
    folder = ROOT / file
    text = folder.read_text(encoding="utf-8")
    if folder.stem == "fuzz":
        text += (folder.with_name("fuzz_targets.py")).read_text(encoding="utf-8")
    assert name in text


def test_every_row_of_a_table_of_impossibilities_cites_something() -> None:
    rows = [line for line in MODEL.splitlines() if line.startswith("| ") and "Shown by" not in line]
    impossible = [row for row in rows if row.count("|") == 3]
    assert len(impossible) > 20
    assert all("`tests/" in row for row in impossible)
    assert len(CITED) > 40
