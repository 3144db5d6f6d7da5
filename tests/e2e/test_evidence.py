"""What anybody can check from outside: proofs over HTTP, witnesses, and evidence that holds without the federation."""

from __future__ import annotations

import copy
import json
import time
from typing import TYPE_CHECKING, Any

import httpx
import msgspec
import pytest

from federation.consumer.evidence import Bundle, verify_bundle
from federation.contract.receipts import Receipt
from federation.ledger.note import Ed25519Verifier
from federation.ledger.proof import verify_receipt
from tests.support.demo import crocevia

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.demo import Command, RunningDemo

TAX_CODE = "BNCLRA84H57F257B"
QUESTION = "deploy/demo/queries/benefit-assessment.graphql"


def asked(demo: RunningDemo, command: Command, *more: str | Path) -> str:
    """Ask the showcase question."""
    who = ("--as", "inprev", "--purpose", "benefit-assessment", "--citizen", TAX_CODE, "--home", demo.home.root)
    ran = command("query", *who, QUESTION, "--format", "json", *more)
    assert ran.status == 0, ran.err
    return ran.out


def test_an_entry_is_proved_over_http(demo: RunningDemo, command: Command, tmp_path: Path) -> None:
    asked(demo, command)
    file = tmp_path / "receipt.json"
    assert command("ledger", "prove", "c_m999", "0", "--receipt", file, "--home", demo.home.root).status == 0
    members = demo.partner("inprev").members
    receipt = msgspec.json.decode(file.read_bytes(), type=Receipt)
    verify_receipt(receipt, Ed25519Verifier.parse(members.member("c_m999").ledger or ""))
    assert command("ledger", "prove", "ustat", "0", "--home", demo.home.root).status == 4
    beyond = command("ledger", "prove", "c_m999", "999999", "--home", demo.home.root)
    assert beyond.status == 4
    assert "entry 999999 is not there" in beyond.err


def test_the_evidence_of_an_answer_holds_without_the_federation(
    demo: RunningDemo, command: Command, tmp_path: Path
) -> None:
    file, bare = tmp_path / "evidence.json", tmp_path / "bare.json"
    answer = json.loads(asked(demo, command, "--evidence", file))
    assert file.stat().st_mode & 0o777 == 0o600
    keys = [("--ledger-key", vkey) for vkey in demo.partner("inprev").members.ledgers().values()]
    alone = [part for pair in keys for part in pair]
    ran = command("verify", file, *alone, "--format", "json", "--without-values", bare)
    found = json.loads(ran.out)
    assert (ran.status, found["faults"]) == (0, [])
    assert found["proved"] >= 30
    assert {entry["member"] for entry in found["entries"]} >= {"c_m999", "inprev"}

    told = bare.read_text()
    assert TAX_CODE not in told
    assert answer["data"]["citizen"]["residence"]["address"]["fullAddress"] not in told
    ran = command("verify", bare, "--home", demo.home.root, "--format", "json")
    found = json.loads(ran.out)
    assert (ran.status, found["faults"], found["proved"]) == (0, [], 0)
    assert found["removed"] >= 30


def test_a_value_altered_by_the_gateway_is_found_and_named(demo: RunningDemo, command: Command, tmp_path: Path) -> None:
    file = tmp_path / "evidence.json"
    asked(demo, command, "--evidence", file)
    bundle = json.loads(file.read_bytes())
    bundle["response"]["data"]["citizen"]["isee"] = "[0,6000)"
    file.write_text(json.dumps(bundle))
    ran = command("verify", file, "--home", demo.home.root, "--format", "json")
    assert ran.status == 1
    assert json.loads(ran.out)["faults"] == ["`citizen.isee` is not what `inprev` gave"]


