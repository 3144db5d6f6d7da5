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
    run("cases.csv")
    assert (rows(), rejected("cases.csv")) == interrupted
    assert len(interrupted[1]) == 14
    assert json.loads(run("cases.csv").stdout)["added"] == 0
