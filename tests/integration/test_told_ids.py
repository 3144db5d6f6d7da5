"""`Citizen.id` as it is told: by the policy of the member that found the citizen; the key for joining travels apart."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from federation.contract.entries import Entry, EntryKind
from federation.contract.on_denied import OnDenied
from tests.support.doors import BENEFITS, HEALTH, LAURA, MUNICIPALITY, NOBODY, SCHOOL, Door, codes, denied

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.support.simulator import Simulator

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

FOUND = "id givenName isee"
"""The municipality finds the citizen; what social security adds is joined by a key that is never told."""
SHOWN = "      id: clear\n      taxCode: clear\n"

SEEN_IN_EMERGENCIES = "      givenName: clear\n      familyName: clear\n      dateOfBirth: clear\n      sex: clear\n"
SEEN_BY_SCHOOLS = (
    "      givenName: clear\n      familyName: clear\n      dateOfBirth: clear\n      citizenship: clear\n"
)


@pytest.fixture
def gateway(on_each: Simulator) -> Door:
    """The way through the gateway; a node's own names are told to nobody who asks past it."""
    return Door(on_each, direct=False)


@asynccontextmanager
async def told_as(gateway: Door, form: str) -> AsyncIterator[None]:
    """Let the municipality tell the `id` for benefits in another form."""
    written = f"      id: {form}\n" if form else ""
    async with gateway.amended((SHOWN, f"{written}      taxCode: clear\n")):
        yield


async def laura(gateway: Door, fields: str = FOUND, by: dict[str, Any] | None = None) -> dict[str, Any]:
    answer = await gateway.citizen(BENEFITS, fields, by)
    return {**answer, "citizen": (answer.get("data") or {}).get("citizen")}


async def test_r30_a_clear_id_is_the_consumers_own_pseudonym_and_names_the_citizen(gateway: Door) -> None:
    told = (await laura(gateway))["citizen"]["id"]
    assert told.startswith("v1.")
    assert told.split(".")[2] == BENEFITS[0]
    again = await laura(gateway, FOUND, {"by": {"id": told}})
    assert again["citizen"] == (await laura(gateway))["citizen"]


async def test_r30_the_pseudonym_of_a_purpose_is_no_name_and_joins_all_the_same(gateway: Door) -> None:
    clear = (await laura(gateway))["citizen"]
    async with told_as(gateway, "pseudonym"):
        answer = await laura(gateway)
        masked = answer["citizen"]["id"]
        assert answer["citizen"] == {**clear, "id": masked}
        assert masked not in (None, clear["id"])
        assert not masked.startswith("v1.")
        assert (await laura(gateway))["citizen"]["id"] == masked  # stable for the purpose
        [entry] = [each for each in answer["extensions"]["privacy"]["masked"] if each["path"] == "citizen.id"]
        assert entry == {"path": "citizen.id", "coordinate": "Citizen.id", "form": "pseudonym", "member": MUNICIPALITY}
        refused = await laura(gateway, FOUND, {"by": {"id": masked}})
    assert (refused["citizen"], codes(refused)) == (None, {"BAD_USER_INPUT"})


async def test_r30_pseudonyms_for_two_purposes_have_nothing_in_common(gateway: Door) -> None:
    emergency = ("      id: clear\n" + SEEN_IN_EMERGENCIES, "      id: pseudonym\n" + SEEN_IN_EMERGENCIES)
    async with gateway.amended((SHOWN, SHOWN.replace("clear", "pseudonym", 1)), emergency):
        told = [(await gateway.citizen(who, "id"))["data"]["citizen"]["id"] for who in (BENEFITS, HEALTH)]
    assert all(told)
    assert len(set(told)) == len(told)


