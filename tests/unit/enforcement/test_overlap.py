"""Counts that overlap: no two questions together tell of a few persons, as far as their texts say what nests (R26)."""

from __future__ import annotations

import threading
from collections.abc import Hashable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import permutations
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from federation.contract.errors import CountsOverlapError, UnavailableError
from federation.shared.place import SharedPlace
from node.enforcement.overlap import counted, parts_leave_a_few, tell_apart
from node.enforcement.told_counts import REMEMBERED, ToldCounts

DAY = date(2026, 11, 22)
LEAST = 10
Person = dict[str, str]


def where(**tests: Any) -> str:
    return msgspec.json.encode(tests, order="sorted").decode()


ALL = counted((), "", {(): 60})
NESTED = {
    "one person less": (ALL, counted((), where(age={"lt": 90}), {(): 59}), True),
    "many persons less": (ALL, counted((), where(age={"lt": 60}), {(): 40}), False),
    "the same persons": (ALL, counted((), where(age={"lt": 120}), {(): 60}), False),
    "a group within a filter": (
        counted(("sex",), "", {("f",): 31, ("m",): 29}),
        counted((), where(sex={"eq": "f"}, age={"lt": 90}), {(): 30}),
        True,
    ),
    "groups of other values are disjoint": (
        counted((), where(sex={"eq": "f"}), {(): 30}),
        counted((), where(sex={"eq": "m"}), {(): 29}),
        False,
    ),
    "other groups of the same people do not nest": (
        counted(("sex",), "", {("f",): 30, ("m",): 30}),
        counted(("place",), "", {("a",): 29, ("b",): 31}),
        False,
    ),
    "a cell left out is the difference to a coarser table": (
        counted(("sex", "place"), "", {("f", "a"): 20, ("m", "a"): 17, ("m", "b"): 20}),
        counted(("place",), "", {("a",): 37, ("b",): 23}),
        True,
    ),
    "equality in a conjunction is a group": (
        counted((), where(**{"and": [{"sex": {"eq": "f"}}]}), {(): 30}),
        counted(("sex",), "", {("f",): 30, ("m",): 29}),
        False,
    ),
}