@pytest.fixture(scope="module")
def of_several(demo: RunningDemo, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The evidence of an answer about several citizens, with the ledgers' keys and the exchange's."""
    file = tmp_path_factory.mktemp("several") / "evidence.json"
    question = "deploy/demo/queries/statistics.graphql"
    who = ("--as", "ustat", "--purpose", "statistics", "--home", str(demo.home.root), "--format", "json")
    ran = crocevia(["query", *who, question, "--evidence", str(file)])
    assert ran.status == 0, ran.err
    found: dict[str, Any] = json.loads(file.read_bytes())
    return found


def faults(demo: RunningDemo, changed: dict[str, Any]) -> list[str]:
    members = demo.partner("ustat").members
    bundle = Bundle.parse(json.dumps(changed).encode())
    return verify_bundle(bundle, members.ledgers(), members.member("ustat").keys, members.exchange.keys).faults


def two_that_differ(bundle: dict[str, Any], field: str) -> tuple[dict[str, Any], dict[str, Any]]:
    nodes = [edge["node"] for edge in bundle["response"]["data"]["citizens"]["edges"]]
    return next((a, b) for a in nodes for b in nodes if None not in (a[field], b[field]) and a[field] != b[field])


def test_every_citizen_of_several_is_tied_to_what_is_said_of_them(
    demo: RunningDemo, of_several: dict[str, Any]
) -> None:
    members = demo.partner("ustat").members
    bundle = Bundle.parse(json.dumps(of_several).encode())
    found = verify_bundle(bundle, members.ledgers(), members.member("ustat").keys, members.exchange.keys)
    assert (found.faults, found.untied) == ([], 0)
    without_keys = verify_bundle(bundle, members.ledgers())
    assert without_keys.faults == []
    assert without_keys.untied > 0


def test_whole_objects_exchanged_between_two_citizens_are_found(demo: RunningDemo, of_several: dict[str, Any]) -> None:
    changed = copy.deepcopy(of_several)
    one, other = two_that_differ(changed, "isee")  # all that one node gave
    one["isee"], other["isee"] = other["isee"], one["isee"]
    assert any("isee` is not what `inprev` gave" in fault for fault in faults(demo, changed))


def test_names_exchanged_between_two_citizens_are_found(demo: RunningDemo, of_several: dict[str, Any]) -> None:
    """With every other node's objects moved along: the node that gave the list committed to the names in it."""
    changed = copy.deepcopy(of_several)
    one, other = two_that_differ(changed, "isee")
    for field in ("id", "isee", "disability"):
        one[field], other[field] = other[field], one[field]
    assert any("id` is not what `c_m999` gave" in fault for fault in faults(demo, changed))


@pytest.mark.parametrize("what", ["taken away", "of two citizens exchanged"])
def test_statements_of_the_exchange_cannot_be_changed(demo: RunningDemo, of_several: dict[str, Any], what: str) -> None:
    changed = copy.deepcopy(of_several)
    if what == "taken away":
        changed["recognition"] = []
    else:
        handles = next(each["handles"] for each in changed["recognition"] if len(each["handles"]) > 1)
        handles[0], handles[1] = handles[1], handles[0]
    assert faults(demo, changed)


def test_entries_are_served_to_nobody(demo: RunningDemo) -> None:
    for party in ("c_m999", "gateway", "exchange"):
        origin = (demo.partner("inprev").members.party(party).endpoint or "").removesuffix("/graphql")
        assert httpx.get(f"{origin}/ledger/tile/entries/000.p/1").status_code == 404


def test_witnesses_have_seen_every_head_within_ten_seconds(demo: RunningDemo, command: Command) -> None:
    asked(demo, command)
    until = time.monotonic() + 10
    while True:
        ran = command("ledger", "witness", "--format", "json", "--home", demo.home.root)
        views = json.loads(ran.out)
        behind = [view for view in views if view["seen"] != view["entries"]]
        if not behind or time.monotonic() > until:
            break
        time.sleep(0.5)
    assert ran.status == 0
    assert not behind
    assert {view["ledger"] for view in views} >= {"gateway", "exchange", "c_m999", "inprev"}
