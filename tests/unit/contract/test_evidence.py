"""Commitments: one digest for an answer, and each value shown or removed alone."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation.contract.evidence import (
    CITIZEN,
    asks_for_evidence,
    citizen_handle,
    commit,
    digest_of,
    is_internal,
    values_of,
)

SEED, REQUEST = bytes(range(32)), "sha256:0"
scalars = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
answers = st.recursive(
    scalars | st.text(max_size=8),
    lambda below: st.lists(below, max_size=3) | st.dictionaries(st.text(max_size=4), below, max_size=3),
    max_leaves=12,
)


@given(answers)
def test_every_value_is_shown_by_its_own_commitment(data: Any) -> None:
    digest, committed = commit(data, SEED, REQUEST)
    values = list(values_of(data))
    assert [each.path for each in committed] == [path for path, _ in values]
    for each, (path, value) in zip(committed, values, strict=True):
        assert each.shows(value) is not is_internal(path)
    assert digest_of(committed) == digest
    assert digest_of(each.without_value() for each in committed) == digest


@given(answers, st.data())
def test_another_value_or_place_is_not_shown(data: Any, drawn: st.DataObject) -> None:
    digest, committed = commit(data, SEED, REQUEST)
    if not committed:
        return
    position = drawn.draw(st.integers(0, len(committed) - 1))
    original = list(values_of(data))[position][1]
    other = drawn.draw((scalars | st.text(max_size=8)).filter(lambda value: value != original or value is not original))
    if msgspec.json.encode(other) != msgspec.json.encode(original) and other != original:
        assert not committed[position].shows(other)
    moved = msgspec.structs.replace(committed[position], path=(*committed[position].path, "x"))
    assert digest_of([*committed[:position], moved, *committed[position + 1 :]]) != digest


def test_numbers_are_compared_as_json_numbers() -> None:
    _, (one,) = commit({"amount": 480.0}, SEED, REQUEST)
    assert one.shows(480)
    assert not one.shows("480")
    assert not commit({"flag": True}, SEED, REQUEST)[1][0].shows(1)


PSEUDONYM = "v1.siv.inprev.PQoRiw9YgjsmRivP9g6l2s7cmA07_DZjfa5bxEwPzLs"


def test_join_keys_are_hidden_and_pseudonyms_stand_as_their_handles() -> None:
    data = {"_entities": [{"_k_tax": "4711", "id": PSEUDONYM, "isee": "[0,1)"}]}
    _, (tax, own, isee) = commit(data, SEED, REQUEST)
    assert not tax.salt
    assert isee.shows("[0,1)")
    assert not own.shows(PSEUDONYM)
    assert own.shows(citizen_handle(PSEUDONYM, REQUEST))
    assert PSEUDONYM not in str(own)


def test_an_object_that_was_asked_for_says_whom_it_is_about_in_this_request_only() -> None:
    _, committed = commit({"_entities": [{"isee": "[0,1)"}]}, SEED, REQUEST, [(("_entities", 0), PSEUDONYM)])
    assert committed[-1].path == ("_entities", 0, CITIZEN)
    assert committed[-1].shows(citizen_handle(PSEUDONYM, REQUEST))
    assert not committed[-1].shows(citizen_handle(PSEUDONYM, "sha256:1"))


@pytest.mark.parametrize(("extensions", "asks"), [({}, False), ({"evidence": True}, True), ({"evidence": 1}, False)])
def test_only_true_asks_for_evidence(extensions: dict[str, Any], asks: bool) -> None:  # noqa: FBT001  # a table of cases
    assert asks_for_evidence(extensions) is asks
