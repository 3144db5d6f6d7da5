"""Importing rows: good ones once, bad ones named by line and reason, interrupted runs continued."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import duckdb
import pytest
from typer.testing import CliRunner, Result

import crocevia

TABLE = """CREATE TABLE cases (number INTEGER PRIMARY KEY, title VARCHAR(10) NOT NULL, opened DATE, open BOOLEAN);"""
COLUMNS = ("number", "title", "opened", "open")


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    with closing(sqlite3.connect("register.db")) as connection:
        connection.executescript(TABLE)
    return tmp_path


def run(file: str) -> Result:
    arguments = ["import", file, "--database", "sqlite:///register.db", "--table", "cases", "--format", "json"]
    return CliRunner().invoke(crocevia.app, arguments)


def rows() -> list[Any]:
    with closing(sqlite3.connect("register.db")) as connection:
        return connection.execute("SELECT * FROM cases ORDER BY number").fetchall()


def rejected(file: str) -> list[str]:
    return Path(f"{file}.rejected.csv").read_text(encoding="utf-8").splitlines()[1:]


@pytest.mark.usefixtures("place")
def test_bad_rows_are_named_by_line_and_reason_and_without_their_values() -> None:
    Path("cases.csv").write_text(
        'number,title,opened,open\n1,"Bonus\nnido",2026-01-10,true\nx,Secret,2026-01-10,true\n3,,,\n'
        "4,far too long a title,,\n5,Short,31/12/2026,\n1,Again,,\n6,a,b\n7,Last,,no\n",
        encoding="utf-8",
    )
    result = run("cases.csv")
    assert result.exit_code == 1
    assert json.loads(result.stdout) == {
        "added": 3,
        "rejected": 5,
        "resumedAfter": 0,
        "report": "cases.csv.rejected.csv",
    }
    assert [row[0] for row in rows()] == [1, 3, 7]
    assert rejected("cases.csv") == [
        "4,`number` is no whole number",
        "6,`title` is longer than 10 characters",
        "7,`opened` is no date",
        "8,breaks a rule of the table (SQLITE_CONSTRAINT_PRIMARYKEY)",
        '9,"line has 3 cells, the header has 4"',
    ]


@pytest.mark.usefixtures("place")
def test_lines_of_json_and_parquet_are_read_as_well() -> None:
    Path("cases.ndjson").write_text(
        '{"number": 1, "title": "One"}\nnot json\n{"number": 2, "title": "Two", "more": 1}\n', encoding="utf-8"
    )
    run("cases.ndjson")
    assert rejected("cases.ndjson") == ["2,line is not JSON", "3,line has a column that the first row does not have"]
    with duckdb.connect() as connection:
        connection.execute("COPY (SELECT 9 AS number, 'Nine' AS title, DATE '2026-01-10' AS opened) TO 'cases.parquet'")
    assert run("cases.parquet").exit_code == 0
    assert rows() == [(1, "One", None, None), (9, "Nine", "2026-01-10", None)]


@pytest.mark.usefixtures("place")
def test_a_column_that_the_table_lacks_is_named_with_the_nearest() -> None:
    Path("cases.csv").write_text("number,titel\n1,One\n", encoding="utf-8")
    result = run("cases.csv")
    assert "a column `titel`, which `cases` does not have; did you mean `title`?" in str(result.exception)


KILLED = """
import os, signal
from pathlib import Path
from node.data.catalogue import ColumnFacts, Family, TableFacts
from node.importing.run import run_import
from node.importing.target import SqliteTarget

class Killed(SqliteTarget):
    def add(self, rows, file, line, report):
        def reported(refused):
            report(refused)
            if line > 10_001:  # what is refused in the second batch is reported, its rows are not committed
                os.kill(os.getpid(), signal.SIGKILL)
        return super().add(rows, file, line, reported)

