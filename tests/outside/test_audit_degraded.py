"""The public gateway audit with one subgraph failing at a time: less data, never other data, and every loss explained.

`degraded.txt` holds, for every case and subgraph, which places are lost: people review it, `REWRITE_SNAPSHOTS=1` writes
it. A subgraph that is slow (it fails after the others have answered) or answers with garbage costs the same as one that
is down; only the code differs. One whose answer is altered costs no more than that: where it costs less, the line says
what. One that says more than it was asked costs nothing.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from federation.contract.errors import NodeTimeoutError, NodeUnavailableError
from tests.support.audit import ABSENT, URL, Case, Failing, Verdict, cases, judge
from tests.support.lost_places import lost

pytestmark = [pytest.mark.conformance, pytest.mark.skipif(not URL, reason=ABSENT)]

GOLDEN = Path(__file__).with_name("degraded.txt")

FAILURES = {
    "NODE_UNAVAILABLE": NodeUnavailableError("down"),
    "NODE_TIMEOUT": NodeTimeoutError("slow"),
}
LIES = {
    "HTML": b"<html><body>502 Bad Gateway</body></html>",
    "truncated": b'{"data": {"',
    "another type": b'{"data": 1}',
    "a key twice": b'{"data": null, "data": {}}',
    "no entities": b'{"data": {"_entities": {}}}',
    "nothing": b"{}",
}


def wrong(value: Any) -> Any:
    """Put an object where a leaf is expected."""
    if isinstance(value, dict):
        return {name: wrong(one) for name, one in value.items()}
    if isinstance(value, list):
        return [wrong(one) for one in value]
    return None if value is None else {"wrong": 1}


def fewer(value: Any) -> Any:
    """Leave a field out of every object that has no object in it."""
    if isinstance(value, list):
        return [fewer(one) for one in value]
    if not isinstance(value, dict):
        return value
    below = {name: fewer(one) for name, one in value.items()}
    return below if any(isinstance(one, dict | list) for one in below.values()) else dict(list(below.items())[1:])


def miscounted(value: Any) -> Any:
    """Leave the last entity out of every list of entities, and everything else as it is."""
    return {name: one[:-1] if name.startswith("_e") else one for name, one in value.items()}


ALTERED = {"of wrong types": wrong, "with a field too few": fewer, "with an entity too few": miscounted}


def more(value: Any) -> Any:
    """Add a field that nobody asked for to every object."""
    if isinstance(value, list):
        return [more(one) for one in value]
    if not isinstance(value, dict):
        return value
    return {**{name: more(one) for name, one in value.items()}, "unasked": 1}


def explained(place: tuple[str | int, ...], errors: list[dict[str, Any]]) -> bool:
    """Say whether an error is about a place, or about something below that made it null."""
    paths = [tuple(path) for error in errors for path in [error.get("path", []), *error["extensions"].get("paths", [])]]
    return any(path[: len(place)] == place for path in paths)


async def degraded(case: Case, whole: Verdict, failing: Failing, code: str) -> list[tuple[str | int, ...]]:
    """Run a case with members that fail, hold it against the undisturbed answer, and return what is lost."""
    part = await judge(case, failing=failing)
    assert part.fetches <= whole.fetches, "nothing is asked twice, and a mutation least of all"
    gone = lost(whole.data, part.data)
    unexplained = [place for place in gone if not explained(place, part.errors)]
    assert unexplained == [], (failing, part.data, part.errors)
    new = [error for error in part.errors if error not in whole.errors]
    assert all(error["extensions"]["code"] in {code, "NOT_FOUND"} for error in new), new
    assert all(error["extensions"].get("member") in failing for error in new if error["extensions"]["code"] == code)
    return gone


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.name)
async def test_one_subgraph_that_fails_costs_its_fields_and_every_loss_has_an_error(case: Case) -> None:
    whole = await judge(case)
    for subgraph in case.subgraphs:
        name = subgraph["name"]
        found = {code: await degraded(case, whole, {name: error}, code) for code, error in FAILURES.items()}
        for lie in LIES.values():
            found[repr(lie)] = await degraded(case, whole, {name: lie}, "NODE_MISBEHAVED")
        first = found["NODE_UNAVAILABLE"]
        assert all(gone == first for gone in found.values()), found
        line = f"{case.name} without {name}: {printed(first)}"
        for kind, alter in ALTERED.items():
            gone = await degraded(case, whole, {name: alter}, "NODE_MISBEHAVED")
            assert all(any(place[: len(above)] == above for above in first) for place in gone)
            line += f"; {kind}: {printed(gone)}" if gone != first else ""
        assert (await judge(case, failing={name: more})).data == whole.data
        check_golden(line)


def printed(places: list[tuple[str | int, ...]]) -> str:
    """Print places of a response."""
    return ", ".join(".".join(map(str, place)) or "everything" for place in places) or "nothing"


def check_golden(line: str) -> None:
    """Hold a line against the reviewed ones."""
    known = GOLDEN.read_text().splitlines() if GOLDEN.exists() else []
    if os.environ.get("REWRITE_SNAPSHOTS") and line not in known:
        subject = line.partition(":")[0]
        GOLDEN.write_text(
            "\n".join(sorted([*(one for one in known if not one.startswith(f"{subject}:")), line])) + "\n"
        )
        return
    assert line in known
