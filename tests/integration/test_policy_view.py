"""`myFields` and `whyDenied`: a consumer learns which rules decide for it, and nothing of anybody."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from federation.contract.entries import EntryKind
from federation.contract.errors import BadInputError
from federation.contract.members import AgreedPurpose
from node.demo.seed import seed
from tests.support.nodes import DemoMember, asked_node, open_demo_member, pseudonym
from tests.support.parties import Parties
from tests.support.policies import demo
from tests.support.simulator import Simulator

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


pytestmark = pytest.mark.integration

MINE = """query($type: String) { myFields(type: $type) {
  gaps
  fields { member coordinate form conditional explanation { en it } policyRevision policyDigest
    grants { id form law basis consent retain validUntil } }
} }"""
WHY = """query($coordinate: String!) { whyDenied(coordinate: $coordinate) {
  gaps
  verdicts { member coordinate code contact policyRevision explanation { en it } missing { clause needed } }
} }"""


@pytest.fixture(scope="module")
def register(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return seed(tmp_path_factory.mktemp("town"), 20, lambda _done, _wanted: None, pseudonym).registers["c_m999"].parent


@pytest.fixture
async def borgoverde(register: Path) -> AsyncIterator[DemoMember]:
    member = open_demo_member(register, demo("c_m999"))
    yield member
    await member.plane.database.close()


async def mine(federation: Simulator, who: str, purpose: str, type_name: str | None = None) -> dict[str, Any]:
    content = (await federation.ask(who, purpose, MINE, {"type": type_name})).content
    assert "errors" not in content
    asked: dict[str, Any] = content["data"]["myFields"]
    return asked


async def why(federation: Simulator, who: str, purpose: str, coordinate: str) -> dict[str, Any]:
    content = (await federation.ask(who, purpose, WHY, {"coordinate": coordinate})).content
    assert "errors" not in content, content
    asked: dict[str, Any] = content["data"]["whyDenied"]
    return asked


async def test_r39_a_consumer_sees_its_own_fields_at_every_provider_with_law_and_duty(federation: Simulator) -> None:
    found = await mine(federation, "inprev", "benefit-assessment")
    assert found["gaps"] == []
    by_place = {(each["member"], each["coordinate"]): each for each in found["fields"]}
    isee = by_place["inprev", "Citizen.isee"]
    assert isee["form"] == "band"
    [grant] = isee["grants"]
    assert grant["law"]
    assert grant["retain"] == "P180D"
    assert set(grant["basis"]) <= {"6.1.c", "6.1.e", "9.2.g"}
    assert isee["explanation"]["en"].startswith("band with bounds")
    assert isee["explanation"]["it"].startswith("fascia con limiti")
    assert {member for member, _ in by_place} == {"c_m999", "aslvs", "inprev", "coop_ponte", "istsc_bv01"}
    assert ("c_m999", "ContactPoint.value") not in by_place


async def test_r39_what_is_told_is_what_is_decided(federation: Simulator) -> None:
    found = await mine(federation, "inprev", "benefit-assessment", "Citizen")
    told = {each["coordinate"]: each["form"] for each in found["fields"] if each["member"] == "c_m999"}
    assert told["Citizen.givenName"] == "clear"
    query = """query($by: CitizenKey!) {
      citizen(by: $by) { givenName familyName dateOfBirth contactPoints { email } }
    }"""
    answer = await federation.ask("inprev", "benefit-assessment", query, {"by": {"taxCode": "BNCLRA84H57F257B"}})
    denied = {each["coordinate"] for each in answer.content["extensions"]["privacy"]["denied"]}
    assert denied == {"Citizen.contactPoints"}
    assert not denied & set(told)


@pytest.mark.parametrize(
    ("who", "purpose", "coordinate", "clause"),
    [
        ("inprev", "benefit-assessment", "Citizen.contactPoints", "to.kind"),
        ("istsc_bv01", "school-enrolment", "Citizen.isee", "prohibition"),
    ],
    ids=["no rule for this kind", "a prohibition"],
)
async def test_r39_a_denial_names_the_clause_that_fails(
    federation: Simulator, who: str, purpose: str, coordinate: str, clause: str
) -> None:
    [verdict] = (await why(federation, who, purpose, coordinate))["verdicts"]
    assert verdict["code"] == "FIELD_DENIED"
    assert verdict["missing"][0]["clause"] == clause
    assert "@" in verdict["contact"]
    assert verdict["explanation"]["en"].startswith("denied; ")
    assert verdict["explanation"]["it"].startswith("negato; ")


@pytest.mark.parametrize(
    ("purpose", "coordinate", "missing"),
    [
        ("tax-assessment", "Address.adminUnitL1", {"clause": "purpose", "needed": ["social-benefit"]}),
        ("benefit-assessment", "Household.size", {"clause": "agreement", "needed": ["acc-1"]}),
    ],
    ids=["a rule for another purpose", "outside the agreement"],
)
async def test_r39_a_node_asked_directly_says_what_is_missing(
    borgoverde: DemoMember, tmp_path: Path, purpose: str, coordinate: str, missing: dict[str, Any]
) -> None:
    parties = Parties()
    agreed = AgreedPurpose(purpose, ("6.1.c", "6.1.e"))
    parties.agreement = msgspec.structs.replace(parties.agreement, purposes=(agreed,))
    with asked_node(borgoverde, tmp_path, parties) as asked:
        told = await asked.ask(WHY, {"coordinate": coordinate})
        [entry] = asked.entries()
    [verdict] = told["data"]["whyDenied"]["verdicts"]
    assert (verdict["code"], verdict["missing"]) == ("FIELD_DENIED", [missing])
    assert (entry.kind, entry.subjects, entry.decisions) == (EntryKind.DISCLOSURE, 0, ())


async def test_rules_and_citizens_are_not_asked_of_a_node_at_once(borgoverde: DemoMember, tmp_path: Path) -> None:
    with asked_node(borgoverde, tmp_path, Parties()) as asked, pytest.raises(BadInputError):
        await asked.ask('{ myFields { gaps } citizen(by: {taxCode: "BNCLRA84H57F257B"}) { givenName } }')


async def test_r39_a_shown_field_says_so_and_a_condition_is_told_without_its_attribute(federation: Simulator) -> None:
    found = await why(federation, "istsc_bv01", "school-enrolment", "Citizen.givenName")
    [verdict] = [each for each in found["verdicts"] if each["member"] == "c_m999"]
    assert verdict["code"] is None
    assert [each["clause"] for each in verdict["missing"]] == ["rows"]
    assert "row." not in str(found)


@pytest.mark.parametrize("coordinate", ["Citizen.shoeSize", "Citizen", "", "Citizen.__typename", "Query.citizen"])
async def test_a_coordinate_that_nobody_has_is_refused_without_a_suggestion(
    federation: Simulator, coordinate: str
) -> None:
    content = (await federation.ask("inprev", "benefit-assessment", WHY, {"coordinate": coordinate})).content
    assert content["data"] == {"whyDenied": None}
    [error] = content["errors"]
    assert error["extensions"]["code"] == "BAD_USER_INPUT"
    assert "mean" not in error["message"]


async def test_a_provider_that_does_not_answer_is_named(federation: Simulator) -> None:
    federation.wire.stopped.add("aslvs")
    found = await mine(federation, "inprev", "benefit-assessment")
    assert found["gaps"] == ["aslvs"]
    assert {each["member"] for each in found["fields"]} >= {"c_m999", "inprev"}
