"""Small groups are left out, and so is what would give them away (policy R25)."""

from __future__ import annotations

from collections import Counter
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.data.noise import noisy
from node.data.suppression import Cell, told

pytestmark = pytest.mark.property


def test_r25_a_table_without_small_cells_is_told_whole() -> None:
    assert told({("a",): 5, ("b",): 9}, 5) == {("a",), ("b",)}


def test_r25_the_second_smallest_cell_goes_with_the_smallest() -> None:
    assert told({("a",): 3, ("b",): 9, ("c",): 7}, 5) == {("b",)}


def test_r25_cells_that_are_small_together_take_another_with_them() -> None:
    assert told({("a",): 1, ("b",): 1, ("c",): 30, ("d",): 40}, 5) == {("d",)}


def test_r25_a_total_is_not_told_of_too_few() -> None:
    assert told({(): 4}, 5) == frozenset()
    assert told({(): 5}, 5) == {()}


def test_an_empty_table_tells_nothing() -> None:
    assert told({}, 5) == frozenset()


COUNTS = st.dictionaries(
    st.tuples(st.integers(0, 3), st.integers(0, 2), st.booleans()), st.integers(1, 12), min_size=1, max_size=24
)


@given(COUNTS, st.integers(2, 6))
def test_r25_no_sum_along_a_line_gives_a_hidden_cell_back(counts: dict[Cell, int], least: int) -> None:
    """Whoever knows the sums of a table cannot subtract what is told from one and be left with a single small group."""
    shown = told(counts, least)
    assert all(counts[cell] >= least for cell in shown)
    for size in range(3):
        for kept in combinations(range(3), size):
            cells, rest, hidden = Counter[Cell](), Counter[Cell](), Counter[Cell]()
            for cell, count in counts.items():
                line = tuple(cell[index] for index in kept)
                cells[line] += 1
                rest[line] += 0 if cell in shown else count
                hidden[line] += cell not in shown
            for line, number in cells.items():
                alone = hidden[line] == number  # nothing of it is told, so nothing can be subtracted
                assert hidden[line] == 0 or alone or (rest[line] >= least and hidden[line] > 1)


@given(COUNTS, st.integers(2, 6), st.randoms())
def test_r25_the_same_table_is_cut_the_same_whatever_the_order_of_its_rows(
    counts: dict[Cell, int], least: int, chance: object
) -> None:
    shuffled = list(counts.items())
    chance.shuffle(shuffled)  # type: ignore[attr-defined]  # a Random of Hypothesis
    assert told(dict(shuffled), least) == told(counts, least)


def test_noise_is_the_same_for_the_same_question_and_centred_on_the_count() -> None:
    drawn = [noisy(100, 0.5, b"k" * 32, str(number)) for number in range(2_000)]
    assert drawn == [noisy(100, 0.5, b"k" * 32, str(number)) for number in range(2_000)]
    assert abs(sum(drawn) / len(drawn) - 100) < 0.5
    far = sum(abs(value - 100) > 5 for value in drawn) / len(drawn)
    assert 0.03 < far < 0.12  # exp(-3) and some more, for the discrete law
    assert all(noisy(0, 0.1, b"k" * 32, str(number)) >= 0 for number in range(100))
