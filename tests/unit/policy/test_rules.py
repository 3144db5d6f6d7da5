"""The testable rules of the specification that need no database, by number."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from federation.contract.clock import day_in_rome
from federation.contract.errors import PurposeError
from node.policy.bundle import Bundle
from node.policy.compile import PlanCache, compile_type
from node.policy.conditions import FALSE, TRUE, to_text
from node.policy.decide import Decider, Situation, decide
from node.policy.forms import CLEAR, VERIFY, FormName
from node.policy.matrix import lock_text
from node.policy.plans import Cause
from node.policy.requesters import Requester
from node.policy.residuals import disjunction
from tests.support.policies import (
    ANNA,
    COMUNE,
    DAY,
    ER118,
    EXAMPLE,
    INPS,
    ISTAT,
    LICEO,
    bundle_of,
    document,
    example,
    folder_files,
    grant,
)


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    return example()


def seen(bundle: Bundle, situation: Situation, type_name: str = "Citizen") -> dict[str, str]:
    """Return the forms by field, having checked that oracle and plan agree."""
    expected = decide(bundle, type_name, situation)
    plan = compile_type(bundle, type_name, situation.requester, situation.purpose, situation.day)
    decided = Decider(plan).decide(situation.row, situation.consents)
    assert decided.form_names() == expected.form_names()
    return expected.form_names()


def thing_seen(bundle: Bundle, row: dict[str, object] | None = None, requester: Requester = INPS) -> dict[str, str]:
    return seen(bundle, Situation(requester, "benefit-assessment", DAY, row or {}), "Thing")


def test_r1_no_grant_means_denied(bundle: Bundle) -> None:
    assert seen(bundle, Situation(INPS, "tax-assessment", DAY, ANNA)) == {}


def test_r1_a_type_without_a_policy_is_denied_whole(bundle: Bundle) -> None:
    plan = compile_type(bundle, "Vehicle", INPS, "benefit-assessment", DAY)
    assert plan.visible == FALSE
    assert plan.fields == {}
    assert not decide(bundle, "Vehicle", Situation(INPS, "benefit-assessment", DAY, ANNA)).visible


def test_r2_a_prohibition_beats_any_grant() -> None:
    grants = [grant("g", {"name": "clear", "birth": "clear"})]
    assert thing_seen(bundle_of(document(grants, prohibitions=[{"id": "p", "fields": ["name"]}]))) == {"birth": "clear"}


def test_r2_permuting_files_and_rules_gives_the_same_matrix(bundle: Bundle) -> None:
    files = folder_files(EXAMPLE)
    text = files["types/Citizen.yaml"].decode()
    start, end = text.index("  - id: identity-for-benefits"), text.index("prohibitions:")
    grants = ["  - " + part for part in text[start:end].split("  - ")[1:]]
    files["types/Citizen.yaml"] = (text[:start] + "".join(reversed(grants)) + text[end:]).encode()
    from node.policy.bundle import load_bundle  # noqa: PLC0415  # only here

    assert lock_text(load_bundle(dict(reversed(files.items())))) == lock_text(bundle)


UNKNOWN_ROWS: dict[str, dict[str, object]] = {"null": {"flag": None}, "absent": {}, "foreign type": {"flag": "true"}}


@pytest.mark.parametrize("row", UNKNOWN_ROWS.values(), ids=UNKNOWN_ROWS.keys())
def test_r3_an_unknown_grant_predicate_does_not_grant(row: dict[str, object]) -> None:
    bundle = bundle_of(document([grant("g", {"name": "clear"}, rows="row.flag == false")]))
    assert thing_seen(bundle, row) == {}
    assert thing_seen(bundle, {"flag": False}) == {"name": "clear"}


@pytest.mark.parametrize("row", UNKNOWN_ROWS.values(), ids=UNKNOWN_ROWS.keys())
def test_r3_an_unknown_prohibition_predicate_denies(row: dict[str, object]) -> None:
    rule = {"id": "p", "fields": ["name"], "rows": "row.flag == true"}
    bundle = bundle_of(document([grant("g", {"name": "clear", "birth": "clear"})], prohibitions=[rule]))
    assert thing_seen(bundle, row) == {"birth": "clear"}
    assert thing_seen(bundle, {"flag": False}) == {"name": "clear", "birth": "clear"}


def test_r3_an_unknown_exception_does_not_lift_a_prohibition() -> None:
    rule = {"id": "p", "fields": ["name"], "unless": "row.flag"}
    bundle = bundle_of(document([grant("g", {"name": "clear", "birth": "clear"})], prohibitions=[rule]))
    assert thing_seen(bundle, {"flag": None}) == {"birth": "clear"}
    assert thing_seen(bundle, {"flag": True}) == {"name": "clear", "birth": "clear"}


@pytest.mark.parametrize("purpose", ["", "benefit-assesment", "benefit-assessment,statistics", "Statistics"])
def test_r4_a_purpose_outside_the_vocabulary_refuses_the_request(bundle: Bundle, purpose: str) -> None:
    with pytest.raises(PurposeError):
        compile_type(bundle, "Citizen", INPS, purpose, DAY)


def test_r4_the_nearest_purpose_is_named(bundle: Bundle) -> None:
    with pytest.raises(PurposeError, match="did you mean `benefit-assessment`"):
        compile_type(bundle, "Citizen", INPS, "benefit-assesment", DAY)


def test_r5_a_grant_covers_descendants_never_ancestors_or_siblings(bundle: Bundle) -> None:
    assert "taxCode" in seen(bundle, Situation(INPS, "benefit-assessment", DAY, ANNA))
    assert "isee" not in seen(bundle, Situation(INPS, "social-benefit", DAY, ANNA))
    assert seen(bundle, Situation(INPS, "public-task", DAY, ANNA)) == {}
    assert seen(bundle, Situation(INPS, "emergency-care", DAY, ANNA)) == {}


def test_r6_a_special_category_without_a_basis_of_art_9_is_denied(bundle: Bundle) -> None:
    without = Requester("health", frozenset({"6.1.d"}), "F205")
    assert "disability" in seen(bundle, Situation(ER118, "emergency-care", DAY, ANNA))
    found = seen(bundle, Situation(without, "emergency-care", DAY, ANNA))
    assert "disability" not in found
    assert "givenName" in found


def test_r6_a_grant_without_basis9_never_shows_a_special_category() -> None:
    bundle = bundle_of(document([grant("g", {"health": "clear", "name": "clear"})]))
    every = Requester("national", frozenset({"6.1.e", "9.2.c", "9.2.g", "9.2.j"}))
    assert thing_seen(bundle, requester=every) == {"name": "clear"}


WINDOW = {"from": "2026-03-29", "until": "2026-10-25"}  # the days on which the hour changes
BOUNDARIES: dict[str, tuple[datetime, bool]] = {
    "last second before": (datetime(2026, 3, 28, 22, 59, 59, tzinfo=UTC), False),
    "first instant": (datetime(2026, 3, 28, 23, 0, 0, tzinfo=UTC), True),
    "after the hour leapt": (datetime(2026, 3, 29, 12, 0, 0, tzinfo=UTC), True),
    "last second": (datetime(2026, 10, 25, 22, 59, 59, tzinfo=UTC), True),
    "first instant after": (datetime(2026, 10, 25, 23, 0, 0, tzinfo=UTC), False),
}


@pytest.mark.parametrize(("instant", "granted"), BOUNDARIES.values(), ids=BOUNDARIES.keys())
def test_r7_a_window_holds_from_midnight_to_midnight_in_rome(instant: datetime, *, granted: bool) -> None:
    bundle = bundle_of(document([grant("g", {"name": "clear"}, valid=WINDOW)]))
    situation = Situation(INPS, "benefit-assessment", day_in_rome(instant), {})
    assert bool(seen(bundle, situation, "Thing")) is granted


CONSENTS: dict[str, tuple[frozenset[str] | None, bool]] = {
    "given": (frozenset({"service-notices"}), True),
    "for another purpose": (frozenset({"statistics"}), False),
    "absent": (frozenset(), False),
    "not to be known": (None, False),
}


@pytest.mark.parametrize(("consents", "granted"), CONSENTS.values(), ids=CONSENTS.keys())
def test_r8_without_a_valid_consent_the_row_is_denied(
    bundle: Bundle, consents: frozenset[str] | None, *, granted: bool
) -> None:
    assert bool(seen(bundle, Situation(COMUNE, "service-notices", DAY, ANNA, consents))) is granted


def test_r8_consent_is_never_folded_into_a_plan(bundle: Bundle) -> None:
    plan = compile_type(bundle, "Citizen", COMUNE, "service-notices", DAY)
    assert to_text(plan.visible) == 'consent("service-notices")'


def test_r8_a_condition_reads_the_consent_of_its_own_grant() -> None:
    one = grant("g", {"name": "clear"}, consent="statistics", rows="consent")
    other = grant("h", {"birth": "clear"}, rows="consent")
    bundle = bundle_of(document([one, other]))
    asked = [
        Situation(INPS, "benefit-assessment", DAY, {}, frozenset({name}))
        for name in ("statistics", "benefit-assessment")
    ]
    assert [seen(bundle, situation, "Thing") for situation in asked] == [{"name": "clear"}, {"birth": "clear"}]


def test_r9_only_the_given_attributes_of_the_requester_count(bundle: Bundle) -> None:
    row = {**ANNA, "age": 12, "requester.area": "F205", "requester.kind": "school", "area": "F205"}
    elsewhere = Requester("school", frozenset({"6.1.e"}), "H501")
    assert seen(bundle, Situation(elsewhere, "school-enrolment", DAY, row)) == {}
    assert seen(bundle, Situation(LICEO, "school-enrolment", DAY, row)) != {}


def test_r9_an_area_that_is_not_proved_is_unknown(bundle: Bundle) -> None:
    nowhere = Requester("school", frozenset({"6.1.e"}), None)
    assert compile_type(bundle, "Citizen", nowhere, "school-enrolment", DAY).visible == FALSE


def test_r13_a_hidden_row_denies_everything() -> None:
    rule = {"id": "p", "hide": "row", "rows": "row.flag == true"}
    bundle = bundle_of(document([grant("g", {"name": "clear"})], prohibitions=[rule]))
    situations = [Situation(INPS, "benefit-assessment", DAY, {"flag": flag}) for flag in (True, None, False)]
    assert [decide(bundle, "Thing", situation).visible for situation in situations] == [False, False, True]
    assert decide(bundle, "Thing", situations[0]).fields["name"].cause is Cause.ROW_HIDDEN


def test_a_row_is_visible_when_a_grant_applies_even_if_every_field_is_denied() -> None:
    rule = {"id": "p", "fields": ["name"]}
    bundle = bundle_of(document([grant("g", {"name": "clear"})], prohibitions=[rule]))
    decided = decide(bundle, "Thing", Situation(INPS, "benefit-assessment", DAY, {}))
    assert decided.visible
    assert decided.form_names() == {}


def test_the_most_disclosing_form_of_the_applying_grants_wins() -> None:
    grants = [grant("coarse", {"birth": "year"}), grant("fine", {"birth": "month"}, rows="row.flag")]
    bundle = bundle_of(document(grants))
    assert thing_seen(bundle, {"flag": True}) == {"birth": "month"}
    assert thing_seen(bundle, {"flag": False}) == {"birth": "year"}


def test_r23_an_exact_lookup_needs_a_live_grant_on_the_type(bundle: Bundle) -> None:
    assert compile_type(bundle, "Citizen", INPS, "benefit-assessment", DAY).exact_lookups == {"taxCode"}
    assert compile_type(bundle, "Citizen", INPS, "tax-assessment", DAY).exact_lookups == frozenset()
    assert compile_type(bundle, "Citizen", INPS, "benefit-assessment", date(2027, 1, 1)).exact_lookups == frozenset()


def test_r25_the_larger_cell_and_the_narrower_grouping_hold() -> None:
    grants = [
        grant("a", {"name": "clear"}, aggregates={"min_cell": 5, "over": ["name", "birth"]}),
        grant(
            "b", {"birth": "clear"}, aggregates={"min_cell": 8, "over": ["birth", "income"], "noise": {"epsilon": 0.5}}
        ),
        grant("c", {"birth": "clear"}, to={"kind": ["school"]}, aggregates={"min_cell": 99, "over": ["birth"]}),
    ]
    counts = compile_type(bundle_of(document(grants)), "Thing", INPS, "benefit-assessment", DAY).aggregates
    assert counts is not None
    assert (counts.min_cell, counts.over, counts.epsilon) == (8, ("birth",), 0.5)


def test_r35_plans_of_different_requesters_purposes_and_days_are_kept_apart(bundle: Bundle) -> None:
    plans = PlanCache(bundle)
    asked = [
        (INPS, "benefit-assessment", DAY),
        (ISTAT, "statistics", DAY),
        (INPS, "social-benefit", DAY),
        (INPS, "benefit-assessment", date(2027, 1, 1)),
        (Requester("national", frozenset({"6.1.c"}), "058091"), "benefit-assessment", DAY),
    ]
    found = [plans.plan("Citizen", *key) for key in asked]
    assert len({id(plan) for plan in found}) == len(asked)
    assert [plans.plan("Citizen", *key) for key in asked] == found
    assert plans.plan("Citizen", *asked[0]) is found[0]
    assert found[0].bundle_digest == bundle.digest


def test_r40_a_decision_carries_law_basis_and_retention(bundle: Bundle) -> None:
    field = compile_type(bundle, "Citizen", ER118, "emergency-care", DAY).fields["disability"]
    [granted] = field.grants
    assert (granted.law, granted.retain, granted.basis) == ("GDPR 6(1)(d), 9(2)(c)", "P30D", ("6.1.d", "9.2.c"))


def test_a_constant_decision_is_recognised(bundle: Bundle) -> None:
    plan = compile_type(bundle, "Citizen", INPS, "benefit-assessment", DAY)
    constants = {name: field.constant for name, field in plan.fields.items()}

    assert constants["givenName"] is not None
    assert constants["givenName"].form == CLEAR
    assert constants["email"] is not None
    assert constants["email"].form is None
    assert constants["municipality"] is None  # hidden where the person is protected
    assert to_text(plan.visible) == 'row.residency == "resident"'


def test_verification_is_no_disclosure_of_the_field() -> None:
    grants = [grant("v", {"code": "verify"}), grant("c", {"code": "clear"}, rows="row.flag")]
    field = compile_type(bundle_of(document(grants)), "Thing", INPS, "benefit-assessment", DAY).fields["code"]
    assert [one.id for one in field.shown] == ["c"]
    assert disjunction(grant.when for grant in field.asked_by(FormName.VERIFY)) == TRUE
    assert [one.form for one in field.grants] == [CLEAR, VERIFY]
