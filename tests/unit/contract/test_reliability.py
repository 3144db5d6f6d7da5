"""docs/reliability.md has a row for every criterion, and what the rows cite exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.faults.campaign import CAMPAIGNS, Campaign

ROOT = Path(__file__).parents[3]
GROUPS = {"A": 12, "S": 12, "H": 11, "D": 12}
CRITERIA = [f"{group}{number}" for group, count in GROUPS.items() for number in range(1, count + 1)]
_ROW = re.compile(r"\| ([ASHD]\d+) \| ([^|]+) \| ([^|]+) \| ([^|]+) \|")
_CITED = re.compile(r"`(tests/[\w/]+\.py)`(?:: ((?:`\w+`(?:, )?)+))?")
ROWS = {row[1]: row for row in _ROW.finditer((ROOT / "docs" / "reliability.md").read_text(encoding="utf-8"))}


def test_every_criterion_has_its_row_in_order() -> None:
    assert list(ROWS) == CRITERIA


@pytest.mark.parametrize("criterion", CRITERIA)
def test_what_a_row_cites_exists(criterion: str) -> None:
    cited = _CITED.findall(ROWS[criterion][3])
    assert cited
    for file, names in cited:
        text = (ROOT / file).read_text(encoding="utf-8")
        for name in re.findall(r"`(\w+)`", names):
            assert f"def {name}(" in text, f"{file} has no {name}"


@pytest.mark.parametrize("campaign", CAMPAIGNS, ids=lambda campaign: campaign.name)
def test_a_campaign_is_cited_by_the_criteria_that_it_shows(campaign: Campaign) -> None:
    for criterion in re.findall(r"\b[ASHD]\d+\b", campaign.shows):
        assert f"`tests/faults/{campaign.name}.py`" in ROWS[criterion][3], f"{criterion} does not cite {campaign.name}"
