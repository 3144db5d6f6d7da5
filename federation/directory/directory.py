"""The reference directory: many subjects in, the members that hold a file on each out.

It is a file that the workers of one host share, or tables of the database that several hosts share (docs/adr/0042).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, Final, Self

from federation.contract.errors import BadInputError, DatabaseUnavailableError, UnavailableError
from federation.contract.held_files import BucketDigests
from federation.contract.identifiers import DIRECTORY, MemberId, Pseudonym
from federation.directory.change import LAYOUT, Change, places, portions, token_of
from federation.directory.rows import HeldFile
from federation.linkage.siv import SUITE
from federation.shared.place import MOVED, SharedPlace, moving, refuse_if_moved
from federation.shared.store import Shared, SharedFile, Synchronous

DIRECTORY_FILE: Final = "directory.db"
_NAME: Final = "directory"
_CODE: Final = "(SELECT code FROM word WHERE text = ?)"
_DIGESTS: Final = f"SELECT bucket, sum FROM digest WHERE member = {_CODE}"  # noqa: S608  # fixed texts
_OPEN_ON: Final = " AND since <= ? AND (until IS NULL OR until >= ?)"
_HOLDERS: Final = "SELECT subject, text FROM held JOIN word ON code = member"
_FILES: Final = (
    "SELECT subject, owner.text, role.text"
    " FROM held JOIN word AS owner ON owner.code = member JOIN word AS role ON role.code = capacity"
)
_MEMBERS: Final = "SELECT text FROM word WHERE EXISTS (SELECT 1 FROM held WHERE member = code)"
_PAGE: Final = """
SELECT subject, member, capacity, since, until, mark, owner.text, role.text
FROM held JOIN word AS owner ON owner.code = member JOIN word AS role ON role.code = capacity
WHERE (subject, member, capacity, since) > (?, ?, ?, ?) ORDER BY subject, member, capacity, since LIMIT ?
"""
_ONE_BATCH: Final = 10_000


@dataclass(slots=True)
class Directory:
    """Which member holds a file on which subject.

    Methods may be called from any thread; questions have a connection of their own and wait for no writer. What one
    host was told the next question finds at every other. A subject that nobody holds, and one that was made up, look
    alike: absent.
    """

    _writing: Shared = field(repr=False)
    _reading: Shared = field(repr=False)

    @classmethod
    def open(cls, place: SharedPlace) -> Self:
        """Open the directory, or make it; a database is given what this host's file says of members new to it.

        Raises:
            ConfigurationError: `shared` is no address of a database.
            DatabaseUnavailableError: it cannot be opened, or the file was moved to a database.
        """
        path = place.state / DIRECTORY_FILE
        with ExitStack() as opened:
            try:
                writing, reading = (_opened(place, opened) for _ in range(2))
                directory = cls(writing, reading)
                if place.url is not None:
                    directory._take_along(path)
            except DatabaseUnavailableError:
                raise
            except UnavailableError as error:
                raise DatabaseUnavailableError(f"reference directory cannot be opened: {error.message}") from error
            opened.pop_all()
        return directory

    def load(self, files: Iterable[HeldFile]) -> int:
        """Add or replace rows, and return how many; a row given twice counts twice and stands once.

        Raises:
            BadInputError: a subject that is no pseudonym of the directory; what was written before it is kept.
            DatabaseUnavailableError: the directory cannot be written.
        """
        rows = iter(files)
        count = 0
        while batch := list(islice(rows, _ONE_BATCH)):
            self._change(partial(Change.put, files=batch))
            count += len(batch)
        return count

    def replace(self, member: MemberId, buckets: Collection[int], files: Collection[HeldFile]) -> None:
        """Replace what a member said in some buckets (`federation.contract.held_files`), in one step.

        Raises:
            BadInputError: a row of another member; nothing changed.
            DatabaseUnavailableError: the directory cannot be written; nothing changed.
        """
        for each in files:
            if each.member != member:
                raise BadInputError(f"expected files of `{member}`, got one of `{each.member}`")

        def work(change: Change) -> None:
            change.clear(member, buckets)
            change.put(files)

        self._change(work)

    def members_holding(self, subjects: Collection[str], day: date | None = None) -> Mapping[str, frozenset[str]]:
        """Return the members that hold a file on each subject, open or closed, or open on `day`; unknown ones left out.

        Raises:
            DatabaseUnavailableError: the directory cannot be read.
        """
        found: defaultdict[str, set[str]] = defaultdict(set)
        for subject, member in self._ask(_HOLDERS, subjects, day):
            found[subject].add(member)
        return {subject: frozenset(members) for subject, members in found.items()}

    def open_files(self, subjects: Collection[str], day: date) -> Mapping[str, Mapping[str, frozenset[str]]]:
        """Return in which capacities members have an open file on each subject on a day; unknown ones left out.

        Raises:
            DatabaseUnavailableError: the directory cannot be read.
        """
        found: defaultdict[str, defaultdict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
        for subject, member, capacity in self._ask(_FILES, subjects, day):
            found[subject][member].add(capacity)
        return {
            subject: {member: frozenset(held) for member, held in members.items()} for subject, members in found.items()
        }

    def digests(self, member: MemberId) -> tuple[str, ...]:
        """Return a digest of each bucket of a member's rows, for the comparison with the member's own.

        Raises:
            DatabaseUnavailableError: the directory cannot be read.
        """
        found = self._read(_DIGESTS, (member,))
        return BucketDigests({bucket: int.from_bytes(each) for bucket, each in found}).texts()

    def close(self) -> None:
        """Let go of the connections."""
        self._reading.close()
        self._writing.close()

    def _ask(self, columns: str, subjects: Collection[str], day: date | None) -> Iterator[tuple[Any, ...]]:
        """Yield (subject, …) for rows about some subjects, open on `day` if one is given, a few hundred at a time."""
        condition, values = ("", ()) if day is None else (_OPEN_ON, (day.toordinal(), day.toordinal()))
        names: dict[bytes, str] = {}
        for subject in subjects:
            try:
                names[token_of(subject)] = subject
            except BadInputError:
                continue  # made up, or of another domain: as absent as any other
        for part in portions(list(names)):
            statement = f"{columns} WHERE subject IN {places(len(part))}{condition}"
            for token, *row in self._read(statement, (*part, *values)):
                yield names[token], *row

    def _read(self, statement: str, values: tuple[Any, ...]) -> list[tuple[Any, ...]]:
        try:
            return self._reading.run(statement, *values)
        except UnavailableError as error:
            raise DatabaseUnavailableError(f"reference directory cannot be read: {error.message}") from error

    def _change(self, work: Callable[[Change], None]) -> None:
        """Change rows all together or not at all."""

        def changing() -> None:
            change = Change(self._writing)
            work(change)
            change.settle()

        try:
            self._writing.alone(changing)
        except UnavailableError as error:
            raise DatabaseUnavailableError(f"reference directory cannot be written: {error.message}") from error

    def _take_along(self, path: Path) -> None:
        """Put what this host's file says into the database, and the file aside.

        Another host may have been first. A member of whom the database knows anything is left as it is there: a
        publication is newer than a file, and the member puts right what differs.
        """
        with moving(path) as there:
            if there:
                with closing(SharedFile.open(path, LAYOUT, Synchronous.NORMAL)) as file:
                    for event in ("INSERT", "DELETE"):  # whoever still has the file open is told nothing more
                        file.run(
                            f"CREATE TRIGGER IF NOT EXISTS moved_{event} BEFORE {event} ON held "
                            f"BEGIN SELECT RAISE(ABORT, 'directory {MOVED}'); END"
                        )
                    self._change(lambda change: self._copy(file, change))

    def _copy(self, file: SharedFile, change: Change) -> None:
        known = {text for (text,) in self._writing.run(_MEMBERS)}
        after: tuple[Any, ...] = (b"", 0, 0, 0)
        while page := file.run(_PAGE, *after, _ONE_BATCH):
            change.put([_held(*row) for row in page if row[6] not in known])
            after = page[-1][:4]
        self._writing.run("ANALYZE held")  # or the server would read all of it until it gathers statistics by itself


def _opened(place: SharedPlace, opened: ExitStack) -> Shared:
    if place.url is None:
        refuse_if_moved(place.state / DIRECTORY_FILE, DatabaseUnavailableError)
    store = place.open(_NAME, LAYOUT, Synchronous.NORMAL)
    opened.callback(store.close)
    return store


def _held(
    token: bytes, _: int, __: int, since: int, until: int | None, mark: bytes, member: str, capacity: str
) -> HeldFile:
    subject = str(Pseudonym(SUITE, DIRECTORY, token))
    ended = None if until is None else date.fromordinal(until)
    return HeldFile(subject, MemberId(member), capacity, date.fromordinal(since), ended, mark)
