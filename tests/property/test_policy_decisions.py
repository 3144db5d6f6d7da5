"""Promises about decisions: plan = oracle, order has no meaning, a prohibition never discloses more."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from node.policy.compile import compile_type, crowd
from node.policy.conditions import FALSE, TRUE, ValueType
from node.policy.decide import Decider, RowDecision, Situation, decide
from node.policy.documents import Hides, Prohibition
from node.policy.findings import Place
from node.policy.forms import Form, comparable, discloses_at_least, meet, most_disclosing_first, parse_form, write_form
from node.policy.requesters import Requester
from tests.support.policies import CONDITIONS, PRESENT, VALUES, bundle_of, document, grant

if TYPE_CHECKING:
    from node.policy.bundle import Bundle

pytestmark = pytest.mark.property

CHAINS: dict[str, list[object]] = {
    "name": ["clear", {"partial": {"prefix": 2, "n": 6, "pad": "*"}}, {"partial": {"prefix": 1, "n": 6, "pad": "*"}}],
    "birth": ["clear", "month", "year"],
    "income": ["clear", {"band": [0, 100, 200]}, {"band": [0, 200]}],
    "health": ["clear", {"redact": "riservato"}],
    "code": ["clear", "verify"],
}
AGES: list[object] = ["clear", {"age_over": [18, 45]}, {"age_over": [18]}]
"""What a bundle may say of a date of birth instead."""
PURPOSES = ["public-task", "social-benefit", "benefit-assessment", "school-enrolment", "service-notices"]
KINDS = ["national", "school"]
BASES = ["6.1.c", "6.1.e"]
DAYS = [date(2025, 12, 31), date(2026, 1, 1), date(2026, 6, 1), date(2026, 12, 31), date(2027, 1, 1)]
PREDICATES = st.just(TRUE) | CONDITIONS


def some(values: list[str]) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(values), min_size=1, max_size=2, unique=True)


@st.composite
def written_grants(draw: st.DrawFn) -> list[dict[str, object]]:
    found = []
    chains = CHAINS | ({"birth": AGES} if draw(st.integers(0, 2)) == 0 else {})
    for number in range(draw(st.integers(1, 4))):
        changes: dict[str, object] = {
            "to": {"kind": draw(some(KINDS))},
            "purpose": draw(st.sampled_from(PURPOSES)),
            "basis": draw(some(BASES)),
        }
        if draw(st.booleans()):
            changes["basis9"] = ["9.2.g"]
        if draw(st.booleans()):
            changes["consent"] = draw(st.sampled_from(PURPOSES))
        see = {name: draw(st.sampled_from(chains[name])) for name in draw(some(list(chains)))}
        if draw(st.integers(0, 3)) == 0:
            crowd_of = {"k": draw(st.integers(2, 3)), "quasi_identifiers": draw(some(list(CHAINS)))}
            changes["aggregates"] = {"over": ["name"], "generalise_k": crowd_of}
        found.append(grant(f"g{number}", see, **changes))
    return found


@st.composite
def prohibitions(draw: st.DrawFn, name: str) -> Prohibition:
    return Prohibition(
        id=name,
        fields=tuple(draw(some(list(CHAINS)))),
        rows=draw(PREDICATES),
        when=draw(PREDICATES),
        unless=draw(st.just(FALSE) | CONDITIONS),
        law=None,
        hides=Hides.ROW if draw(st.integers(0, 4)) == 0 else Hides.FIELDS,
        place=Place("test"),
    )


@st.composite
def bundles(draw: st.DrawFn) -> Bundle:
    """Return a bundle whose conditions are any conditions, also those an officer would not write."""
    bundle = bundle_of(document(draw(written_grants())))
    thing = bundle.types["Thing"]
    forbidden = tuple(draw(prohibitions(f"p{number}")) for number in range(draw(st.integers(0, 2))))
    granted = tuple(replace(one, rows=draw(PREDICATES)) for one in thing.grants)
    return replace(bundle, types={"Thing": replace(thing, grants=granted, prohibitions=forbidden)})


ROWS = st.fixed_dictionaries(
    {
        "flag": VALUES[ValueType.BOOL],
        "age": VALUES[ValueType.INT],
        "place": VALUES[ValueType.STR],
        "tags": VALUES[ValueType.SET_STR],
        "alike": st.none() | st.integers(0, 4),
    }
)
SITUATIONS = st.builds(
    Situation,
    requester=st.builds(
        Requester,
        kind=st.sampled_from(KINDS),
        basis=st.sets(st.sampled_from([*BASES, "9.2.g"])).map(frozenset),
        area=st.none() | PRESENT[ValueType.STR],
    ),
    purpose=st.sampled_from(PURPOSES),
    day=st.sampled_from(DAYS),
    row=ROWS,
    consents=st.none() | st.sets(st.sampled_from(PURPOSES)).map(frozenset),
)


def forms(decision: RowDecision) -> dict[str, Form | None]:
    return {name: one.form for name, one in decision.fields.items()}


@given(bundles(), SITUATIONS)
@settings(max_examples=150)
def test_the_plan_decides_as_the_oracle(bundle: Bundle, situation: Situation) -> None:
    expected = decide(bundle, "Thing", situation)
    plan = compile_type(bundle, "Thing", situation.requester, situation.purpose, situation.day)
    decided = Decider(plan).decide(situation.row, situation.consents)

    assert decided.visible == expected.visible
    assert forms(decided) == forms(expected)


@given(bundles(), SITUATIONS)
@settings(max_examples=80)
def test_a_constant_decision_is_the_decision_of_every_visible_row(bundle: Bundle, situation: Situation) -> None:
    plan = compile_type(bundle, "Thing", situation.requester, situation.purpose, situation.day)
    expected = decide(bundle, "Thing", situation)
    for name, field in plan.fields.items():
        if field.constant is not None and expected.visible:
            assert field.constant.form == expected.fields[name].form
    if not plan.anything:
        assert not expected.visible


@given(bundles(), SITUATIONS)
@settings(max_examples=50)
def test_r2_the_order_of_rules_has_no_meaning(bundle: Bundle, situation: Situation) -> None:
    thing = bundle.types["Thing"]
    shuffled = replace(thing, grants=thing.grants[::-1], prohibitions=thing.prohibitions[::-1])
    reordered = replace(bundle, types={"Thing": shuffled})

    assert decide(reordered, "Thing", situation) == decide(bundle, "Thing", situation)
    plans = [
        compile_type(one, "Thing", situation.requester, situation.purpose, situation.day) for one in (bundle, reordered)
    ]
    assert plans[0] == plans[1]


@given(bundles(), SITUATIONS, prohibitions("added"))
@settings(max_examples=80)
def test_a_prohibition_added_never_discloses_more(bundle: Bundle, situation: Situation, added: Prohibition) -> None:
    thing = bundle.types["Thing"]
    stricter = replace(bundle, types={"Thing": replace(thing, prohibitions=(*thing.prohibitions, added))})
    before, after = decide(bundle, "Thing", situation), decide(stricter, "Thing", situation)

    assert before.visible or not after.visible
    for name, decision in after.fields.items():
        assert decision.form in (None, before.fields[name].form)


@given(bundles(), SITUATIONS)
@settings(max_examples=80)
def test_a_grant_removed_never_discloses_more(bundle: Bundle, situation: Situation) -> None:
    thing = bundle.types["Thing"]
    assume(crowd(thing.grants[:1]) is None)  # what a grant demands of crowds holds for the others, too
    fewer = replace(bundle, types={"Thing": replace(thing, grants=thing.grants[1:])})
    before, after = decide(bundle, "Thing", situation), decide(fewer, "Thing", situation)

    for name, decision in after.fields.items():
        full = before.fields[name].form
        assert decision.form is None or (full is not None and discloses_at_least(full, decision.form))


FORMS = st.one_of(
    st.sampled_from(["clear", "verify", "email", "year", "month", "age_band", "hash", "pseudonym", "token"]),
    st.text(max_size=5).map(lambda text: {"redact": text}),
    st.tuples(st.integers(0, 4), st.integers(5, 9), st.sampled_from("*_")).map(
        lambda found: {"partial": {"prefix": found[0], "n": found[1], "pad": found[2]}}
    ),
    st.sets(st.integers(-50, 50), min_size=1, max_size=4).map(lambda bounds: {"band": sorted(bounds)}),
    st.integers(1, 20).map(lambda step: {"round": step}),
    st.integers(0, 20).map(lambda limit: {"top_code": limit}),
    st.sets(st.integers(1, 99), min_size=1, max_size=5).map(lambda years: {"age_over": sorted(years)}),
    st.sampled_from(["province", "region"]).map(lambda level: {"truncate": level}),
    st.integers(1, 30).map(lambda days: {"date_shift": {"days": days}}),
    st.sampled_from(["pseudonym", "token"]).map(lambda name: {name: {"scope": "joint"}}),
).map(parse_form)


@given(FORMS)
def test_reading_a_written_form_gives_the_same_form(form: Form) -> None:
    assert parse_form(write_form(form)) == form


@given(FORMS, FORMS, FORMS)
@settings(max_examples=300)
def test_disclosure_is_a_partial_order(one: Form, other: Form, third: Form) -> None:
    assert discloses_at_least(one, one)
    if discloses_at_least(one, other) and discloses_at_least(other, one):
        assert one == other
    if discloses_at_least(one, other) and discloses_at_least(other, third):
        assert discloses_at_least(one, third)


@given(st.lists(FORMS, min_size=1, max_size=6))
def test_no_form_stands_after_one_that_shows_less(forms_given: list[Form]) -> None:
    ordered = [forms_given[index] for index in most_disclosing_first(forms_given)]

    assert sorted(map(repr, ordered)) == sorted(map(repr, forms_given))
    for place, form in enumerate(ordered):
        assert not any(discloses_at_least(later, form) and later != form for later in ordered[place + 1 :])


@given(st.lists(FORMS, min_size=1, max_size=4))
def test_r31_the_meet_shows_no_more_than_any_of_its_inputs(inputs: list[Form]) -> None:
    found = meet(inputs)

    assert found is None or all(discloses_at_least(form, found) for form in inputs)
    if found is None:
        assert any(not comparable(one, other) for one in inputs for other in inputs)
