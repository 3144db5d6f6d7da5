"""The doctor names what is wrong between a mapping and its database, with the line and the way out."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import partial
from pathlib import Path

import pytest

from node.data.database import Database
from node.data.diagnoses import Code, Finding, Severity
from node.data.doctor import doctor
from node.data.mapping import Mapping as NodeMapping
from tests.unit.data.conftest import Register

DAY = date(2026, 11, 22)
TABLES = """
CREATE TABLE people (n INTEGER PRIMARY KEY, code TEXT, born TEXT, sex TEXT, guarded TEXT, home INTEGER, gone TEXT);
CREATE UNIQUE INDEX people_code ON people (code);
CREATE TABLE homes (n INTEGER PRIMARY KEY, street TEXT);
CREATE TABLE cases (number TEXT, person INTEGER, opened TEXT);
CREATE TABLE consents (person INTEGER, purpose TEXT, since TEXT);
CREATE INDEX consents_person ON consents (person);
"""
MAPPING = """member: c_m999
database: {url: "sqlite:///x.db"}
types:
  Citizen:
    table: people
    key: {field: id, column: n, type: int}
    subject: code
    lookups: {taxCode: code}
    only: [{column: gone, is: null}]
    attributes:
      guarded: {column: guarded, true_values: ["S"], false_values: ["N"]}
    fields:
      dateOfBirth: {column: born, date: yyyymmdd}
      sex: {column: sex, codes: {"1": male, "2": female}}
    relations:
      cases: {to: ServiceCase, join: {n: person}}
      home: {to: Home}
  Home: {type: Residence, fields: {since: {column: born, date: yyyymmdd}}}
  ServiceCase:
    table: cases
    key: number
    fields: {title: number}
consent: {of: Citizen, table: consents, join: {n: person}, purpose: purpose, given: since}
"""


Findings = Callable[..., list[str]]


@pytest.fixture
def findings(register: Register) -> Findings:
    """What the doctor says on each database; that the tests' own role may write is not of interest."""

    def found(mapping: str = MAPPING, rows: str = "", tables: str = TABLES) -> list[str]:
        parsed = NodeMapping.parse(mapping)
        said = register.asked(f"{tables};{rows}", lambda database: doctor(parsed, database, DAY))
        return [each.text("node.yaml") for each in said if each.code is not Code.RIGHTS_TOO_WIDE]

    return found


INDEXED = TABLES + "CREATE INDEX a ON cases (person); CREATE UNIQUE INDEX b ON cases (number);"


def test_a_mapping_that_fits_has_no_findings(findings: Findings) -> None:
    rows = "INSERT INTO people VALUES (1, 'A', '19800512', '1', 'S', NULL, NULL)"
    assert findings(rows=rows, tables=INDEXED) == []


def test_a_missing_table_is_named_with_the_nearest_one(findings: Findings) -> None:
    assert findings(MAPPING.replace("table: cases", "table: case")) == [
        (
            "node.yaml:16: error: table `case` is not in the database, or this role may not read it; "
            "did you mean `cases`? [TABLE_MISSING]"
        )
    ]


COLUMNS = {
    "field": ("column: born, date: yyyymmdd}\n      sex", "column: borne, date: yyyymmdd}\n      sex", 13),
    "key": ("column: n, type", "column: nn, type", 5),
    "look-up": ("taxCode: code", "taxCode: cod", 5),
    "only": ("column: gone", "column: goned", 5),
    "attribute": ("column: guarded", "column: guard", 11),
    "join there": ("{n: person}}\n      home", "{n: personn}}\n      home", 16),
    "part of a row": ("fields: {since: {column: born", "fields: {since: {column: borm", 18),
    "consent": ("purpose: purpose", "purpose: purposes", 5),
}


@pytest.mark.parametrize(("right", "wrong", "line"), COLUMNS.values(), ids=COLUMNS.keys())
def test_a_missing_column_is_named_with_its_line_and_the_nearest_one(
    findings: Findings, right: str, wrong: str, line: int
) -> None:
    assert right in MAPPING
    [found] = findings(MAPPING.replace(right, wrong))
    assert found.startswith(f"node.yaml:{line}: error: ")
    assert "did you mean" in found
    assert found.endswith("[COLUMN_MISSING]")


def test_names_compare_without_case_in_sqlite(findings: Findings, register: Register) -> None:
    found = findings(MAPPING.replace("table: people", "table: PEOPLE"), tables=INDEXED)
    assert bool(found) is register.is_postgres


def test_a_join_without_an_index_is_slow(findings: Findings) -> None:
    assert findings() == [
        (
            "node.yaml:16: warning: `Citizen.cases` would read all of `cases`; "
            "CREATE INDEX cases_person ON cases (person) [INDEX_MISSING]"
        ),
        (
            "node.yaml:20: warning: `ServiceCase.key` would read all of `cases`; "
            "CREATE INDEX cases_number ON cases (number) [INDEX_MISSING]"
        ),
    ]


def test_a_key_that_is_not_unique_is_an_error(findings: Findings) -> None:
    found = findings(rows="INSERT INTO cases VALUES ('a', 1, ''), ('a', 2, '')")
    assert (
        "node.yaml:20: error: `ServiceCase.key` (number) is not unique; add a column to it, or `only` rows that count "
        "[KEY_NOT_UNIQUE]" in found
    )


def test_a_key_that_is_null_is_an_error(findings: Findings) -> None:
    assert any("[KEY_IS_NULL]" in line for line in findings(rows="INSERT INTO cases VALUES (NULL, 1, '')"))


