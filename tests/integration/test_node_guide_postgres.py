"""The guide to a first node, followed on PostgreSQL: comments, views, composite keys, lower-case names, wide rights."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

import crocevia
from tests.support.postgres import Server

pytestmark = [pytest.mark.integration, pytest.mark.postgres]

GUIDE = (Path(__file__).parents[2] / "docs" / "node.md").read_text(encoding="utf-8")
LEGACY = """
CREATE SCHEMA sanita;
CREATE TABLE sanita.t_assistiti (
  prog integer, distretto integer, c1 varchar(16), c2 varchar(60), PRIMARY KEY (prog, distretto));
CREATE TABLE sanita.t_esenzioni (prog integer, distretto integer, cod_ese varchar(5), dt_ini date, dt_fin date,
  FOREIGN KEY (prog, distretto) REFERENCES sanita.t_assistiti (prog, distretto));
COMMENT ON COLUMN sanita.t_assistiti.c2 IS 'Cognome';
INSERT INTO sanita.t_assistiti VALUES (1, 7, 'RSSMRA80A01F257G', 'ROSSI'), (2, 7, 'BNCLRA84H57F257B', 'BIANCHI');
"""


MODERN = """
CREATE SCHEMA scuola;
CREATE DOMAIN scuola.codice_fiscale AS varchar(16) CHECK (length(value) = 16);
CREATE TYPE scuola.stato AS ENUM ('attiva', 'sospesa', 'chiusa');
CREATE TABLE scuola.t_sesso (codice smallint PRIMARY KEY, descrizione text NOT NULL);
CREATE TABLE scuola.alunni (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, cod_fiscale scuola.codice_fiscale UNIQUE, cognome text, nome text,
  nato_il date, cod_sesso smallint REFERENCES scuola.t_sesso, cod_comune_nascita char(4), campo_7 boolean);
CREATE TABLE scuola.iscrizioni (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(), alunno bigint NOT NULL REFERENCES scuola.alunni, anno_scolastico text,
  classe text, stato scuola.stato NOT NULL DEFAULT 'attiva', mensa boolean, creata timestamptz DEFAULT now());
COMMENT ON COLUMN scuola.alunni.nato_il IS 'Data di nascita';
COMMENT ON COLUMN scuola.alunni.campo_7 IS 'Tutela';
INSERT INTO scuola.t_sesso VALUES (1, 'Maschio'), (2, 'Femmina');
INSERT INTO scuola.alunni (cod_fiscale, cognome, nome, nato_il, cod_sesso, cod_comune_nascita, campo_7) VALUES
  ('FRRSFO14E54F257M', 'FERRI', 'SOFIA', '2014-05-14', 2, 'F257', false),
  ('RSSMRA80A01F257G', 'ROSSI', 'MARIO', '1980-01-01', 1, 'F257', true);
INSERT INTO scuola.iscrizioni (alunno, anno_scolastico, classe, mensa) VALUES (1, '2026/2027', '3A', true);
"""


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", GUIDE, re.DOTALL)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(crocevia.app, ("node", *arguments))


def enrolling(url: str) -> list[str]:
    """Return the guide's command that makes pseudonyms up, with the names as PostgreSQL folds them."""
    [text, _] = re.findall(r"crocevia node (enrol .*?)\n(?=```)", GUIDE, re.DOTALL)
    words = lower_names(str(text)).replace("\\\n", " ").split()
    return [url if word.startswith("sqlite:") else word for word in [*words, "--pseudonym", "pseudonimo"]]


@pytest.fixture(scope="module")
def server(postgres: Server) -> Server:
    found = postgres.database("guide")
    found.run(blocks("sql")[0])
    found.run(LEGACY)
    found.run(MODERN)
    return found


def edit(path: Path, pattern: str, written: str) -> None:
    edited, count = re.subn(pattern, lambda _: written, path.read_text(), count=1, flags=re.MULTILINE | re.DOTALL)
    assert count == 1, pattern
    path.write_text(edited)


