"""The stable codes are documented, and say whether a bundle can be used."""

from __future__ import annotations

from node.policy.findings import WARNINGS, Finding, FindingCode, Place, Severity
from tests.support.policies import ROOT


def test_every_code_is_in_the_officers_guide() -> None:
    guide = (ROOT / "docs" / "policy-language.md").read_text(encoding="utf-8")
    assert [code for code in FindingCode if f"`{code}`" not in guide] == []


def test_a_warning_does_not_keep_a_bundle_from_being_used() -> None:
    assert {code for code in FindingCode if Finding(Place("f"), code, "m").severity is Severity.WARNING} == WARNINGS


def test_a_finding_names_its_place_and_code() -> None:
    assert str(Finding(Place("types/X.yaml", 3, 5), FindingCode.KEY_UNKNOWN, "key `a` is unknown")) == (
        "types/X.yaml:3:5: key `a` is unknown [KEY_UNKNOWN]"
    )
    assert str(Finding(Place("types"), FindingCode.FILE_MISSING, "no policy")) == "types: no policy [FILE_MISSING]"
