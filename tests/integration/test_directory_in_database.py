"""A directory that several hosts are told is one: what one takes in all find, and a host's file is taken along."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from federation.contract.errors import DatabaseUnavailableError
from federation.contract.held_files import BucketDigests
from federation.contract.identifiers import DIRECTORY, MemberId
from federation.directory.directory import DIRECTORY_FILE, Directory
from federation.directory.rows import HeldFile
from federation.linkage.siv import SivSuite
from federation.shared.place import SharedPlace
from tests.support.postgres import Server

pytestmark = [pytest.mark.integration, pytest.mark.postgres]
SUITE = SivSuite(bytes(32))
TOWN, HEALTH = MemberId("c_m999"), MemberId("aslvs")
DAY = date(2026, 11, 28)
HOSTS = 3
ROWS = 20
TIMES = 10


@pytest.fixture
def database(postgres: Server, tmp_path: Path) -> Iterator[SharedPlace]:
    yield SharedPlace(tmp_path, postgres.url, "gateway")
    postgres.run("DROP SCHEMA IF EXISTS crocevia_gateway CASCADE")


def subject(number: int) -> str:
    return str(SUITE.pseudonym(DIRECTORY, number.to_bytes(16)))


def held(number: int, member: MemberId = TOWN) -> HeldFile:
    return HeldFile.parse(subject(number), member, "resident", DAY, None, bytes([0, number % 2]) + number.to_bytes(14))


def said_by(host: int) -> list[HeldFile]:
    """What a host is told, all in two buckets: citizens whom no other host is told of."""
    return [held(number) for number in range(host * ROWS, (host + 1) * ROWS)]


def tell(told: tuple[SharedPlace, int]) -> list[frozenset[str]]:
    """Be told again and again; return whom the town holds, as it was found after each time."""
    place, host = told
    everybody = [subject(number) for number in range(HOSTS * ROWS)]
    with closing(Directory.open(place)) as directory:
        found = []
        for _ in range(TIMES):
            directory.replace(TOWN, [0, 1], said_by(host))
            found.append(frozenset(directory.members_holding(everybody)))
    return found


def test_publications_to_three_hosts_at_once_stand_each_whole_or_not_at_all(database: SharedPlace) -> None:
    with multiprocessing.get_context("spawn").Pool(HOSTS) as pool:
        seen = {whom for each in pool.map(tell, [(database, host) for host in range(HOSTS)]) for whom in each}
    whole = [frozenset(each.subject for each in said_by(host)) for host in range(HOSTS)]
    assert seen <= set(whole)
    with closing(Directory.open(database)) as directory:
        last = frozenset(directory.members_holding([subject(number) for number in range(HOSTS * ROWS)]))
        digests = BucketDigests()
        for each in said_by(whole.index(last)):
            digests.add(each.mark, each.capacity, each.since, each.until)
        assert directory.digests(TOWN) == digests.texts()


def test_what_one_host_is_told_the_next_question_finds_at_another(database: SharedPlace) -> None:
    with closing(Directory.open(database)) as one, closing(Directory.open(database)) as other:
        for number in range(20):
            one.replace(TOWN, [number % 2], [held(number)])
            assert other.members_holding([subject(number)]) == {subject(number): {TOWN}}
            assert (number < 2) or other.members_holding([subject(number - 2)]) == {}


def host_with_a_file(folder: Path, database: SharedPlace, *files: HeldFile) -> SharedPlace:
    """A host that kept the directory in a file, and is given the database now."""
    folder.mkdir()
    with closing(Directory.open(SharedPlace(folder))) as directory:
        directory.load(files)
    return replace(database, state=folder)


def test_a_host_takes_its_file_along(database: SharedPlace, tmp_path: Path) -> None:
    files = [held(number, member) for number in range(300) for member in (TOWN, HEALTH)]
    place = host_with_a_file(tmp_path / "host", database, *files)
    with closing(Directory.open(SharedPlace(place.state))) as old:
        before = old.digests(TOWN)
        with ThreadPoolExecutor(2) as pool:  # two workers of the host start at once
            for each in pool.map(Directory.open, [place] * 2):
                with closing(each):
                    assert each.digests(TOWN) == before
                    assert each.members_holding([subject(299)]) == {subject(299): {TOWN, HEALTH}}
        with pytest.raises(DatabaseUnavailableError):  # who has the file open still is told nothing more
            old.replace(TOWN, [0], [])
    with pytest.raises(DatabaseUnavailableError, match="moved to the database: start this process with"):
        Directory.open(SharedPlace(place.state))
    assert not (place.state / DIRECTORY_FILE).exists()


def test_a_file_says_nothing_of_members_whom_the_database_knows(database: SharedPlace, tmp_path: Path) -> None:
    place = host_with_a_file(tmp_path / "host", database, held(1), held(1, HEALTH), held(2))
    with closing(Directory.open(database)) as directory:
        directory.replace(TOWN, [1], [held(1)])
        Directory.open(place).close()
        assert directory.members_holding([subject(1), subject(2)]) == {subject(1): {TOWN, HEALTH}}


def test_a_host_that_was_stopped_while_it_took_its_file_along_does_so_again(
    database: SharedPlace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = host_with_a_file(tmp_path / "host", database, held(1))
    with monkeypatch.context() as stopped:
        stopped.setattr(Path, "replace", lambda *_: 1 / 0)  # between the database's commit and the renaming
        with pytest.raises(ZeroDivisionError):
            Directory.open(place)
    assert (place.state / DIRECTORY_FILE).exists()
    with closing(Directory.open(place)) as directory:
        assert directory.members_holding([subject(1)]) == {subject(1): {TOWN}}
    assert not (place.state / DIRECTORY_FILE).exists()
