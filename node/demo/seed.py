"""Fills the demo: five registers, the rows of the reference directory, and the truth that the demo's check reads.

```
<directory>/<member>/register.db      the member's register, SQLite in WAL mode
<directory>/<member>/node.yaml        a copy of its mapping, beside the register it names
<directory>/holdings.ndjson           one Holding per line: what the reference directory says
<directory>/truth.ndjson              one Person per line, subject ids included: for the check only
```

Everything is written beside its place and moved there at the end, so that an interrupted run leaves nothing half done.
"""

import shutil
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import BinaryIO, Final

import msgspec

from node.demo.facts import Holding, Person
from node.demo.people import Population
from node.demo.registers import REGISTERS, Register, Row
from node.demo.showcase import read_showcase

DEFAULT_SEED: Final = 2026
_BATCH: Final = 2000
TRUTH: Final = "truth.ndjson"
_HOLDINGS: Final = "holdings.ndjson"

Pseudonym = Callable[[str, bytes], str]
"""From a member id and a subject id to the text of the member's pseudonym of that subject."""
Subject = Callable[[str], bytes]
"""From a tax code to the subject id that enrolment gives it."""
Progress = Callable[[int, int], None]
"""Called with the number of people written so far and the number wanted."""


@dataclass(frozen=True, slots=True)
class SeedReport:
    """What was written: people in all, people per member, and where the files are."""

    people: int
    known: dict[str, int]
    holdings: int
    truth_file: Path
    holdings_file: Path
    registers: dict[str, Path]

    def held(self) -> Iterator[Holding]:
        """Yield the rows of the reference directory."""
        return read_holdings(self.holdings_file)

    def persons(self) -> Iterator[Person]:
        """Yield the people as they were made, documented ones first."""
        return read_truth(self.truth_file)


def seed(
    directory: Path,
    citizens: int,
    progress: Progress,
    pseudonym: Pseudonym,
    seed: int = DEFAULT_SEED,
    demo: Path | None = None,
    subject: Subject | None = None,
) -> SeedReport:
    """Make `citizens` people and write them into the registers under `directory`.

    Args:
        directory: where the demo lives; what an earlier run wrote there is replaced.
        citizens: how many people; the documented ones come first.
        progress: told after every batch.
        pseudonym: gives each member its own pseudonym of a subject.
        seed: another seed makes another town with the same documented people.
        demo: the folder with `people.yaml` and the members' schemas; by default the one that ships with the code.
        subject: gives each person the subject id that enrolment would; by default they are made by chance.

    Raises:
        OSError: a file cannot be read or written.
        sqlite3.Error: a register refuses a row.
    """
    demo = demo or demo_files()
    population = Population(seed)
    documented = read_showcase((demo / "people.yaml").read_text(encoding="utf-8"), population.subject)
    people = population.people(documented, citizens)
    if subject is not None:
        people = (replace(person, subject=subject(person.tax_code).hex()) for person in people)
    workplace = directory / ".seeding"
    shutil.rmtree(workplace, ignore_errors=True)
    workplace.mkdir(parents=True)
    try:
        known, holdings = _write_all(people, citizens, workplace, demo, progress, pseudonym)
        _move_into_place(workplace, directory)
    finally:
        shutil.rmtree(workplace, ignore_errors=True)
    return SeedReport(
        people=citizens,
        known=known,
        holdings=holdings,
        truth_file=directory / TRUTH,
        holdings_file=directory / _HOLDINGS,
        registers={register.member: directory / register.member / "register.db" for register in REGISTERS},
    )


def demo_files() -> Path:
    """Return the folder of the demo's files: in the repository, or in an installed wheel."""
    root = Path(__file__).parents[2]
    in_repository = root / "deploy" / "demo"
    return in_repository if in_repository.is_dir() else root / "crocevia_data" / "deploy" / "demo"


def read_truth(file: Path) -> Iterator[Person]:
    """Yield the people as they were made, documented ones first."""
    decoder = msgspec.json.Decoder(Person)
    with file.open("rb") as lines:
        for line in lines:
            yield decoder.decode(line)


