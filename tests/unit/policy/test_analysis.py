"""Proofs, comparisons, mutants, registers and exports."""

from __future__ import annotations

import csv
import io
import json
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import cedarpy
import openpyxl
import pytest
import yaml
from typer.testing import CliRunner, Result

from node.console.policy_commands import app
from node.console.policy_proofs import prove_with_z3
from node.policy.bundle import Bundle, load_bundle
from node.policy.differences import differences
from node.policy.errors import BundleError
from node.policy.mutants import Fate, fate, mutants
from node.policy.odrl import draft_grants, to_odrl
from node.policy.proving import idle_rules, prove
from node.policy.registers import Declared, Delivery, Pursuit, register_of_processing, risk_analyses
from tests.support.policies import (
    DEMO_MEMBERS,
    EXAMPLE,
    ROOT,
    VOCABULARY,
    bundle_of,
    demo,
    document,
    example,
    files_of,
    grant,
)

if TYPE_CHECKING:
    from pathlib import Path


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def with_invariants(thing: dict[str, object], *never: dict[str, object]) -> Bundle:
    invariants = [{"id": f"i{number}", "never": one} for number, one in enumerate(never)]
    return load_bundle(files_of(thing, invariants=invariants))


@pytest.mark.parametrize("member", DEMO_MEMBERS)
def test_every_invariant_of_the_demo_is_proved_twice(member: str) -> None:
    bundle = demo(member)
    proofs = prove(bundle)
    assert all(proof.holds for proof in proofs)
    assert all(prove_with_z3(bundle, proof.invariant).holds for proof in proofs)


def test_a_planted_bug_comes_back_in_words() -> None:
    bundle = example()
    thing = bundle.types["Citizen"]
    school = next(one for one in thing.grants if one.id == "school")
    planted = replace(school, see={**school.see, "taxCode": school.see["givenName"]})
    grants = tuple(planted if one is school else one for one in thing.grants)
    broken = replace(bundle, types={"Citizen": replace(thing, grants=grants, prohibitions=())})
    [proof] = [one for one in prove(broken) if one.invariant.id == "schools-no-tax"]
    found = proof.counterexample
    assert found is not None
    assert (found.field, found.rule, found.requester.kind, found.purpose) == (
        "taxCode", "school", "school", "school-enrolment"
    )  # fmt: skip
    assert prove_with_z3(broken, proof.invariant).holds is False


INVARIANTS: dict[str, tuple[dict[str, Any], dict[str, Any], bool]] = {
    "a form below the named one": ({"birth": "year"}, {"fields": ["birth"], "form": "month", "when": "true"}, True),
    "the named form": ({"birth": "month"}, {"fields": ["birth"], "form": "month", "when": "true"}, False),
    "more than the named form": ({"birth": "clear"}, {"fields": ["birth"], "form": "year", "when": "true"}, False),
    "by category": ({"income": "clear"}, {"fields": {"category": "income"}, "form": "any", "when": "true"}, False),
    "art. 9 without its basis": ({"health": "clear"}, {"fields": {"art9": True}, "form": "any", "when": "true"}, True),
    "when unknown": ({"name": "clear"}, {"fields": ["name"], "form": "any", "when": "row.age > 200"}, False),
    "another purpose": (
        {"name": "clear"},
        {"fields": ["name"], "form": "any", "when": 'purpose == "statistics"'},
        True,
    ),
    "after the window": ({"name": "clear"}, {"fields": ["name"], "form": "any", "when": 'today > "2026-12-31"'}, True),
    "in the window": ({"name": "clear"}, {"fields": ["name"], "form": "any", "when": 'today > "2026-12-30"'}, False),
    "another area": ({"name": "clear"}, {"fields": ["name"], "form": "any", "when": 'requester.area == "X"'}, False),
}


@pytest.mark.parametrize(("see", "never", "holds"), INVARIANTS.values(), ids=INVARIANTS.keys())
def test_exhaustion_and_z3_agree(see: dict[str, Any], never: dict[str, Any], *, holds: bool) -> None:
    bundle = with_invariants(document([grant("g", see)]), never)
    [proof] = prove(bundle)
    assert proof.holds is holds
    assert prove_with_z3(bundle, proof.invariant).holds is holds


