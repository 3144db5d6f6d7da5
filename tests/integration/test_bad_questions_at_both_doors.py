"""More rules at both doors: what a consumer should not ask, and what officers should not have written.

The federation is one for all tests; a test that changes a policy puts the old one back.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from federation.contract.on_denied import OnDenied
from tests.support.doors import BENEFITS, COUNTING, HEALTH, LAURA, MUNICIPALITY, NOBODY, SCHOOL, Door, codes, denied
from tests.support.nodes import WatchedDatabase

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from federation.contract.members import Agreement

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

CITIZEN = "query($by: CitizenKey!) { citizen(by: $by) { givenName } }"
BORN = "19840617"
"""Laura's day of birth, as her register has it."""
LAURA_IS = {"citizen": {"givenName": "Laura"}}


@asynccontextmanager
async def born(door: Door, value: object) -> AsyncIterator[None]:
    """Let the register hold another day of birth of Laura for a while."""

    async def write(content: object) -> None:
        statement = 'UPDATE "ANAGRAFE" SET "DT_NASC" = ? WHERE "COD_FISC" = ?'
        assert await door.federation.write(MUNICIPALITY, statement, content, LAURA["by"]["taxCode"])

    await write(value)
    try:
        yield
    finally:
        await write(BORN)


# --- purposes --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("purpose", ["", "benefit-assesment", "benefit-assessment statistics", "tax-assessment"])
async def test_r4_without_one_agreed_purpose_nothing_is_answered(door: Door, purpose: str) -> None:
    """Missing, misspelt, two at once, another's: the gateway gives no token for it; here it signs one all the same."""
    token = door.federation.token(*BENEFITS, purpose=purpose)
    answer = await door.ask(BENEFITS, CITIZEN, LAURA, token=token)
    assert answer.get("data") is None
    assert codes(answer) <= {"PURPOSE_NOT_AGREED", "PURPOSE_REQUIRED", "TOKEN_INVALID"}
    assert codes(answer)


# --- special categories, conditions ----------------------------------------------------------------------------------


async def test_r6_a_special_category_is_denied_without_a_basis_of_art_9(door: Door) -> None:
    async with door.amended(("citizenship: {category: birth}", "citizenship: {category: health}")):
        answer = await door.citizen(BENEFITS, "familyName citizenship")
    assert answer["data"]["citizen"] == {"familyName": "Bianchi", "citizenship": None}
    assert denied(answer) == {"citizen.citizenship"}


ODD = ["", "19840617 ", "18440230", "99999999", "\N{SNOWMAN}" * 9, 2**62, -1, b"\x00\xff"]


@pytest.mark.parametrize("value", ODD, ids=repr)
async def test_r11_no_value_of_a_register_makes_a_condition_or_a_mask_fail(door: Door, value: object) -> None:
    """The school's grant asks for the age; the statistical office is shown the year (R19)."""
    async with born(door, value):
        answer = await door.citizen(SCHOOL, "givenName dateOfBirth")
        assert (answer["data"], codes(answer)) == ({"citizen": None}, set())
        listed = await door.ask(COUNTING, "{ citizens(first: 100) { totalCount edges { node { dateOfBirth } } } }")
        assert codes(listed) == set()
        assert listed["data"]["citizens"]["totalCount"] == len(listed["data"]["citizens"]["edges"])


@pytest.mark.parametrize("value", ["", "x", "1984", "00000000"])
async def test_r19_a_mask_gives_null_for_what_it_cannot_read(door: Door, value: str) -> None:
    def years(answer: dict[str, Any]) -> list[str | None]:
        return [edge["node"]["dateOfBirth"] for edge in answer["data"]["citizens"]["edges"]]

    query = "{ citizens(first: 100) { edges { node { dateOfBirth } } } }"
    before = years(await door.ask(COUNTING, query))
    async with born(door, value):
        after = years(await door.ask(COUNTING, query))
    assert after.count(None) == before.count(None) + 1


# --- policies that are not put in force -------------------------------------------------------------------------------

