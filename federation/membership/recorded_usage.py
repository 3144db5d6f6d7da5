"""What was asked of the federation so far, as field coordinates: from the gateway's ledger, or from a file."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from federation.contract.coordinates import FieldCoordinate
from federation.contract.entries import Entry
from federation.contract.errors import NotFoundError
from federation.ledger.leaf import Leaf
from federation.ledger.store import SqliteStore


def recorded_usage(path: Path) -> frozenset[str]:
    """Return the coordinates in a ledger (`….db`), or in a file with one on each line.

    Raises:
        NotFoundError: the file is not there.
        BadInputError: a line is not a coordinate.
        LedgerUnavailableError, LedgerCorruptError: the ledger cannot be read.
    """
    if not path.exists():
        raise NotFoundError(f"`{path}` does not exist")
    if path.suffix == ".db":
        return _of_ledger(path)
    lines = (line.strip() for line in path.read_text(encoding="utf-8").splitlines())
    return frozenset(str(FieldCoordinate.parse(line)) for line in lines if line and not line.startswith("#"))


def _of_ledger(path: Path) -> frozenset[str]:
    with closing(SqliteStore.open_to_read(path)) as store:
        return frozenset(
            decision.coordinate
            for _, leaf, _ in store.rows()
            for decision in Entry.parse(Leaf.parse(leaf).entry).decisions
        )