def read_holdings(file: Path) -> Iterator[Holding]:
    """Yield the rows of the reference directory."""
    decoder = msgspec.json.Decoder(Holding)
    with file.open("rb") as lines:
        for line in lines:
            yield decoder.decode(line)


def _write_all(
    people: Iterator[Person],
    citizens: int,
    workplace: Path,
    demo: Path,
    progress: Progress,
    pseudonym: Pseudonym,
) -> tuple[dict[str, int], int]:
    writers = [_RegisterWriter.open(register, workplace, demo) for register in REGISTERS]
    known: Counter[str] = Counter()
    holdings = 0
    encode = msgspec.json.Encoder().encode
    try:
        with (workplace / TRUTH).open("wb") as truth, (workplace / _HOLDINGS).open("wb") as directory:
            for number, person in enumerate(people, start=1):
                truth.write(encode(person) + b"\n")
                for writer in writers:
                    register = writer.register
                    if register.knows(person):
                        writer.add(register.rows(person, pseudonym(register.member, person.subject_id)))
                        known[register.member] += 1
                        holdings += _write_lines(directory, (encode(holding) for holding in register.holdings(person)))
                if number % _BATCH == 0 or number == citizens:
                    for writer in writers:
                        writer.flush()
                    progress(number, citizens)
        for writer in writers:
            writer.finish()
    finally:
        for writer in writers:
            writer.connection.close()
    return {register.member: known[register.member] for register in REGISTERS}, holdings


def _write_lines(file: BinaryIO, lines: Iterator[bytes]) -> int:
    written = 0
    for line in lines:
        file.write(line + b"\n")
        written += 1
    return written


@dataclass(slots=True)
class _RegisterWriter:
    """Writes rows into one register, table by table, in batches."""

    register: Register
    connection: sqlite3.Connection
    _waiting: dict[str, list[tuple[object, ...]]] = field(default_factory=dict)

    @classmethod
    def open(cls, register: Register, workplace: Path, demo: Path) -> "_RegisterWriter":
        folder = workplace / register.member
        folder.mkdir()
        shutil.copyfile(demo / register.member / "node.yaml", folder / "node.yaml")
        connection = sqlite3.connect(folder / "register.db")
        # Nobody reads the file before it is complete, so nothing is gained by waiting for the disk until then.
        connection.execute("PRAGMA journal_mode = OFF")
        connection.execute("PRAGMA synchronous = OFF")
        connection.executescript((demo / register.member / "schema.sql").read_text(encoding="utf-8"))
        return cls(register, connection)

    def add(self, rows: Iterator[Row]) -> None:
        for table, values in rows:
            self._waiting.setdefault(table, []).append(values)

    def flush(self) -> None:
        for table, rows in self._waiting.items():
            marks = ", ".join("?" * len(rows[0]))
            self.connection.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)  # noqa: S608 - our own table names
        self._waiting.clear()
        self.connection.commit()

    def finish(self) -> None:
        """Check the references that were written freely, learn the statistics, and turn to WAL."""
        broken = self.connection.execute("PRAGMA foreign_key_check").fetchall()
        assert not broken, f"register of `{self.register.member}` has rows without their parent: {broken[:3]}"
        self.connection.execute("ANALYZE")
        self.connection.commit()
        self.connection.execute("PRAGMA journal_mode = WAL")
        self.connection.execute("PRAGMA synchronous = FULL")


def _move_into_place(workplace: Path, directory: Path) -> None:
    for register in REGISTERS:
        target = directory / register.member
        target.mkdir(exist_ok=True)
        # The log of an older register must not be replayed into the new one.
        for leftover in ("register.db-wal", "register.db-shm"):
            (target / leftover).unlink(missing_ok=True)
        for name in ("register.db", "node.yaml"):
            (workplace / register.member / name).replace(target / name)
    for name in (TRUTH, _HOLDINGS):
        (workplace / name).replace(directory / name)
