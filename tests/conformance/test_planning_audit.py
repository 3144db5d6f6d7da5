"""Every case of the public gateway audit is planned: refused where an error is expected, and in few enough fetches."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from textwrap import dedent, indent
from typing import Any

import pytest
from graphql import parse, validate

from federation.composition.supergraph import Supergraph
from federation.planning.errors import PlanningError
from federation.planning.explain import explain
from federation.planning.planner import Planner
from tests.support.supergraphs import audit_suites, fewest_fetches

SUITES = audit_suites()
CASES = [(suite, number) for suite, found in SUITES.items() for number in range(len(found["tests"]))]
FEWEST = fewest_fetches()
PLANS = Path(__file__).parent / "plans"

pytestmark = [
    pytest.mark.conformance,
    pytest.mark.skipif(not SUITES, reason="the conformance cases are not beside the repository"),
]

MORE = {
    ("abstract-types", 8): "one fetch is conditional, and not sent with the case's variables",
    ("abstract-types", 10): "one fetch is conditional, and not sent with the case's variables",
    ("abstract-types", 11): "one fetch is conditional, and not sent with the case's variables",
    ("include-skip", 0): "two fetches are conditional, and not sent with the case's variables",
    ("include-skip", 1): "two fetches are conditional, and not sent with the case's variables",
    ("corrupted-supergraph-node-id", 3): "the two fields are each resolvable in one subgraph only",
    ("corrupted-supergraph-node-id", 4): "the two fields are each resolvable in one subgraph only",
}
"""Cases whose plan has more fetches than the best gateway sent requests, and why."""

SHOWN = [
    ("abstract-types", 7),
    ("abstract-types", 15),
    ("child-type-mismatch", 1),
    ("complex-entity-call", 0),
    ("include-skip", 2),
    ("interface-object-indirect-extension", 0),
    ("interface-object-with-requires", 4),
    ("keys-mashup", 0),
    ("mutations", 0),
    ("mutations", 2),
    ("nested-provides", 1),
    ("null-keys", 0),
    ("override-with-requires", 0),
    ("parent-entity-call-complex", 0),
    ("partial-union-complex", 0),
    ("provides-on-interface", 1),
    ("requires-circular", 1),
    ("requires-requires", 4),
    ("requires-with-argument", 2),
    ("requires-with-argument-conflict", 0),
    ("requires-with-fragments", 3),
    ("simple-interface-object", 12),
    ("union-intersection", 10),
]


@cache
def planner(suite: str) -> Planner:
    return Planner(Supergraph.parse(SUITES[suite]["supergraph"]))


def planned(suite: str, number: int) -> Any:
    """Plan a case; None when the operation is invalid or cannot be planned."""
    document = parse(SUITES[suite]["tests"][number]["query"])
    if validate(planner(suite).supergraph.api_schema, document):
        return None
    try:
        return planner(suite).plan(document)
    except PlanningError:
        return None


@pytest.mark.parametrize(("suite", "number"), CASES)
def test_a_case_is_planned_in_no_more_fetches_than_the_best_gateway_needs(suite: str, number: int) -> None:
    plan = planned(suite, number)
    if plan is None:
        assert SUITES[suite]["tests"][number]["errors"]
        assert SUITES[suite]["tests"][number]["expected_data"] is None
        return
    assert not plan.best_effort
    more = len(plan.fetches) > FEWEST[suite, number]
    assert more == ((suite, number) in MORE)


def test_all_cases_together_need_no_more_fetches_than_the_best_planner() -> None:
    plans = [plan for case in CASES if (plan := planned(*case)) is not None]
    assert sum(len(plan.fetches) for plan in plans) <= 398


@pytest.mark.parametrize(("suite", "number"), SHOWN)
def test_the_printed_plan_is_the_reviewed_one(suite: str, number: int) -> None:
    path = PLANS / f"{suite}-{number}.txt"
    query = indent(dedent(SUITES[suite]["tests"][number]["query"]).strip(), "# ", lambda _: True)
    text = f"{query}\n{explain(planned(suite, number))}\n"
    if os.environ.get("REWRITE_SNAPSHOTS"):
        path.write_text(text)
    assert path.read_text() == text
