"""The ledger's file: append-only tables in SQLite, durable at every commit."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, Self

from typing_extensions import override

from federation.contract.errors import LedgerCorruptError, LedgerUnavailableError
from federation.ledger.stored_reads import StoredReads
from federation.shared.place import MOVED, refuse_if_moved

_ROWS = 1_000
_SEALS = {
    "entry_moved": "INSERT ON entry",
    "checkpoint_moved": "INSERT ON checkpoint",
    "subject_moved": "UPDATE ON subject",
}
FORMAT = 1
"""Layout of the file, kept in `user_version`."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS ledger (origin TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS entry (idx INTEGER PRIMARY KEY, leaf BLOB NOT NULL, hash BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS checkpoint (size INTEGER PRIMARY KEY, note TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS tile (level INTEGER, number INTEGER, hashes BLOB NOT NULL, UNIQUE (level, number));
CREATE TABLE IF NOT EXISTS subject (
    idx INTEGER, position INTEGER, lookup BLOB NOT NULL,  -- empty once the subject was erased
    PRIMARY KEY (idx, position)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS subject_lookup ON subject (lookup, idx);

CREATE TRIGGER IF NOT EXISTS entry_appends BEFORE INSERT ON entry
WHEN NEW.idx IS NULL OR NEW.idx <> (SELECT coalesce(max(idx), -1) + 1 FROM entry)
BEGIN SELECT raise(ABORT, 'a ledger is appended to'); END;
CREATE TRIGGER IF NOT EXISTS entry_stays BEFORE UPDATE ON entry
BEGIN SELECT raise(ABORT, 'a ledger is appended to'); END;
CREATE TRIGGER IF NOT EXISTS entry_remains BEFORE DELETE ON entry
BEGIN SELECT raise(ABORT, 'a ledger is appended to'); END;
CREATE TRIGGER IF NOT EXISTS checkpoint_appends BEFORE INSERT ON checkpoint
WHEN NEW.size <= (SELECT coalesce(max(size), -1) FROM checkpoint)
BEGIN SELECT raise(ABORT, 'a ledger is appended to'); END;
CREATE TRIGGER IF NOT EXISTS checkpoint_stays BEFORE UPDATE ON checkpoint
BEGIN SELECT raise(ABORT, 'a ledger is appended to'); END;
CREATE TRIGGER IF NOT EXISTS checkpoint_remains BEFORE DELETE ON checkpoint
BEGIN SELECT raise(ABORT, 'a ledger is appended to'); END;
CREATE TRIGGER IF NOT EXISTS tile_stays BEFORE UPDATE ON tile
BEGIN SELECT raise(ABORT, 'a ledger is appended to'); END;
CREATE TRIGGER IF NOT EXISTS tile_remains BEFORE DELETE ON tile
BEGIN SELECT raise(ABORT, 'a ledger is appended to'); END;
CREATE TRIGGER IF NOT EXISTS subject_remains BEFORE DELETE ON subject
BEGIN SELECT raise(ABORT, 'a ledger is appended to'); END;
CREATE TRIGGER IF NOT EXISTS subject_is_only_erased BEFORE UPDATE ON subject
WHEN NEW.idx <> OLD.idx OR NEW.position <> OLD.position OR length(NEW.lookup) <> 0
BEGIN SELECT raise(ABORT, 'a ledger is appended to'); END;
"""


@dataclass(frozen=True, slots=True)
class StoredLeaf:
    """A row of the log: position, leaf bytes, their leaf hash, and the lookup key of every subject, in order."""

    index: int
    leaf: bytes
    leaf_hash: bytes
    lookups: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class StoredTile:
    """256 consecutive hashes of one level (C2SP tlog-tiles), 8 192 bytes."""

    level: int
    number: int
    hashes: bytes


class LedgerStore(Protocol):
    """Keeps leaves, tiles and checkpoints in their order; several processes may use one store.

    `begin`, `add` and `commit` belong to one writer at a time; a failure of any of them leaves a store that must be
    closed and opened again before it is believed. INVARIANT: who holds what `begin` took is the only one whose `commit`
    can succeed, however long it stood still meanwhile; so no two writers continue one history in two ways.
    """

    def begin(self) -> int:
        """Take the write lock and return the number of leaves."""
        ...

    def add(
        self, leaves: Sequence[StoredLeaf], tiles: Sequence[StoredTile], checkpoints: Sequence[tuple[int, str]]
    ) -> None:
        """Write entries and the checkpoints (size, note) that cover them."""
        ...

    def commit(self) -> None:
        """Return once everything since `begin` is on disk."""
        ...

    def rollback(self) -> None:
        """Give up what was written since `begin`, and the lock."""
        ...

    def origin(self) -> str:
        """Return whose ledger it is."""
        ...

    def size(self) -> int:
        """Return the number of leaves."""
        ...

    def leaf(self, index: int) -> bytes | None:
        """Return the bytes of one leaf."""
        ...

    def leaf_hashes(self, first: int, end: int) -> list[bytes]:
        """Return the leaf hashes of a half-open range, as far as it exists."""
        ...

    def leaves(self, first: int, end: int) -> list[bytes]:
        """Return the leaf bytes of a half-open range, as far as it exists."""
        ...

    def tile(self, level: int, number: int) -> bytes | None:
        """Return a full tile, or None when it is not full yet."""
        ...

    def last_checkpoint(self) -> str | None:
        """Return the newest checkpoint note."""
        ...

    def indices_of(self, lookup: bytes) -> list[int]:
        """Return the positions of the leaves about the subject with this lookup key, in order."""
        ...

    def erase(self, lookup: bytes) -> int:
        """Forget which leaves are about a subject; return how many there were."""
        ...

    def rows(self) -> Iterator[tuple[int, bytes, bytes]]:
        """Yield (index, leaf, leaf hash) of every row, in order, as stored; for verification."""
        ...

    def checkpoints(self) -> Iterator[tuple[int, str]]:
        """Yield (size, note) of every checkpoint, in order; for verification."""
        ...

    def tiles(self) -> Iterator[tuple[int, int, bytes]]:
        """Yield (level, number, hashes) of every tile, in order; for verification."""
        ...

    def subject_rows(self) -> Iterator[tuple[int, int, bytes]]:
        """Yield (index, position, lookup) of every row of the subject index, in order; for verification."""
        ...

    def integrity(self) -> str:
        """Return `ok`, or the first complaint about the structure of what is stored."""
        ...

    def close(self) -> None:
        """Let go of the store."""
        ...


@dataclass(slots=True)
class SqliteStore(StoredReads):
    """A ledger in one SQLite file.

    * `synchronous=FULL`: a commit returns when the write-ahead log is on disk.
    * Triggers refuse what is not appending, in whatever program opens the file.
    * Opening moves the whole write-ahead log into the database file and syncs it. INVARIANT: after a failed sync the
      kernel may hold pages that it believes clean and that never reached the disk; nothing is appended behind them.
    """

    path: Path
    _connection: sqlite3.Connection = field(repr=False)
    _lock: threading.RLock = field(repr=False, default_factory=threading.RLock)

    @classmethod
    def open(cls, path: Path, origin: str) -> Self:
        """Open the ledger of `origin`, or make it.

        Raises:
            LedgerUnavailableError: the file cannot be opened or synced.
            LedgerCorruptError: it is not a ledger, or one of another origin or format.
        """
        refuse_if_moved(path, LedgerUnavailableError)
        try:
            connection = _connect(path, origin)
        except sqlite3.DatabaseError as error:
            if type(error) is sqlite3.DatabaseError:  # "file is not a database", "malformed"
                raise LedgerCorruptError(f"`{path.name}` is not a readable ledger file") from error
            raise LedgerUnavailableError(f"ledger `{path.name}` cannot be opened") from error
        return cls(path, connection)

    @classmethod
    def open_to_read(cls, path: Path) -> Self:
        """Open an existing ledger without changing anything in it, for verification.

        Raises:
            LedgerUnavailableError: there is no such file, or it cannot be opened.
        """
        try:
            connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, check_same_thread=False)
            connection.execute("PRAGMA query_only=ON")
        except sqlite3.Error as error:
            raise LedgerUnavailableError(f"ledger `{path.name}` cannot be opened") from error
        return cls(path, connection)

    def begin(self) -> int:
        """Take the write lock (of this process and of all others) and return the number of leaves."""
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            return self.size()

    def add(
        self, leaves: Sequence[StoredLeaf], tiles: Sequence[StoredTile], checkpoints: Sequence[tuple[int, str]]
    ) -> None:
        """Write entries and the checkpoints (size, note) that cover them."""
        subjects = [
            (stored.index, position, lookup) for stored in leaves for position, lookup in enumerate(stored.lookups)
        ]
        with self._lock:
            run = self._connection
            run.executemany(
                "INSERT INTO entry VALUES (?, ?, ?)",
                [(stored.index, stored.leaf, stored.leaf_hash) for stored in leaves],
            )
            if subjects:
                run.executemany("INSERT INTO subject VALUES (?, ?, ?)", subjects)
            if tiles:
                run.executemany(
                    "INSERT INTO tile VALUES (?, ?, ?)", [(tile.level, tile.number, tile.hashes) for tile in tiles]
                )
            run.executemany("INSERT INTO checkpoint VALUES (?, ?)", checkpoints)

    def commit(self) -> None:
        """Return once everything since `begin` is on disk."""
        with self._lock:
            self._connection.execute("COMMIT")

    def rollback(self) -> None:
        """Give up what was written since `begin`, and the lock."""
        with self._lock:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")

    def seal(self) -> None:
        """Commit what was begun, with triggers that refuse whoever still has the file open, and would write to it."""
        with self._lock:
            for name, event in _SEALS.items():
                self._connection.execute(
                    f"CREATE TRIGGER IF NOT EXISTS {name} BEFORE {event} "
                    f"BEGIN SELECT RAISE(ABORT, 'ledger {MOVED}'); END"
                )
            self.commit()
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def erase(self, lookup: bytes) -> int:
        """Forget which leaves are about a subject, on disk too; return how many there were.

        The index is built anew: a page of it that was split or joined keeps copies of what moved, behind its end, and
        `secure_delete` clears a page only when it is given up.
        """
        with self._lock:
            with self._connection:
                run = self._connection.execute
                run("BEGIN IMMEDIATE")
                erased = run("UPDATE subject SET lookup = x'' WHERE lookup = ?", (lookup,)).rowcount
                if erased:
                    run("REINDEX subject_lookup")
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        return erased

    def rows(self) -> Iterator[tuple[int, bytes, bytes]]:
        """Yield (index, leaf, leaf hash) of every row, in order, as stored; for verification."""
        yield from self._stream("SELECT idx, leaf, hash FROM entry ORDER BY idx")

    def checkpoints(self) -> Iterator[tuple[int, str]]:
        """Yield (size, note) of every checkpoint, in order; for verification."""
        yield from self._stream("SELECT size, note FROM checkpoint ORDER BY size")

    def tiles(self) -> Iterator[tuple[int, int, bytes]]:
        """Yield (level, number, hashes) of every tile; for verification."""
        yield from self._stream("SELECT level, number, hashes FROM tile ORDER BY level, number")

    def subject_rows(self) -> Iterator[tuple[int, int, bytes]]:
        """Yield (index, position, lookup) of every row of the subject index; for verification."""
        yield from self._stream("SELECT idx, position, lookup FROM subject ORDER BY idx, position")

    def integrity(self) -> str:
        """Return `ok`, or SQLite's first complaint about the file's structure."""
        return str(self._one("PRAGMA integrity_check(1)"))

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._connection.close()

    @override
    def _one(self, statement: str, *values: object) -> Any:
        with self._lock:
            row = self._connection.execute(statement, values).fetchone()
        return None if row is None else row[0]

    @override
    def _column(self, statement: str, *values: object) -> list[Any]:
        with self._lock:
            return [row[0] for row in self._connection.execute(statement, values)]

    def _stream(self, statement: str) -> Iterator[Any]:
        """Yield rows; the lock is held for some at a time, so that a reader that stops early holds none."""
        with self._lock:
            cursor = self._connection.execute(statement)
        while True:
            with self._lock:
                rows = cursor.fetchmany(_ROWS)
            if not rows:
                return
            yield from rows


def _connect(path: Path, origin: str) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=5, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA secure_delete=ON")
        connection.execute("PRAGMA recursive_triggers=ON")  # so that REPLACE cannot pass the delete triggers
        _lay_out(connection, path, origin)
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    except BaseException:
        connection.close()
        raise
    return connection


def _lay_out(connection: sqlite3.Connection, path: Path, origin: str) -> None:
    (known,) = connection.execute("PRAGMA user_version").fetchone()
    if known not in {0, FORMAT}:
        raise LedgerCorruptError(f"ledger `{path.name}` has format {known}, expected {FORMAT}")
    if known == 0:
        connection.executescript(f"BEGIN IMMEDIATE; {_SCHEMA} PRAGMA user_version = {FORMAT}; COMMIT;")
        path.chmod(0o600)
    connection.execute("INSERT INTO ledger SELECT ? WHERE NOT EXISTS (SELECT 1 FROM ledger)", (origin,))
    (stored,) = connection.execute("SELECT origin FROM ledger").fetchone()
    if stored != origin:
        raise LedgerCorruptError(f"ledger `{path.name}` is of `{stored}`, expected `{origin}`")
