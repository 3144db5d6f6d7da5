"""Masked, denied, missing and clear values look different at first sight."""

from typing import Any

from rich.console import Console

from federation.consumer.render import render_answer

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
            "active": True,
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
    assert "active: true" in lines


def test_the_footer_names_policy_ledger_silence_and_duties() -> None:
    text = "\n".join(printed(ANSWER))
    assert "c_m999: policy revision 4 (0123456789ab…), entry 7 of ledger demo/c_m999/ledger" in text
    assert "aslvs did not answer" in text
    assert "erase what c_m999 gave after P180D" in text


def test_a_refusal_is_shown_with_its_code() -> None:
    lines = printed({"errors": [{"message": "no agreement", "extensions": {"code": "AGREEMENT_INACTIVE"}}]})
    assert "no data" in lines
    assert "AGREEMENT_INACTIVE: no agreement" in lines
