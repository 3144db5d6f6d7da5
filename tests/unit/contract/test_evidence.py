"""Commitments: one digest for an answer, and each value shown or removed alone."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from federation.contract.evidence import asks_for_evidence, commit, digest_of, is_internal, is_pseudonym, values_of

SEED = bytes(range(32))
scalars = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
answers = st.recursive(
    scalars | st.text(max_size=8),
    lambda below: st.lists(below, max_size=3) | st.dictionaries(st.text(max_size=4), below, max_size=3),
    max_leaves=12,
)


@settings(deadline=None)
@given(answers)
def test_every_value_is_shown_by_its_own_commitment(data: Any) -> None:
    digest, committed = commit(data, SEED)
    values = list(values_of(data))
    assert [each.path for each in committed] == [path for path, _ in values]
    for each, (path, value) in zip(committed, values, strict=True):
        hidden = is_internal(path) or is_pseudonym(value)
        assert each.shows(value) is not hidden
    assert digest_of(committed) == digest
    assert digest_of(each.without_value() for each in committed) == digest


@settings(deadline=None)
@given(answers, st.data())
def test_another_value_or_place_is_not_shown(data: Any, drawn: st.DataObject) -> None:
    digest, committed = commit(data, SEED)
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
    _, (one,) = commit({"amount": 480.0}, SEED)
    assert one.shows(480)
    assert not one.shows("480")
    assert not commit({"flag": True}, SEED)[1][0].shows(1)


def test_join_keys_and_pseudonyms_are_hidden() -> None:
    pseudonym = "v1.siv.inprev.PQoRiw9YgjsmRivP9g6l2s7cmA07_DZjfa5bxEwPzLs"
    data = {"_entities": [{"_k_id": "4711", "id": pseudonym, "isee": "[0,1)"}]}
    _, committed = commit(data, SEED)
    assert [(each.path[-1], bool(each.salt)) for each in committed] == [("_k_id", False), ("id", False), ("isee", True)]
    assert pseudonym not in str(committed)


@pytest.mark.parametrize(("extensions", "asks"), [({}, False), ({"evidence": True}, True), ({"evidence": 1}, False)])
def test_only_true_asks_for_evidence(extensions: dict[str, Any], asks: bool) -> None:  # noqa: FBT001  # a table of cases
    assert asks_for_evidence(extensions) is asks
