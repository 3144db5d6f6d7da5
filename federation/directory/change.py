"""One transaction's change of the directory's rows, and of what follows from them: digests, and words with their uses.

Digests are changed by what comes and goes, so that no change and no comparison reads the rows that stay. A bucket that
is cleared begins anew, which would also mend a wrong digest. Words are not remembered between transactions: another
process may have forgotten them.
"""

from __future__ import annotations

import sqlite3
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from federation.contract.errors import BadInputError
from federation.contract.held_files import DIGEST_BYTES, DIGESTS, BucketDigests, bucket_of
from federation.contract.identifiers import DIRECTORY, MemberId, Pseudonym
from federation.directory.rows import HeldFile
from federation.linkage.siv import SUITE

_TAKE: Final = "DELETE FROM held WHERE subject = ? AND member = ? AND capacity = ? AND since = ? RETURNING until, mark"
_PUT: Final = "INSERT INTO held (subject, member, capacity, since, until, mark, bucket) VALUES (?, ?, ?, ?, ?, ?, ?)"


@dataclass(slots=True)
class Change:
    """Rows that come and go in the transaction that is open on the connection; `settle` ends it, before the commit."""

    _connection: sqlite3.Connection = field(repr=False)
    _codes: dict[str, int] = field(default_factory=dict)
    _used: Counter[int] = field(default_factory=Counter)
    _digests: defaultdict[int, BucketDigests] = field(default_factory=lambda: defaultdict(BucketDigests))

    def clear(self, member: MemberId, bucket: int) -> None:
        """Remove what stands in a bucket of a member; before anything is put."""
        where = (self._code(member), bucket)
        gone = self._connection.execute("DELETE FROM held WHERE member = ? AND bucket = ? RETURNING capacity", where)
        for (capacity,) in gone.fetchall():
            self._uses(where[0], capacity, -1)
        self._connection.execute("DELETE FROM digest WHERE member = ? AND bucket = ?", where)

    def put(self, file: HeldFile) -> None:
        """Put a row, in the place of one with the same subject, member, capacity and beginning.

        Raises:
            BadInputError: the subject is no pseudonym of the directory.
        """
        member, capacity = self._code(file.member), self._code(file.capacity)
        key = (token_of(file.subject), member, capacity, file.since.toordinal())
        digests = self._digests[member]
        for until, mark in self._connection.execute(_TAKE, key).fetchall():
            digests.remove(mark, file.capacity, file.since, None if until is None else date.fromordinal(until))
            self._uses(member, capacity, -1)
        until = None if file.until is None else file.until.toordinal()
        self._connection.execute(_PUT, (*key, until, file.mark, bucket_of(file.mark)))
        digests.add(file.mark, file.capacity, file.since, file.until)
        self._uses(member, capacity, 1)

    def settle(self) -> None:
        """Bring digests up to date, and forget the words that no row uses any more."""
        for member, digests in self._digests.items():
            for bucket, difference in digests.sums.items():
                self._add(member, bucket, difference)
        codes = [(count, code) for code, count in self._used.items()]
        self._connection.executemany("UPDATE word SET used = used + ? WHERE code = ?", codes)
        unused = [(code,) for code in {*self._used, *self._codes.values()}]
        self._connection.executemany("DELETE FROM word WHERE code = ? AND used = 0", unused)

    def _uses(self, member: int, capacity: int, by: int) -> None:
        self._used[member] += by
        self._used[capacity] += by

    def _add(self, member: int, bucket: int, difference: int) -> None:
        where = (member, bucket)
        found = self._connection.execute("SELECT sum FROM digest WHERE member = ? AND bucket = ?", where).fetchone()
        total = ((int.from_bytes(found[0]) if found else 0) + difference) % DIGESTS
        values = (*where, total.to_bytes(DIGEST_BYTES))
        self._connection.execute("INSERT OR REPLACE INTO digest (member, bucket, sum) VALUES (?, ?, ?)", values)

    def _code(self, text: str) -> int:
        """Return the number of a member or capacity, given at its first use."""
        if text not in self._codes:
            self._connection.execute("INSERT INTO word (text) VALUES (?) ON CONFLICT DO NOTHING", (text,))
            found = self._connection.execute("SELECT code FROM word WHERE text = ?", (text,)).fetchone()
            self._codes[text] = found[0]
        return self._codes[text]


def token_of(subject: str) -> bytes:
    """Return the bytes of a pseudonym of the directory.

    Raises:
        BadInputError: it is none.
    """
    pseudonym = Pseudonym.parse(subject)
    if pseudonym.member != DIRECTORY or pseudonym.suite != SUITE:
        raise BadInputError("expected a pseudonym of the directory")
    return pseudonym.token
