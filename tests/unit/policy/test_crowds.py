"""`generalise_k` in the officer's tools: what they test, compare, prove, say and export is what a node enforces."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import cedarpy
import pytest
from typer.testing import CliRunner

from federation.contract.languages import Language
from node.console.policy_commands import app
from node.console.policy_proofs import prove_with_z3
from node.policy.bundle import Bundle, load_bundle
from node.policy.cedar import cedar_entities, cedar_policies, cedar_request
from node.policy.decide import Situation, decide
from node.policy.differences import differences
from node.policy.matrix import lock_text, matrix
from node.policy.mutants import Fate, fate, mutants
from node.policy.odrl import draft_grants, to_odrl
from node.policy.proving import idle_rules, prove
from node.policy.sentences import grant_sentence
from node.policy.trials import run_suites
from tests.support.policies import DAY, INPS, document, files_of, grant

if TYPE_CHECKING:
    from pathlib import Path

PURPOSE = "benefit-assessment"


def crowd(k: int = 5, *over: str, **changes: Any) -> dict[str, object]:
    counts = {"over": ["birth"], "generalise_k": {"k": k, "quasi_identifiers": [*(over or ("birth",))]}}
    return grant("g", {"birth": "year", "income": "clear"}, **{"aggregates": counts, **changes})


def bundle(*grants: dict[str, object], **others: Any) -> Bundle:
    return load_bundle(files_of(document(list(grants)), **others))


def test_a_test_says_how_many_are_alike_and_means_a_crowd_where_it_does_not() -> None:
    shown = {"birth": "year", "income": "clear"}
    suite = {
        "suite": "Thing",
        "now": "2026-05-01",
        "requesters": {"inps": {"kind": "national", "basis": ["6.1.e"]}},
        "rows": {"some": {"age": 1}, "five": {"alike": 5}, "four": {"alike": 4}, "unknown": {"alike": None}},
        "tests": [
            {"as": "inps", "for": PURPOSE, "row": row, "see": see}
            for row, see in (("some", shown), ("five", shown), ("four", {}), ("unknown", {}))
        ],
    }
    trials = list(run_suites(bundle(crowd(), tests__Thing_test=suite)))
    assert [trial.differences for trial in trials] == [()] * 4


def test_the_matrix_says_that_the_row_decides_and_the_lock_how() -> None:
    found = bundle(crowd())
    [row] = [one for one in matrix(found) if (one.kind, one.purpose) == ("national", PURPOSE)]
    assert (row.cells["birth"], row.cells["income"]) == ("year*", "clear*")
    assert "; counts of 5 over birth; rows of 5 alike in birth" in lock_text(found)


def test_a_smaller_crowd_is_a_gain_and_a_larger_one_a_loss() -> None:
    found = list(differences(bundle(crowd(5)), bundle(crowd(3))))
    assert {(one.field, one.gains) for one in found} == {("birth", True), ("income", True)}
    assert found[0].row["alike"] in (3, 4)
    assert {one.gains for one in differences(bundle(crowd(3)), bundle(crowd(5)))} == {False}


def test_persons_alike_in_other_fields_are_other_persons() -> None:
    found = list(differences(bundle(crowd(5, "birth")), bundle(crowd(5, "birth", "income"))))
    assert {one.gains for one in found} == {True, False}
    assert {name for one in found for name in one.row} == {"alike(birth)", "alike(birth, income)"}


INVARIANTS = {
    "a crowd of five": ("row.alike < 5", True),
    "a crowd of six": ("row.alike < 6", False),
    "nobody": ("true", False),
}


@pytest.mark.parametrize(("when", "holds"), INVARIANTS.values(), ids=INVARIANTS)
def test_that_nobody_is_shown_outside_of_a_crowd_can_be_proved_twice(when: str, *, holds: bool) -> None:
    invariant = {"id": "i", "never": {"fields": ["income"], "form": "any", "when": when}}
    found = bundle(crowd(), grant("h", {"income": "clear"}), invariants=[invariant])
    [proof] = prove(found)
    assert proof.holds is holds
    assert prove_with_z3(found, proof.invariant).holds is holds


def test_a_grant_without_a_crowd_does_not_lift_that_of_another() -> None:
    found = bundle(crowd(), grant("h", {"income": "clear"}))
    for alike, visible in ((4, False), (5, True), (None, False)):
        assert decide(found, "Thing", Situation(INPS, PURPOSE, DAY, {"alike": alike})).visible is visible


def test_a_grant_that_shows_only_crowds_is_not_idle() -> None:
    assert list(idle_rules(bundle(crowd()))) == []


def test_a_mutant_without_the_crowd_is_noticed() -> None:
    found = bundle(crowd())
    [mutant] = [one for one in mutants(found) if one.edit == "rows alike or not"]
    assert fate(found, mutant) is Fate.MATRIX


@pytest.mark.parametrize(
    ("language", "said"),
    [
        (Language.ITALIAN, "vedono, solo dove almeno 5 persone appaiono uguali in birth e income: birth (solo l'anno)"),
        (Language.ENGLISH, "see, only where at least 5 persons look alike in birth and income: birth (only the year)"),
    ],
)
def test_a_crowd_is_said_in_the_sentence_of_the_grant(language: Language, said: str) -> None:
    found = bundle(crowd(5, "birth", "income"))
    assert said in grant_sentence(found.types["Thing"].grants[0], found.vocabulary, language)


def test_why_asks_how_many_are_alike(tmp_path: Path) -> None:
    for name, content in files_of(document([crowd()])).items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)

    def why(*row: str) -> Any:
        asked = ["why", "Thing.birth", "--policies", str(tmp_path), "--as", "national", "--for", PURPOSE]
        result = CliRunner().invoke(app, [*asked, "--format", "json", *row])
        return json.loads(result.stdout)

    assert why()["rowVisibleWhere"] == "row.alike >= 5"
    assert why("--row", '{"alike": 4}')["decision"]["cause"] == "row hidden"
    assert why("--row", '{"alike": 5}')["decision"]["form"] == "year"


def test_a_crowd_comes_back_from_odrl() -> None:
    found = bundle(crowd(7, "birth", "income"))
    [draft] = draft_grants(to_odrl(found, "https://member.example"), found.vocabulary)["Thing"]
    again = bundle({**draft, "id": "g"})
    assert again.types["Thing"].grants[0].aggregates == found.types["Thing"].grants[0].aggregates


@pytest.mark.parametrize(("row", "allowed"), [({"alike": 5}, True), ({"alike": 4}, False), ({}, False)])
def test_cedar_forbids_rows_outside_of_a_crowd(row: dict[str, object], *, allowed: bool) -> None:
    found = bundle(crowd(), grant("h", {"name": "clear"}))
    thing = found.types["Thing"]
    situation = Situation(INPS, PURPOSE, DAY, row)
    assert decide(found, "Thing", situation).visible is allowed
    for name in ("birth", "name"):
        asked = cedar_request("Thing", name, situation, consent=False)
        said = cedarpy.is_authorized(asked, cedar_policies(thing), cedar_entities(found.vocabulary, thing))
        assert (said.decision == cedarpy.Decision.Allow) is allowed
