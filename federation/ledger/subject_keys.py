"""The erasable store of subject keys: the only place that links a ledger's entries to a person."""

from __future__ import annotations

import hmac
import sqlite3
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, Self

from federation.contract.errors import LedgerUnavailableError
from federation.ledger.leaf import SubjectKey
from federation.shared.place import MOVED, refuse_if_moved

_SALT_BYTES = 32
_CACHED = 50_000
_BATCH = 500
_SCHEMA = """
CREATE TABLE IF NOT EXISTS subject_key (
    name BLOB PRIMARY KEY,  -- HMAC of the pseudonym: this file alone names nobody
    salt BLOB NOT NULL      -- with the member's key outside this file it gives the subject's key
) WITHOUT ROWID;
"""


class SubjectKeys(Protocol):
    """Finds, makes and destroys the keys of subjects."""

    def of(self, pseudonyms: Iterable[str]) -> dict[str, SubjectKey]:
        """Return the key of every pseudonym, made durably where there was none."""
        ...

    def find(self, pseudonym: str) -> SubjectKey | None:
        """Return the key of one pseudonym, or None when nothing was ever recorded about it, or it was erased."""
        ...

    def all(self) -> Iterator[SubjectKey]:
        """Yield every key that was not destroyed, for the verification of a whole ledger."""
        ...

    def destroy(self, pseudonym: str) -> bool:
        """Destroy a key for ever; False when there was none."""
        ...

    def close(self) -> None:
        """Let go of the store."""
        ...


@dataclass(frozen=True, slots=True)
class KeyMaker:
    """Makes names and keys of subjects; a store holds names and salts, which are nothing without `member_key`.

    `random` returns that many random bytes (`secrets.token_bytes`).
    """

    member_key: bytes = field(repr=False)
    random: Callable[[int], bytes] = field(repr=False)

    def name(self, pseudonym: str) -> bytes:
        """Return the name under which a subject's salt is kept."""
        return hmac.digest(self.member_key, b"crocevia/ledger/subject-name" + pseudonym.encode(), "sha256")[:16]

    def key(self, name: bytes, salt: bytes) -> SubjectKey:
        """Return the subject's key."""
        return SubjectKey(hmac.digest(self.member_key, b"crocevia/ledger/subject-key" + name + salt, "sha256"))

    def salt(self) -> bytes:
        """Return a fresh salt."""
        return self.random(_SALT_BYTES)


