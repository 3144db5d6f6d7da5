"""The reference directory in one SQLite file: many subjects in, the members that hold a file on each out."""

from __future__ import annotations

import sqlite3
import threading
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from itertools import islice
from pathlib import Path
from typing import Any, Self

from federation.contract.errors import BadInputError, DatabaseUnavailableError
from federation.contract.held_files import BUCKETS, BucketDigests, bucket_of
from federation.contract.identifiers import DIRECTORY, MemberId, Pseudonym
from federation.directory.rows import HeldFile

_SCHEMA = """
CREATE TABLE IF NOT EXISTS word (code INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE);
CREATE TABLE IF NOT EXISTS held (
    subject BLOB NOT NULL,      -- token of the directory's pseudonym
    member INTEGER NOT NULL,    -- word
    capacity INTEGER NOT NULL,  -- word
    since INTEGER NOT NULL,     -- days since 0001-01-01
    until INTEGER,
    mark BLOB NOT NULL DEFAULT x'',     -- the member's secret name of the subject, empty for what was loaded
    bucket INTEGER NOT NULL DEFAULT 0,  -- of the mark
    PRIMARY KEY (subject, member, capacity, since)
) WITHOUT ROWID;
"""
_ADDED = ("mark BLOB NOT NULL DEFAULT x''", "bucket INTEGER NOT NULL DEFAULT 0")
"""Columns that files of earlier releases lack."""
_INDEX = "CREATE INDEX IF NOT EXISTS held_bucket ON held (member, bucket)"
_INSERT = (
    "INSERT OR REPLACE INTO held (subject, member, capacity, since, until, mark, bucket) VALUES (?, ?, ?, ?, ?, ?, ?)"
)
_OPEN_ON = " AND since <= ? AND (until IS NULL OR until >= ?)"
_ONE_BATCH = 10_000
_ONE_QUESTION = 500
_BUCKETS_AT_ONCE = 64
_SUITE = "siv"


