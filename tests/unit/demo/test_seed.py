"""The seeded demo: the same every time, plausible, and without a subject id in any register."""

import hashlib
import json
import sqlite3
from collections import Counter
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from codicefiscale import codicefiscale

from node.demo.facts import SEED_DAY, Person
from node.demo.seed import SeedReport, demo_files, read_holdings, read_truth, seed
from node.vocabulary.tax_code import encode_tax_code, is_tax_code

MEMBERS = {"c_m999", "aslvs", "inprev", "istsc_bv01", "coop_ponte"}


def _content(register: Path) -> str:
    with sqlite3.connect(register) as connection:
        return hashlib.sha256("\n".join(connection.iterdump()).encode()).hexdigest()


def test_the_same_seed_makes_the_same_registers(
    seeded: SeedReport, tmp_path: Path, pseudonym_of: Callable[[str, bytes], str]
) -> None:
    again = seed(tmp_path, seeded.people, lambda _done, _wanted: None, pseudonym_of)
    assert {member: _content(file) for member, file in again.registers.items()} == {
        member: _content(file) for member, file in seeded.registers.items()
    }
    assert again.truth_file.read_bytes() == seeded.truth_file.read_bytes()


def test_another_seed_makes_another_town_with_the_same_documented_people(
    people: list[Person], tmp_path: Path, pseudonym_of: Callable[[str, bytes], str]
) -> None:
    other = list(read_truth(seed(tmp_path, 50, lambda _done, _wanted: None, pseudonym_of, seed=1).truth_file))
    assert [person.tax_code for person in other[:7]] == [person.tax_code for person in people[:7]]
    assert [person.tax_code for person in other[7:]] != [person.tax_code for person in people[7:50]]


def test_a_larger_town_begins_with_the_people_of_a_smaller_one(
    people: list[Person], tmp_path: Path, pseudonym_of: Callable[[str, bytes], str]
) -> None:
    smaller = list(read_truth(seed(tmp_path, 400, lambda _done, _wanted: None, pseudonym_of).truth_file))
    assert [person.tax_code for person in smaller] == [person.tax_code for person in people[:400]]


def test_progress_is_told_up_to_the_last_person(tmp_path: Path, pseudonym_of: Callable[[str, bytes], str]) -> None:
    told: list[tuple[int, int]] = []
    seed(tmp_path, 2100, lambda done, wanted: told.append((done, wanted)), pseudonym_of)
    assert told == [(2000, 2100), (2100, 2100)]


def test_the_members_overlap_as_promised(seeded: SeedReport, people: list[Person]) -> None:
    share = {member: known / seeded.people for member, known in seeded.known.items()}
    assert share.keys() == MEMBERS
    assert share["c_m999"] == pytest.approx(0.85, abs=0.05)
    assert share["aslvs"] == pytest.approx(0.70, abs=0.05)
    assert share["inprev"] == pytest.approx(0.80, abs=0.05)
    assert share["coop_ponte"] == pytest.approx(0.04, abs=0.02)
    for person in people:
        assert any((person.civil, person.health, person.security, person.school, person.support))
        if person.school:
            age = SEED_DAY.year - int(person.born[:4])
            assert 2 <= age <= 14