kinds = dict(number=Family.INTEGER, title=Family.TEXT, opened=Family.DATE, open=Family.BOOLEAN)
columns = {name: ColumnFacts(name, "", kind, nullable=True) for name, kind in kinds.items()}
facts = TableFacts("cases", is_view=False, columns=columns, indexes=(), foreign_keys=(), writable=True)
target = lambda names: Killed(Path("register.db"), "cases", names)
run_import(Path("cases.csv"), facts, target, Path("cases.csv.rejected.csv"), lambda _: None, typed=False)
"""


def test_an_import_that_is_killed_goes_on_with_the_same_rows_and_the_same_report(place: Path) -> None:
    lines = [f"{number % 24_990},Case,{'' if number % 5_000 else 'soon'}," for number in range(25_000)]
    Path("cases.csv").write_text("number,title,opened,open\n" + "\n".join(lines) + "\n", encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": str(Path(crocevia.__file__).parent)}
    killed = subprocess.run([sys.executable, "-c", KILLED], cwd=place, env=environment, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert len(rows()) == 10_000 - 2
    assert len(rejected("cases.csv")) == 4  # two more than what was committed
    told = json.loads(run("cases.csv").stdout)
    assert (told["added"], told["rejected"], told["resumedAfter"]) == (14_988, 12, 10_001)
    interrupted = rows(), rejected("cases.csv")
    Path("register.db").unlink()
    with closing(sqlite3.connect("register.db")) as connection:
        connection.executescript(TABLE)
    Path("cases.csv.rejected.csv").unlink()
    run("cases.csv")
    assert (rows(), rejected("cases.csv")) == interrupted
    assert len(interrupted[1]) == 14
    assert json.loads(run("cases.csv").stdout)["added"] == 0


MAPPING = """member: c_m999
database: {url: "sqlite:///register.db"}
types:
  Citizen:
    table: people
    key: pid
    subject: pid
    only: [{column: gone, is: null}]
    fields: {givenName: given, familyName: family}
    relations:
      residence: {to: Residence}
      cases: {to: ServiceCase, join: {n: person}}
  Residence: {present: [town], fields: {municipality: town}}
  ServiceCase:
    table: cases
    key: {field: id, column: number, type: int}
    owner: {to: Citizen, join: {person: n}}
    fields: {title: title, openedOn: opened}
"""
TOLD_TABLES = """
CREATE TABLE people (n INTEGER PRIMARY KEY, pid TEXT UNIQUE, given TEXT, family TEXT, town TEXT, gone TEXT);
CREATE TABLE cases (number INTEGER PRIMARY KEY, title VARCHAR(10) NOT NULL, opened DATE, person INTEGER);
INSERT INTO people (n, pid, gone) VALUES (8, 'v1.siv.c_m999.Qg', NULL), (9, 'v1.siv.c_m999.Qw', 'yes');
"""
PID = "v1.siv.c_m999.QQ"


@pytest.fixture
def node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A node's settings beside its register."""
    monkeypatch.chdir(tmp_path)
    with closing(sqlite3.connect("register.db")) as connection:
        connection.executescript(TOLD_TABLES)
    Path("node.yaml").write_text(MAPPING, encoding="utf-8")
    Path("node.toml").write_text(
        'member = "c_m999"\nlisten = "127.0.0.1:1"\nurl = "http://127.0.0.1:1"\nmapping = "node.yaml"\n'
        'policies = "policies"\nkeys = "keys"\nstate = "state"\nregistry = "registry"\n',
        encoding="utf-8",
    )
    return tmp_path


def run_telling(file: str, table: str) -> Result:
    arguments = ["import", file, "--database", "sqlite:///register.db", "--table", table, "--settings", "node.toml"]
    return CliRunner().invoke(crocevia.app, arguments)


def told() -> list[tuple[Any, ...]]:
    query = "SELECT subject, kind, type_name, fields FROM outbox ORDER BY seq"
    with closing(sqlite3.connect("state/own.db")) as connection:
        return [(*row[:3], json.loads(row[3])) for row in connection.execute(query)]


@pytest.mark.usefixtures("node")
def test_what_is_added_is_told_of_with_the_names_of_its_fields_and_what_is_refused_is_not() -> None:
    Path("people.csv").write_text(f"n,pid,given,family,town\n1,{PID},Anna,,F257\n2,{PID},Bruno,Bo,\n", encoding="utf-8")
    assert run_telling("people.csv", "people").exit_code == 1
    Path("cases.csv").write_text("number,title,person\n1,One,1\n2,Two,9\n3,Three,8\n4,Four,77\n", encoding="utf-8")
    assert run_telling("cases.csv", "cases").exit_code == 0
    assert told() == [
        (PID, "created", "Citizen", ["givenName"]),
        (PID, "created", "Residence", ["municipality"]),
        (PID, "created", "ServiceCase", ["title"]),
        ("v1.siv.c_m999.Qg", "created", "ServiceCase", ["title"]),
    ], "not the person who is refused, nor the cases of one who is gone and of nobody"
    run_telling("cases.csv", "cases")
    assert len(told()) == 4