@dataclass(slots=True)
class Directory:
    """Which member holds a file on which subject.

    Methods may be called from any thread. A subject that nobody holds, and one that was made up, look alike: absent.
    """

    _connection: sqlite3.Connection = field(repr=False)
    _words: dict[str, int] = field(default_factory=dict, repr=False)
    _lock: threading.RLock = field(default_factory=threading.RLock, repr=False)

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open the file, or make it.

        Raises:
            DatabaseUnavailableError: it cannot be opened.
        """
        try:
            connection = sqlite3.connect(path, timeout=5, isolation_level=None, check_same_thread=False)
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=NORMAL")
            connection.executescript(_SCHEMA)
            _bring_up_to_date(connection)
        except sqlite3.Error as error:
            raise DatabaseUnavailableError(f"reference directory `{path.name}` cannot be opened") from error
        return cls(connection)

    def load(self, files: Iterable[HeldFile]) -> int:
        """Add or replace rows, and return how many; a row given twice counts twice and stands once.

        Raises:
            BadInputError: a subject that is no pseudonym of the directory; rows before it are kept.
            DatabaseUnavailableError: the file cannot be written.
        """
        rows = iter(files)
        count = 0
        while batch := list(islice(rows, _ONE_BATCH)):
            values = [self._row(each) for each in batch]
            self._write(_INSERT, values)
            count += len(batch)
        return count

    def replace(self, member: MemberId, buckets: Collection[int], files: Iterable[HeldFile]) -> None:
        """Replace what a member said in some buckets (`federation.contract.held_files`), in one step.

        Raises:
            BadInputError: a row of another member.
            DatabaseUnavailableError: the file cannot be written; nothing changed.
        """
        values = []
        for each in files:
            if each.member != member:
                raise BadInputError(f"expected files of `{member}`, got one of `{each.member}`")
            values.append(self._row(each))
        number = self._word(member)
        self._write(_INSERT, values, [(number, bucket) for bucket in buckets])

    def members_holding(self, subjects: Collection[str], day: date | None = None) -> Mapping[str, frozenset[str]]:
        """Return the members that hold a file on each subject, open or closed, or open on `day`; unknown ones left out.

        Raises:
            DatabaseUnavailableError: the file cannot be read.
        """
        found: defaultdict[str, set[str]] = defaultdict(set)
        condition, values = ("", ()) if day is None else (_OPEN_ON, (day.toordinal(), day.toordinal()))
        for names, (token, member) in self._ask("subject, text", "member", subjects, condition, values):
            found[names[token]].add(member)
        return {subject: frozenset(members) for subject, members in found.items()}

    def capacities(self, subject: str, member: MemberId, day: date) -> frozenset[str]:
        """Return in which capacities a member knows a subject on a day; empty means no open file.

        Raises:
            DatabaseUnavailableError: the file cannot be read.
        """
        condition = f" AND member = ?{_OPEN_ON}"
        values = (self._words_now().get(member, -1), day.toordinal(), day.toordinal())
        return frozenset(row[1] for _, row in self._ask("subject, text", "capacity", [subject], condition, values))

    def digests(self, member: MemberId) -> tuple[str, ...]:
        """Return a digest of each bucket of a member's rows, for the comparison with the member's own.

        Raises:
            DatabaseUnavailableError: the file cannot be read.
        """
        found = BucketDigests()
        statement = (
            "SELECT mark, text, since, until FROM held JOIN word ON code = capacity"
            " WHERE member = ? AND bucket BETWEEN ? AND ?"
        )
        number = self._words_now().get(member, -1)
        for first in range(0, BUCKETS, _BUCKETS_AT_ONCE):
            for mark, capacity, since, until in self._read(statement, (number, first, first + _BUCKETS_AT_ONCE - 1)):
                end = None if until is None else date.fromordinal(until)
                found.add(mark, capacity, date.fromordinal(since), end)
        return found.texts()

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._connection.close()

    def _row(self, file: HeldFile) -> tuple[Any, ...]:
        until = None if file.until is None else file.until.toordinal()
        return (
            _token(file.subject),
            self._word(file.member),
            self._word(file.capacity),
            file.since.toordinal(),
            until,
            file.mark,
            bucket_of(file.mark),
        )

    def _word(self, text: str) -> int:
        """Return the number of a member or capacity, given at its first use."""
        known = self._words.get(text)
        if known is None:
            self._write("INSERT INTO word (text) VALUES (?) ON CONFLICT DO NOTHING", [(text,)])
            known = self._words_now()[text]
        return known

    def _words_now(self) -> dict[str, int]:
        self._words.update((text, code) for code, text in self._read("SELECT code, text FROM word", ()))
        return self._words

    def _ask(
        self, columns: str, word: str, subjects: Collection[str], condition: str, values: tuple[Any, ...]
    ) -> Iterator[tuple[dict[bytes, str], tuple[Any, ...]]]:
        """Yield (name of each token, row) for the rows about some subjects, a few hundred subjects at a time."""
        names: dict[bytes, str] = {}
        for subject in subjects:
            try:
                names[_token(subject)] = subject
            except BadInputError:
                continue  # made up, or of another domain: as absent as any other
        tokens = list(names)
        for start in range(0, len(tokens), _ONE_QUESTION):
            part = tokens[start : start + _ONE_QUESTION]
            marks = ",".join("?" * len(part))
            statement = f"SELECT {columns} FROM held JOIN word ON code = {word} WHERE subject IN ({marks}){condition}"  # noqa: S608  # fixed texts and question marks
            for row in self._read(statement, (*part, *values)):
                yield names, row

    def _read(self, statement: str, values: tuple[Any, ...]) -> list[tuple[Any, ...]]:
        try:
            with self._lock:
                return self._connection.execute(statement, values).fetchall()
        except sqlite3.Error as error:
            raise DatabaseUnavailableError("reference directory cannot be read") from error

    def _write(self, statement: str, values: list[tuple[Any, ...]], without: Collection[tuple[int, int]] = ()) -> None:
        """Write all rows or none; what stands in the buckets `without` of members is removed before."""
        try:
            with self._lock:
                self._connection.execute("BEGIN IMMEDIATE")
                try:
                    self._connection.executemany("DELETE FROM held WHERE member = ? AND bucket = ?", without)
                    self._connection.executemany(statement, values)
                    self._connection.execute("COMMIT")
                except BaseException:
                    self._connection.execute("ROLLBACK")
                    raise
        except sqlite3.Error as error:
            raise DatabaseUnavailableError("reference directory cannot be written") from error


def _bring_up_to_date(connection: sqlite3.Connection) -> None:
    """Give a file of an earlier release the columns that it lacks; of several processes, one does."""
    connection.execute("BEGIN IMMEDIATE")
    known = {row[1] for row in connection.execute("PRAGMA table_info(held)")}
    for column in _ADDED:
        if column.split()[0] not in known:
            connection.execute(f"ALTER TABLE held ADD COLUMN {column}")
    connection.execute(_INDEX)
    connection.execute("COMMIT")


def _token(subject: str) -> bytes:
    pseudonym = Pseudonym.parse(subject)
    if pseudonym.member != DIRECTORY or pseudonym.suite != _SUITE:
        raise BadInputError("expected a pseudonym of the directory")
    return pseudonym.token
