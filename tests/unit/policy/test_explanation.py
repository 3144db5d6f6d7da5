"""Why a field is shown, masked or denied (R39)."""

from __future__ import annotations

import pytest

from federation.contract.errors import PurposeError
from node.policy.bundle import Bundle
from node.policy.explanation import Clause, Explanation, Question, explain
from node.policy.plans import Cause
from node.policy.requesters import Requester
from tests.support.policies import ANNA, DAY, INPS, LICEO, example


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    return example()


def explained(bundle: Bundle, name: str, requester: Requester, purpose: str, **row: object) -> Explanation:
    document = bundle.types["Citizen"]
    question = Question(requester, purpose, DAY)
    return explain(bundle, document, document.fields[name], question, ({**ANNA, **row}, ()) if row else None)


def test_r39_a_grant_that_fails_tells_its_failing_clauses(bundle: Bundle) -> None:
    found = explained(bundle, "isee", Requester("school", frozenset({"6.1.c"})), "social-benefit")
    [granted] = found.grants
    assert granted.id == "income-for-assessment"
    assert granted.failing == (Clause.KIND, Clause.PURPOSE, Clause.BASIS)
    assert found.decision is not None
    assert found.decision.cause is Cause.NO_GRANT


def test_r39_a_grant_that_applies_tells_what_it_asks_of_the_row(bundle: Bundle) -> None:
    found = explained(bundle, "isee", INPS, "benefit-assessment")
    [granted] = found.grants
    assert granted.failing == ()
    assert granted.asks == 'row.residency == "resident"'
    assert granted.law == "DPCM 159/2013 art. 4"
    assert found.decision is None


def test_r39_a_prohibition_tells_where_it_denies(bundle: Bundle) -> None:
    found = explained(bundle, "taxCode", LICEO, "school-enrolment")
    assert [(rule.id, rule.denies_where) for rule in found.prohibitions] == [("no-tax-code-to-schools", "true")]


def test_r39_no_value_of_the_row_is_told(bundle: Bundle) -> None:
    found = explained(bundle, "municipality", INPS, "benefit-assessment", residency="resident", municipality="SECRET")
    assert found.decision is not None
    assert found.decision.cause is Cause.GRANTED
    assert "SECRET" not in repr(found)


def test_r39_a_row_that_no_grant_reaches_is_hidden(bundle: Bundle) -> None:
    found = explained(bundle, "isee", INPS, "benefit-assessment", residency="emigrated")
    assert found.decision is not None
    assert found.decision.cause is Cause.ROW_HIDDEN


def test_r4_an_unknown_purpose_is_refused(bundle: Bundle) -> None:
    with pytest.raises(PurposeError):
        explained(bundle, "isee", INPS, "curiosity")
