"""PDND risk analyses: their ceiling, the drafts they give, and the forms that a policy fills in (policy section 12)."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner, Result

from node.console.policy_commands import app
from node.policy.bundle import load_bundle
from node.policy.documents import TypeDocument
from node.policy.errors import PolicyError
from node.policy.pdnd import Answers, Asked, ceiling_invariants, draft_grant
from node.policy.proving import prove
from tests.support.policies import EXAMPLE, demo, example, folder_files

ANSWERS = {
    "purpose": ["INSTITUTIONAL"],
    "usesPersonalData": ["YES"],
    "personalDataTypes": ["WITH_IDENTIFYING_DATA"],
    "legalBasis": ["PUBLIC_INTEREST"],
    "legalBasisPublicInterest": ["RULE_OF_LAW"],
    "ruleOfLawText": ["DPCM 159/2013 art. 4"],
    "dataQuantity": ["QUANTITY_101_TO_500"],
    "deliveryMethod": ["CLEARTEXT"],
    "dataRetentionPeriod": ["180 giorni"],
    "purposePursuit": ["NEW_PERSONAL_DATA"],
}
ASKED = Asked(("national",), "benefit-assessment", date(2026, 1, 1), date(2027, 12, 31))


def form(**changes: list[str]) -> dict[str, Any]:
    return {"version": "3.1", "answers": {**ANSWERS, **changes}}


def citizen() -> TypeDocument:
    return example().types["Citizen"]


def drafted(**changes: list[str]) -> dict[str, Any]:
    fields = {field.name: field.category for field in citizen().fields.values()}
    found = draft_grant(Answers.parse(form(**changes)), ASKED, "Citizen", fields, example().vocabulary.legal_bases)
    assert found.grant is not None
    return found.grant


def test_mere_correctness_gives_only_verify() -> None:
    assert set(drafted(purposePursuit=["MERE_CORRECTNESS"])["see"].values()) == {"verify"}


DELIVERIES: dict[str, tuple[list[str], dict[str, object]]] = {
    "clear": (["CLEARTEXT"], {"taxCode": "clear", "givenName": "clear", "birthDate": "clear"}),
    "pseudonymous": (["PSEUDOANONYMOUS"], {"taxCode": "pseudonym", "givenName": None, "birthDate": "clear"}),
    "anonymous": (["ANONYMOUS"], {"taxCode": None, "givenName": None, "birthDate": "year"}),
}


@pytest.mark.parametrize(("method", "expected"), DELIVERIES.values(), ids=DELIVERIES.keys())
def test_the_delivery_method_limits_forms(method: list[str], expected: dict[str, object]) -> None:
    see = drafted(deliveryMethod=method)["see"]
    assert {name: see.get(name) for name in expected} == expected


def test_an_aggregate_delivers_counts_and_nothing_else() -> None:
    grant = drafted(deliveryMethod=["AGGREGATE"])
    assert grant["see"] == {"id": {"redact": "solo conteggi"}}
    assert grant["aggregates"]["min_cell"] == 10
    assert "birthDate" in grant["aggregates"]["over"]


def test_what_the_form_does_not_name_is_not_drafted() -> None:
    assert "disability" not in drafted()["see"]
    assert "disability" in drafted(personalDataTypes=["WITH_IDENTIFYING_DATA", "GDPR_ART_9"])["see"]
    assert {"taxCode", "givenName", "email"}.isdisjoint(drafted(personalDataTypes=["WITH_NON_IDENTIFYING_DATA"])["see"])


def test_basis_law_retention_and_quantity_come_from_the_form() -> None:
    grant = drafted(personalDataTypes=["GDPR_ART_9"])
    assert (grant["basis"], grant["basis9"], grant["law"]) == (["6.1.e"], ["9.2.g"], "DPCM 159/2013 art. 4")
    assert grant["retain"] == "P180D"
    assert Answers.parse(form()).daily_requests == 500
    assert Answers.parse(form(dataQuantity=["QUANTITY_5001_OVER"])).daily_requests is None
    assert drafted(legalBasis=["CONSENT"])["consent"] == "benefit-assessment"


PERIODS = {
    "10 giorni": "P10D",
    "3 mesi dalla chiusura": "P3M",
    "per 2 anni": "P2Y",
    "1 ora": "PT1H",
    "12 Hours": "PT12H",
    "un anno": None,
    "": None,
}


@pytest.mark.parametrize(("text", "retain"), PERIODS.items(), ids=PERIODS.keys())
def test_a_period_is_read_with_its_unit_and_never_guessed(text: str, retain: str | None) -> None:
    assert drafted(dataRetentionPeriod=[text]).get("retain") == retain


def test_a_law_counts_only_for_the_basis_that_asks_for_it() -> None:
    changes = {"legalObligationReference": ["L. 241/1990"], "administrativeActText": ["DM 1/2020"]}
    assert drafted(**changes)["law"] == "DPCM 159/2013 art. 4"
    assert drafted(legalBasis=["LEGAL_OBLIGATION"], **changes)["law"] == "L. 241/1990"
    assert "law" not in drafted(ruleOfLawText=[])


def test_a_form_as_it_is_stored_reads_the_same() -> None:
    answers = [{"id": "1", "key": key, "values": values} for key, values in ANSWERS.items()]
    stored = {"version": "3.2", "singleAnswers": [], "multiAnswers": answers}
    assert Answers.parse({"riskAnalysisForm": stored}) == Answers.parse(form())


def test_the_ceiling_holds_later_grants_by_invariants() -> None:
    """The income that the example grants as a band breaks the ceiling of a form that names no such data."""
    fields = {field.name: field.category for field in citizen().fields.values()}
    answers = Answers.parse(form(personalDataTypes=["WITH_NON_IDENTIFYING_DATA"], deliveryMethod=["ANONYMOUS"]))
    files = folder_files(EXAMPLE) | {
        "invariants.yaml": yaml.safe_dump(ceiling_invariants(answers, ASKED, fields)).encode()
    }
    broken = {proof.invariant.id for proof in prove(load_bundle(files)) if not proof.holds}
    assert broken == {"pdnd-benefit-assessment-nothing", "pdnd-benefit-assessment-not-clear"}


def test_mere_correctness_lets_later_grants_verify_and_nothing_else() -> None:
    answers = Answers.parse(form(purposePursuit=["MERE_CORRECTNESS"]))
    ceiling = ceiling_invariants(answers, ASKED, {"isee": citizen().fields["isee"].category})
    band, types = "isee: {band: [0, 9360, 15000, 25000, 40000]}", folder_files(EXAMPLE)["types/Citizen.yaml"].decode()
    assert band in types

    def broken(shown: str) -> list[str]:
        changed = types.replace(band, f"isee: {shown}")
        files = {"invariants.yaml": yaml.safe_dump(ceiling).encode(), "types/Citizen.yaml": changed.encode()}
        proofs = prove(load_bundle(folder_files(EXAMPLE) | files))
        return [proof.invariant.id for proof in proofs if not proof.holds]

    assert broken("{round: 100}") == broken("clear") == ["pdnd-benefit-assessment-only-verify"]
    assert broken("verify") == []


WRONG: dict[str, tuple[Any, str]] = {
    "no map": ([], "expected a PDND risk analysis"),
    "another version": ({"version": "2.0", "answers": ANSWERS}, "expected version 3.1, 3.2"),
    "a missing answer": (form(deliveryMethod=[]), "answer `deliveryMethod` is missing"),
    "an unknown value": (form(deliveryMethod=["CLEARTEXTT"]), "did you mean `CLEARTEXT`?"),
    "two values of a single answer": (form(purposePursuit=["MERE_CORRECTNESS", "NEW_PERSONAL_DATA"]), "expected one"),
    "art. 9 by a task alone": (
        form(personalDataTypes=["GDPR_ART_9"], legalBasisPublicInterest=["PUBLIC_INTEREST_TASK"]),
        "is not offered with GDPR_ART_9",
    ),
    "answers of another shape": ({"version": "3.1", "answers": {"legalBasis": 3}}, "is not a list of texts"),
}


@pytest.mark.parametrize(("document", "message"), WRONG.values(), ids=WRONG.keys())
def test_a_form_that_cannot_bound_a_grant_is_refused(document: Any, message: str) -> None:
    with pytest.raises(PolicyError, match=message.replace("(", r"\(").replace("?", r"\?").replace(".", r"\.")):
        Answers.parse(document)


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_import_on_the_command_line_gives_draft_ceiling_and_agreement(tmp_path: Path) -> None:
    path = tmp_path / "form.json"
    path.write_text(json.dumps(form(purposePursuit=["MERE_CORRECTNESS"])), encoding="utf-8")
    arguments = ("import", path, "--pdnd", "--as", "national", "--policies", EXAMPLE)
    found = yaml.safe_load(
        run(
            *arguments, "--for", "benefit-assessment", "--field", "Citizen.isee", "--field", "Citizen.disability"
        ).stdout
    )
    assert found["draft"]["Citizen"][0]["see"] == {"isee": "verify"}
    assert found["agreement"] == {"dailyRequests": 500}
    assert found["ceiling"]["purposePursuit"] == "MERE_CORRECTNESS"
    assert [one["never"]["fields"] for one in found["invariants"]] == [["disability"], ["isee"]]
    assert run(*arguments).exit_code == 2
    assert "did you mean `benefit-assessment`?" in run(*arguments, "--for", "benefit-assesment").stderr
    assert run(*arguments, "--for", "benefit-assessment", "--field", "Citizen.isse").exit_code == 4


def test_what_a_policy_exports_can_be_imported() -> None:
    exported = json.loads(run("export", "--pdnd", "--policies", "policies/inprev").stdout)
    assert {(one["purpose"], one["recipients"]) for one in exported} >= {("benefit-assessment", "national")}
    for one in exported:
        answers = Answers.parse(one["riskAnalysisForm"])
        assert answers.law
    assert demo("inprev").types
