"""What a policy says in vain, what it discloses at most, and that its back-ends mean the same."""

from __future__ import annotations

import pytest

from federation.contract.languages import Language
from node.console.policy_agreement import compare_backends
from node.console.policy_words import counterexample_sentence
from node.policy.bundle import load_bundle
from node.policy.disclosures import most_disclosed
from node.policy.matrix import lock_text
from node.policy.mutants import Fate, fate, mutants
from node.policy.needless import Needlessness, needless_parts
from node.policy.proving import prove
from tests.support.policies import DEMO_MEMBERS, bundle_of, demo, document, example, files_of, grant

NEEDLESS = {
    "an `||` whose first branch is always true": (
        "row.flag == true || row.flag == false || row.age > 3",
        "row.flag == true || row.flag == false || row.age > 3",
        Needlessness.ALWAYS,
    ),
    "an unsatisfiable test": ("row.age < 3 && row.age > 5", "row.age < 3 && row.age > 5", Needlessness.NEVER),
    "a kind that the grant does not name": (
        'requester.kind == "school" || row.flag',
        'requester.kind == "school"',
        Needlessness.NEVER,
    ),
    "a purpose that is the grant's": (
        'purpose == "benefit-assessment" && row.flag',
        'purpose == "benefit-assessment"',
        Needlessness.ALWAYS,
    ),
    "a day that the window implies": (
        'today >= "2020-01-01" && row.flag',
        'today >= "2020-01-01"',
        Needlessness.ALWAYS,
    ),
    "a weaker bound beside a stronger": (
        "row.age < 19 && row.age < 65",
        "row.age < 65",
        Needlessness.NO_EFFECT,
    ),
}


@pytest.mark.parametrize(("rows", "part", "why"), NEEDLESS.values(), ids=NEEDLESS.keys())
def test_a_part_that_decides_nothing_is_told(rows: str, part: str, why: Needlessness) -> None:
    bundle = bundle_of(document([grant("g", {"name": "clear"}, rows=rows)]))
    found = [(one.rule, one.clause, one.part, one.why) for one in needless_parts(bundle)]
    assert ("g", "rows", part, why) in found


@pytest.mark.parametrize("member", DEMO_MEMBERS)
def test_no_condition_of_the_demo_says_anything_in_vain(member: str) -> None:
    assert list(needless_parts(demo(member))) == []


@pytest.mark.parametrize("member", [*DEMO_MEMBERS, "example"])
def test_sql_closures_and_z3_mean_the_conditions_of_a_bundle_as_the_oracle_does(member: str) -> None:
    found = compare_backends(example() if member == "example" else demo(member))
    assert found.disagreements == ()
    assert found.z3
    assert found.situations >= found.conditions > 0


def test_the_most_disclosing_forms_of_a_category_and_its_purposes_are_listed() -> None:
    found = {line.category: line for line in most_disclosed(example())}
    assert found["income"].forms == ("band[0,9360,15000,25000,40000]",)
    assert found["income"].purposes == ("benefit-assessment",)
    assert found["health"].art9


def test_a_counterexample_is_a_sentence_in_both_languages() -> None:
    thing = document([grant("g", {"name": "clear"}, rows="row.age > 3")])
    never = {"fields": ["name"], "form": "any", "when": "row.age > 17"}
    bundle = load_bundle(files_of(thing, invariants=[{"id": "i", "never": never}]))
    [proof] = prove(bundle)
    assert proof.counterexample is not None
    italian, english = (
        counterexample_sentence(proof.counterexample, "Thing", bundle, language) for language in Language
    )
    assert italian.startswith("Thing.name si vede (in chiaro) da enti nazionali per «Verifica requisiti")
    assert "per la regola `g`: basi 6.1.e" in italian
    assert "age = 18" in english


def test_dropping_a_combination_is_a_change_of_access_that_the_matrix_shows() -> None:
    kept = [{"id": "apart", "fields": ["name", "birth"]}]
    bundle = bundle_of(document([grant("g", {"name": "clear"})], never_together=kept))
    assert "& apart; never together birth, name" in lock_text(bundle)
    [mutant] = [one for one in mutants(bundle) if one.rule == "apart"]
    assert fate(bundle, mutant) is Fate.MATRIX
