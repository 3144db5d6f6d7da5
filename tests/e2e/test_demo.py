"""The product end to end: one citizen in the eyes of three partners, her report, the ledgers, a node asked directly."""

from __future__ import annotations

import asyncio
import json
import shutil
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from federation.contract.clock import SystemClock
from federation.demo.asking import Asked, ask
from federation.trust.http_messages import HttpResponse, single_headers
from federation.trust.http_signatures import RequestBinding, verify_response
from federation.trust.keys import message_keys
from tests.support.demo import CITIZENS, RunningDemo, crocevia, free_ports, question, token

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.support.demo import Command

CHILD = "FRRSFO14E54F257M"
PARTNERS = {
    "inprev": "benefit-assessment",
    "istsc_bv01": "school-enrolment",
    "aslvs": "emergency-care",
}
ONE_QUESTION = """query($by: CitizenKey!) {
  citizen(by: $by) {
    id givenName dateOfBirth taxCode isee
    disability { percentage }
    healthExemptions { code }
    contactPoints { telephone email }
  }
}"""
"""What all three partners ask; who may see what is up to the nodes."""


def test_three_partners_have_three_views_of_one_citizen(demo: RunningDemo) -> None:
    views = {
        consumer: _ask(demo, consumer, purpose, ONE_QUESTION, {"by": {"taxCode": CHILD}})
        for consumer, purpose in PARTNERS.items()
    }
    benefits, school, emergency = (_citizen(view) for view in views.values())

    assert benefits["givenName"] == school["givenName"] == emergency["givenName"] == "Sofia"
    assert len({benefits["id"], school["id"], emergency["id"]}) == 3
    assert all(_citizen(view)["id"].startswith(f"v1.siv.{consumer}.") for consumer, view in views.items())

    assert (benefits["isee"], school["isee"], emergency["isee"]) == ("[6000,9360)", None, None)
    assert (benefits["disability"], school["disability"], emergency["disability"]) == (
        {"percentage": 70},
        None,
        {"percentage": 67},
    )
    assert (benefits["taxCode"], school["taxCode"], emergency["taxCode"]) == (CHILD, None, None)
    assert (benefits["healthExemptions"], school["healthExemptions"], emergency["healthExemptions"]) == (
        None,
        None,
        [{"code": "C03"}],
    )
    assert [each["email"] for each in school["contactPoints"] if each["email"]] == ["f***@p***"]
    assert _forms(views["inprev"]) == {"disability.percentage": "round", "isee": "band"}
    assert _forms(views["istsc_bv01"]) == {"contactPoints.email": "email"}
    assert _forms(views["aslvs"]) == {}
    assert _denied(views["inprev"]) == {"healthExemptions", "contactPoints"}
    assert _denied(views["istsc_bv01"]) == {"taxCode"}
    assert _denied(views["aslvs"]) == {"taxCode", "contactPoints.email"}


def test_the_citizens_report_shows_everybody_who_looked_and_proves_it(demo: RunningDemo, command: Command) -> None:
    for consumer, purpose in PARTNERS.items():
        _ask(demo, consumer, purpose, ONE_QUESTION, {"by": {"taxCode": CHILD}})
    ran = command("report", "--citizen", CHILD, "--home", demo.home.root)
    found = json.loads(ran.out)
    looked = {(each["consumer"], each["purpose"]) for each in found["accesses"] if each["kind"] == "disclosure"}
    assert ran.status == 0
    assert looked >= set(PARTNERS.items())
    assert all(each["proved"] for each in found["accesses"])
    assert found["gaps"] == []
    isee = next(each for each in found["accesses"] if each["consumer"] == "inprev" and each["member"] == "inprev")
    assert "Citizen.isee (band)" in isee["fields"]
    assert isee["law"]


def test_on_a_terminal_a_citizen_reads_names_and_no_codes(demo: RunningDemo, command: Command) -> None:
    _ask(demo, "inprev", PARTNERS["inprev"], ONE_QUESTION, {"by": {"taxCode": CHILD}})
    shown = ["report", "--citizen", CHILD, "--home", demo.home.root, "--format", "table"]
    italian, english = command(*shown, "--lang", "it"), command(*shown, "--lang", "en")
    assert "Istituto Nazionale della Previdenza  ✓ provato" in italian.out
    assert "ha interrogato Comune di Borgoverde" in italian.out
    assert "perché: Verifica dei requisiti di una prestazione (GDPR 6.1.c, 6.1.e, 9.2.g)" in italian.out
    assert "l'indicatore ISEE del nucleo in euro, o la sua fascia (solo la fascia)" in italian.out
    assert "asked Municipality of Borgoverde" in english.out
    assert not {"inprev", "c_m999", "benefit-assessment"} & set(italian.out.split())