async def test_r12_a_denied_id_is_null_with_an_error_and_the_join_is_kept(gateway: Door) -> None:
    clear = (await laura(gateway))["citizen"]
    async with told_as(gateway, ""):
        answer = await laura(gateway, "mine: id givenName isee")
        assert answer["citizen"] == {"mine": None, "givenName": clear["givenName"], "isee": clear["isee"]}
        assert denied(answer) == {"citizen.mine"}
        assert {"path": "citizen.mine", "coordinate": "Citizen.id", "member": MUNICIPALITY} in answer["extensions"][
            "privacy"
        ]["denied"]
        assert denied(await laura(gateway, "givenName isee")) == set()


async def test_r15_an_id_that_is_skipped_is_not_asked_of_the_member(gateway: Door) -> None:
    query = """query($by: CitizenKey!, $no: Boolean!) {
      citizen(by: $by) { one: id @skip(if: $no) ... @include(if: $no) { other: id } givenName } }"""
    async with told_as(gateway, "pseudonym"):
        masked = (await laura(gateway))["citizen"]["id"]
        for no, key in ((True, "other"), (False, "one")):
            answer = await gateway.ask(BENEFITS, query, {**LAURA, "no": no})
            assert answer["data"]["citizen"] == {key: masked, "givenName": "Laura"}
    async with told_as(gateway, ""):
        answer = await gateway.ask(BENEFITS, query, {**LAURA, "no": False})
        assert (answer["data"]["citizen"]["one"], denied(answer)) == (None, {"citizen.one"})


async def test_r12_reject_names_a_denied_id_beside_the_other_denied_places(gateway: Door) -> None:
    async with told_as(gateway, ""):
        query = "query($by: CitizenKey!) { citizen(by: $by) { id sex givenName } }"
        answer = await gateway.ask(BENEFITS, query, LAURA, OnDenied.REJECT)
    assert answer["data"] is None
    assert denied(answer) == {"citizen.id", "citizen.sex"}


async def test_r13_an_id_that_the_row_denies_is_null_without_an_error(gateway: Door) -> None:
    clear = (await laura(gateway))["citizen"]
    async with gateway.amended(more="  - {id: grown-up, fields: [id], rows: 'row.age > 17'}\n"):
        answer = await laura(gateway)
    assert answer["citizen"] == {**clear, "id": None}
    assert denied(answer) == set()


async def test_r28_a_hidden_citizen_and_none_are_one_answer_when_the_id_is_asked(gateway: Door) -> None:
    """A school asks for an adult and for nobody; whether `id` is denied tells nothing of either."""
    for changes in ((), (("      id: clear\n" + SEEN_BY_SCHOOLS, SEEN_BY_SCHOOLS),)):
        async with gateway.amended(*changes):
            hidden, absent = [await gateway.citizen(SCHOOL, "id givenName", by) for by in (LAURA, NOBODY)]
        assert hidden["data"] == absent["data"] == {"citizen": None}
        assert hidden.get("errors") == absent.get("errors")


async def test_r38_the_ledgers_say_in_which_form_the_id_left(gateway: Door) -> None:
    async with told_as(gateway, "pseudonym"):
        await laura(gateway, "id")
        reader = gateway.federation.nodes[MUNICIPALITY].journal.reader
        last = [Entry.parse(each.entry) for each in reader.entries()][-1]
    assert last.kind is EntryKind.DISCLOSURE
    forms = {(each.form, each.join_key) for each in last.decisions if each.coordinate == "Citizen.id"}
    assert forms == {("pseudonym", False), ("clear", True)}


async def test_the_gateways_entry_names_what_nodes_told_though_nothing_is_passed_on(gateway: Door) -> None:
    async with told_as(gateway, "pseudonym"):
        assert (await laura(gateway, "id", NOBODY))["citizen"] is None
        reader = gateway.federation.process.reader
        last = [Entry.parse(each.entry) for each in reader.entries()][-1]
    assert last.kind is EntryKind.MEDIATION
    assert {each.form for each in last.decisions if each.coordinate == "Citizen.id" and each.disclosed} == {"pseudonym"}
