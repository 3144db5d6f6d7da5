"""The public gateway audit, end to end: 46 suites, 199 cases, with the audit's own supergraphs and with ours."""

from __future__ import annotations

import pytest

from federation.composition.compose import compose
from federation.composition.subgraph import Subgraph
from tests.support.audit import ABSENT, URL, Case, cases, judge

pytestmark = [pytest.mark.conformance, pytest.mark.skipif(not URL, reason=ABSENT)]


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.name)
async def test_a_case_of_the_audit_is_answered_as_expected(case: Case) -> None:
    verdict = await judge(case)
    assert verdict.data == case.expected, verdict.errors
    assert verdict.passed, verdict.errors


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.name)
async def test_a_case_is_answered_as_expected_from_our_supergraph(case: Case) -> None:
    composed = compose([Subgraph(item["name"], "", item["sdl"]) for item in case.subgraphs])
    verdict = await judge(case, composed.supergraph.sdl)
    assert verdict.passed, (verdict.data, verdict.errors)
