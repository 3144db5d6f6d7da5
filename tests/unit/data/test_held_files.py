"""Whom the directory is told of."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import date
from pathlib import Path

import pytest

from node.data.database import open_database
from node.data.held_files import held_files
from node.data.mapping import Mapping
from node.data.operation import Prepared

MAPPING = """member: c_m999
database: {url: "sqlite:///register.db"}
directory: {of: Citizen, capacity: resident}
types:
  Citizen: {table: people, key: pid, subject: pid, fields: {givenName: given}}
"""


async def test_a_pseudonym_that_is_none_keeps_no_other_person_back(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with closing(sqlite3.connect(tmp_path / "register.db")) as connection:
        connection.executescript(
            "CREATE TABLE people (pid TEXT, given TEXT);"
            "INSERT INTO people (pid) VALUES ('n/a'), ('v1.siv.c_m998.QQ'), ('v1.siv.c_m999.QQ');"
        )
    mapping = Mapping.parse(MAPPING)
    database = open_database(mapping.database, tmp_path)
    try:
        assert mapping.directory is not None
        pages = held_files(Prepared.of(mapping, database.dialect), mapping.directory, database, date(2026, 11, 28))
        assert [held.citizen async for page in pages for held in page] == ["v1.siv.c_m999.QQ"]
    finally:
        await database.close()
    assert "2 persons left out" in caplog.text
    assert "n/a" not in caplog.text