def test_a_null_is_tried_too() -> None:
    """A predicate `!(x == true)` lets a null through only where unknown would count as false."""
    rule = {"id": "p", "fields": ["name"], "rows": "row.flag == true"}
    never: dict[str, object] = {"fields": ["name"], "form": "any", "when": "row.flag == true"}
    bundle = with_invariants(document([grant("g", {"name": "clear"})], prohibitions=[rule]), never)
    assert [proof.holds for proof in prove(bundle)] == [True]
    assert prove_with_z3(bundle, bundle.invariants[0]).holds is True


def test_rules_that_never_matter_are_named() -> None:
    grants = [
        grant("all", {"name": "clear"}),
        grant("same", {"name": "clear"}, rows="row.flag"),
        grant("never", {"birth": "clear"}, rows="row.age < 3 && row.age > 3"),
    ]
    rules = [{"id": "idle", "fields": ["birth", "income"]}, {"id": "needed", "fields": ["name"], "rows": "row.flag"}]
    found = idle_rules(bundle_of(document(grants, prohibitions=rules)))
    assert {one.rule for one in found} == {"same", "never", "idle"}


def test_a_bundle_does_not_differ_from_itself() -> None:
    assert list(differences(example(), example())) == []


def test_gains_and_losses_are_told_apart() -> None:
    old = bundle_of(document([grant("g", {"name": "clear", "birth": "year"})]))
    new = bundle_of(document([grant("g", {"income": "clear", "birth": "month"})]))
    assert {(one.field, one.gains) for one in differences(old, new)} == {
        ("name", False), ("birth", True), ("income", True)
    }  # fmt: skip


def test_a_difference_on_one_row_only_is_found() -> None:
    old = bundle_of(document([grant("g", {"name": "clear"}, rows="row.age < 18")]))
    new = bundle_of(document([grant("g", {"name": "clear"}, rows="row.age <= 18")]))
    [change] = differences(old, new)
    assert change.row == {"age": 18}
    assert change.gains


def test_no_mutant_of_a_demo_bundle_survives() -> None:
    bundle = demo("coop_ponte")
    fates = [fate(bundle, mutant) for mutant in mutants(bundle)]
    assert len(fates) > 50
    assert Fate.SURVIVED not in fates


def test_the_register_has_an_entry_per_grant() -> None:
    entries = register_of_processing(demo("aslvs"))
    assert len(entries) == 9
    emergency = next(entry for entry in entries if entry.rule == "HealthExemption/emergency")
    assert emergency.special_categories
    assert emergency.erasure == "30 giorni"
    assert emergency.legal_basis == "6.1.d, 9.2.c"
    assert emergency.data == "Salute: code, description, validFrom, validUntil"


def test_the_risk_analysis_follows_the_ladder_of_delivery() -> None:
    found = {(one.purpose, one.recipients): one for one in risk_analyses(demo("c_m999"))}
    assert found["social-benefit", "national"].delivery is Delivery.CLEAR
    assert found["statistics", "statistics"].delivery is Delivery.PSEUDONYMOUS
    only_checks = bundle_of(document([grant("g", {"code": "verify"})]))
    [analysis] = risk_analyses(only_checks)
    assert analysis.pursuit is Pursuit.CORRECTNESS
    assert analysis.delivery is Delivery.ANONYMOUS


@pytest.mark.parametrize("command", ["ropa", "dpia"])
def test_registers_are_written_in_every_format(command: str, tmp_path: Path) -> None:
    policies = ("--policies", EXAMPLE)
    markdown = run(command, *policies).stdout
    assert markdown.startswith("# ")
    rows = json.loads(run(command, *policies, "--format", "json").stdout)
    lines = list(csv.reader(io.StringIO(run(command, *policies, "--format", "csv").stdout)))
    assert len(lines) == len(rows) + 1
    assert run(command, *policies, "--format", "xlsx", "--out", tmp_path / "r.xlsx").exit_code == 0
    sheet = openpyxl.load_workbook(tmp_path / "r.xlsx").active
    assert sheet.max_row == len(rows) + 1
    assert run(command, *policies, "--format", "xlsx").exit_code == 2


