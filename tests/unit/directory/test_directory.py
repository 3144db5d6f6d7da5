"""The directory knows who holds a file on whom, and nothing that anybody made up."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from federation.contract.errors import BadInputError, DatabaseUnavailableError
from federation.contract.identifiers import DIRECTORY, MemberId
from federation.directory.directory import Directory, files_digest
from federation.directory.rows import HeldFile
from federation.linkage.siv import SivSuite

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


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[Directory]:
    opened = Directory.open(tmp_path / "directory.db")
    opened.load(FILES)
    yield opened
    opened.close()


def test_many_subjects_are_looked_up_at_once(directory: Directory) -> None:
    found = directory.members_holding([subject(number) for number in range(2000)])
    assert found == {subject(1): {TOWN, HEALTH}, subject(2): {TOWN}, subject(3): {SCHOOL}}


def test_a_day_leaves_out_closed_files(directory: Directory) -> None:
    subjects = [subject(number) for number in (1, 2, 3)]
    assert directory.members_holding(subjects, DAY) == {subject(1): {TOWN, HEALTH}, subject(3): {SCHOOL}}
    assert directory.members_holding(subjects, DAY + timedelta(days=1)) == {subject(1): {TOWN, HEALTH}}
    assert directory.members_holding(subjects, date(2019, 12, 31)) == {}


def test_capacities_are_those_of_the_day(directory: Directory) -> None:
    assert directory.capacities(subject(1), HEALTH, DAY) == {"patient"}
    assert directory.capacities(subject(1), HEALTH, DAY - timedelta(days=1)) == {"patient", "exempt"}
    assert directory.capacities(subject(1), SCHOOL, DAY) == frozenset()
    assert directory.capacities(subject(1), MemberId("nobody"), DAY) == frozenset()


def test_what_was_made_up_is_as_absent_as_anybody(directory: Directory) -> None:
    strange = ["", "x", str(SUITE.pseudonym(TOWN, bytes(16))), subject(1) + "A", "v1.rbp.directory.AAAA"]
    assert directory.members_holding(strange) == {}


def test_loading_again_changes_nothing_and_removing_removes(directory: Directory) -> None:
    before = directory.digest(HEALTH)
    assert directory.load(FILES) == len(FILES)
    assert directory.digest(HEALTH) == before
    directory.remove([FILES[1], FILES[1], held(9, TOWN, "resident")])
    assert set(directory.files(HEALTH)) == {FILES[2]}


def test_a_member_replaces_what_it_said_and_nobody_elses(directory: Directory) -> None:
    files = [held(7, HEALTH, "patient")]
    assert directory.replace_member(HEALTH, files) == 1
    assert directory.members_holding([subject(1), subject(7)]) == {subject(1): {TOWN}, subject(7): {HEALTH}}
    with pytest.raises(BadInputError):
        directory.replace_member(HEALTH, [held(8, TOWN, "resident")])


def test_both_sides_compute_the_same_digest(directory: Directory) -> None:
    ours = [each for each in FILES if each.member == HEALTH]
    assert directory.digest(HEALTH) == files_digest(ours) == files_digest(reversed(ours))
    assert directory.digest(HEALTH) != directory.digest(TOWN)


def test_it_is_kept_over_a_restart(tmp_path: Path, directory: Directory) -> None:
    again = Directory.open(tmp_path / "directory.db")
    assert set(again.files(TOWN)) == {FILES[0], FILES[3]}
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


def test_a_broken_database_is_named(tmp_path: Path, directory: Directory) -> None:
    other = sqlite3.connect(tmp_path / "directory.db")
    other.execute("DROP TABLE held")
    other.close()
    with pytest.raises(DatabaseUnavailableError):
        directory.members_holding([subject(1)])
    with pytest.raises(DatabaseUnavailableError):
        directory.load(FILES)
