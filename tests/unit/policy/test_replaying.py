"""Recorded operations against a candidate bundle."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner, Result

from federation.contract.decisions import FieldDecision
from federation.contract.entries import Entry, EntryKind
from federation.contract.identifiers import MemberId
from node.console.policy_commands import app
from node.policy.errors import PolicyError
from node.policy.replaying import Consumer, Shift, replay
from tests.support.policies import EXAMPLE, example

if TYPE_CHECKING:
    from pathlib import Path

CONSUMERS = {"inps": Consumer("national", "058091")}


def recorded(*decisions: FieldDecision, purpose: str = "benefit-assessment", at: str = "2026-05-01T10:00:00Z") -> Entry:
    return Entry(
        kind=EntryKind.DISCLOSURE,
        at=at,
        writer=MemberId("c_m999"),
        consumer="inps",
        purpose=purpose,
        legal_basis=("6.1.e",),
        decisions=decisions,
    )


def test_a_decision_that_stays_possible_is_no_shift() -> None:
    entry = recorded(FieldDecision("Citizen.isee", "band"), FieldDecision("Citizen.email", "deny"))
    found = replay(example(), [entry], CONSUMERS)
    assert (found.shifts, found.operations, found.decisions) == ((), 1, 2)


def test_a_row_that_was_denied_may_be_denied_again() -> None:
    assert replay(example(), [recorded(FieldDecision("Citizen.isee", "deny"))], CONSUMERS).shifts == ()


def test_shifts_are_counted_per_consumer_purpose_and_field() -> None:
    entries = [recorded(FieldDecision("Citizen.isee", "clear"), FieldDecision("Citizen.email", "email"))] * 3
    assert replay(example(), entries, CONSUMERS).shifts == (
        Shift("inps", "benefit-assessment", "Citizen.email", "email", ("deny",), 3),
        Shift("inps", "benefit-assessment", "Citizen.isee", "clear", ("band", "deny"), 3),
    )


SHIFTED = {
    "after the window": recorded(FieldDecision("Citizen.isee", "band"), at="2026-12-31T23:30:00Z"),
    "another purpose": recorded(FieldDecision("Citizen.isee", "band"), purpose="social-benefit"),
    "a purpose that is gone": recorded(FieldDecision("Citizen.isee", "band"), purpose="curiosity"),
    "a type that is gone": recorded(FieldDecision("Vehicle.plate", "clear")),
}


@pytest.mark.parametrize("entry", SHIFTED.values(), ids=SHIFTED.keys())
def test_what_the_candidate_denies_is_a_shift(entry: Entry) -> None:
    [shift] = replay(example(), [entry], CONSUMERS).shifts
    assert shift.candidate == ("deny",)


def test_join_keys_and_other_entries_are_not_decisions_of_the_policy() -> None:
    entries = [
        recorded(FieldDecision("Citizen.id", "pseudonym", join_key=True)),
        Entry(kind=EntryKind.REFUSAL, at="2026-05-01T10:00:00Z", writer=MemberId("c_m999"), code="FORBIDDEN"),
    ]
    assert replay(example(), entries, CONSUMERS).decisions == 0


def test_a_consumer_of_whom_nothing_is_known_is_refused() -> None:
    with pytest.raises(PolicyError, match="consumer `inps` of the log"):
        replay(example(), [recorded()], {})


def run(tmp_path: Path, log: bytes) -> Result:
    (tmp_path / "log.ndjson").write_bytes(log)
    (tmp_path / "consumers.json").write_text(json.dumps({"inps": {"kind": "national"}}), encoding="utf-8")
    arguments = [str(tmp_path / "log.ndjson"), "--consumers", str(tmp_path / "consumers.json")]
    return CliRunner().invoke(app, ["replay", *arguments, "--policies", str(EXAMPLE)])


def test_replay_on_the_command_line(tmp_path: Path) -> None:
    shifted = run(tmp_path, recorded(FieldDecision("Citizen.isee", "clear")).to_bytes() + b"\n")
    assert shifted.exit_code == 1
    assert "inps for benefit-assessment: Citizen.isee clear → band or deny (1 operations)" in shifted.stdout
    assert run(tmp_path, recorded(FieldDecision("Citizen.isee", "band")).to_bytes()).exit_code == 0


def test_a_line_that_is_no_entry_is_refused(tmp_path: Path) -> None:
    result = run(tmp_path, b"{}\n")
    assert result.exit_code == 2
    assert "line 1 of the log is not a journal entry" in result.stderr
