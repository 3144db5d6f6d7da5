"""The public gateway audit, end to end: 46 suites, 199 cases, with the audit's own supergraphs and with ours."""

from __future__ import annotations

from collections import Counter

import pytest

from federation.composition.compose import compose
from federation.composition.subgraph import Subgraph
from tests.support.audit import ABSENT, URL, Case, cases, judge

pytestmark = [pytest.mark.conformance, pytest.mark.skipif(not URL, reason=ABSENT)]


MOST_FETCHES = 391
"""For all cases together: what the best known gateway needs."""

_fetches: Counter[str] = Counter()


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.name)
async def test_a_case_of_the_audit_is_answered_as_expected(case: Case) -> None:
    verdict = await judge(case)
    _fetches["theirs"] += verdict.fetches
    assert verdict.data == case.expected, verdict.errors
    assert verdict.passed, verdict.errors


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.name)
async def test_a_case_is_answered_as_expected_from_our_supergraph(case: Case) -> None:
    composed = compose([Subgraph(item["name"], "", item["sdl"]) for item in case.subgraphs])
    verdict = await judge(case, composed.supergraph.sdl)
    _fetches["ours"] += verdict.fetches
    assert verdict.passed, (verdict.data, verdict.errors)


def test_all_cases_together_need_no_more_fetches_than_the_best_known_gateway() -> None:
    assert max(_fetches.values(), default=0) <= MOST_FETCHES, _fetches