BAD_POLICIES = {
    "R10: forms that cannot be compared": (
        "grants:\n",
        """grants:
  - {id: by-year, to: {kind: [national]}, purpose: social-benefit, basis: ["6.1.e"], law: another law,
     see: {dateOfBirth: year}, retain: P1Y, valid: {from: 2026-01-01, until: 2027-12-31}}
  - {id: by-age, to: {kind: [national]}, purpose: social-benefit, basis: ["6.1.e"], law: another law,
     see: {dateOfBirth: age_band}, retain: P1Y, valid: {from: 2026-01-01, until: 2027-12-31}}
""",
    ),
    "R19: a mask that its type does not admit": ("      maritalStatus: clear\n", "      maritalStatus: {round: 5}\n"),
    "R34: a field of the schema without a policy": ("  sex: {category: gender}\n", ""),
    "R37: no YAML": ("grants:\n", "grants: [\n"),
}


async def unmoved(door: Door, bad: str) -> None:
    """A policy that must not be put in force leaves the answer as it was."""
    fields = "givenName dateOfBirth maritalStatus sex"
    before = await door.citizen(BENEFITS, fields)
    assert before["data"]["citizen"]["givenName"] == "Laura"
    async with door.amended(BAD_POLICIES[bad]):
        after = await door.citizen(BENEFITS, fields)
    assert (after["data"], denied(after)) == (before["data"], denied(before))


async def test_r10_a_policy_whose_forms_cannot_be_compared_is_not_put_in_force(door: Door) -> None:
    await unmoved(door, "R10: forms that cannot be compared")


async def test_r19_a_policy_whose_mask_fits_no_type_is_not_put_in_force(door: Door) -> None:
    await unmoved(door, "R19: a mask that its type does not admit")


async def test_r34_a_policy_that_leaves_a_field_of_the_schema_out_is_not_put_in_force(door: Door) -> None:
    await unmoved(door, "R34: a field of the schema without a policy")


async def test_r37_a_policy_that_cannot_be_read_is_not_put_in_force(door: Door) -> None:
    await unmoved(door, "R37: no YAML")


# --- the shape of the answer ------------------------------------------------------------------------------------------


async def test_r14_every_field_that_a_policy_governs_may_be_null(door: Door) -> None:
    answer = await door.ask(BENEFITS, '{ __type(name: "Citizen") { fields { name type { kind } } } }')
    fields = {each["name"]: each["type"]["kind"] for each in answer["data"]["__type"]["fields"]}
    assert "givenName" in fields
    assert "NON_NULL" not in fields.values()


async def test_r27_the_order_of_a_pseudonym_is_not_told(door: Door) -> None:
    shown = "      maritalStatus: clear\n      residence: clear\n      household: clear\n    aggregates"
    masked = ("      citizenship: clear\n" + shown, "      citizenship: pseudonym\n" + shown)
    listing = "{ citizens(first: 100%s) { edges { node { citizenship } } } }"

    def seen(answer: dict[str, Any]) -> set[str]:
        return {edge["node"]["citizenship"] for edge in answer["data"]["citizens"]["edges"]}

    clear = seen(await door.ask(COUNTING, listing % ""))
    async with door.amended(masked):
        assert not clear & seen(await door.ask(COUNTING, listing % ""))
        answer = await door.ask(COUNTING, listing % ", orderBy: [{citizenship: ASC}]")
    assert answer["data"] == {"citizens": None}
    assert codes(answer) == {"FIELD_DENIED"}


async def test_r29_what_is_denied_or_hidden_is_never_read(door: Door) -> None:
    node = door.federation.nodes[MUNICIPALITY]
    plane, watched = node.plane, WatchedDatabase(node.plane.database)
    node.plane = replace(plane, database=watched)
    ran = []
    try:
        for who, by in ((BENEFITS, LAURA), (SCHOOL, LAURA), (SCHOOL, NOBODY)):
            await door.citizen(who, "givenName sex" + (" contactPoints { email }" if who == BENEFITS else ""), by)
            ran.append([sql for sql, _ in watched.ran])
            watched.ran.clear()
    finally:
        node.plane = plane
    assert all(ran)
    assert not [word for sql in ran[0] for word in ("SESSO", "RECAPITI", "EMAIL") if word in sql.upper()]
    assert ran[1] == ran[2]  # for a school one is hidden and the other absent


