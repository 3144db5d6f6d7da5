"""The guide to the mapping shows a mapping that works."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from node.data.diagnoses import Code
from node.data.expressions import DateFormat, MomentFormat
from node.data.mapping import Mapping as NodeMapping
from node.subgraph.schema import NodeSchema
from node.vocabulary.schema import full_schema

GUIDE = (Path(__file__).parents[3] / "docs" / "mapping.md").read_text(encoding="utf-8")


def example() -> str:
    found = re.search(r"```yaml\n(.*?)```", GUIDE, re.DOTALL)
    assert found
    return found[1]


def test_the_example_fits_the_vocabulary() -> None:
    mapping = NodeMapping.parse(example())
    schema = NodeSchema.build(full_schema(), mapping)
    assert set(mapping.roots) == {"citizens", "publicServices"}
    assert schema.entity_keys["ServiceCase"] == {"id"}


@pytest.mark.parametrize("word", [*DateFormat, *MomentFormat, *Code])
def test_every_format_and_every_finding_is_explained(word: str) -> None:
    assert f"`{word}`" in GUIDE
