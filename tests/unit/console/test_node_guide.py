"""The guide to a first node is followed, word for word, from an old database to an answer under a policy."""

from __future__ import annotations

import json
import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from httpx import ASGITransport, AsyncClient
from typer.testing import CliRunner, Result

import crocevia
from federation.contract.errors import NotFoundError
from node.console.trying import Trying, as_application
from node.data.mapping_file import read_mapping

GUIDE = (Path(__file__).parents[3] / "docs" / "node.md").read_text(encoding="utf-8")
TRY = ("--as", "national", "--for", "benefit-assessment", "--basis", "6.1.e")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", GUIDE, re.DOTALL)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(crocevia.app, ("node", *arguments))


def enrolling() -> list[str]:
    """Return the guide's command that makes pseudonyms up."""
    [text, _] = re.findall(r"crocevia node (enrol .*?)\n(?=```)", GUIDE, re.DOTALL)
    return str(text).replace("\\\n", " ").split()


def execute(script: str) -> None:
    with closing(sqlite3.connect("comune.db")) as connection:
        connection.executescript(script)


def edit(path: str, pattern: str, written: str) -> None:
    text = Path(path).read_text(encoding="utf-8")
    edited, count = re.subn(pattern, lambda _: written, text, count=1, flags=re.MULTILINE | re.DOTALL)
    assert count == 1, pattern
    Path(path).write_text(edited, encoding="utf-8")


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder with the guide's register."""
    monkeypatch.chdir(tmp_path)
    execute(blocks("sql")[0])
    return tmp_path


@pytest.fixture
def edited(place: Path) -> Path:
    """The same with mapping and policy as the guide leaves them."""
    assert run("init", "--database", "sqlite:///comune.db", "--member", "c_f257").exit_code == 0
    marital, person, owner, policy = blocks("yaml")
    assert run(*enrolling()).exit_code == 0
    execute(blocks("sql")[1])
    edit("node.yaml", r"^ +maritalStatus: .*?\n", marital)
    edit("node.yaml", r"^    table: ANAG_SOGGETTI\n.*?\n    key: .*?\n", person)
    edit("node.yaml", r"^    # owner: ", "    owner: ")
    assert owner.rstrip() in Path("node.yaml").read_text()
    edit("policies/types/Citizen.yaml", r"^grants: \[\].*", policy)
    known = "taxCode: {category: identifier, lookup: exact}"
    assert known in GUIDE
    edit("policies/types/Citizen.yaml", r"taxCode: \{category: identifier\}", known)
    Path("question.graphql").write_text(blocks("graphql")[0])
    return place


def test_a_proposal_and_a_policy_that_denies_everything_are_written(place: Path) -> None:
    result = run("init", "--database", "sqlite:///comune.db", "--member", "c_f257", "--format", "json")
    assert json.loads(result.stdout)["types"] == ["Address", "Citizen", "Location", "Residence", "ServiceCase"]
    text = (place / "node.yaml").read_text()
    assert 'maritalStatus: {column: STATO_CIVILE, codes: {"1": "1", "2": "2"}}   # 0.60 name; say what' in text
    assert 'sex: {column: SESSO, codes: {"1": male, "2": female}}' in text
    assert "grants: []" in (place / "policies" / "types" / "ServiceCase.yaml").read_text()


@pytest.mark.usefixtures("place")
def test_the_doctor_says_that_the_proposal_has_no_pseudonyms() -> None:
    run("init", "--database", "sqlite:///comune.db", "--member", "c_f257")
    result = run("doctor", "--format", "json")
    assert result.exit_code == 1
    found = json.loads(result.stdout)
    assert found["ok"] is False
    assert [each["code"] for each in found["findings"]] == ["SUBJECT_MISSING", "INDEX_MISSING"]


@pytest.mark.usefixtures("edited")
def test_the_doctor_is_content_with_what_the_guide_edits() -> None:
    result = run("doctor")
    assert result.exit_code == 0, result.stdout
    assert result.stdout.endswith("node.yaml: 3 tables checked, no errors, no warnings\n")


@pytest.mark.usefixtures("edited")
def test_the_question_is_answered_under_the_policy() -> None:
    result = run("try", "question.graphql", *TRY, "--format", "json")
    assert result.exit_code == 0, result.stdout
    found = json.loads(result.stdout)
    citizen = {"givenName": "MARIO", "familyName": None, "dateOfBirth": "1980", "maritalStatus": "married"}
    assert found["data"] == {"citizen": citizen}
    assert found["subjects"] == 1
    forms = {each["coordinate"]: each["form"] for each in found["decisions"]}
    assert forms["Citizen.familyName"] == "deny"
    assert forms["Citizen.dateOfBirth"] == "year"


@pytest.mark.usefixtures("place")
def test_a_misspelt_table_of_persons_is_answered_with_the_nearest_one() -> None:
    misspelt = ["ANAG_SOGGETI" if word == "ANAG_SOGGETTI" else word for word in enrolling()]
    with pytest.raises(NotFoundError, match="`ANAG_SOGGETI` is not in the database; did you mean `ANAG_SOGGETTI`"):
        CliRunner().invoke(crocevia.app, ["node", *misspelt], catch_exceptions=False)


@pytest.mark.usefixtures("edited")
def test_another_consumer_sees_nobody() -> None:
    result = run("try", "question.graphql", "--as", "school", "--for", "school-enrolment", "--format", "json")
    assert json.loads(result.stdout)["data"] == {"citizen": None}


@pytest.mark.usefixtures("edited")
def test_the_first_policy_of_all_denies_everything() -> None:
    edit("policies/types/Citizen.yaml", r"^grants:.*", "grants: []\n")
    result = run("try", "question.graphql", *TRY, "--format", "json")
    assert json.loads(result.stdout)["data"] == {"citizen": None}


@pytest.mark.usefixtures("edited")
async def test_a_trial_answers_over_http_too() -> None:
    mapping = read_mapping(Path("node.yaml"))
    asking = Trying.checked(Path("policies"), mapping, Path(), "national", "benefit-assessment", ["6.1.e"], None)
    application = as_application(asking)
    async with (
        application.router.lifespan_context(application),
        AsyncClient(transport=ASGITransport(application), base_url="http://localhost") as client,
    ):
        answered = await client.post("/graphql", json={"query": blocks("graphql")[0]})
        refused = await client.post("/graphql", json={"query": "{ nothing }"})
    assert answered.json()["data"]["citizen"]["givenName"] == "MARIO"
    assert refused.status_code == 400
    assert refused.json()["errors"][0]["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"


@pytest.mark.usefixtures("edited")
def test_a_trial_is_for_this_machine_only() -> None:
    result = run("try", *TRY, "--listen", "0.0.0.0:8410")
    assert result.exit_code != 0
    assert "must be an address of this machine only" in str(result.exception)