DECLARED = b"""\
controller: "Comune di Esempio, piazza Roma 1"
dpo: "Avv. Anna Neri"
transfers: "nessuno"
security: ["copie cifrate"]
"""


def test_the_register_has_every_item_of_article_30_and_marks_what_nobody_declared() -> None:
    bare = register_of_processing(demo("aslvs"))[0]
    assert bare.gaps == ("controller", "dpo", "transfers", "security")
    assert bare.controller == "DA DICHIARARE (`controller` in register.yaml)"
    assert bare.contact == "dpo@asl.valleserena.example"
    full = register_of_processing(demo("aslvs"), Declared.parse(DECLARED))[0]
    assert full.gaps == ()
    assert (full.controller, full.dpo) == ("Comune di Esempio, piazza Roma 1", "Avv. Anna Neri")
    assert full.security[-1] == "copie cifrate"
    assert any("registro che rivela le manomissioni" in one for one in full.security)
    items = (full.purpose_name, full.subjects, full.data, full.recipients, full.transfers, full.erasure)
    assert all(items)


def test_a_register_file_with_mistakes_is_refused_with_all_of_them() -> None:
    with pytest.raises(BundleError) as refused:
        Declared.parse(b"controler: x\nsecurity: y\n")
    assert [str(one) for one in refused.value.findings] == [
        "register.yaml:1:1: key `controler` is unknown in the document; did you mean `controller`? [KEY_UNKNOWN]",
        "register.yaml:2:1: expected a list, got `y` in `security` [VALUE_INVALID]",
    ]


def test_the_risk_analysis_says_with_which_measures_a_policy_protects() -> None:
    found = {(one.purpose, one.recipients): one for one in risk_analyses(demo("c_m999"))}
    measures = found["statistics", "statistics"].measures
    assert any("prohibitions: protected-persons-out-of-statistics" in one for one in measures)
    assert any(one.startswith("forms that show less than the value: ") for one in measures)
    assert not any("statistics" in one for one in found["emergency-care", "health"].measures), (
        "a rule of another purpose"
    )


FORMULAS = ("=1+1", " =1+1", "+A1", "-A1", "@SUM(A1)", "\t=1", "\uff1d1")


@pytest.mark.parametrize("law", FORMULAS)
def test_no_cell_of_a_spreadsheet_is_a_formula(law: str, tmp_path: Path) -> None:
    folder = tmp_path / "bundle"
    for path, content in files_of(document([grant("g", {"name": "clear"}, law=f"{law} of a law")])).items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    run("ropa", "--policies", folder, "--format", "csv", "--out", tmp_path / "r.csv")
    run("ropa", "--policies", folder, "--format", "xlsx", "--out", tmp_path / "r.xlsx")
    assert (tmp_path / "r.csv").read_bytes().startswith(b"\xef\xbb\xbf")
    rows = [*csv.reader(io.StringIO((tmp_path / "r.csv").read_text(encoding="utf-8-sig")))]
    cells = [cell for line in openpyxl.load_workbook(tmp_path / "r.xlsx").active.iter_rows() for cell in line]
    assert not any(text.lstrip().startswith(("=", "+", "-", "@", "\uff1d")) for row in rows for text in row)
    assert "f" not in {cell.data_type for cell in cells}
    assert not any(str(cell.value).lstrip().startswith("=") for cell in cells)


def test_odrl_says_prohibitions_counts_and_consent_too() -> None:
    exported = to_odrl(demo("c_m999"), "https://comune.example")["@graph"]
    statistics = next(one for one in exported if one["uid"].endswith("Citizen/official-statistics"))
    assert statistics["conflict"] == "prohibit"
    assert {one["crocevia:rule"] for one in statistics["prohibition"]} >= {"protected-persons-out-of-statistics"}
    drafts = draft_grants({"@graph": exported}, demo("c_m999").vocabulary)
    original = next(one for one in demo("c_m999").types["Citizen"].grants if one.id == "official-statistics")
    [draft] = [one for one in drafts["Citizen"] if one["id"] == "draft-official-statistics"]
    assert original.aggregates is not None
    assert draft["aggregates"]["over"] == list(original.aggregates.over)
    consenting = [one for types in drafts.values() for one in types if "consent" in one]
    assert len(consenting) == sum(
        grant.consent is not None for kind in demo("c_m999").types.values() for grant in kind.grants
    )


