"""The public gateway audit with one subgraph down at a time: less data, never other data, and every loss explained."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.audit import ABSENT, URL, Case, cases, judge

pytestmark = [pytest.mark.conformance, pytest.mark.skipif(not URL, reason=ABSENT)]

READING = [case for case in cases() if not case.query.strip().startswith("mutation")]


def lost(whole: Any, part: Any, at: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Return the places where a value became null; anything else that differs is wrong data."""
    if part is None:
        return [] if whole is None else [at]
    if isinstance(whole, dict):
        assert whole.keys() == part.keys(), at
        return [place for name in whole for place in lost(whole[name], part[name], (*at, name))]
    if isinstance(whole, list):
        assert len(whole) == len(part), at
        return [place for index, item in enumerate(whole) for place in lost(item, part[index], (*at, index))]
    assert whole == part, at
    return []


def explained(place: tuple[str | int, ...], errors: list[dict[str, Any]]) -> bool:
    """Say whether an error is about a place, or about something below that made it null."""
    paths = [tuple(path) for error in errors for path in [error.get("path", []), *error["extensions"].get("paths", [])]]
    return any(path[: len(place)] == place for path in paths)


@pytest.mark.parametrize("case", READING, ids=lambda case: case.name)
async def test_one_subgraph_down_costs_its_fields_and_every_loss_has_an_error(case: Case) -> None:
    for subgraph in case.subgraphs:
        whole = await judge(case)
        part = await judge(case, down=frozenset({subgraph["name"]}))
        gone = lost(whole.data, part.data)
        unexplained = [place for place in gone if not explained(place, part.errors)]
        assert unexplained == [], (subgraph["name"], part.data, part.errors)
        new = [error for error in part.errors if error not in whole.errors]
        assert all(error["extensions"]["code"] in {"NODE_UNAVAILABLE", "NOT_FOUND"} for error in new), new
