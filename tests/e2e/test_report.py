"""The citizen's report: whole, proved, whoever passes it on; and who asked in a citizen's place."""

from __future__ import annotations

import asyncio
import copy
import json
from typing import TYPE_CHECKING, Any

from federation.consumer.access import ACCESS_REPORT, disclosures, read_report
from federation.consumer.portal import KNOWN_CITIZENS, find_citizen
from federation.contract.identifiers import PORTAL
from federation.demo.asking import Asked, ask
from node.demo.seed import read_truth

if TYPE_CHECKING:
    from tests.support.demo import Command, RunningDemo

CHILD = "FRRSFO14E54F257M"
LAURA = "BNCLRA84H57F257B"
NAME = "query($by: CitizenKey!) { citizen(by: $by) { givenName isee } }"


def reported(demo: RunningDemo, tax_code: str) -> Asked:
    """Ask who looked, as the portal."""
    citizen = find_citizen(demo.home.party(PORTAL) / KNOWN_CITIZENS, tax_code)
    return asyncio.run(ask(demo.home, PORTAL, "access-report", ACCESS_REPORT, {"citizen": citizen}))


def looked(demo: RunningDemo, tax_code: str) -> None:
    """Let somebody look."""
    asyncio.run(ask(demo.home, "inprev", "benefit-assessment", NAME, {"by": {"taxCode": tax_code}}))


def test_a_report_is_whole_and_names_nobody_else(demo: RunningDemo) -> None:
    looked(demo, CHILD)
    looked(demo, LAURA)
    asked = reported(demo, CHILD)
    report = read_report(asked.answer, demo.partner(PORTAL).members, asked.request_digest)
    assert (report.gaps, report.incomplete, report.whole) == ((), (), True)
    assert "inprev" in {access.entry.consumer for access in disclosures(report)}
    assert all(access.leaf.count(b'"tag"') >= 1 for access in disclosures(report))


def test_an_entry_that_the_gateway_leaves_out_is_missed(demo: RunningDemo) -> None:
    looked(demo, CHILD)
    asked = reported(demo, CHILD)
    members = demo.partner(PORTAL).members
    accesses = asked.answer["data"]["accessReport"]["accesses"]
    found = 0
    for position in range(len(accesses)):
        answer: dict[str, Any] = copy.deepcopy(asked.answer)
        left_out = answer["data"]["accessReport"]["accesses"].pop(position)
        report = read_report(answer, members, asked.request_digest)
        found += left_out["member"] in (*report.incomplete, *report.gaps)
    assert (found, len(accesses) > 6) == (len(accesses), True)


def test_a_node_that_the_gateway_hides_is_a_gap_whatever_the_gateway_says(demo: RunningDemo) -> None:
    asked = reported(demo, CHILD)
    report = asked.answer["data"]["accessReport"]
    report["accesses"] = [access for access in report["accesses"] if access["member"] != "aslvs"]
    report["gaps"] = []
    assert read_report(asked.answer, demo.partner(PORTAL).members, asked.request_digest).gaps == ("aslvs",)


def test_an_older_report_does_not_pass_for_a_new_one(demo: RunningDemo) -> None:
    older = reported(demo, CHILD)
    newer = reported(demo, CHILD)
    members = demo.partner(PORTAL).members
    gaps = read_report(older.answer, members, newer.request_digest).gaps
    assert set(gaps) == {member.id for member in members.members if member.ledger}


def test_who_asks_in_a_citizens_place_is_recorded_for_that_citizen_alone(demo: RunningDemo, command: Command) -> None:
    person = next(each for each in read_truth(demo.home.root / "truth.ndjson") if each.tax_code not in (CHILD, LAURA))
    acting = ("--delegate", LAURA, "--basis", "parental-responsibility")
    who = ("report", "--citizen", person.tax_code, "--home", demo.home.root, "--format", "json")
    assert command(*who, *acting).status == 0
    told = json.loads(command(*who).out)["accesses"]
    delegations = [access["delegation"] for access in told if access["delegation"]]
    portal = find_citizen(demo.home.party(PORTAL) / KNOWN_CITIZENS, LAURA)
    assert delegations
    assert delegations[0] == {"delegate": portal, "basis": "parental-responsibility", "reference": ""}
    for member in demo.charter.nodes():
        for name in ("ledger.db", "ledger.db-wal"):
            path = demo.home.party(member.id) / "state" / name
            assert not path.exists() or portal.encode() not in path.read_bytes()