def test_odrl_comes_back_as_the_grants_it_was_made_of() -> None:
    bundle = bundle_of(
        document([grant("g", {"name": "clear", "birth": "year", "income": {"band": [0, 10]}}, rows="row.age < 18")])
    )
    [draft] = draft_grants(json.loads(json.dumps(to_odrl(bundle, "https://member.example"))), bundle.vocabulary)[
        "Thing"
    ]
    again = bundle_of(document([draft])).types["Thing"].grants[0]
    original = bundle.types["Thing"].grants[0]
    assert again.id == "draft-g"
    assert replace(again, id="g", place=original.place) == original


WRONG_ODRL: dict[str, tuple[Any, str]] = {
    "a list": ([], "expected a JSON-LD document"),
    "nothing": ({"@graph": []}, "holds no ODRL agreement"),
    "no basis": ({"@type": "Agreement"}, "agreement 1 has no legal basis of the vocabulary"),
    "foreign kind": (
        {"@type": "Agreement", "dpv:hasLegalBasis": VOCABULARY["legal_bases"]["6.1.e"], "assignee": ["bank"]},
        "`bank` is not in the vocabulary",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("content", "message"), WRONG_ODRL.values(), ids=WRONG_ODRL.keys())
def test_what_is_no_agreement_is_not_imported(content: Any, message: str, tmp_path: Path) -> None:
    path = tmp_path / "agreement.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    result = run("import", path, "--odrl", "--policies", EXAMPLE)
    assert result.exit_code == 2
    assert message in result.stderr


def test_export_and_import_on_the_command_line(tmp_path: Path) -> None:
    exported = run("export", "--odrl", "--policies", EXAMPLE)
    (tmp_path / "policy.jsonld").write_text(exported.stdout, encoding="utf-8")
    imported = run("import", tmp_path / "policy.jsonld", "--odrl", "--policies", EXAMPLE)
    assert imported.exit_code == 0
    assert len(yaml.safe_load(imported.stdout)["draft"]["Citizen"]) == 6
    assert cedarpy.format_policies(run("export", "--cedar", "--policies", EXAMPLE).stdout)
    assert "Citizen" in json.loads(run("export", "--json", "--policies", EXAMPLE).stdout)["types"]
    assert run("export", "--policies", EXAMPLE).exit_code == 2


def test_prove_diff_and_mutate_on_the_command_line(tmp_path: Path) -> None:
    changed = shutil.copytree(EXAMPLE, tmp_path / "changed")
    path = changed / "types" / "Citizen.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("isee: {band: [0, 9360, 15000, 25000, 40000]}", "isee: clear"), encoding="utf-8")

    assert run("prove", "--policies", EXAMPLE).exit_code == 0
    proved = run("prove", "--policies", changed, "--format", "json")
    assert proved.exit_code == 1
    broken = [one for one in json.loads(proved.stdout)["bundles"][0]["proofs"] if not one["holds"]]
    assert [(one["invariant"], one["z3"]) for one in broken] == [("isee-never-clear", False)]

    compared = run("diff", EXAMPLE, changed, "--lang", "it")
    assert compared.exit_code == 1
    other = run("diff", ROOT / "policies" / "aslvs", ROOT / "policies" / "inprev").stdout
    assert "Benefit.id, kind, status, amount, validFrom, validUntil: denied → clear (clear)" in other
    assert "guadagna enti nazionali, per «Verifica requisiti prestazione»: Citizen.isee: " in compared.stdout
    assert "→ in chiaro (clear)" in compared.stdout
    assert "gains enti nazionali" not in run("diff", EXAMPLE, changed, "--lang", "en").stdout
    assert run("diff", EXAMPLE, EXAMPLE, "--format", "json").exit_code == 0
