"""One transaction's change of the directory's rows, and of what follows from them: digests, and words with their uses.

`held` are the rows. `word` numbers members and capacities and counts the rows that use them; `digest` has what a
comparison asks for. Digests are changed by what comes and goes, so that no change and no comparison reads the rows that
stay. A bucket that is cleared begins anew, which would also mend a wrong digest. Words are not remembered between
transactions: another process may have forgotten them.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final, TypeVar

from federation.contract.errors import BadInputError
from federation.contract.held_files import DIGEST_BYTES, DIGESTS, BucketDigests, bucket_of
from federation.contract.identifiers import DIRECTORY, MemberId, Pseudonym
from federation.directory.rows import HeldFile
from federation.linkage.siv import SUITE
from federation.shared.store import Shared

LAYOUT: Final = """
CREATE TABLE IF NOT EXISTS word (code INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE, used INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS held (
    subject BLOB NOT NULL,      -- token of the directory's pseudonym
    member INTEGER NOT NULL,    -- word
    capacity INTEGER NOT NULL,  -- word
    since INTEGER NOT NULL,     -- days since 0001-01-01
    until INTEGER,
    mark BLOB NOT NULL,         -- the member's secret name of the subject, empty for what was loaded
    bucket INTEGER NOT NULL,    -- of the mark
    PRIMARY KEY (subject, member, capacity, since)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS held_bucket ON held (member, bucket);
CREATE TABLE IF NOT EXISTS digest (
    member INTEGER NOT NULL, bucket INTEGER NOT NULL, sum BLOB NOT NULL, PRIMARY KEY (member, bucket)
) WITHOUT ROWID;
"""
_ONE_STATEMENT: Final = 250
"""Rows or values that go into one statement: few round trips, and texts that a connection keeps prepared."""
_NUMBER: Final = """
INSERT INTO word (code, text, used) SELECT coalesce(max(code), 0) + 1, CAST(? AS TEXT), 0 FROM word RETURNING code
"""
_STANDING: Final = "SELECT subject, member, capacity, since, until, mark FROM held WHERE subject IN "
_PUT: Final = """
INSERT INTO held (subject, member, capacity, since, until, mark, bucket) VALUES {}
ON CONFLICT (subject, member, capacity, since)
DO UPDATE SET until = excluded.until, mark = excluded.mark, bucket = excluded.bucket
"""
_SET: Final = """
INSERT INTO digest (member, bucket, sum) VALUES {} ON CONFLICT (member, bucket) DO UPDATE SET sum = excluded.sum
"""

_Key = tuple[bytes, int, int, int]
_Value = TypeVar("_Value")


@dataclass(slots=True)
class Change:
    """Rows that come and go in the transaction that the store is in; `settle` ends it, before the commit."""

    _shared: Shared
    _codes: dict[str, int] = field(default_factory=dict)
    _used: Counter[int] = field(default_factory=Counter)
    _digests: defaultdict[int, BucketDigests] = field(default_factory=lambda: defaultdict(BucketDigests))

    def clear(self, member: MemberId, buckets: Collection[int]) -> None:
        """Remove what stands in buckets of a member; before anything is put."""
        code = self._code(member)
        for some in portions(list(buckets)):
            where = f"WHERE member = ? AND bucket IN {places(len(some))}"
            gone = self._shared.run(f"DELETE FROM held {where} RETURNING capacity", code, *some)  # noqa: S608  # question marks
            for (capacity,) in gone:
                self._uses(code, capacity, -1)
            self._shared.run(f"DELETE FROM digest {where}", code, *some)  # noqa: S608  # question marks

    def put(self, files: Collection[HeldFile]) -> None:
        """Put rows, each in the place of one with the same subject, member, capacity and beginning; the last counts.

        Raises:
            BadInputError: a subject is no pseudonym of the directory.
        """
        rows = {self._key(each): each for each in files}
        for keys in portions(list(rows)):
            for *standing, until, mark in self._shared.run(_STANDING + places(len(keys)), *(key[0] for key in keys)):
                self._take(tuple(standing), until, mark, rows)
            values = [value for key in keys for value in _values(key, rows[key])]
            self._shared.run(_PUT.format(",".join([places(7)] * len(keys))), *values)
        for (_, member, capacity, _), each in rows.items():
            self._digests[member].add(each.mark, each.capacity, each.since, each.until)
            self._uses(member, capacity, 1)

    def settle(self) -> None:
        """Bring digests up to date, and forget the words that no row uses any more."""
        for member, digests in self._digests.items():
            for some in portions(sorted(digests.sums.items())):
                self._add(member, dict(some))
        for code, count in self._used.items():
            self._shared.run("UPDATE word SET used = used + ? WHERE code = ?", count, code)
        self._shared.run("DELETE FROM word WHERE used = 0")

    def _take(self, key: Any, until: int | None, mark: bytes, rows: dict[_Key, HeldFile]) -> None:
        """Count a row that stands out, if one of these comes in its place."""
        if key in rows:
            _, member, capacity, since = key
            ended = None if until is None else date.fromordinal(until)
            self._digests[member].remove(mark, rows[key].capacity, date.fromordinal(since), ended)
            self._uses(member, capacity, -1)

    def _uses(self, member: int, capacity: int, by: int) -> None:
        self._used[member] += by
        self._used[capacity] += by

    def _add(self, member: int, differences: dict[int, int]) -> None:
        where = f"WHERE member = ? AND bucket IN {places(len(differences))}"
        stood = dict(self._shared.run(f"SELECT bucket, sum FROM digest {where}", member, *differences))  # noqa: S608  # question marks
        values: list[Any] = []
        for bucket, difference in differences.items():
            total = (int.from_bytes(stood.get(bucket, b"")) + difference) % DIGESTS
            values += (member, bucket, total.to_bytes(DIGEST_BYTES))
        self._shared.run(_SET.format(",".join([places(3)] * len(differences))), *values)

    def _key(self, file: HeldFile) -> _Key:
        return token_of(file.subject), self._code(file.member), self._code(file.capacity), file.since.toordinal()

    def _code(self, text: str) -> int:
        """Return the number of a member or capacity, given at its first use."""
        if text not in self._codes:
            found = self._shared.run("SELECT code FROM word WHERE text = ?", text) or self._shared.run(_NUMBER, text)
            self._codes[text] = found[0][0]
        return self._codes[text]


def _values(key: _Key, file: HeldFile) -> tuple[Any, ...]:
    return (*key, None if file.until is None else file.until.toordinal(), file.mark, bucket_of(file.mark))


def portions(values: Sequence[_Value]) -> Iterator[Sequence[_Value]]:
    """Split what one statement does not take."""
    for start in range(0, len(values), _ONE_STATEMENT):
        yield values[start : start + _ONE_STATEMENT]


def places(count: int) -> str:
    """Return the places of so many values in a statement, within brackets."""
    return f"({','.join('?' * count)})"


def token_of(subject: str) -> bytes:
    """Return the bytes of a pseudonym of the directory.

    Raises:
        BadInputError: it is none.
    """
    pseudonym = Pseudonym.parse(subject)
    if pseudonym.member != DIRECTORY or pseudonym.suite != SUITE:
        raise BadInputError("expected a pseudonym of the directory")
    return pseudonym.token
