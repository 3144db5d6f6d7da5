"""Ledgers for tests: a real file, a fixed key, and a store that can be told to fail."""

from __future__ import annotations

import re
import secrets
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from federation.contract.canonical import canonical
from federation.ledger.database_store import DatabaseStore
from federation.ledger.database_subject_keys import DatabaseSubjectKeys
from federation.ledger.log import Ledger
from federation.ledger.note import Ed25519Signer
from federation.ledger.reader import LedgerReader
from federation.ledger.store import LedgerStore, SqliteStore, StoredLeaf, StoredTile
from federation.ledger.subject_keys import SqliteSubjectKeys, SubjectKeys
from federation.shared.place import SharedPlace
from federation.shared.store import Synchronous

SIGNER = Ed25519Signer.of("c_m999.example/ledger", Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
MEMBER_KEY = b"k" * 32


def entry(number: int) -> bytes:
    """Return some entry's canonical bytes."""
    return canonical({"kind": "disclosure", "number": number, "purpose": "benefit-assessment"})


@dataclass(slots=True)
class Disk:
    """What goes wrong at the next writes: the name of a step of the store, or nothing."""

    fails_at: str = ""
    before_checkpoint: Callable[[], object] = lambda: None
    """What happens elsewhere before a newest checkpoint is read."""


class _Failing:
    """The steps of a store at which its disk, or its server, sometimes fails."""

    __slots__ = ()
    disk: Disk

    def add(
        self, leaves: Sequence[StoredLeaf], tiles: Sequence[StoredTile], checkpoints: Sequence[tuple[int, str]]
    ) -> None:
        """Write a batch."""
        super().add(leaves, tiles, checkpoints)  # type: ignore[misc]  # the store's
        self._perhaps_fail("add")

    def last_checkpoint(self) -> str | None:
        """Return the newest checkpoint, after whatever happens in between."""
        self.disk.before_checkpoint()
        found: str | None = super().last_checkpoint()  # type: ignore[misc]  # the store's
        return found

    def commit(self) -> None:
        """Commit it."""
        self._perhaps_fail("commit")
        super().commit()  # type: ignore[misc]  # the store's
        self._perhaps_fail("after commit")

    def _perhaps_fail(self, step: str) -> None:
        if self.disk.fails_at == step:
            raise sqlite3.OperationalError("disk I/O error")


class FailingStore(_Failing, SqliteStore):
    """A real store on a disk that sometimes fails."""

    __slots__ = ("disk",)


class FailingDatabaseStore(_Failing, DatabaseStore):
    """A real store in a database that sometimes fails."""

    __slots__ = ("disk",)


@dataclass(slots=True)
class LedgerFiles:
    """A folder with one ledger and its subject keys, or a database with them at `url`."""

    folder: Path
    disk: Disk = field(default_factory=Disk)
    url: str | None = None

    @property
    def path(self) -> Path:
        """Return the ledger's file."""
        return self.folder / "ledger.sqlite"

    @property
    def place(self) -> SharedPlace:
        """Return where the ledger is when it is in a database."""
        return SharedPlace(self.folder, self.url, "ledger")

    def store(self) -> SqliteStore | DatabaseStore:
        """Open the store, on a disk that may fail."""
        if self.disk.fails_at == "open":
            raise sqlite3.OperationalError("disk I/O error")
        store = (
            FailingStore.open(self.path, SIGNER.verifier.name)
            if self.url is None
            else FailingDatabaseStore.open(self.place, SIGNER.verifier.name)
        )
        store.disk = self.disk
        return store

    def subject_keys(self, member_key: bytes = MEMBER_KEY) -> SubjectKeys:
        """Open the subject keys."""
        if self.url is None:
            return SqliteSubjectKeys.open(self.folder / "subjects.sqlite", member_key, secrets.token_bytes)
        return DatabaseSubjectKeys.open(self.place, member_key, secrets.token_bytes)

    def ledger(self, subject_keys: SubjectKeys) -> Ledger:
        """Open the ledger for appending."""
        return Ledger.open(SIGNER, self.store, subject_keys, secrets.token_bytes)

    def reader(self) -> LedgerReader:
        """Open the ledger for reading."""
        name = SIGNER.verifier.name
        store = SqliteStore.open(self.path, name) if self.url is None else DatabaseStore.open(self.place, name)
        return LedgerReader.of(store, SIGNER.verifier)

    def to_read(self) -> LedgerStore:
        """Open the store as it is at this moment, for verification."""
        return SqliteStore.open_to_read(self.path) if self.url is None else DatabaseStore.open_to_read(self.place)

    def content(self) -> bytes:
        """Return all bytes of the files; of a database, of what its tables show."""
        if self.url is None:
            return b"".join(path.read_bytes() for path in self.folder.iterdir())
        with closing(self.place.session("content", Synchronous.FULL)) as session:
            tables = (session.run(f"SELECT * FROM {table}") for table in ("entry", "subject", "subject_key"))
            return b"".join(cell for rows in tables for row in rows for cell in row if isinstance(cell, bytes))

    def run(self, *statements: str) -> None:
        """Run statements behind the ledger's back; bytes in them are written as SQLite has it."""
        if self.url is None:
            with closing(sqlite3.connect(self.path)) as connection, connection:
                for statement in statements:
                    connection.execute(statement)
        else:
            with closing(self.place.session("tamper", Synchronous.FULL)) as session:
                for statement in statements:
                    session.run(re.sub(r"x'([0-9a-f]*)'", r"'\\x\1'", statement))

    def tamper(self, *statements: str) -> None:
        """Run statements that the ledger's own guards would refuse."""
        if self.url is None:
            with closing(sqlite3.connect(self.path)) as connection:
                names = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")]
            self.run(*(f"DROP TRIGGER {name}" for name in names), *statements)
        else:
            tables = ("entry", "checkpoint", "tile", "subject")
            self.run(*(f"ALTER TABLE {table} DISABLE TRIGGER USER" for table in tables), *statements)
