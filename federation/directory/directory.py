"""The reference directory in one SQLite file: many subjects in, the members that hold a file on each out."""

from __future__ import annotations

import sqlite3
import threading
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from itertools import islice
from pathlib import Path
from typing import Any, Self

from federation.contract.errors import BadInputError, DatabaseUnavailableError
from federation.contract.held_files import BucketDigests
from federation.contract.identifiers import MemberId
from federation.directory.change import Change, token_of
from federation.directory.file import open_to_read, open_to_write, transaction
from federation.directory.rows import HeldFile

_CODE = "(SELECT code FROM word WHERE text = ?)"
_DIGESTS = f"SELECT bucket, sum FROM digest WHERE member = {_CODE}"  # noqa: S608  # fixed texts
_OPEN_ON = " AND since <= ? AND (until IS NULL OR until >= ?)"
_ONE_BATCH = 10_000
_ONE_QUESTION = 500


@dataclass(slots=True)
class Directory:
    """Which member holds a file on which subject.

    Methods may be called from any thread; questions have a connection of their own and wait for no writer. A subject
    that nobody holds, and one that was made up, look alike: absent.
    """

    _writing: sqlite3.Connection = field(repr=False)
    _reading: sqlite3.Connection = field(repr=False)
    _one_writes: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _one_reads: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open the file, or make it.

        Raises:
            DatabaseUnavailableError: it cannot be opened.
        """
        writing = open_to_write(path)
        try:
            return cls(writing, open_to_read(path))
        except BaseException:
            writing.close()
            raise

    def load(self, files: Iterable[HeldFile]) -> int:
        """Add or replace rows, and return how many; a row given twice counts twice and stands once.

        Raises:
            BadInputError: a subject that is no pseudonym of the directory; what was written before it is kept.
            DatabaseUnavailableError: the file cannot be written.
        """
        rows = iter(files)
        count = 0
        while batch := list(islice(rows, _ONE_BATCH)):
            with self._change() as change:
                for each in batch:
                    change.put(each)
            count += len(batch)
        return count

    def replace(self, member: MemberId, buckets: Collection[int], files: Iterable[HeldFile]) -> None:
        """Replace what a member said in some buckets (`federation.contract.held_files`), in one step.

        Raises:
            BadInputError: a row of another member; nothing changed.
            DatabaseUnavailableError: the file cannot be written; nothing changed.
        """
        with self._change() as change:
            for bucket in buckets:
                change.clear(member, bucket)
            for each in files:
                if each.member != member:
                    raise BadInputError(f"expected files of `{member}`, got one of `{each.member}`")
                change.put(each)

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
        condition = f" AND member = {_CODE}{_OPEN_ON}"
        values = (member, day.toordinal(), day.toordinal())
        return frozenset(row[1] for _, row in self._ask("subject, text", "capacity", [subject], condition, values))

    def digests(self, member: MemberId) -> tuple[str, ...]:
        """Return a digest of each bucket of a member's rows, for the comparison with the member's own.

        Raises:
            DatabaseUnavailableError: the file cannot be read.
        """
        found = self._read(_DIGESTS, (member,))
        return BucketDigests({bucket: int.from_bytes(each) for bucket, each in found}).texts()

    def close(self) -> None:
        """Let go of the file."""
        with self._one_writes, self._one_reads:
            self._reading.close()
            self._writing.close()

    def _ask(
        self, columns: str, word: str, subjects: Collection[str], condition: str, values: tuple[Any, ...]
    ) -> Iterator[tuple[dict[bytes, str], tuple[Any, ...]]]:
        """Yield (name of each token, row) for the rows about some subjects, a few hundred subjects at a time."""
        names: dict[bytes, str] = {}
        for subject in subjects:
            try:
                names[token_of(subject)] = subject
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
            with self._one_reads:
                return self._reading.execute(statement, values).fetchall()
        except sqlite3.Error as error:
            raise DatabaseUnavailableError("reference directory cannot be read") from error

    @contextmanager
    def _change(self) -> Iterator[Change]:
        """Change rows all together or not at all."""
        try:
            with self._one_writes, transaction(self._writing):
                change = Change(self._writing)
                yield change
                change.settle()
        except sqlite3.Error as error:
            raise DatabaseUnavailableError("reference directory cannot be written") from error