@pytest.mark.parametrize(("one", "other", "apart"), NESTED.values(), ids=NESTED.keys())
def test_r26_counts_that_may_nest_do_not_differ_by_a_few(one: Any, other: Any, apart: bool) -> None:  # noqa: FBT001  # a table
    assert tell_apart(one, other, LEAST) is tell_apart(other, one, LEAST) is apart


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as the data plane asks it; by default over everybody."""

    counts: Mapping[tuple[Hashable, ...], int]
    where: str = ""
    by: tuple[str, ...] = ()
    type_name: str = field(default="Citizen")


@contextmanager
def opened() -> Iterator[ToldCounts]:
    with TemporaryDirectory() as folder, closing(ToldCounts.open(SharedPlace(Path(folder)))) as found:
        yield found


@pytest.fixture
def told() -> Iterator[ToldCounts]:
    with opened() as found:
        yield found


def test_r26_the_count_without_one_person_is_not_told_beside_the_count_with_him(told: ToldCounts) -> None:
    without = Asked({(): 59}, where(**{"not": {"name": {"eq": "Anna"}}}))
    told.tell("ustat", Asked({(): 60}), DAY, LEAST)
    with pytest.raises(CountsOverlapError, match="fewer than 10 persons"):
        told.tell("ustat", without, DAY, LEAST)
    told.tell("ustat", Asked({(): 60}), DAY, LEAST)  # the same again is told again
    with opened() as another:
        another.tell("ustat", without, DAY, LEAST)  # alone, it tells nothing


def test_r26_what_one_consumer_knows_of_one_type_is_its_own(told: ToldCounts) -> None:
    told.tell("ustat", Asked({(): 60}), DAY, LEAST)
    told.tell("aslvs", Asked({(): 59}, where(age={"lt": 90})), DAY, LEAST)
    told.tell("ustat", Asked({(): 59}, where(age={"lt": 90}), type_name="Benefit"), DAY, LEAST)


def test_r26_what_was_told_outlives_a_restart_and_is_forgotten_after_a_year(tmp_path: Path) -> None:
    place, less = SharedPlace(tmp_path), Asked({(): 59}, where(age={"lt": 90}))
    with closing(ToldCounts.open(place)) as told:
        told.tell("ustat", Asked({(): 60}), DAY, LEAST)
    with closing(ToldCounts.open(place)) as told:
        with pytest.raises(CountsOverlapError):
            told.tell("ustat", less, DAY + REMEMBERED, LEAST)
        told.tell("ustat", less, DAY + REMEMBERED + timedelta(days=1), LEAST)


def test_r26_of_two_halves_told_at_once_one_is_told(tmp_path: Path) -> None:
    admitted: list[str] = []

    def tell(counts: int, text: str) -> None:
        with closing(ToldCounts.open(SharedPlace(tmp_path))) as told, suppress(CountsOverlapError):
            told.tell("ustat", Asked({(): counts}, text), DAY, LEAST)
            admitted.append(text)

    workers = [threading.Thread(target=tell, args=(60 - n, where(age={"lt": 90 - n}))) for n in range(6)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(admitted) == 1


def test_r26_what_cannot_be_remembered_is_not_told(tmp_path: Path) -> None:
    told = ToldCounts.open(SharedPlace(tmp_path))
    told.close()
    with pytest.raises(UnavailableError, match="nothing that it must remember is allowed"):
        told.tell("ustat", Asked({(): 60}), DAY, LEAST)
    with pytest.raises(UnavailableError):
        ToldCounts.open(SharedPlace(tmp_path / "missing"))


def test_r26_bisecting_an_age_by_counts_runs_dry_before_it_ends(told: ToldCounts) -> None:
    """The attacker knows that everybody else is under 50, and halves the interval of one person's age by counting."""
    ages = [20 + number % 30 for number in range(60)] + [77]
    low, high = 50, 120

    def count(bound: int) -> int | None:
        found = sum(age < bound for age in ages)
        try:
            told.tell("ustat", Asked({(): found}, where(age={"lt": bound})), DAY, LEAST, populations=20)
        except CountsOverlapError:
            return None
        return found

    everybody = count(high)
    halvings = 0
    while high - low > 1 and (found := count((low + high) // 2)) is not None:
        halvings += 1
        low, high = ((low + high) // 2, high) if found != everybody else (low, (low + high) // 2)
    assert high - low > 10
    assert halvings <= 2


THREE: dict[str, list[Asked]] = {
    "a half, the other half but for one, and the whole": [
        Asked({(): 25}, where(age={"lt": 40})),
        Asked({(): 34}, where(age={"gte": 40, "lt": 90})),
        Asked({(): 60}),
    ],
    "two sets and their union tell of what they share": [
        Asked({("f",): 30, ("m",): 30}, by=("sex",)),
        Asked({("widowed",): 25, ("married",): 35}, by=("status",)),
        Asked({(): 54}, where(**{"or": [{"sex": {"eq": "f"}}, {"status": {"eq": "widowed"}}]})),
    ],
    "all but one value of a field, one by one": [
        Asked({("married",): 25}, where(place={"eq": "a"}), ("status",)),
        Asked({("married",): 24}, where(place={"eq": "b"}), ("status",)),
        Asked({("married",): 50}, by=("status",)),
    ],
    "parts of parts": [
        Asked({(): 25}, where(sex={"eq": "f"}, place={"eq": "a"})),
        Asked({(): 24}, where(sex={"eq": "f"}, place={"eq": "b"})),
        Asked({("m",): 30}, where(sex={"eq": "m"}), ("sex",)),
        Asked({(): 80}),
    ],
    "a suppressed year told by a bound": [
        Asked({("1980",): 21, ("1990",): 30}, by=("year",)),
        Asked({(): 25}, where(year={"lt": "1985"})),
    ],
}


def tell_all(told: ToldCounts, questions: Iterable[Asked]) -> int:
    """Ask one after the other; return how many were told."""
    number = 0
    for asked in questions:
        with suppress(CountsOverlapError):
            told.tell("ustat", asked, DAY, LEAST)
            number += 1
    return number


@pytest.mark.parametrize("questions", THREE.values(), ids=THREE)
def test_r26_no_order_of_overlapping_questions_tells_of_a_few(questions: list[Asked]) -> None:
    """Any two of them may be told, but never all."""
    for order in permutations(questions):
        with opened() as told:
            assert tell_all(told, order) < len(order)


def test_r26_counts_cut_by_equalities_are_told_one_after_the_other(told: ToldCounts) -> None:
    told.tell("ustat", Asked({("f",): 40, ("m",): 40}, by=("sex",)), DAY, LEAST)
    told.tell("ustat", Asked({("a",): 30}, where(sex={"eq": "f"}), ("place",)), DAY, LEAST)
    told.tell("ustat", Asked({("a",): 25, ("b",): 15}, where(sex={"eq": "m"}), ("place",)), DAY, LEAST)
    told.tell("ustat", Asked({("a",): 55, ("b",): 25}, by=("place",)), DAY, LEAST)


def test_r26_another_filter_is_another_population(told: ToldCounts) -> None:
    young, old = Asked({(): 100}, where(age={"lt": 18})), Asked({(): 300}, where(age={"gte": 65}))
    told.tell("ustat", young, DAY, LEAST)
    with pytest.raises(CountsOverlapError, match="group by what tells the rest apart"):
        told.tell("ustat", old, DAY, LEAST)
    told.tell("ustat", young, DAY, LEAST)
    told.tell("ustat", old, DAY, LEAST, populations=2)  # the member's own choice


def test_r26_filling_sets_are_found_in_many_dimensions() -> None:
    """Cells of three fields, told question by question, leave three persons of the whole."""
    cells = {(a, b, c): 20 for a in "xy" for b in "xy" for c in "xyz"}
    asked = [counted(("a", "b"), where(c={"eq": c}), {cell[:2]: 20 for cell in cells if cell[2] == c}) for c in "xyz"]
    whole = sum(cells.values())
    for count, apart in ((whole, False), (whole + 3, True), (whole + LEAST, False)):
        assert parts_leave_a_few([*asked, counted((), "", {(): count})], LEAST) is apart


PEOPLE = st.lists(
    st.fixed_dictionaries(
        {"sex": st.sampled_from("fm"), "place": st.sampled_from("abc"), "year": st.sampled_from("56789")}
    ),
    min_size=20,
    max_size=80,
)
TESTS = st.dictionaries(st.sampled_from(["sex", "place", "year"]), st.sampled_from("fmab5678"), max_size=3)
QUESTIONS = st.tuples(st.lists(st.sampled_from(["sex", "place"]), max_size=2, unique=True), TESTS, st.integers(0, 79))


@given(PEOPLE, st.lists(QUESTIONS, min_size=2, max_size=5))
@settings(max_examples=60)
def test_r26_however_one_person_is_left_out_no_two_told_counts_of_nested_sets_differ_by_a_few(
    people: list[Person], questions: list[tuple[list[str], dict[str, str], int]]
) -> None:
    known: list[tuple[int, frozenset[int]]] = []
    with opened() as told:
        for by, tests, spared in questions:
            kept = [
                number
                for number, person in enumerate(people)
                if number != spared and all(person[name] == value for name, value in tests.items())
            ]
            groups: dict[tuple[str, ...], set[int]] = {}
            for number in kept:
                groups.setdefault(tuple(people[number][name] for name in by), set()).add(number)
            shown: dict[tuple[Hashable, ...], int] = {
                cell: len(members) for cell, members in groups.items() if len(members) >= LEAST
            }
            text = where(**{name: {"eq": value} for name, value in tests.items()}, number={"ne": spared})
            try:
                told.tell("ustat", Asked(shown, text, tuple(by)), DAY, LEAST, populations=5)
            except CountsOverlapError:
                continue
            earlier = list(known)
            now = [frozenset(members) for members in groups.values() if len(members) >= LEAST]
            known += [(spared, members) for members in now]
            for members in now:
                for other, before in earlier:
                    if other != spared and (members <= before or before <= members):
                        assert abs(len(members) - len(before)) not in range(1, LEAST)
