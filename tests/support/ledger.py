"""Ledgers for tests: a real file, a fixed key, and a store that can be told to fail."""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from typing_extensions import override

from federation.contract.canonical import canonical
from federation.ledger.log import Ledger
from federation.ledger.note import Ed25519Signer
from federation.ledger.reader import LedgerReader
from federation.ledger.store import SqliteStore, StoredLeaf, StoredTile
from federation.ledger.subject_keys import SqliteSubjectKeys

SIGNER = Ed25519Signer.of("c_m999.example/ledger", Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
MEMBER_KEY = b"k" * 32


def entry(number: int) -> bytes:
    """Return some entry's canonical bytes."""
    return canonical({"kind": "disclosure", "number": number, "purpose": "benefit-assessment"})


@dataclass(slots=True)
class Disk:
    """What goes wrong at the next writes: the name of a step of the store, or nothing."""

    fails_at: str = ""


class FailingStore(SqliteStore):
    """A real store on a disk that sometimes fails."""

    __slots__ = ("disk",)
    disk: Disk

    @override
    def add(self, leaves: Sequence[StoredLeaf], tiles: Sequence[StoredTile], size: int, note: str) -> None:
        super().add(leaves, tiles, size, note)
        self._perhaps_fail("add")

    @override
    def commit(self) -> None:
        self._perhaps_fail("commit")
        super().commit()
        self._perhaps_fail("after commit")

    def _perhaps_fail(self, step: str) -> None:
        if self.disk.fails_at == step:
            raise sqlite3.OperationalError("disk I/O error")


@dataclass(slots=True)
class LedgerFiles:
    """A folder with one ledger and its subject keys."""

    folder: Path
    disk: Disk = field(default_factory=Disk)

    @property
    def path(self) -> Path:
        """Return the ledger's file."""
        return self.folder / "ledger.sqlite"

    def store(self) -> SqliteStore:
        """Open the store, on a disk that may fail."""
        if self.disk.fails_at == "open":
            raise sqlite3.OperationalError("disk I/O error")
        store = FailingStore.open(self.path, SIGNER.verifier.name)
        store.disk = self.disk
        return store

    def subject_keys(self) -> SqliteSubjectKeys:
        """Open the subject keys."""
        return SqliteSubjectKeys.open(self.folder / "subjects.sqlite", MEMBER_KEY, secrets.token_bytes)

    def ledger(self, subject_keys: SqliteSubjectKeys) -> Ledger:
        """Open the ledger for appending."""
        return Ledger.open(SIGNER, self.store, subject_keys, secrets.token_bytes)

    def reader(self) -> LedgerReader:
        """Open the ledger for reading."""
        return LedgerReader.open(self.path, SIGNER.verifier)