@pytest.mark.usefixtures("node")
def test_what_was_added_and_not_told_of_before_an_interruption_is_told_of_once() -> None:
    lines = [f"{number},Case,{1 if number == 30_000 else 8}" for number in range(25_001)]
    Path("cases.csv").write_text("number,title,person\n" + "\n".join([*lines, "7,Again,8"]) + "\n", encoding="utf-8")
    assert run_telling("cases.csv", "cases").exit_code == 1
    before = told()
    assert len(before) == 25_001
    with closing(sqlite3.connect("register.db")) as connection:  # as if it had been killed before it told of a batch
        connection.execute("UPDATE crocevia_imports SET told = 10001")
        connection.commit()
    with closing(sqlite3.connect("state/own.db")) as connection:
        connection.execute("DELETE FROM outbox WHERE seq > 12000")
        connection.execute("DELETE FROM written WHERE id NOT IN (SELECT written FROM outbox)")
        connection.commit()
    assert run_telling("cases.csv", "cases").exit_code == 0
    assert told() == before


@pytest.mark.usefixtures("node")
def test_r16_a_row_that_does_not_exist_for_the_federation_is_not_told_of() -> None:
    Path("people.csv").write_text(f"n,pid,given,town,gone\n1,{PID},Anna,F257,yes\n", encoding="utf-8")
    assert run_telling("people.csv", "people").exit_code == 0
    assert told() == []


@pytest.mark.usefixtures("node")
def test_columns_that_lead_to_no_citizen_are_said_before_anything_is_added() -> None:
    Path("cases.csv").write_text("number,title\n1,One\n", encoding="utf-8")
    result = run_telling("cases.csv", "cases")
    assert "can be told of from these columns of `cases`" in str(result.exception)
    assert rows() == []


@pytest.mark.usefixtures("node")
def test_what_is_owed_is_not_told_without_the_report_of_what_was_left_out() -> None:
    Path("cases.csv").write_text("number,title,person\n1,One,8\n", encoding="utf-8")
    assert run_telling("cases.csv", "cases").exit_code == 0
    with closing(sqlite3.connect("register.db")) as connection:
        connection.execute("UPDATE crocevia_imports SET told = 0")
        connection.commit()
    for file in Path().glob("*reject*"):
        file.unlink()
    assert "is missing" in str(run_telling("cases.csv", "cases").exception)


OTHERS = {
    "a report of another import": 'line,"reason, by import 0123456789abcdef"\n',
    "a file of two columns": "1,breaks a rule of the table\n",
    "no table at all": "do not lose this",
    "nothing": "",
}


@pytest.mark.parametrize("content", OTHERS.values(), ids=OTHERS.keys())
@pytest.mark.usefixtures("node")
def test_another_file_is_neither_overwritten_nor_taken_for_the_report(content: str) -> None:
    Path("people.csv").write_text(f"n,pid,given\n1,{PID},Anna\n2,{PID},Bruno\n", encoding="utf-8")
    assert run_telling("people.csv", "people").exit_code == 1
    before = told()
    with closing(sqlite3.connect("register.db")) as connection:  # as if it had been killed before it told of anything
        connection.execute("UPDATE crocevia_imports SET told = 0")
        connection.commit()
    other = Path("other.csv")
    other.write_text(content, encoding="utf-8")
    for settings in (("--settings", "node.toml"), ()):
        arguments = ["import", "people.csv", "--database", "sqlite:///register.db", "--table", "people", *settings]
        refused = CliRunner().invoke(crocevia.app, [*arguments, "--report", "other.csv"])
        assert "`other.csv` is there and is not the report of this run" in str(refused.exception)
    assert other.read_text(encoding="utf-8") == content
    assert told() == before
    assert run_telling("people.csv", "people").exit_code == 0
    assert told() == before, "and not of Bruno, who was refused"


@pytest.mark.usefixtures("node")
def test_rows_that_were_added_without_settings_are_owed_to_a_later_run_with_them() -> None:
    Path("people.csv").write_text(f"n,pid,given\n1,{PID},Anna\n2,{PID},Bruno\n", encoding="utf-8")
    arguments = ["import", "people.csv", "--database", "sqlite:///register.db", "--table", "people"]
    assert CliRunner().invoke(crocevia.app, arguments).exit_code == 1
    assert not Path("state").exists(), "nobody is told, so that the node's own tables are not touched"
    with closing(sqlite3.connect("register.db")) as connection:
        [(line, told_of)] = connection.execute("SELECT line, told FROM crocevia_imports").fetchall()
    assert (line, told_of) == (3, 0)
    assert run_telling("people.csv", "people").exit_code == 0
    assert told() == [(PID, "created", "Citizen", ["givenName"])]


@pytest.mark.usefixtures("node")
def test_a_table_of_progress_of_an_earlier_version_is_named() -> None:
    with closing(sqlite3.connect("register.db")) as connection:
        connection.execute("CREATE TABLE crocevia_import (file TEXT PRIMARY KEY, line INTEGER)")
    Path("cases.csv").write_text("number,title,person\n1,One,8\n", encoding="utf-8")
    assert "`crocevia_import` of an earlier version" in str(run_telling("cases.csv", "cases").exception)
