"""A ledger on real files for the tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from federation.ledger.log import Ledger
from federation.ledger.reader import LedgerReader
from federation.ledger.subject_keys import SubjectKeys
from tests.support.ledger import LedgerFiles

if TYPE_CHECKING:
    from tests.support.postgres import Server


@pytest.fixture
def files(tmp_path: Path) -> LedgerFiles:
    return LedgerFiles(tmp_path)


@pytest.fixture(params=["file", pytest.param("database", marks=pytest.mark.postgres)])
def either(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[LedgerFiles]:
    """A ledger in a file, and one in a database."""
    if request.param == "file":
        yield LedgerFiles(tmp_path)
    else:
        postgres: Server = request.getfixturevalue("postgres")
        yield LedgerFiles(tmp_path, url=postgres.url)
        postgres.run("DROP SCHEMA IF EXISTS crocevia_ledger CASCADE")


@pytest.fixture
def subject_keys(files: LedgerFiles) -> Iterator[SubjectKeys]:
    keys = files.subject_keys()
    yield keys
    keys.close()


@pytest.fixture
def ledger(files: LedgerFiles, subject_keys: SubjectKeys) -> Iterator[Ledger]:
    opened = files.ledger(subject_keys)
    yield opened
    opened.close()


@pytest.fixture
def reader(files: LedgerFiles, ledger: Ledger) -> Iterator[LedgerReader]:
    assert ledger is not None
    opened = files.reader()
    yield opened
    opened.close()
