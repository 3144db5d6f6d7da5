"""Whatever is in a bundle's files, reading them ends in findings or in a bundle, never in an exception (R11)."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from node.policy.bundle import read_bundle
from node.policy.findings import Severity
from node.policy.signing import BundleRefusedError, Envelope, officer_rows
from tests.support.policies import EXAMPLE, VOCABULARY, document, files_of, folder_files, grant

pytestmark = pytest.mark.property

WORDS = st.sampled_from(
    ["clear", "year", "name", "row.age < 3", "6.1.e", "national", "benefit-assessment", "2026-01-01", "true", "row", ""]
)
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | WORDS | st.text(max_size=6) | st.dates()
KEYS = st.sampled_from(
    [
        "id",
        "to",
        "kind",
        "purpose",
        "basis",
        "see",
        "valid",
        "from",
        "until",
        "fields",
        "grants",
        "form",
        "band",
        "when",
    ]
)
TREES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS | st.text(max_size=4), inner, max_size=4)
)
SOUND = document(
    [grant("g", {"name": "clear", "birth": "year"}, rows="row.age < 18", aggregates={"over": ["birth"]})],
    prohibitions=[{"id": "p", "fields": ["name"], "rows": "row.flag"}],
)
SUITE = {
    "suite": "Thing",
    "now": "2026-05-01",
    "requesters": {"inps": {"kind": "national", "basis": ["6.1.e"]}},
    "rows": {"anna": {"age": 34}},
    "tests": [{"as": "inps", "for": "benefit-assessment", "row": "anna", "see": {"name": "clear"}}],
}
INVARIANTS = [{"id": "i", "never": {"fields": ["name"], "form": "clear", "when": "row.age > 3"}}]


def read(files: dict[str, bytes]) -> None:
    reading = read_bundle(files)
    errors = [finding for finding in reading.findings if finding.severity is Severity.ERROR]
    assert (reading.bundle is None) == bool(errors)


@st.composite
def spoilt(draw: st.DrawFn, tree: Any) -> Any:
    """Replace one part of a sound document by anything."""
    if not isinstance(tree, (dict, list)) or not tree or draw(st.integers(0, 4)) == 0:
        return draw(TREES)
    if isinstance(tree, dict):
        key = draw(st.sampled_from(sorted(tree)))
        return {**tree, key: draw(spoilt(tree[key]))}
    position = draw(st.integers(0, len(tree) - 1))
    return [*tree[:position], draw(spoilt(tree[position])), *tree[position + 1 :]]


@given(spoilt(SOUND))
@settings(max_examples=150)
def test_r11_a_spoilt_type_document_gives_findings(thing: Any) -> None:
    read(files_of(thing))


@given(spoilt(VOCABULARY))
@settings(max_examples=80)
def test_r11_a_spoilt_vocabulary_gives_findings(vocabulary: Any) -> None:
    read(files_of(SOUND, vocabulary=vocabulary))


@given(spoilt(SUITE), spoilt(INVARIANTS))
@settings(max_examples=80)
def test_r11_spoilt_suites_and_invariants_give_findings(suite: Any, invariants: Any) -> None:
    read(files_of(SOUND, tests__Thing_test=suite, invariants=invariants))


@given(st.binary(max_size=80), st.sampled_from(["vocabulary.yaml", "types/Thing.yaml", "invariants.yaml"]))
@settings(max_examples=150)
def test_r11_bytes_of_any_kind_give_findings(content: bytes, path: str) -> None:
    read(files_of(SOUND) | {path: content})


@given(st.data())
@settings(max_examples=80)
def test_r11_a_file_cut_or_changed_anywhere_gives_findings(data: st.DataObject) -> None:
    files = folder_files(EXAMPLE)
    path = data.draw(st.sampled_from(sorted(files)))
    content = files[path]
    place = data.draw(st.integers(0, len(content)))
    byte = data.draw(st.binary(max_size=2))
    read(files | {path: content[:place] + byte + content[place + data.draw(st.integers(0, 3)) :]})


@given(st.binary(max_size=60) | TREES.map(lambda tree: yaml.safe_dump(tree).encode()))
def test_r37_no_envelope_or_officers_file_raises_anything_but_a_refusal(content: bytes) -> None:
    for reading in (Envelope.parse, officer_rows):
        try:
            reading(content)
        except BundleRefusedError:
            continue
