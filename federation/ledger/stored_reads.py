"""What is read of a stored ledger, in the SQL that SQLite and PostgreSQL have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any


class StoredReads(ABC):
    """The reading half of `federation.ledger.store.LedgerStore`, over a store's own way to run a statement."""

    __slots__ = ()

    @abstractmethod
    def _one(self, statement: str, *values: object) -> Any:
        """Return the first value of the first row; None where there is none."""

    @abstractmethod
    def _column(self, statement: str, *values: object) -> list[Any]:
        """Return the first value of each row."""

    def origin(self) -> str:
        """Return whose ledger it is."""
        return str(self._one("SELECT origin FROM ledger"))

    def size(self) -> int:
        """Return the number of leaves."""
        last: int | None = self._one("SELECT max(idx) FROM entry")
        return 0 if last is None else last + 1

    def leaf(self, index: int) -> bytes | None:
        """Return the bytes of one leaf."""
        found: bytes | None = self._one("SELECT leaf FROM entry WHERE idx = ?", index)
        return found

    def leaf_hashes(self, first: int, end: int) -> list[bytes]:
        """Return the leaf hashes of a half-open range, as far as it exists."""
        return self._column("SELECT hash FROM entry WHERE idx >= ? AND idx < ? ORDER BY idx", first, end)

    def leaves(self, first: int, end: int) -> list[bytes]:
        """Return the leaf bytes of a half-open range, as far as it exists."""
        return self._column("SELECT leaf FROM entry WHERE idx >= ? AND idx < ? ORDER BY idx", first, end)

    def tile(self, level: int, number: int) -> bytes | None:
        """Return a full tile, or None when it is not full yet."""
        found: bytes | None = self._one("SELECT hashes FROM tile WHERE level = ? AND number = ?", level, number)
        return found

    def last_checkpoint(self) -> str | None:
        """Return the newest checkpoint note."""
        found: str | None = self._one("SELECT note FROM checkpoint ORDER BY size DESC LIMIT 1")
        return found

    def indices_of(self, lookup: bytes) -> list[int]:
        """Return the positions of the leaves about the subject with this lookup key, in order."""
        return self._column("SELECT idx FROM subject WHERE lookup = ? ORDER BY idx", lookup)
