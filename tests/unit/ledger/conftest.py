"""A ledger on real files for the tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from federation.ledger.log import Ledger
from federation.ledger.reader import LedgerReader
from federation.ledger.subject_keys import SqliteSubjectKeys
from tests.support.ledger import LedgerFiles


@pytest.fixture
def files(tmp_path: Path) -> LedgerFiles:
    return LedgerFiles(tmp_path)


@pytest.fixture
def subject_keys(files: LedgerFiles) -> Iterator[SqliteSubjectKeys]:
    keys = files.subject_keys()
    yield keys
    keys.close()


@pytest.fixture
def ledger(files: LedgerFiles, subject_keys: SqliteSubjectKeys) -> Iterator[Ledger]:
    opened = files.ledger(subject_keys)
    yield opened
    opened.close()


@pytest.fixture
def reader(files: LedgerFiles, ledger: Ledger) -> Iterator[LedgerReader]:
    assert ledger is not None
    opened = files.reader()
    yield opened
    opened.close()