def test_values_that_cannot_be_read_are_counted_and_not_shown(findings: Findings) -> None:
    rows = """INSERT INTO people VALUES (1, 'A', '12/05/1980', '9', 'S', NULL, NULL),
              (2, 'B', NULL, '1', 'x', NULL, NULL),
              (3, 'C', '19800512', '2', NULL, NULL, NULL), (4, 'D', 'secret', '7', 'y', NULL, 'gone')"""
    assert findings(rows=rows, tables=INDEXED) == [
        (
            "node.yaml:11: warning: `Citizen.guarded`: 1 of 3 rows hold none of the words for true and false; "
            "they are answered null [VALUES_UNREADABLE]"
        ),
        (
            "node.yaml:13: warning: `Citizen.dateOfBirth`: 1 of 3 rows are not of the format `yyyymmdd`; "
            "they are answered null [VALUES_UNREADABLE]"
        ),
        (
            "node.yaml:14: warning: `Citizen.sex`: 1 of 3 rows hold a code that the list does not have; "
            "they are answered null [VALUES_UNREADABLE]"
        ),
        (
            "node.yaml:18: warning: `Home.since`: 1 of 3 rows are not of the format `yyyymmdd`; "
            "they are answered null [VALUES_UNREADABLE]"
        ),
    ]


def test_a_text_column_as_a_whole_number_is_a_warning(findings: Findings) -> None:
    changed = MAPPING.replace("    attributes:\n", "    attributes:\n      age: {column: sex, type: int}\n")
    assert [line for line in findings(changed, tables=INDEXED) if "TYPE_MISFIT" in line] == [
        (
            "node.yaml:11: warning: `Citizen.age` is of type int and its column of type text; "
            "what is no whole number is unknown [TYPE_MISFIT]"
        )
    ]


ROOT = "roots: {citizens: {of: Citizen, filter: [familyName], order: [familyName]}}"
NAMED = MAPPING.replace(
    "    fields:\n      dateOfBirth", "    fields:\n      familyName: guarded\n      dateOfBirth", 1
)
FLAGGED = TABLES.replace("guarded TEXT", "guarded BOOLEAN") + INDEXED.removeprefix(TABLES)
ISSUES = {
    "a missing column": (MAPPING.replace("column: born, date", "column: borne, date", 1), INDEXED, "COLUMN_MISSING"),
    "a type that does not fit": (
        MAPPING.replace("column: born, date", "column: guarded, date", 1),
        FLAGGED,
        "TYPE_MISFIT",
    ),
    "a key that is not unique": (
        MAPPING,
        TABLES + "INSERT INTO cases VALUES ('a', 1, ''), ('a', 2, '')",
        "KEY_NOT_UNIQUE",
    ),
    "a declared filter without an index": (f"{NAMED}\n{ROOT}", INDEXED, "INDEX_MISSING"),
}
WAYS_OUT = {
    "COLUMN_MISSING": "did you mean `born`?",
    "TYPE_MISFIT": "reads a Boolean column as a day",
    "KEY_NOT_UNIQUE": "add a column to it, or `only` rows that count",
    "INDEX_MISSING": "CREATE INDEX people_guarded ON people (guarded)",
}


@pytest.mark.parametrize(("mapping", "tables", "code"), ISSUES.values(), ids=ISSUES.keys())
def test_what_would_fail_or_be_slow_is_said_with_a_way_out(
    findings: Findings, mapping: str, tables: str, code: str
) -> None:
    assert any(code in line and WAYS_OUT[code] in line for line in findings(mapping, tables=tables))


def test_a_role_that_may_write_is_told_so_and_a_file_is_only_read(register: Register) -> None:
    mapping = NodeMapping.parse(MAPPING)
    said = register.asked(INDEXED, lambda database: doctor(mapping, database, DAY))
    wide = [each.message for each in said if each.code is Code.RIGHTS_TOO_WIDE]
    assert bool(wide) is register.is_postgres
    assert all("give the node a role with SELECT alone" in message for message in wide)


def test_an_index_is_written_with_names_as_the_database_reads_them(findings: Findings, register: Register) -> None:
    tables = TABLES.replace("TABLE cases (number", 'TABLE "Cases di Stato" ("Number"').replace(
        "person INTEGER, opened", '"Person" INTEGER, opened'
    )
    mapping = MAPPING.replace("table: cases", "table: Cases di Stato").replace(
        "{n: person}}\n      home", "{n: Person}}\n      home"
    )
    found = findings(
        mapping.replace("key: number", "key: Number").replace("title: number", "title: Number"), tables=tables
    )
    person = '"Person"' if register.is_postgres else "Person"
    assert any(f'CREATE INDEX cases_di_stato_person ON "Cases di Stato" ({person})' in line for line in found)


async def _examined(mapping: NodeMapping, database: Database) -> tuple[Finding, ...]:
    return await doctor(mapping, database, DAY)


def test_the_demo_members_mappings_fit_their_registers() -> None:
    demo = Path(__file__).parents[3] / "deploy" / "demo"
    for member in ("c_m999", "aslvs", "inprev", "istsc_bv01", "coop_ponte"):
        mapping = NodeMapping.parse((demo / member / "node.yaml").read_text(encoding="utf-8"))
        script = (demo / member / "schema.sql").read_text(encoding="utf-8")
        found = Register().asked(script, partial(_examined, mapping))
        assert [each for each in found if each.severity is Severity.ERROR] == []