def lower_names(written: str) -> str:
    """PostgreSQL folds names that were created without quotes."""
    return re.sub(r"\b[A-Z_]{4,}\b", lambda found: found[0].lower(), written)


def test_the_guide_works_on_postgresql(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert run("init", "--database", server.url, "--member", "c_f257").exit_code == 0
    marital, person, owner, policy = blocks("yaml")
    assert run(*enrolling(server.url)).exit_code == 0
    server.run(blocks("sql")[1])
    mapping, citizen = tmp_path / "node.yaml", tmp_path / "policies" / "types" / "Citizen.yaml"
    edit(mapping, r"^ +maritalStatus: .*?\n", lower_names(marital))
    edit(mapping, r"^    table: anag_soggetti\n.*?\n    key: .*?\n", lower_names(person))
    edit(mapping, r"^    # owner: ", "    owner: ")
    assert lower_names(owner).rstrip() in mapping.read_text()
    edit(citizen, r"^grants: \[\].*", policy)
    edit(citizen, r"taxCode: \{category: identifier\}", "taxCode: {category: identifier, lookup: exact}")
    examined = json.loads(run("doctor", "--format", "json").stdout)
    assert examined["ok"] is True, examined
    assert {each["code"] for each in examined["findings"]} == {"RIGHTS_TOO_WIDE"}
    Path("question.graphql").write_text(blocks("graphql")[0])
    asked = ("--as", "national", "--for", "benefit-assessment", "--basis", "6.1.e", "--format", "json")
    found = run("try", "question.graphql", *asked)
    citizen_found = {"givenName": "MARIO", "familyName": None, "dateOfBirth": "1980", "maritalStatus": "married"}
    assert json.loads(found.stdout)["data"] == {"citizen": citizen_found}


def test_comments_values_and_composite_keys_speak_where_names_do_not(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run("init", "--database", server.url, "--schema", "sanita", "--member", "asl_7").exit_code == 0
    text = (tmp_path / "node.yaml").read_text()
    assert "taxCode: c1   # 0.65 values" in text
    assert "familyName: c2   # 0.60 comment" in text
    assert "key: {field: id, columns: {prog: int, distretto: int}}" in text
    assert "healthExemptions: {to: HealthExemption, join: {prog: prog, distretto: distretto}}" in text
    assert "validFrom: {column: dt_ini, date: iso}" in text


def test_domains_enumerations_identities_and_lists_of_codes_are_read(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run("init", "--database", server.url, "--schema", "scuola", "--member", "ic_1").exit_code == 0
    text = (tmp_path / "node.yaml").read_text()
    for line in (
        "key: {field: id, column: id, type: int}",
        "taxCode: cod_fiscale   # 0.95 name and values",
        "dateOfBirth: {column: nato_il, date: iso}   # 0.95 comment and values",
        'sex: {column: cod_sesso, codes: {"1": male, "2": female}}',
        "enrolments: {to: Enrolment, join: {id: alunno}}",
        "protectedPerson: {column: campo_7",
        "status: stato",
        "schoolYear: anno_scolastico",
        "mealService: {column: mensa",
    ):
        assert line in text, line
    assert "municipality" not in text
    wrong = [
        each for each in json.loads(run("doctor", "--format", "json").stdout)["findings"] if each["severity"] == "error"
    ]
    assert {each["code"] for each in wrong} <= {"SUBJECT_MISSING", "TYPE_MISFIT"}
    assert [each["message"] for each in wrong if each["code"] == "TYPE_MISFIT"] == [
        "`Enrolment.key` compares `id` of type uuid with text; give a view whose key is text or int"
    ]


def test_a_password_on_the_command_line_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = run("init", "--database", "postgresql://reader:secret@localhost/register")
    assert result.exit_code != 0
    assert "secret" not in str(result.exception)
    assert "PGPASSWORD" in str(result.exception)
