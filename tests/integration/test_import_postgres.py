"""Importing into PostgreSQL: copied, typed, and row by row where the table refuses one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

import crocevia
from tests.support.postgres import Server, running_server

pytestmark = [pytest.mark.integration, pytest.mark.postgres]

TABLE = """CREATE SCHEMA anagrafe; CREATE TABLE anagrafe.cases (number bigint PRIMARY KEY, title varchar(10) NOT NULL,
  opened date, amount numeric CHECK (amount > 0), open boolean)"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running_server(tmp_path_factory.mktemp("pg")) as found:
        found.run(TABLE)
        yield found


def test_rows_are_copied_and_refused_ones_named(server: Server, tmp_path: Path) -> None:
    file = tmp_path / "cases.csv"
    file.write_text(
        "number,title,opened,amount,open\n1,One,2026-01-10,1.50,true\n2,Two,,-1,\n3,Three,,,no\n1,Again,,,\n",
        encoding="utf-8",
    )
    arguments = ["import", str(file), "--database", server.url, "--schema", "anagrafe", "--table", "cases"]
    result = CliRunner().invoke(crocevia.app, [*arguments, "--format", "json"])
    assert result.exit_code == 1, result.exception
    told = json.loads(result.stdout)
    assert (told["added"], told["rejected"]) == (2, 2)
    assert Path(told["report"]).read_text().splitlines()[1:] == [
        "3,breaks a rule of the table (23514)",
        "5,breaks a rule of the table (23505)",
    ]
    again = CliRunner().invoke(crocevia.app, [*arguments, "--format", "json"])
    assert json.loads(again.stdout)["added"] == 0
