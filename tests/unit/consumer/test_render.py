"""Masked, denied, missing and clear values look different at first sight."""

from typing import Any

from rich.console import Console

from federation.consumer.access import Access, AccessReport, disclosures
from federation.consumer.render import laws, render_answer, render_report, report_json, shown_fields
from federation.contract.decisions import FieldDecision
from federation.contract.entries import Entry, EntryKind
from federation.contract.identifiers import MemberId

ANSWER: dict[str, Any] = {
    "data": {
        "citizen": {
            "givenName": "Laura",
            "dateOfBirth": "1984",
            "taxCode": None,
            "isee": None,
            "disability": None,
            "residence": {"municipality": "M999"},
            "benefits": [{"kind": "child"}, {"kind": "old-age"}],
            "tags": ["a", "b"],
        }
    },
    "errors": [
        {
            "message": "denied",
            "path": ["citizen", "taxCode"],
            "extensions": {"code": "FIELD_DENIED", "member": "c_m999"},
        },
        {
            "message": "member `aslvs` cannot be reached",
            "path": ["citizen", "disability"],
            "extensions": {"code": "NODE_UNAVAILABLE", "member": "aslvs"},
        },
    ],
    "extensions": {
        "privacy": {
            "masked": [{"path": "citizen.dateOfBirth", "coordinate": "Citizen.dateOfBirth", "form": "year"}],
            "denied": [{"path": "citizen.taxCode", "coordinate": "Citizen.taxCode"}],
            "duties": [{"member": "c_m999", "grant": "g", "eraseAfter": "P180D", "law": []}],
            "members": [
                {
                    "member": "c_m999",
                    "policy": {"digest": "sha256:0123456789abcdef", "revision": 4},
                    "receipt": {"index": 7, "origin": "demo/c_m999/ledger"},
                }
            ],
            "unavailable": ["aslvs"],
        }
    },
}


def printed(answer: dict[str, Any]) -> list[str]:
    console = Console(width=120, no_color=True)
    with console.capture() as capture:
        console.print(render_answer(answer, "inprev · benefit-assessment"))
    return [line.lstrip("│├└─ ").rstrip() for line in capture.get().splitlines()]


def test_every_kind_of_value_is_visible_as_such() -> None:
    lines = printed(ANSWER)
    assert "givenName: Laura" in lines
    assert "dateOfBirth: 1984  ◐ year" in lines
    assert "taxCode: ✗ denied" in lines
    assert "isee: —" in lines
    assert "disability: ⚠ aslvs NODE_UNAVAILABLE" in lines
    assert "benefits 2" in lines
    assert "tags: a, b" in lines


def test_the_footer_names_policy_ledger_silence_and_duties() -> None:
    text = "\n".join(printed(ANSWER))
    assert "c_m999: policy revision 4 (0123456789ab…), entry 7 of ledger demo/c_m999/ledger" in text
    assert "aslvs did not answer" in text
    assert "erase what c_m999 gave after P180D" in text


def test_a_refusal_is_shown_with_its_code() -> None:
    lines = printed({"errors": [{"message": "no agreement", "extensions": {"code": "AGREEMENT_INACTIVE"}}]})
    assert "no data" in lines
    assert "AGREEMENT_INACTIVE: no agreement" in lines


ENTRY = Entry(
    kind=EntryKind.DISCLOSURE,
    at="2026-11-22T03:14:15.926Z",
    writer=MemberId("c_m999"),
    consumer="inprev",
    purpose="benefit-assessment",
    legal_basis=("6.1.e",),
    decisions=(
        FieldDecision("Citizen.givenName", "clear", grants=("g",), law=("L. 328/2000",)),
        FieldDecision("Citizen.dateOfBirth", "year", grants=("g",), law=("L. 328/2000",)),
        FieldDecision("Citizen.taxCode", "deny"),
        FieldDecision("Citizen.id", "clear", join_key=True),
    ),
)


def test_a_citizen_reads_what_was_shown_and_by_which_law() -> None:
    assert shown_fields(ENTRY) == ["Citizen.givenName", "Citizen.dateOfBirth (year)"]
    assert laws(ENTRY) == ["L. 328/2000"]


def test_the_report_names_gaps_and_unproved_entries() -> None:
    report = AccessReport((Access("c_m999", ENTRY, b"", proved=False),), ("aslvs",))
    console = Console(width=160, no_color=True)
    with console.capture() as capture:
        console.print(render_report(report))
    text = capture.get()
    assert "inprev" in text
    assert "✗ not proved" in text
    assert "Citizen: givenName, dateOfBirth (year)" in text
    assert "aslvs did not answer" in text
    assert report_json(report)["accesses"][0]["proved"] is False
    assert list(disclosures(report)) == list(report.accesses)