def test_tax_codes_are_unique_and_say_what_the_person_is(people: list[Person]) -> None:
    codes = [person.tax_code for person in people]
    assert len(set(codes)) == len(codes)
    assert all(is_tax_code(code) for code in codes)
    for person in people[:: len(people) // 40]:
        decoded = codicefiscale.decode(person.tax_code)
        assert decoded["birthdate"].date() == date.fromisoformat(person.born)
        assert decoded["gender"] == ("F" if person.sex == "female" else "M")
        assert decoded["birthplace"]["code"] == person.birthplace.code


def test_some_people_have_an_omocodia_variant_of_their_base_code(people: list[Person]) -> None:
    bases = {
        person.tax_code: encode_tax_code(
            person.family_name,
            person.given_name,
            person.sex,
            date.fromisoformat(person.born),
            person.birthplace.code,
        )
        for person in people
    }
    variants = [code for code, base in bases.items() if code != base]
    assert len(variants) >= 2
    assert all(codicefiscale.is_omocode(code) for code in variants)


def test_registers_have_the_gaps_and_errors_of_real_ones(people: list[Person]) -> None:
    civil = [person.civil for person in people if person.civil]
    health = [(person, person.health) for person in people if person.health]
    assert any(record.protected is None for record in civil)
    assert any(record.tax_code is None for record in civil)
    assert any(len(record.born) < 10 for record in civil)
    assert any(record.status == "deceased" for record in civil)
    assert any(
        (record.family_name, record.given_name) != (person.family_name, person.given_name) for person, record in health
    )


def test_no_register_holds_a_subject_id(seeded: SeedReport, people: list[Person]) -> None:
    subjects = {person.subject for person in people}
    for file in seeded.registers.values():
        with sqlite3.connect(file) as connection:
            dump = "\n".join(connection.iterdump())
        content = file.read_bytes()
        assert not any(subject in dump for subject in subjects)
        assert not any(person.subject_id in content for person in people)


def test_a_register_holds_its_own_pseudonyms_and_no_other(
    seeded: SeedReport, people: list[Person], pseudonym_of: Callable[[str, bytes], str]
) -> None:
    with sqlite3.connect(seeded.registers["c_m999"]) as connection:
        stored = {row[0] for row in connection.execute("SELECT PSEUDO FROM ANAGRAFE")}
    assert stored == {pseudonym_of("c_m999", person.subject_id) for person in people if person.civil}
    with sqlite3.connect(seeded.registers["coop_ponte"]) as connection:
        columns = {row[1].lower() for row in connection.execute("PRAGMA table_info(utenti)")}
    assert not any("cod" in column or "cf" in column for column in columns)


def test_registers_are_in_wal_mode_with_sound_references_and_indexes(seeded: SeedReport) -> None:
    for file in seeded.registers.values():
        with sqlite3.connect(file) as connection:
            assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
            assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    with sqlite3.connect(seeded.registers["c_m999"]) as connection:
        (plan,) = connection.execute("EXPLAIN QUERY PLAN SELECT * FROM ANAGRAFE WHERE PSEUDO = 'x'").fetchall()
    assert "IX_ANAG_PSEUDO" in plan[3]


def test_the_directory_knows_who_holds_a_file_and_since_when(seeded: SeedReport, people: list[Person]) -> None:
    holdings = list(read_holdings(seeded.holdings_file))
    assert len(holdings) == seeded.holdings
    assert {holding.capacity for holding in holdings} == {"resident", "patient", "insured", "pupil", "beneficiary"}
    held = Counter(holding.member for holding in {(h.subject, h.member): h for h in holdings}.values())
    assert held == Counter(seeded.known)
    laura = people[0].subject
    assert {(holding.member, holding.capacity) for holding in holdings if holding.subject == laura} == {
        ("c_m999", "resident"),
        ("aslvs", "patient"),
        ("inprev", "insured"),
        ("inprev", "beneficiary"),
        ("coop_ponte", "beneficiary"),
    }


def test_an_interrupted_run_leaves_an_earlier_demo_as_it_was(
    tmp_path: Path, pseudonym_of: Callable[[str, bytes], str]
) -> None:
    first = seed(tmp_path, 100, lambda _done, _wanted: None, pseudonym_of)
    before = {member: _content(file) for member, file in first.registers.items()}

    def interrupt(_done: int, _wanted: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        seed(tmp_path, 200, interrupt, pseudonym_of)
    assert {member: _content(file) for member, file in first.registers.items()} == before
    assert not (tmp_path / ".seeding").exists()


def test_the_documented_people_are_who_the_file_says(people: list[Person]) -> None:
    by_name = {person.showcase: person for person in people if person.showcase}
    assert list(by_name) == ["laura", "paolo", "sofia", "giulia", "marco", "mario-rossi", "mario-russo"]
    for person in by_name.values():
        assert is_tax_code(person.tax_code)
    sofia, laura, giulia, marco = (by_name[name] for name in ("sofia", "laura", "giulia", "marco"))
    assert (SEED_DAY - date.fromisoformat(sofia.born)).days // 365 == 12
    assert sofia.civil
    assert laura.civil
    assert sofia.civil.household == laura.civil.household
    assert sofia.civil.household_size == 3
    assert sofia.health
    assert sofia.health.disability
    assert sofia.health.exemptions
    assert sofia.school
    assert sofia.school.currently_enrolled
    assert laura.security
    assert laura.security.isee
    assert laura.support
    assert giulia.civil
    assert giulia.civil.protected is True
    assert marco.health is None
    russo = by_name["mario-russo"]
    assert by_name["mario-rossi"].tax_code == encode_tax_code("Russo", "Mario", "male", date(1980, 4, 1), "F257")
    assert codicefiscale.is_omocode(russo.tax_code)


def test_the_truth_is_one_line_of_json_per_person(seeded: SeedReport) -> None:
    lines = seeded.truth_file.read_text(encoding="utf-8").splitlines()
    assert len(lines) == seeded.people
    assert json.loads(lines[0])["given_name"] == "Laura"


def test_the_demo_files_are_found_beside_the_code() -> None:
    assert {folder.name for folder in demo_files().iterdir() if folder.is_dir()} >= MEMBERS
