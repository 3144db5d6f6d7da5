"""The mapping on the page about mappings is one."""

from __future__ import annotations

import re
from pathlib import Path

from node.data.mapping import Mapping

PAGE = Path(__file__).parents[3] / "docs" / "mapping.md"


def test_the_pages_example_is_a_mapping() -> None:
    [example] = re.findall(r"```yaml\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)
    mapping = Mapping.parse(example, "docs/mapping.md")
    assert mapping.member == "c_m999"