def test_the_check_of_the_whole_demo_passes_over_mutual_tls_and_leaves_nothing_running(tmp_path: Path) -> None:
    ports = free_ports()
    where = ["--home", str(tmp_path), "--port", str(ports.gateway), "--citizens", str(CITIZENS)]
    ran = crocevia(["demo", "--check", "--tls", *where])
    assert ran.status == 0, ran.out + ran.err
    assert "mutual TLS: 7 certificates renewed at work" in ran.out
    assert "mutual TLS: nobody without a certificate is answered" in ran.out
    assert "partial answer while `aslvs` is stopped" in ran.out
    assert "as expected" in ran.out
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"http://127.0.0.1:{ports.gateway}/healthz", trust_env=False)


def test_every_ledger_verifies_and_a_changed_byte_is_found(demo: RunningDemo, command: Command, tmp_path: Path) -> None:
    _ask(demo, "inprev", "benefit-assessment", ONE_QUESTION, {"by": {"taxCode": CHILD}})
    assert command("ledger", "verify", "--home", demo.home.root).status == 0

    home = tmp_path / "copy"
    _copy(demo, home)
    _change_one_byte(home / "c_m999" / "state" / "ledger.db", entry=1)
    ran = command("ledger", "verify", "--home", home, "--format", "json")
    faults = {each["party"]: each["fault"] for each in json.loads(ran.out)}
    assert ran.status == 1
    assert faults.pop("c_m999") == "ledger entry 1 does not hash to what was recorded"
    assert not any(faults.values())


def test_a_node_gives_the_same_fields_to_who_asks_it_directly(demo: RunningDemo) -> None:
    text = """query($by: CitizenKey!) {
      citizen(by: $by) { givenName familyName dateOfBirth taxCode maritalStatus contactPoints { email telephone } }
    }"""
    variables = {"by": {"taxCode": CHILD}}
    partner = demo.partner("inprev")
    node = partner.members.member("c_m999")
    assert node.endpoint is not None
    asked = question(
        partner, node.endpoint, token(demo, partner, "benefit-assessment"), {"query": text, "variables": variables}
    )
    answer = httpx.post(asked.target_uri, content=asked.body, headers=dict(asked.headers), trust_env=False)
    response = HttpResponse(answer.status_code, single_headers(answer.headers.raw), answer.content)
    keys = message_keys(node.keys, SystemClock().now())
    verify_response(response, RequestBinding.of(asked), keys, SystemClock())

    through_gateway = _ask(demo, "inprev", "benefit-assessment", text, variables)
    assert answer.json()["data"] == through_gateway.answer["data"]
    assert [error["path"] for error in answer.json()["errors"]] == [
        error["path"] for error in through_gateway.answer["errors"]
    ]


def test_a_node_asked_directly_does_not_tell_its_own_name_for_a_citizen(demo: RunningDemo) -> None:
    partner = demo.partner("inprev")
    endpoint = partner.members.member("c_m999").endpoint
    assert endpoint is not None
    for field in ("id", "_k_id: id"):
        content = {"query": f'{{ citizen(by: {{taxCode: "{CHILD}"}}) {{ {field} }} }}'}
        asked = question(partner, endpoint, token(demo, partner, "benefit-assessment"), content)
        answer = httpx.post(asked.target_uri, content=asked.body, headers=dict(asked.headers), trust_env=False)
        assert "data" not in answer.json()
        assert answer.json()["errors"][0]["extensions"]["code"] == "SCOPE_EXCEEDED"
        assert "v1.siv" not in answer.text


def _ask(demo: RunningDemo, consumer: str, purpose: str, query: str, variables: dict[str, Any]) -> Asked:
    return asyncio.run(ask(demo.home, consumer, purpose, query, variables))


def _citizen(asked: Asked) -> dict[str, Any]:
    return dict(asked.answer["data"]["citizen"])


def _denied(asked: Asked) -> set[str]:
    """Where fields were denied, list positions left out."""
    return {
        ".".join(part for part in error["path"][1:] if isinstance(part, str))
        for error in asked.answer.get("errors", ())
        if error["extensions"]["code"] == "FIELD_DENIED"
    }


def _forms(asked: Asked) -> Mapping[str, str]:
    return {
        entry["path"].removeprefix("citizen."): entry["form"]
        for entry in asked.answer["extensions"]["privacy"]["masked"]
    }


def _copy(demo: RunningDemo, home: Path) -> None:
    """Copy what verifying needs, as a backup would: databases through SQLite, for their processes go on writing."""
    shutil.copytree(demo.home.registry, home / "registry")
    for ledger in demo.home.root.glob("*/state/ledger.db"):
        party = ledger.parents[1].name
        shutil.copytree(demo.home.keys(party), home / party / "keys")
        (home / party / "state").mkdir(parents=True)
        target = home / party / "state" / "ledger.db"
        with closing(sqlite3.connect(ledger)) as source, closing(sqlite3.connect(target)) as copied:
            source.backup(copied)


def _change_one_byte(ledger: Path, entry: int) -> None:
    """Change one letter of an entry in the file itself, past every trigger of the database."""
    with closing(sqlite3.connect(ledger)) as database:
        (leaf,) = database.execute("SELECT leaf FROM entry WHERE idx = ?", (entry,)).fetchone()
    content = bytearray(ledger.read_bytes())
    at = content.index(leaf[:100]) + leaf.index(b"inprev")
    content[at] ^= 1
    ledger.write_bytes(content)