@dataclass(slots=True)
class SqliteSubjectKeys:
    """Subject keys in a file of their own, to be kept and backed up apart from the ledger.

    * A row holds a random salt; the subject's key is HMAC(member key, name ‖ salt), so neither the file nor the
      member's key opens anything without the other.
    * A key is on disk before any entry that needs it.
    * Destroying overwrites the row (`secure_delete`) and empties the write-ahead log. Other processes notice before
      their next batch and forget what they had cached.
    """

    path: Path
    _maker: KeyMaker
    _connection: sqlite3.Connection = field(init=False, repr=False)
    _lock: threading.Lock = field(init=False, repr=False, default_factory=threading.Lock)
    _cache: OrderedDict[str, SubjectKey] = field(init=False, repr=False, default_factory=OrderedDict)
    _seen_version: int = field(init=False, repr=False, default=-1)

    def __post_init__(self) -> None:
        self._connection = self._connect()

    @classmethod
    def open(cls, path: Path, member_key: bytes, random: Callable[[int], bytes]) -> Self:
        """Open the file, or make it; `random` returns that many random bytes (`secrets.token_bytes`).

        Raises:
            LedgerUnavailableError: the file cannot be opened or is not a database.
        """
        return cls(path, KeyMaker(member_key, random))

    def of(self, pseudonyms: Iterable[str]) -> dict[str, SubjectKey]:
        """Return the key of every pseudonym, made durably where there was none.

        Raises:
            LedgerUnavailableError: the file cannot be read or written.
        """
        wanted = dict.fromkeys(pseudonyms)
        if not wanted:
            return {}
        with self._lock:
            try:
                self._forget_if_changed()
                found = {pseudonym: key for pseudonym in wanted if (key := self._cache.get(pseudonym))}
                missing = [pseudonym for pseudonym in wanted if pseudonym not in found]
                if missing:
                    found |= self._load_or_make(missing)
            except sqlite3.Error as error:
                self._abandon()
                raise LedgerUnavailableError("subject keys of the ledger cannot be written") from error
            for pseudonym, key in found.items():
                self._cache[pseudonym] = key
                self._cache.move_to_end(pseudonym)
            while len(self._cache) > _CACHED:
                self._cache.popitem(last=False)
        return found

    def find(self, pseudonym: str) -> SubjectKey | None:
        """Return the key of one pseudonym, or None when nothing was ever recorded about it, or it was erased.

        Raises:
            LedgerUnavailableError: the file cannot be read.
        """
        name = self._maker.name(pseudonym)
        with self._lock:
            try:
                row = self._connection.execute("SELECT salt FROM subject_key WHERE name = ?", (name,)).fetchone()
            except sqlite3.Error as error:
                raise LedgerUnavailableError("subject keys of the ledger cannot be read") from error
        return None if row is None else self._maker.key(name, row[0])

    def all(self) -> Iterator[SubjectKey]:
        """Yield every key that was not destroyed, for the verification of a whole ledger.

        Raises:
            LedgerUnavailableError: the file cannot be read.
        """
        yield from (self._maker.key(name, salt) for name, salt in self.kept())

    def kept(self) -> list[tuple[bytes, bytes]]:
        """Return every name with its salt, as they are kept.

        Raises:
            LedgerUnavailableError: the file cannot be read.
        """
        with self._lock:
            try:
                return self._connection.execute("SELECT name, salt FROM subject_key").fetchall()
            except sqlite3.Error as error:
                raise LedgerUnavailableError("subject keys of the ledger cannot be read") from error

    def keep(self, rows: Iterable[tuple[bytes, bytes]]) -> None:
        """Keep names with their salts, those that are there already as they are.

        Raises:
            LedgerUnavailableError: the file cannot be written.
        """
        with self._lock:
            try:
                self._insert(rows)
            except sqlite3.Error as error:
                self._abandon()
                raise LedgerUnavailableError("subject keys of the ledger cannot be written") from error

    def destroy(self, pseudonym: str) -> bool:
        """Destroy a key for ever; False when there was none.

        Raises:
            LedgerUnavailableError: the file cannot be written; the key may still exist.
        """
        with self._lock:
            try:
                with self._connection:
                    done = self._connection.execute(
                        "DELETE FROM subject_key WHERE name = ?", (self._maker.name(pseudonym),)
                    ).rowcount
                self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            except sqlite3.Error as error:
                raise LedgerUnavailableError("subject keys of the ledger cannot be erased") from error
            self._cache.pop(pseudonym, None)
        return done == 1

    def seal(self) -> None:
        """Refuse from now on whoever still has the file open, and would make or destroy a key in it.

        Raises:
            LedgerUnavailableError: the file cannot be written.
        """
        with self._lock:
            try:
                for event in ("INSERT", "DELETE"):
                    self._connection.execute(
                        f"CREATE TRIGGER IF NOT EXISTS moved_{event} BEFORE {event} ON subject_key "
                        f"BEGIN SELECT RAISE(ABORT, 'subject keys {MOVED}'); END"
                    )
                self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            except sqlite3.Error as error:
                raise LedgerUnavailableError("subject keys of the ledger cannot be moved") from error

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()

    def _forget_if_changed(self) -> None:
        """Empty the cache when another connection wrote to the file: it may have destroyed a key."""
        (version,) = self._connection.execute("PRAGMA data_version").fetchone()
        if version != self._seen_version:
            self._cache.clear()
            self._seen_version = version

    def _load_or_make(self, pseudonyms: list[str]) -> dict[str, SubjectKey]:
        names = {self._maker.name(pseudonym): pseudonym for pseudonym in pseudonyms}
        salts = self._load(names)
        if len(salts) < len(names):
            # Another process may make the same key: the row that was there first counts, so read again after writing.
            self._insert((name, self._maker.salt()) for name in names if name not in salts)
            salts = self._load(names)
        return {names[name]: self._maker.key(name, salt) for name, salt in salts.items()}

    def _insert(self, rows: Iterable[tuple[bytes, bytes]]) -> None:
        with self._connection:
            self._connection.executemany("INSERT INTO subject_key VALUES (?, ?) ON CONFLICT DO NOTHING", rows)

    def _load(self, names: Iterable[bytes]) -> dict[bytes, bytes]:
        wanted = list(names)
        salts: dict[bytes, bytes] = {}
        for start in range(0, len(wanted), _BATCH):
            part = wanted[start : start + _BATCH]
            marks = ",".join("?" * len(part))
            salts |= self._connection.execute(
                f"SELECT name, salt FROM subject_key WHERE name IN ({marks})",  # noqa: S608  # only question marks
                part,
            )
        return salts

    def _connect(self) -> sqlite3.Connection:
        refuse_if_moved(self.path, LedgerUnavailableError)
        try:
            connection = sqlite3.connect(self.path, timeout=5, check_same_thread=False)
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=FULL")
            connection.execute("PRAGMA secure_delete=ON")
            connection.executescript(_SCHEMA)
        except sqlite3.Error as error:
            raise LedgerUnavailableError(f"subject keys `{self.path.name}` cannot be opened") from error
        return connection

    def _abandon(self) -> None:
        """Leave a connection on which a write failed: what it holds in memory is no longer believed."""
        self._connection.close()
        self._cache.clear()
        self._connection = self._connect()
