"""The rules of the policy as a consumer meets them, whichever way it asks: through the gateway, or straight at a node.

Who asks a node directly gets the node's own fields; what both doors answer must be the same (policy R32).
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from federation.consumer.client import Refused
from federation.contract.clock import day_in_rome
from federation.contract.entries import Entry, EntryKind
from federation.contract.members import AgreementState
from federation.contract.on_denied import OnDenied
from tests.support.doors import BENEFITS, COUNTING, HEALTH, LAURA, MUNICIPALITY, NOBODY, SCHOOL, Door, codes, denied
from tests.support.simulator import Simulator

if TYPE_CHECKING:
    from federation.contract.members import MemberList

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]


# --- decisions --------------------------------------------------------------------------------------------------------


async def test_r1_what_no_grant_names_is_denied(door: Door) -> None:
    answer = await door.citizen(BENEFITS, "givenName sex")
    assert answer["data"] == {"citizen": {"givenName": "Laura", "sex": None}}
    assert denied(answer) == {"citizen.sex"}


async def test_r2_a_prohibition_beats_the_grant(door: Door) -> None:
    async with door.amended(more="  - {id: no-given-names, fields: [givenName]}\n"):
        answer = await door.citizen(BENEFITS, "givenName familyName")
    assert answer["data"] == {"citizen": {"givenName": None, "familyName": "Bianchi"}}


async def test_r5_a_purpose_opens_what_its_ancestors_do_and_nothing_of_its_siblings(door: Door) -> None:
    assert (await door.citizen(BENEFITS, "familyName"))["data"]["citizen"] == {
        "familyName": "Bianchi"
    }  # social-benefit
    answer = await door.citizen(HEALTH, "familyName maritalStatus")
    assert answer["data"]["citizen"] == {"familyName": "Bianchi", "maritalStatus": None}


async def test_r9_a_header_or_variable_says_nothing_about_who_asks(door: Door) -> None:
    query = "query($by: CitizenKey!, $kind: String, $purpose: String) { citizen(by: $by) { givenName sex } }"
    answer = await door.ask(BENEFITS, query, {**LAURA, "kind": "health", "purpose": "emergency-care"})
    assert "data" not in answer or answer["data"] is None  # variables that nothing uses fit no schema
    plain = await door.citizen(BENEFITS, "givenName sex")
    assert plain["data"]["citizen"]["sex"] is None


# --- the shape of the answer ------------------------------------------------------------------------------------------


async def test_r12_a_denied_field_is_null_with_its_path_and_one_message(door: Door) -> None:
    answer = await door.citizen(BENEFITS, "givenName hers: sex contactPoints { email }")
    assert answer["data"]["citizen"] == {"givenName": "Laura", "hers": None, "contactPoints": None}
    assert denied(answer) == {"citizen.hers", "citizen.contactPoints"}
    assert {error["message"] for error in answer["errors"]} == {"the field is denied for this purpose"}


async def test_what_only_a_stranger_to_the_agreement_knows_is_denied_and_costs_nothing_else(on_each: Simulator) -> None:
    """`Citizen.*` of other providers does not cover it: the health authority has no agreement with the school."""
    answer = await Door(on_each, direct=False).citizen(HEALTH, "givenName enrolments { mealService }")
    assert answer["data"] == {"citizen": {"givenName": "Laura", "enrolments": None}}
    assert denied(answer) == {"citizen.enrolments"}


SAME = (
    "givenName: givenName sex: sex",
    "... on Citizen { givenName ... { sex } }",
    "givenName @include(if: true) sex @skip(if: false) taxCode @skip(if: true)",
    "givenName sex givenName",
)


@pytest.mark.parametrize("who", [BENEFITS, SCHOOL, HEALTH], ids=lambda who: str(who[1]))
async def test_r15_however_a_question_is_written_the_decision_is_the_same(door: Door, who: tuple[str, str]) -> None:
    plain = await door.citizen(who, "givenName sex")
    for written in SAME:
        other = await door.citizen(who, written)
        assert (other["data"], denied(other)) == (plain["data"], denied(plain))


async def test_r16_lists_hold_visible_rows_only(door: Door) -> None:
    listed = await door.ask(COUNTING, "{ citizens(first: 100) { totalCount edges { node { __typename sex } } } }")
    found = listed["data"]["citizens"]
    assert found["totalCount"] == len(found["edges"])
    assert all(edge["node"] is not None for edge in found["edges"])


async def test_r20_introspection_names_only_what_the_agreement_or_policy_opens(door: Door) -> None:
    answer = await door.ask(COUNTING, "{ __schema { types { name fields { name } } } }")
    fields = {
        f"{kind['name']}.{each['name']}"
        for kind in answer["data"]["__schema"]["types"]
        for each in kind["fields"] or ()
    }
    assert "Citizen.sex" in fields
    assert "Enrolment.schoolYear" not in fields
    wrong = await door.ask(COUNTING, "{ citizens { edges { node { maritalStatu } } } }")
    assert "maritalStatus" not in msgspec.json.encode(wrong).decode()


# --- inference --------------------------------------------------------------------------------------------------------


async def test_r21_naming_a_denied_field_is_denied_whatever_is_selected(door: Door) -> None:
    for arguments in ('(where: {givenName: {startsWith: "L"}})', "(orderBy: [{familyName: ASC}])"):
        answer = await door.ask(COUNTING, f"{{ citizens{arguments} {{ totalCount }} }}")
        assert answer["data"] == {"citizens": None}
        assert codes(answer) == {"FIELD_DENIED"}


async def test_r22_a_filter_sees_the_year_and_never_the_day(door: Door) -> None:
    async def count(condition: str) -> Any:
        answer = await door.ask(COUNTING, f"{{ citizens(where: {{dateOfBirth: {{{condition}}}}}) {{ totalCount }} }}")
        return answer["data"]["citizens"]["totalCount"]

    assert await count('eq: "1984"') > 0
    assert await count('eq: "1984-06-17"') == 0
    assert await count('startsWith: "1984-06"') == 0


async def test_r23_an_identifier_opens_one_exact_door(door: Door) -> None:
    assert (await door.citizen(BENEFITS, "givenName", NOBODY))["data"] == {"citizen": None}
    for shorter in ("BNCLRA84H57F257", "BNCLRA%", ""):
        answer = await door.citizen(BENEFITS, "givenName", {"by": {"taxCode": shorter}})
        assert (answer.get("data") or {}).get("citizen") is None
    listing = await door.ask(COUNTING, '{ citizens(where: {taxCode: {startsWith: "B"}}) { totalCount } }')
    assert codes(listing) == {"GRAPHQL_VALIDATION_FAILED"}


async def test_r24_a_cursor_serves_its_requester_purpose_and_order(door: Door) -> None:
    query = """query($after: String) { citizens(first: 5, after: $after, orderBy: [{dateOfBirth: ASC}]) {
      pageInfo { endCursor } edges { node { dateOfBirth } } } }"""
    cursor = (await door.ask(COUNTING, query))["data"]["citizens"]["pageInfo"]["endCursor"]
    assert (await door.ask(COUNTING, query, {"after": cursor}))["data"]["citizens"]["edges"]
    for other, text in ((cursor[:-4] + "AAAA", query), (cursor, query.replace("ASC", "DESC"))):
        answer = await door.ask(COUNTING, text, {"after": other})
        assert (answer.get("data") or {}).get("citizens") is None
        assert codes(answer) == {"BAD_USER_INPUT"}


async def test_r28_hidden_and_absent_are_one_answer(door: Door) -> None:
    """A school asks for an adult, whom no grant shows it, and for nobody."""
    hidden = await door.citizen(SCHOOL, "givenName sex")
    absent = await door.citizen(SCHOOL, "givenName sex", NOBODY)
    assert hidden["data"] == absent["data"] == {"citizen": None}
    assert hidden.get("errors") == absent.get("errors")


# --- rows, days and consents ------------------------------------------------------------------------------------------


async def test_r3_a_prohibition_on_what_is_not_known_of_the_row_denies(own_door: Door) -> None:
    async with own_door.amended(more="  - {id: minors, fields: [givenName], rows: 'row.age < 18'}\n"):
        assert (await own_door.citizen(BENEFITS, "givenName"))["data"]["citizen"] == {"givenName": "Laura"}
        unborn = """UPDATE "ANAGRAFE" SET "DT_NASC" = '' WHERE "COD_FISC" = ?"""
        assert await own_door.federation.write(MUNICIPALITY, unborn, LAURA["by"]["taxCode"])
        answer = await own_door.citizen(BENEFITS, "givenName familyName")
    assert answer["data"]["citizen"] == {"givenName": None, "familyName": "Bianchi"}


async def test_r7_a_grant_holds_on_its_last_day_and_not_before_its_first(door: Door) -> None:
    today = day_in_rome(door.federation.clock.now())
    window = "valid: {from: 2026-01-01, until: 2027-12-31}\n    retain: P180D"
    async with door.amended((window, f"valid: {{from: 2026-01-01, until: {today}}}\n    retain: P180D")):
        assert (await door.citizen(BENEFITS, "givenName"))["data"]["citizen"] == {"givenName": "Laura"}
    tomorrow = today + timedelta(days=1)
    async with door.amended((window, f"valid: {{from: {tomorrow}, until: 2027-12-31}}\n    retain: P180D")):
        answer = await door.citizen(BENEFITS, "givenName")
        assert (answer.get("data") or {}).get("citizen") is None


async def test_r8_a_consent_opens_its_rows_until_it_is_withdrawn(own_door: Door) -> None:
    async def count() -> int:
        return int((await own_door.ask(COUNTING, "{ citizens { totalCount } }"))["data"]["citizens"]["totalCount"])

    everybody = await count()
    consenting = ("    purpose: statistics\n", "    purpose: statistics\n    consent: service-notices\n")
    async with own_door.amended(consenting):
        assert await count() == 0  # what the citizens consented to is another administration's notices
        assert await own_door.federation.write(MUNICIPALITY, """UPDATE "CONSENSI" SET "ENTE" = 'ustat'""")
        assert 0 < await count() < everybody
        assert await own_door.federation.write(MUNICIPALITY, 'UPDATE "CONSENSI" SET "DT_REV" = "DT_DAL"')
        assert await count() == 0


async def test_r13_a_denial_that_depends_on_the_row_is_a_null_without_an_error(door: Door) -> None:
    async with door.amended(more="  - {id: grown-up, fields: [givenName], rows: 'row.age > 17'}\n"):
        answer = await door.citizen(BENEFITS, "givenName familyName")
    assert answer["data"]["citizen"] == {"givenName": None, "familyName": "Bianchi"}
    assert denied(answer) == set()


# --- counts, keys and what is computed --------------------------------------------------------------------------------

BY_STATUS = "{ citizens%s { groups(by: [maritalStatus]) { maritalStatus count } } }"


async def test_r25_no_small_group_is_told(door: Door) -> None:
    answer = await door.ask(COUNTING, BY_STATUS % "")
    counts = [group["count"] for group in answer["data"]["citizens"]["groups"]]
    assert counts
    assert min(counts) >= 5


async def test_r26_counts_that_differ_by_a_few_are_not_both_told(door: Door) -> None:
    first = await door.ask(COUNTING, BY_STATUS % "")
    narrower = await door.ask(COUNTING, BY_STATUS % '(where: {dateOfBirth: {gt: "1930"}})')
    assert codes(narrower) == {"COUNTS_OVERLAP"}
    assert (narrower.get("data") or {}).get("citizens") is None
    assert (await door.ask(COUNTING, BY_STATUS % ""))["data"] == first["data"]


async def test_r30_a_consumer_asks_for_no_representations(door: Door) -> None:
    query = "query($r: [_Any!]!) { _entities(representations: $r) { ... on Citizen { givenName } } }"
    answer = await door.ask(BENEFITS, query, {"r": [{"__typename": "Citizen", "id": "x"}]})
    assert answer.get("data") is None
    assert codes(answer) <= {"SCOPE_EXCEEDED", "GRAPHQL_VALIDATION_FAILED"}


async def test_r31_what_denies_an_input_must_deny_what_is_computed_from_it(door: Door) -> None:
    """A policy that forgets it is refused, and the one in force stays (R37)."""
    fields = "familyName maritalStatus citizenship"
    before = await door.citizen(BENEFITS, fields)
    computed = ("maritalStatus: {category: family}", "maritalStatus: {category: family, computed_from: [citizenship]}")
    async with door.amended(computed, more="  - {id: no-citizenship, fields: [citizenship]}\n"):
        assert (await door.citizen(BENEFITS, fields))["data"] == before["data"]
    async with door.amended(computed, more="  - {id: no-citizenship, fields: [citizenship, maritalStatus]}\n"):
        answer = await door.citizen(BENEFITS, fields)
    assert answer["data"]["citizen"] == {"familyName": "Bianchi", "maritalStatus": None, "citizenship": None}


# --- federation -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", [BENEFITS, SCHOOL, HEALTH], ids=lambda who: str(who[1]))
async def test_r32_past_the_gateway_the_answer_is_the_same(on_each: Simulator, who: tuple[str, str]) -> None:
    fields = "givenName familyName dateOfBirth sex maritalStatus residence { municipality } household { size }"
    for by in (LAURA, {"by": {"taxCode": "FRRSFO14E54F257M"}}, NOBODY):
        past = await Door(on_each, direct=True).citizen(who, fields, by)
        through = await Door(on_each, direct=False).citizen(who, fields, by)
        assert past["data"] == through["data"]
        assert denied(past) == denied(through)


async def test_r32_a_node_decides_for_the_consumer_and_never_for_the_gateway(on_each: Simulator) -> None:
    await Door(on_each, direct=False).citizen(HEALTH, "givenName sex")
    journal = on_each.nodes["c_m999"].journal
    last = [Entry.parse(each.entry) for each in journal.reader.entries()][-1]
    assert (last.kind, last.consumer, last.purpose) == (EntryKind.DISCLOSURE, "aslvs", "emergency-care")
    grants = {grant for decision in last.decisions for grant in decision.grants}
    assert grants == {"emergency"}


async def test_r33_each_members_policy_decides_its_own_part(own_on_each: Simulator) -> None:
    """The health authority closes what it has; what the municipality and social security have stays as it was."""
    fields = "givenName isee disability { percentage }"
    before = (await Door(own_on_each, direct=False).citizen(BENEFITS, fields))["data"]["citizen"]
    path = own_on_each.policy("aslvs", "Citizen")
    text = path.read_text(encoding="utf-8")
    path.write_text(
        text + ("" if "prohibitions:" in text else "prohibitions:\n") + "  - {id: closed, fields: [disability]}\n",
        encoding="utf-8",
    )
    await own_on_each.renew("aslvs")
    answer = await Door(own_on_each, direct=False).citizen(BENEFITS, fields)
    assert answer["data"]["citizen"] == {**before, "disability": None}
    assert denied(answer) == {"citizen.disability"}


# --- onDenied: reject -------------------------------------------------------------------------------------------------


async def test_r12_reject_by_header_answers_nothing_but_every_denied_place(on_each: Simulator) -> None:
    query = "query($by: CitizenKey!) { citizen(by: $by) { givenName hers: sex isee contactPoints { email } } }"
    answer = (await on_each.ask(*BENEFITS, query, LAURA, OnDenied.REJECT)).content
    assert answer["data"] is None
    assert {tuple(error["path"]) for error in answer["errors"]} == {("citizen", "hers"), ("citizen", "contactPoints")}
    assert codes(answer) == {"FIELD_DENIED"}
    refused = [status for member, status, _ in on_each.wire.heard if member == "c_m999"][-1]
    assert refused == 403  # nothing of the denied part left the node
    granted = query.replace("hers: sex", "").replace("contactPoints { email }", "")
    whole = (await on_each.ask(*BENEFITS, granted, LAURA, OnDenied.REJECT)).content
    assert whole["data"]["citizen"]["givenName"] == "Laura"


async def test_r12_another_word_in_the_header_is_refused(on_each: Simulator) -> None:
    query = "query($by: CitizenKey!) { citizen(by: $by) { givenName } }"
    answer = await on_each.ask(*BENEFITS, query, LAURA, "rejct")  # type: ignore[arg-type]  # the point
    assert (answer.status, codes(answer.content)) == (400, {"BAD_USER_INPUT"})


async def test_r12_a_gateway_cannot_drop_or_add_the_header(federation: Simulator) -> None:
    def dropped(content: dict[str, Any]) -> None:
        content["extensions"]["crocevia"]["consumerRequest"]["headers"].pop("crocevia-on-denied")

    def added(content: dict[str, Any]) -> None:
        content["extensions"]["crocevia"]["consumerRequest"]["headers"]["crocevia-on-denied"] = "reject"

    query = "query($by: CitizenKey!) { citizen(by: $by) { givenName sex } }"
    for malice, said in ((dropped, OnDenied.REJECT), (added, None)):
        federation.wire.malice["c_m999"] = malice
        await federation.ask(*BENEFITS, query, LAURA, said)
        refusal = next(content for member, _, content in reversed(federation.wire.heard) if member == "c_m999")
        assert codes(refusal) == {"SIGNATURE_INVALID"}


# --- change and audit -------------------------------------------------------------------------------------------------


async def test_r36_a_hundred_changes_under_load_never_mix(own_on_each: Simulator) -> None:
    """Two policies in turn, with questions in between: each answer is whole under the policy whose digest it names."""
    path = own_on_each.policy("c_m999", "Citizen")
    text = path.read_text(encoding="utf-8")
    other = text.replace("      maritalStatus: clear\n      residence: clear", "      residence: clear").replace(
        "version: 1", "version: 2"
    )
    assert other != text
    node, gateway = own_on_each.nodes["c_m999"], Door(own_on_each, direct=False)
    policies = [(node.decisions, node.plane)]
    path.write_text(other, encoding="utf-8")
    await own_on_each.renew("c_m999")
    policies.append((node.decisions, node.plane))
    seen: dict[str, set[bytes]] = {}
    asking: list[asyncio.Task[dict[str, Any]]] = []
    for number in range(100):
        node.decisions, node.plane = policies[number % 2]
        if number % 4 == 0:
            asking.append(asyncio.create_task(gateway.citizen(BENEFITS, "givenName maritalStatus household { size }")))
        await asyncio.sleep(0.002)
    for answer in await asyncio.gather(*asking):
        [digest] = {
            each["policy"]["digest"]
            for each in answer["extensions"]["privacy"]["members"]
            if each["member"] == "c_m999"
        }
        seen.setdefault(digest, set()).add(msgspec.json.encode(answer["data"]))
    assert {len(answers) for answers in seen.values()} == {1}
    assert len(seen) == 2


async def test_r38_every_answer_and_refusal_stands_in_the_ledger_of_the_node(door: Door) -> None:
    def entries() -> list[Entry]:
        return [Entry.parse(each.entry) for each in door.federation.nodes["c_m999"].journal.reader.entries()]

    before = len(entries())
    answer = await door.citizen(BENEFITS, "givenName sex")
    assert answer["data"]["citizen"]["givenName"] == "Laura"
    [*_, last] = entries()
    assert len(entries()) > before
    assert {each.coordinate: each.form for each in last.decisions if not each.join_key} == {
        "Citizen.givenName": "clear",
        "Citizen.sex": "deny",
    }
    assert "Laura" not in last.to_bytes().decode()


async def test_r40_the_duty_to_erase_comes_with_the_answer(door: Door) -> None:
    answer = await door.citizen(BENEFITS, "givenName")
    if door.direct:
        told = {(each["grants"][0], each["retain"]) for each in answer["extensions"]["crocevia"]["decisions"]}
    else:
        told = {(each["grant"], each["eraseAfter"]) for each in answer["extensions"]["privacy"]["duties"]}
    assert told == {("identity-for-benefits", "P180D")}


async def test_r40_an_agreement_that_ended_ends_what_was_prepared(own_door: Door) -> None:
    await own_door.citizen(BENEFITS, "givenName")

    def ended(members: MemberList) -> MemberList:
        agreements = tuple(
            msgspec.structs.replace(each, state=AgreementState.ENDED) if each.consumer == "inprev" else each
            for each in members.agreements
        )
        return msgspec.structs.replace(members, agreements=agreements)

    own_door.federation.publish(ended)
    with pytest.raises(Refused, match="AGREEMENT_INACTIVE"):
        await own_door.citizen(BENEFITS, "givenName")
