"""The directory knows who holds a file on whom, and nothing that anybody made up."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from federation.contract.errors import BadInputError, DatabaseUnavailableError
from federation.contract.held_files import BucketDigests, bucket_of, differing
from federation.contract.identifiers import DIRECTORY, MemberId
from federation.directory.change import LAYOUT, Change
from federation.directory.directory import DIRECTORY_FILE, Directory
from federation.directory.rows import HeldFile
from federation.linkage.siv import SivSuite
from federation.shared.place import SharedPlace
from federation.shared.store import Synchronous

if TYPE_CHECKING:
    from tests.support.postgres import Server

SUITE = SivSuite(bytes(32))
TOWN, HEALTH, SCHOOL = MemberId("c_m999"), MemberId("aslvs"), MemberId("istsc_bv01")
DAY = date(2026, 11, 22)


def subject(number: int) -> str:
    return str(SUITE.pseudonym(DIRECTORY, number.to_bytes(16)))


def held(number: int, member: MemberId, capacity: str, until: date | None = None) -> HeldFile:
    return HeldFile.parse(subject(number), member, capacity, date(2020, 1, 1), until)


FILES = [
    held(1, TOWN, "resident"),
    held(1, HEALTH, "patient"),
    held(1, HEALTH, "exempt", DAY - timedelta(days=1)),
    held(2, TOWN, "resident", DAY - timedelta(days=1)),
    held(3, SCHOOL, "pupil", DAY),
]


@pytest.fixture(params=["file", pytest.param("database", marks=pytest.mark.postgres)])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SharedPlace]:
    """Where one host keeps the directory, and where several do."""
    if request.param == "file":
        yield SharedPlace(tmp_path)
    else:
        postgres: Server = request.getfixturevalue("postgres")
        yield SharedPlace(tmp_path, postgres.url, "directory")
        postgres.run("DROP SCHEMA IF EXISTS crocevia_directory CASCADE")


@pytest.fixture
def directory(place: SharedPlace) -> Iterator[Directory]:
    with closing(Directory.open(place)) as opened:
        opened.load(FILES)
        yield opened


def test_many_subjects_are_looked_up_at_once(directory: Directory) -> None:
    found = directory.members_holding([subject(number) for number in range(2000)])
    assert found == {subject(1): {TOWN, HEALTH}, subject(2): {TOWN}, subject(3): {SCHOOL}}


def test_a_day_leaves_out_closed_files(directory: Directory) -> None:
    subjects = [subject(number) for number in (1, 2, 3)]
    assert directory.members_holding(subjects, DAY) == {subject(1): {TOWN, HEALTH}, subject(3): {SCHOOL}}
    assert directory.members_holding(subjects, DAY + timedelta(days=1)) == {subject(1): {TOWN, HEALTH}}
    assert directory.members_holding(subjects, date(2019, 12, 31)) == {}


def test_capacities_are_those_of_the_day(directory: Directory) -> None:
    nobody = subject(99)
    assert directory.open_files([subject(1), subject(3), nobody], DAY)[subject(1)][HEALTH] == {"patient"}
    before = directory.open_files([subject(1)], DAY - timedelta(days=1))
    assert before[subject(1)][HEALTH] == {"patient", "exempt"}
    assert SCHOOL not in before[subject(1)]
    assert nobody not in directory.open_files([nobody], DAY)


def test_what_was_made_up_is_as_absent_as_anybody(directory: Directory) -> None:
    strange = ["", "x", str(SUITE.pseudonym(TOWN, bytes(16))), subject(1) + "A", "v1.rbp.directory.AAAA"]
    assert directory.members_holding(strange) == {}


def marked(number: int, member: MemberId, until: date | None = None) -> HeldFile:
    return HeldFile.parse(subject(number), member, "patient", DAY, until, number.to_bytes(2) + bytes(14))


def ours(*files: HeldFile) -> tuple[str, ...]:
    digests = BucketDigests()
    for each in files:
        digests.add(each.mark, each.capacity, each.since, each.until)
    return digests.texts()


def test_loading_again_changes_nothing(directory: Directory) -> None:
    before = directory.digests(HEALTH)
    assert directory.load(FILES) == len(FILES)
    assert directory.digests(HEALTH) == before


def test_a_member_replaces_what_it_said_in_a_bucket_and_nobody_elses(directory: Directory) -> None:
    files = [marked(7, HEALTH), marked(8, HEALTH), marked(9, HEALTH)]
    for _ in range(2):
        directory.replace(HEALTH, [7, 8, 9], files)
    directory.replace(HEALTH, [8], [])
    found = directory.members_holding([subject(number) for number in (1, 7, 8, 9)])
    assert found == {subject(1): {TOWN, HEALTH}, subject(7): {HEALTH}, subject(9): {HEALTH}}
    with pytest.raises(BadInputError):
        directory.replace(HEALTH, [8], [marked(8, TOWN)])


def test_both_sides_compute_the_same_digests(directory: Directory) -> None:
    files = [marked(7, HEALTH), marked(8, HEALTH)]
    directory.replace(HEALTH, [0, 7, 8], files)
    assert directory.digests(HEALTH) == ours(*files) == ours(*reversed(files))
    assert differing(ours(marked(7, HEALTH), marked(8, HEALTH, DAY)), directory.digests(HEALTH)) == [8]
    assert differing(ours(marked(9, HEALTH)), directory.digests(HEALTH)) == [9, 8, 7]


def test_what_was_loaded_leaves_when_the_member_has_said_the_rest(directory: Directory) -> None:
    assert differing(ours(marked(7, HEALTH)), directory.digests(HEALTH)) == [7, 0]
    directory.replace(HEALTH, [7, 0], [marked(7, HEALTH)])
    assert directory.members_holding([subject(1), subject(7)]) == {subject(1): {TOWN}, subject(7): {HEALTH}}


def test_a_file_of_another_form_is_named_and_let_go_of(tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / DIRECTORY_FILE)
    other.execute("CREATE TABLE held (subject BLOB, member INTEGER)")
    other.close()
    for _ in range(2):
        with pytest.raises(DatabaseUnavailableError, match=DIRECTORY_FILE):
            Directory.open(SharedPlace(tmp_path))
    other = sqlite3.connect(tmp_path / DIRECTORY_FILE, timeout=0)
    other.execute("BEGIN EXCLUSIVE")
    other.close()


def test_a_question_does_not_wait_for_rows_that_are_written(directory: Directory) -> None:
    with ThreadPoolExecutor(1) as pool:

        def ask() -> object:
            return pool.submit(directory.members_holding, [subject(2), subject(7)]).result(timeout=10)

        def writing(change: Change) -> None:
            change.put([marked(7, HEALTH)])
            assert ask() == {subject(2): {TOWN}}, "what stood before, until all is written"

        directory._change(writing)
        assert ask() == {subject(2): {TOWN}, subject(7): {HEALTH}}


def test_words_that_no_row_uses_are_forgotten(place: SharedPlace, directory: Directory) -> None:
    stood = words(place)
    for number in range(3):
        file = HeldFile.parse(subject(7), SCHOOL, f"made-up-{number}", DAY, None, (7).to_bytes(2) + bytes(14))
        directory.replace(SCHOOL, [7], [file])
    assert words(place) == {**stood, SCHOOL: stood[SCHOOL] + 1, "made-up-2": 1}
    with pytest.raises(BadInputError):
        directory.replace(SCHOOL, [7], [HeldFile.parse(subject(7), SCHOOL, "another", DAY), held(8, TOWN, "yet")])
    directory.replace(SCHOOL, [7], [])
    assert words(place) == stood


def words(place: SharedPlace) -> dict[str, int]:
    """Return the words of a directory, with the number of rows that use each."""
    with closing(place.open("directory", LAYOUT, Synchronous.NORMAL)) as store:
        return dict(store.run("SELECT text, used FROM word"))


CHANGES = st.lists(
    st.tuples(
        st.sets(st.integers(0, 3)),
        st.lists(
            st.tuples(st.integers(0, 3), st.sampled_from(["patient", "exempt"]), st.booleans(), st.integers(0, 3))
        ),
    ),
    max_size=5,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=CHANGES)
def test_digests_are_those_of_the_rows_that_stand_whatever_came_and_went(
    directory: Directory, changes: list[Any]
) -> None:
    directory.replace(HEALTH, range(4), [])
    stands: dict[tuple[str, str], HeldFile] = {}
    for buckets, rows in changes:
        files = [
            HeldFile.parse(subject(number), HEALTH, capacity, DAY, DAY if ended else None, mark.to_bytes(2) + bytes(14))
            for number, capacity, ended, mark in rows
        ]
        if buckets:
            directory.replace(HEALTH, buckets, files)
        else:
            directory.load(files)
        stands = {key: each for key, each in stands.items() if bucket_of(each.mark) not in buckets}
        stands.update(((each.subject, each.capacity), each) for each in files)
        assert directory.digests(HEALTH) == ours(*stands.values())


def test_it_is_kept_over_a_restart(place: SharedPlace, directory: Directory) -> None:
    again = Directory.open(place)
    assert again.members_holding([subject(2)]) == {subject(2): {TOWN}}
    assert again.load([held(5, MemberId("new_one"), "client")]) == 1
    assert directory.members_holding([subject(5)]) == {subject(5): {"new_one"}}
    again.close()


NOT_FILES = {
    "a member's pseudonym": (str(SUITE.pseudonym(TOWN, bytes(16))), TOWN, "resident", DAY, None),
    "no pseudonym": ("RSSMRA", TOWN, "resident", DAY, None),
    "no member": (subject(1), "C M", "resident", DAY, None),
    "no capacity": (subject(1), TOWN, "Resident!", DAY, None),
    "ends before it begins": (subject(1), TOWN, "resident", DAY, DAY - timedelta(days=1)),
}


@pytest.mark.parametrize("values", NOT_FILES.values(), ids=NOT_FILES.keys())
def test_what_is_no_file_is_refused(values: tuple[str, str, str, date, date | None]) -> None:
    with pytest.raises(BadInputError):
        HeldFile.parse(*values)


def test_a_broken_database_is_named(place: SharedPlace, directory: Directory) -> None:
    with closing(place.open("directory", LAYOUT, Synchronous.NORMAL)) as other:
        other.run("DROP TABLE held")
    with pytest.raises(DatabaseUnavailableError):
        directory.members_holding([subject(1)])
    with pytest.raises(DatabaseUnavailableError):
        directory.load(FILES)
