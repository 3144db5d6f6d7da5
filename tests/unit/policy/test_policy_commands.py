"""The officers' commands: what they print, and with which exit code they end."""

from __future__ import annotations

import io
import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest
from rich.console import Console
from typer.testing import CliRunner, Result

from federation.contract.languages import Language, preferred_language
from node.console import policy_output
from node.console.policy_commands import app
from node.policy.bundle import load_bundle
from node.policy.sentences import field_sentence
from tests.support.policies import EXAMPLE, FIELDS, ROOT, bundle_of, demo_files, document, grant

if TYPE_CHECKING:
    from pathlib import Path

POLICIES = str(ROOT / "policies")


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


def answer(*arguments: str) -> Any:
    result = run(*arguments, "--format", "json")
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a copy of the example that a test may spoil."""
    return shutil.copytree(EXAMPLE, tmp_path / "bundle")


def spoil(folder: Path, old: str, new: str) -> None:
    path = folder / "types" / "Citizen.yaml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_check_of_all_demo_bundles_succeeds() -> None:
    found = answer("check", "--policies", POLICIES)
    assert found["ok"] is True
    assert len(found["bundles"]) == 5


def test_check_names_every_error_with_its_place(folder: Path) -> None:
    spoil(folder, "purpose: social-benefit", "purpose: social-benfit")
    result = run("check", "--policies", str(folder))
    assert result.exit_code == 1
    assert "types/Citizen.yaml:12:14: purpose `social-benfit` is not declared; did you mean `social-benefit`?" in (
        result.stdout
    )


def test_check_against_a_schema_demands_coverage(folder: Path) -> None:
    (folder / "schema.graphql").write_text("type Citizen { taxCode: String added: Int }", encoding="utf-8")
    result = run("check", "--policies", str(folder))
    assert result.exit_code == 1
    assert "field `Citizen.added` of the schema has no category here" in result.stdout
    result = run("check", "--policies", str(folder), "--lang", "it")
    assert (
        "errore types/Citizen.yaml:1:1: il campo `Citizen.added` dello schema qui non ha una categoria" in result.stdout
    )


@pytest.mark.parametrize(
    ("lang", "said"),
    [("it", "1 campi serviti su 2 hanno una politica (50 %)"), ("en", "1 of 2 served fields have a policy (50 %)")],
)
def test_r34_check_states_how_much_of_the_schema_is_governed(folder: Path, lang: str, said: str) -> None:
    (folder / "schema.graphql").write_text("type Citizen { taxCode: String added: Int }", encoding="utf-8")
    result = run("check", "--policies", str(folder), "--lang", lang)
    assert result.exit_code == 1
    assert said in result.stdout
    told = json.loads(run("check", "--policies", str(folder), "--format", "json").stdout)
    assert told["bundles"][0]["coverage"] == {"served": 2, "missing": ["Citizen.added"]}


@pytest.mark.parametrize("command", ["check", "test", "matrix", "explain"])
def test_a_folder_that_does_not_exist_is_not_found(command: str) -> None:
    result = run(command, "--policies", "nowhere")
    assert result.exit_code == 4
    assert "folder `nowhere` does not exist" in result.stderr


def test_a_folder_without_policies_is_not_found(tmp_path: Path) -> None:
    assert run("check", "--policies", str(tmp_path)).exit_code == 4


def test_a_schema_that_does_not_exist_is_not_found(folder: Path) -> None:
    assert run("check", "--policies", str(folder), "--schema", "nowhere.graphql").exit_code == 4


def test_a_schema_that_is_none_is_wrong_usage(folder: Path) -> None:
    (folder / "schema.graphql").write_text("type {", encoding="utf-8")
    result = run("check", "--policies", str(folder))
    assert result.exit_code == 2
    assert "schema is not valid SDL" in result.stderr


def test_test_counts_the_cases() -> None:
    result = run("test", "--policies", str(EXAMPLE), "--lang", "en")
    assert result.exit_code == 0
    assert "10 of 10 cases pass" in result.stdout


def test_test_tells_what_was_decided_otherwise(folder: Path) -> None:
    spoil(folder, "see: {isee: {band: [0, 9360, 15000, 25000, 40000]}}", "see: {isee: clear}")
    result = run("test", "--policies", str(folder), "--lang", "en")
    assert result.exit_code == 1
    assert "isee: expected band, decided clear by `income-for-assessment`" in result.stdout
    assert "8 of 10 cases pass" in result.stdout


def test_a_broken_bundle_is_not_tested(folder: Path) -> None:
    spoil(folder, "purpose: social-benefit", "purpose: social-benfit")
    result = run("test", "--policies", str(folder))
    assert result.exit_code == 1
    assert "did you mean `social-benefit`?" in result.stderr
    assert result.stdout == ""


def test_why_names_the_deciding_rule() -> None:
    found = answer(
        "why", "Citizen.isee", "--as", "national", "--for", "benefit-assessment", "--day", "2026-05-01",
        "--policies", str(EXAMPLE), "--row", '{"residency": "resident"}',
    )  # fmt: skip
    assert found["decision"] == {
        "form": "band[0,9360,15000,25000,40000]", "cause": "granted", "rule": "income-for-assessment"
    }  # fmt: skip


def test_why_in_words_says_the_sentence_of_each_rule() -> None:
    result = run(
        "why", "Citizen.taxCode", "--as", "school", "--for", "school-enrolment", "--policies", str(EXAMPLE),
        "--day", "2026-05-01", "--lang", "en",
    )  # fmt: skip
    assert result.exit_code == 0
    assert "grant identity-for-benefits: clear, fails on to.kind, purpose" in result.stdout
    assert "Nobody sees taxCode and isee" in result.stdout


WRONG: dict[str, tuple[list[str], int, str]] = {
    "field": (["Citizen.taxCod"], 4, "did you mean `taxCode`?"),
    "type": (["Citizn.taxCode"], 4, "did you mean `Citizen`?"),
    "purpose": (["Citizen.taxCode", "--for", "statistic"], 2, "did you mean `statistics`?"),
    "kind": (["Citizen.taxCode", "--as", "scool"], 2, "did you mean `school`?"),
    "basis": (["Citizen.taxCode", "--basis", "6.1.z"], 2, "legal basis `6.1.z` is not in the vocabulary"),
    "day": (["Citizen.taxCode", "--day", "tomorrow"], 2, "`tomorrow` is not a day"),
    "row": (["Citizen.taxCode", "--row", "{"], 2, "`--row` is not JSON"),
    "row that is a list": (["Citizen.taxCode", "--row", "[]"], 2, "`--row` is not a map"),
    "attribute": (["Citizen.taxCode", "--row", '{"agee": 3}'], 2, "did you mean `age`?"),
}


@pytest.mark.parametrize(("arguments", "code", "message"), WRONG.values(), ids=WRONG.keys())
def test_why_refuses_what_does_not_exist(arguments: list[str], code: int, message: str) -> None:
    defaults = ["--as", "national", "--for", "statistics", "--policies", str(EXAMPLE)]
    result = run("why", *defaults, *arguments)
    assert result.exit_code == code
    assert message in result.stderr


def test_why_asks_for_one_bundle() -> None:
    result = run("why", "Citizen.id", "--as", "national", "--for", "statistics", "--policies", POLICIES)
    assert result.exit_code == 2
    assert "holds several bundles" in result.stderr


def test_the_matrix_is_compared_with_its_lock(folder: Path) -> None:
    assert run("matrix", "--policies", str(folder), "--write").exit_code == 0
    assert answer("matrix", "--policies", str(folder))["bundles"][0]["lock_matches"] is True

    spoil(folder, "see: {givenName: clear, email: clear}", "see: {email: clear}")
    result = run("matrix", "--policies", str(folder))
    assert result.exit_code == 1
    assert "matrix.lock says otherwise" in result.stderr


def test_the_matrix_without_a_lock_is_only_shown(folder: Path) -> None:
    result = run("matrix", "--policies", str(folder))
    assert result.exit_code == 0
    assert "benefit-assessment" in result.stdout


def test_explain_says_every_rule() -> None:
    assert len(answer("explain", "--policies", str(EXAMPLE))["sentences"]) == 9
    assert "Per «Statistica ufficiale»" in run("explain", "--policies", str(EXAMPLE), "--lang", "it").stdout


def test_explain_says_the_rules_about_one_field() -> None:
    said = answer("explain", "Citizen.isee", "--policies", str(EXAMPLE))["sentences"]
    assert [one["rule"] for one in said] == ["income-for-assessment", "no-tax-code-to-schools"]
    assert len(answer("explain", "Citizen", "--policies", str(EXAMPLE))["sentences"]) == 9
    missing = run("explain", "Citizen.isse", "--policies", str(EXAMPLE))
    assert missing.exit_code == 4
    assert "did you mean `Citizen.isee`?" in missing.stderr


def test_explain_says_what_a_field_is_computed_from_and_may_name() -> None:
    computed = {"computed_from": ["name", "birth"], "declassified": {"law": "L. 1/2026"}}
    fields = FIELDS | {"notes": {"category": "name"} | computed}
    thing = bundle_of(document([grant("g", {"name": "clear"})], fields=fields)).types["Thing"]
    assert field_sentence(thing.fields["notes"], Language.ITALIAN) == (
        "notes è calcolato da name e birth e può mostrarne più di quanto si vede di loro (L. 1/2026)."
    )
    [said] = answer("explain", "Citizen.taxCode", "--policies", str(EXAMPLE))["sentences"][:1]
    assert said["sentence"] == "An exact value of taxCode may name a person, one at a time and counted."


MISPLACED = {
    "misspelt ending": ("invariants.yml", "invariants.yaml"),
    "misspelt name": ("invariant.yaml", "invariants.yaml"),
    "misspelt folder": ("Types/Citizen.yaml", "types/<Type>.yaml"),
    "folder in a folder": ("types/old/Citizen.yaml", "types/<Type>.yaml"),
    "register in a folder": ("notes/register.yaml", "invariants.yaml"),
    "suite by another name": ("tests/Citizen.yaml", "tests/<Type>_test.yaml"),
}


@pytest.mark.parametrize(("path", "expected"), MISPLACED.values(), ids=MISPLACED.keys())
def test_a_document_that_would_have_no_effect_is_refused(folder: Path, path: str, expected: str) -> None:
    (folder / path).parent.mkdir(exist_ok=True)
    (folder / path).write_text("- {}", encoding="utf-8")
    found = run("check", "--policies", str(folder))
    assert found.exit_code == 1
    assert f"{path}: file has no effect here: expected " in found.stdout
    assert f"`{expected}`" in found.stdout


def test_what_is_no_document_may_stand_beside_a_bundle(folder: Path) -> None:
    for name in ("register.yaml", "README.md", "schema.graphql~", ".hidden.yaml"):
        (folder / name).write_text("", encoding="utf-8")
    assert run("check", "--policies", str(folder)).exit_code == 0


def test_a_file_that_cannot_be_read_or_written_is_said_and_no_trace_shown(folder: Path) -> None:
    (folder / "types" / "Gone.yaml").symlink_to(folder / "nowhere")
    unread = run("check", "--policies", str(folder), "--lang", "it")
    assert (unread.exit_code, "non si può leggere o scrivere" in unread.stderr) == (2, True)
    unwritten = run("ropa", "--policies", str(EXAMPLE), "--out", str(folder / "none" / "r.md"))
    assert (unwritten.exit_code, "cannot be read or written" in unwritten.stderr) == (2, True)


def test_a_schema_that_is_no_text_is_refused(folder: Path) -> None:
    (folder / "schema.graphql").write_bytes(b"type Citizen { a: Int }\xff")
    assert "is not UTF-8 text" in run("check", "--policies", str(folder)).stderr
    (folder / "schema.graphql").write_bytes(b"type Citizen {\n a: }")
    assert "not valid SDL at line 2" in run("check", "--policies", str(folder)).stderr


def test_check_without_a_schema_says_that_coverage_is_not_checked() -> None:
    assert "whether every field has a policy was not checked" in run("check", "--policies", str(EXAMPLE)).stdout


def test_an_error_is_json_for_programs(folder: Path) -> None:
    missing = run("test", "--policies", "none", "--format", "json")
    assert missing.exit_code == 4
    assert json.loads(missing.stdout)["code"] == "NOT_FOUND"
    spoil(folder, "purpose: social-benefit", "purpose: social-benfit")
    broken = run("test", "--policies", str(folder), "--format", "json", "--lang", "it")
    [finding] = json.loads(broken.stdout)["findings"]
    assert (broken.exit_code, finding["code"], finding["line"]) == (1, "NAME_UNKNOWN", 12)
    assert finding["params"] == {"what": "purpose", "name": "social-benfit", "nearest": "social-benefit"}
    assert finding["message"] == "nome non dichiarato (finalità): `social-benfit`; forse `social-benefit`?"


LOCALES = {
    "what --lang said wins": ({"CROCEVIA_LANG": "it", "LC_ALL": "en_GB.UTF-8"}, Language.ITALIAN),
    "LC_ALL wins": ({"LC_ALL": "en_GB.UTF-8", "LANG": "it_IT.UTF-8"}, Language.ENGLISH),
    "an empty one counts as none": ({"LC_ALL": "", "LANG": "en_US"}, Language.ENGLISH),
    "another language": ({"LANG": "de_DE.UTF-8"}, Language.ITALIAN),
    "C": ({"LC_MESSAGES": "C", "LANG": "en_GB"}, Language.ITALIAN),
    "none": ({}, Language.ITALIAN),
}


@pytest.mark.parametrize(("environment", "language"), LOCALES.values(), ids=LOCALES.keys())
def test_the_language_is_that_of_the_shell(environment: dict[str, str], language: Language) -> None:
    assert preferred_language(environment) is language


def test_a_matrix_that_is_too_wide_for_the_terminal_has_a_line_per_field(monkeypatch: pytest.MonkeyPatch) -> None:
    member = load_bundle(demo_files("c_m999"))
    shown = {}
    for width in (80, 400):
        written = io.StringIO()
        screen = Console(width=width, file=written)
        monkeypatch.setattr(policy_output, "out", lambda screen=screen: screen)
        policy_output.print_matrix(ROOT / "policies" / "c_m999", member, Language.ENGLISH)
        shown[width] = written.getvalue()
        assert max(len(line) for line in shown[width].splitlines()) <= width
        assert "…" not in shown[width]
    assert "familyName" in shown[80]
    assert len(shown[80].splitlines()) > len(shown[400].splitlines())


def test_no_colour_is_written_into_a_file_or_for_who_wants_none() -> None:
    assert "\x1b[" not in run("matrix", "--policies", str(EXAMPLE)).stdout


def test_init_makes_a_bundle_of_a_schema_in_which_nobody_sees_anything(tmp_path: Path) -> None:
    folder = tmp_path / "new"
    schema = str(ROOT / "schema.graphql")
    found = answer("init", "--schema", schema, "--policies", str(folder))
    assert "types/Citizen.yaml" in found["files"]
    assert "taxCode: {category: identifier}\n" in (folder / "types" / "Citizen.yaml").read_text(encoding="utf-8")
    assert answer("check", "--policies", str(folder))["bundles"][0]["findings"] == []
    assert answer("test", "--policies", str(folder))["ok"] is True
    assert run("init", "--schema", schema, "--policies", str(folder)).exit_code == 2
    assert run("init", "--schema", "nowhere", "--policies", str(tmp_path / "other")).exit_code == 4


def test_init_marks_the_categories_that_nothing_says(tmp_path: Path) -> None:
    (tmp_path / "s.graphql").write_text("type Thing { birthPlace: String colour: String }", encoding="utf-8")
    assert run("init", "--schema", str(tmp_path / "s.graphql"), "--policies", str(tmp_path / "b")).exit_code == 0
    text = (tmp_path / "b" / "types" / "Thing.yaml").read_text(encoding="utf-8")
    assert "birthPlace: {category: birth}   # guessed from the name" in text
    assert "colour: {category: identifier}   # nothing says what this is" in text