# --- one policy, one requester ----------------------------------------------------------------------------------------


async def test_r35_the_same_text_is_answered_to_each_for_its_purpose(door: Door) -> None:
    fields = "givenName dateOfBirth sex maritalStatus"
    asking = (BENEFITS, HEALTH, SCHOOL)
    first = [await door.citizen(who, fields) for who in asking]
    again = [await door.citizen(who, fields) for who in reversed(asking)]
    assert [each["data"] for each in again] == [each["data"] for each in reversed(first)]
    assert [each["data"]["citizen"] and each["data"]["citizen"]["sex"] for each in first] == [None, "female", None]
    assert first[0]["data"]["citizen"]["maritalStatus"]
    assert first[1]["data"]["citizen"]["maritalStatus"] is None


async def test_r36_an_answer_names_the_one_policy_that_decided_it(door: Door) -> None:
    def digest(answer: dict[str, Any]) -> str:
        if door.direct:
            return str(answer["extensions"]["crocevia"]["policy"]["digest"])
        told = answer["extensions"]["privacy"]["members"]
        return str(next(each["policy"]["digest"] for each in told if each["member"] == MUNICIPALITY))

    before = digest(await door.citizen(BENEFITS, "maritalStatus"))
    async with door.amended(("      maritalStatus: clear\n", ""), ("version: 1", "version: 2")):
        answer = await door.citizen(BENEFITS, "maritalStatus")
        assert digest(answer) != before
        assert denied(answer) == {"citizen.maritalStatus"}
    assert digest(await door.citizen(BENEFITS, "maritalStatus")) == before


WHY = """query($coordinate: String!) { whyDenied(coordinate: $coordinate) {
  verdicts { member code missing { clause needed } } } }"""


async def test_r39_why_a_field_is_denied_is_told_by_rules_and_never_by_rows(door: Door) -> None:
    answer = await door.ask(BENEFITS, WHY, {"coordinate": "Citizen.sex"})
    [verdict] = [each for each in answer["data"]["whyDenied"]["verdicts"] if each["member"] == MUNICIPALITY]
    assert verdict["code"] == "FIELD_DENIED"
    assert verdict["missing"]
    assert "Laura" not in msgspec.json.encode(answer).decode()


# --- onDenied: reject -------------------------------------------------------------------------------------------------

WITH_DENIED = "query($by: CitizenKey!) { citizen(by: $by) { givenName sex } }"


def rejects(answer: dict[str, Any]) -> bool:
    """Say whether an answer holds nothing but the refusal of its denied fields."""
    return answer.get("data") is None and codes(answer) == {"FIELD_DENIED"}


async def test_r12_reject_by_the_request_holds_at_both_doors(door: Door) -> None:
    assert rejects(await door.ask(BENEFITS, WITH_DENIED, LAURA, OnDenied.REJECT))
    assert not rejects(await door.ask(BENEFITS, WITH_DENIED, LAURA))
    assert (await door.ask(BENEFITS, CITIZEN, LAURA, OnDenied.REJECT))["data"] == LAURA_IS


async def test_r12_reject_by_the_agreement_holds_whatever_the_request_says(door: Door) -> None:
    def rejecting(agreement: Agreement) -> Agreement:
        return msgspec.structs.replace(agreement, on_denied=OnDenied.REJECT)

    def answering(agreement: Agreement) -> Agreement:
        return msgspec.structs.replace(agreement, on_denied=OnDenied.NULL)

    door.federation.agree(*BENEFITS, rejecting)
    try:
        for said in (None, OnDenied.NULL, OnDenied.REJECT):
            assert rejects(await door.ask(BENEFITS, WITH_DENIED, LAURA, said))
            assert (await door.ask(BENEFITS, CITIZEN, LAURA, said))["data"] == LAURA_IS
    finally:
        door.federation.agree(*BENEFITS, answering)
    assert (await door.ask(BENEFITS, WITH_DENIED, LAURA))["data"] == {"citizen": {"givenName": "Laura", "sex": None}}
