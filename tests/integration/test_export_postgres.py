"""The same list exported from SQLite and from PostgreSQL is the same file, page by page."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

import crocevia
from node.demo.seed import seed
from tests.support.nodes import pseudonym
from tests.support.policies import ROOT
from tests.support.postgres import Server

pytestmark = [pytest.mark.integration, pytest.mark.postgres]


def test_both_databases_export_the_same_rows(postgres: Server, tmp_path: Path) -> None:
    seed(tmp_path, 160, lambda _done, _wanted: None, pseudonym)
    register = tmp_path / "c_m999"
    server = postgres.database("exported_by_a_command")
    server.copy_register(register / "register.db")
    asked = ("--as", "national", "--for", "benefit-assessment", "--basis", "6.1.e")
    where = ("--mapping", str(register / "node.yaml"), "--policies", str(ROOT / "policies" / "c_m999"))
    fields = ("--fields", "taxCode,familyName,dateOfBirth,residence.municipality")
    for name, database in (("lite.csv", ()), ("postgres.csv", ("--database", server.url))):
        arguments = ["export", "citizens", "--out", str(tmp_path / name), *asked, *where, *fields, *database]
        assert CliRunner().invoke(crocevia.app, arguments).exit_code == 0
    lite = (tmp_path / "lite.csv").read_text().splitlines()
    assert sorted(lite) == sorted((tmp_path / "postgres.csv").read_text().splitlines())
    assert len(lite) > 101
