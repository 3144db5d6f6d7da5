"""Writing through a federation: once, under the agreement, about whom the consumer named, told back under policy."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import Connection, select
from typing_extensions import override

from federation.contract.clock import FixedClock, day_in_rome
from federation.contract.entries import Entry, EntryKind
from federation.contract.identifiers import MemberId
from federation.demo.founding import EXCHANGE_MASTER_KEY
from federation.execution.transport.errors import ConnectError
from federation.execution.transport.message import HttpAnswer
from federation.gateway.sending import Sender
from federation.linkage.siv import SivSuite
from federation.trust.keys import read_secret
from node.demo.seed import read_truth
from node.own.tables import OUTBOX, WRITTEN
from tests.support.simulator import Simulator

if TYPE_CHECKING:
    pass

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

TOWN = ("c_m999", "service-notices")
PERSON, CHILD = "BNCLRA84H57F257B", "FRRSFO14E54F257M"
PREFER = """mutation Prefer($input: ContactPreferenceInput!, $key: String!) {
  preferContact(input: $input, idempotencyKey: $key) { channel language hours at }
}"""
FEEDBACK = """mutation($input: FeedbackInput!, $key: String!) {
  giveFeedback(input: $input, idempotencyKey: $key) { rating comment service }
}"""


def known_as(federation: Simulator, consumer: str, tax_code: str = PERSON) -> str:
    """Return how a consumer knows a person."""
    suite = SivSuite(read_secret(federation.home.keys("exchange") / EXCHANGE_MASTER_KEY))
    people = read_truth(federation.home.root / "truth.ndjson")
    subject = next(person.subject_id for person in people if person.tax_code == tax_code)
    return str(suite.pseudonym(MemberId(consumer), subject))


def preference(citizen: str, key: str = "wish-0001", **changes: Any) -> dict[str, Any]:
    return {"input": {"citizen": citizen, "channel": "app", "language": "it", **changes}, "key": key}


async def rows(federation: Simulator, table: Any) -> list[Any]:
    def read(connection: Connection) -> list[Any]:
        return list(connection.execute(select(table)))

    return await federation.nodes["c_m999"].own.run(read)


def entries(federation: Simulator) -> list[Entry]:
    reader = federation.nodes["c_m999"].reader
    return [Entry.parse(each.entry) for each in reader.entries()]


async def test_a_write_is_carried_out_once_and_told_back(unwritten: Simulator) -> None:
    citizen = known_as(unwritten, "c_m999")
    first = await unwritten.ask(*TOWN, PREFER, preference(citizen))
    again = await unwritten.ask(*TOWN, PREFER, preference(citizen))
    told = first.content["data"]["preferContact"]
    assert {name: told[name] for name in ("channel", "language", "hours")} == {
        "channel": "app",
        "language": "it",
        "hours": None,
    }
    assert again.content["data"] == first.content["data"]
    [written] = await rows(unwritten, WRITTEN)
    [event] = await rows(unwritten, OUTBOX)
    assert written.consumer == "c_m999"
    assert event.written == written.id
    assert (event.kind, event.type_name, event.subject) == ("updated", "ContactPreference", written.subject)
    assert set(event.fields) == {"at", "channel", "language"}


async def test_the_same_key_with_another_input_is_refused(unwritten: Simulator) -> None:
    citizen = known_as(unwritten, "c_m999")
    await unwritten.ask(*TOWN, PREFER, preference(citizen))
    found = await unwritten.ask(*TOWN, PREFER, preference(citizen, language="de"))
    [error] = found.content["errors"]
    assert error["extensions"]["code"] == "IDEMPOTENCY_KEY_REUSED"
    assert len(await rows(unwritten, WRITTEN)) == 1


async def test_requests_at_once_under_one_key_write_once_and_are_told_the_same(unwritten: Simulator) -> None:
    """Each is of another instant, which stands in the record: all are told that of the one that was first."""
    citizen, ticks = known_as(unwritten, "c_m999"), count()

    class Ticking(FixedClock):
        @override
        def now(self) -> datetime:
            return self.instant + timedelta(milliseconds=next(ticks))

    process = unwritten.nodes["c_m999"]
    before, process.clock = process.clock, Ticking(unwritten.clock.instant)
    try:
        asked = [unwritten.ask(*TOWN, PREFER, preference(citizen)) for _ in range(6)]
        found = await asyncio.gather(*asked)
        other = await asyncio.gather(
            *(unwritten.ask(*TOWN, PREFER, preference(citizen, "wish-0002", language=each)) for each in ("it", "de"))
        )
    finally:
        process.clock = before
    assert len({each.content["data"]["preferContact"]["at"] for each in found}) == 1
    assert len(await rows(unwritten, WRITTEN)) == len(await rows(unwritten, OUTBOX)) == 2
    refused = [code for each in other for code in _codes({"errors": each.content.get("errors", [])})]
    assert refused == ["IDEMPOTENCY_KEY_REUSED"]
    [*_, last] = [each for each in await rows(unwritten, WRITTEN) if each.idempotency_key == "wish-0001"]
    assert datetime.fromisoformat(last.at) == datetime.fromisoformat(found[0].content["data"]["preferContact"]["at"])


async def test_a_write_whose_answer_was_lost_is_answered_again_and_not_repeated(unwritten: Simulator) -> None:
    citizen = known_as(unwritten, "c_m999")

    def lost(_: HttpAnswer) -> HttpAnswer:
        raise ConnectError("reset")

    unwritten.wire.lies["c_m999"] = lost
    try:
        found = await unwritten.ask(*TOWN, PREFER, preference(citizen))
    finally:
        del unwritten.wire.lies["c_m999"]
    assert found.content["data"]["preferContact"] is None
    [written] = await rows(unwritten, WRITTEN)
    unwritten.forward(timedelta(seconds=40))
    again = await unwritten.ask(*TOWN, PREFER, preference(citizen))
    told = again.content["data"]["preferContact"]
    assert datetime.fromisoformat(told["at"]) == datetime.fromisoformat(written.at)
    assert len(await rows(unwritten, OUTBOX)) == 1


EVERY: dict[str, tuple[tuple[str, str], str, str, dict[str, Any], dict[str, Any], tuple[str, str]]] = {
    "recordInteraction": (
        ("coop_ponte", "social-support"),
        "InteractionInput",
        "__typename",
        {"channel": "counter", "direction": "inbound", "topic": "Help"},
        {"direction": "sideways"},
        ("created", "Interaction"),
    ),
    "changeCaseStatus": (
        TOWN,
        "CaseStatusInput",
        "__typename",
        {"case": "P-1", "status": "waiting"},
        {"status": "lost"},
        ("updated", "ServiceCase"),
    ),
    "giveFeedback": (
        ("coop_ponte", "social-support"),
        "FeedbackInput",
        "rating",
        {"service": "S1", "rating": 4},
        {"rating": 6},
        ("created", "Feedback"),
    ),
    "recordConsent": (
        TOWN,
        "ConsentInput",
        "purpose given",
        {"purpose": "service-notices", "given": True},
        {"consumer": "Nobody!"},
        ("created", "ConsentRecord"),
    ),
    "preferContact": (
        TOWN,
        "ContactPreferenceInput",
        "channel",
        {"channel": "app"},
        {"hours": " "},
        ("updated", "ContactPreference"),
    ),
}
"""Who writes, the type of the input, what is asked back, an input, a change that breaks a rule, and the event."""


@pytest.mark.parametrize("name", EVERY)
async def test_every_mutation_is_checked_written_once_and_has_its_event(unwritten: Simulator, name: str) -> None:
    who, kind, told, given, wrong, event = EVERY[name]
    text = f"mutation($input: {kind}!, $key: String!) {{ {name}(input: $input, idempotencyKey: $key) {{ {told} }} }}"
    given = {"citizen": known_as(unwritten, who[0]), **given}
    refused = await unwritten.ask(*who, text, {"input": {**given, **wrong}, "key": "key-00001"})
    [error] = refused.content["errors"]
    [field] = wrong
    # What GraphQL itself knows to be wrong, such as a word that an enumeration does not have, is refused by it.
    assert error["extensions"].get("path", [name, "input", field]) == [name, "input", field]
    assert error["extensions"]["code"] in {"INPUT_INVALID", "BAD_USER_INPUT"}
    assert await rows(unwritten, WRITTEN) == []
    first, again = [await unwritten.ask(*who, text, {"input": given, "key": "key-00001"}) for _ in range(2)]
    assert first.content.get("errors", []) == []
    assert again.content["data"] == first.content["data"]
    [written], [sent] = await rows(unwritten, WRITTEN), await rows(unwritten, OUTBOX)
    assert (written.mutation, written.consumer) == (name, who[0])
    assert (sent.kind, sent.type_name, sent.written) == (*event, written.id)


async def test_a_write_stands_in_the_ledger_with_what_was_told_back(unwritten: Simulator) -> None:
    citizen = known_as(unwritten, "c_m999")
    await unwritten.ask(*TOWN, PREFER, preference(citizen))
    *_, entry = [each for each in entries(unwritten) if each.kind is EntryKind.WRITE]
    assert (entry.consumer, entry.purpose, entry.subjects) == ("c_m999", "service-notices", 1)
    assert {each.coordinate for each in entry.decisions} >= {"ContactPreference.channel", "ContactPreference.language"}


BAD = {"language": {"language": "italiano"}, "channel": {"channel": "By Phone"}, "hours": {"hours": "x" * 101}}


@pytest.mark.parametrize(("field", "changes"), BAD.items(), ids=BAD.keys())
async def test_input_that_breaks_a_rule_names_the_field_and_no_value(
    unwritten: Simulator, field: str, changes: dict[str, str]
) -> None:
    found = await unwritten.ask(*TOWN, PREFER, preference(known_as(unwritten, "c_m999"), **changes))
    [error] = found.content["errors"]
    path = ["preferContact", "input", field]
    assert error["extensions"] == {"code": "INPUT_INVALID", "member": "c_m999", "field": field, "path": path}
    assert await rows(unwritten, WRITTEN) == []


async def test_a_wrong_input_is_named_by_its_root_and_place(unwritten: Simulator) -> None:
    citizen = known_as(unwritten, "c_m999")
    mutation = """mutation($a: ContactPreferenceInput!, $b: ContactPreferenceInput!, $key: String!) {
      one: preferContact(input: $a, idempotencyKey: "wish-0001") { channel }
      two: preferContact(input: $b, idempotencyKey: $key) { channel }
    }"""
    right = preference(citizen)["input"]
    for wrong, key, place in (
        ({**right, "language": "x"}, "wish-0002", ["two", "input", "language"]),
        ({"citizen": citizen}, "wish-0002", ["two", "input"]),
        (right, "short", ["two", "idempotencyKey"]),
    ):
        found = await unwritten.ask(*TOWN, mutation, {"a": right, "b": wrong, "key": key})
        assert {tuple(error["extensions"]["path"]) for error in found.content["errors"]} == {tuple(place)}
    assert await rows(unwritten, WRITTEN) == []


async def test_r41_what_may_not_be_read_is_not_told_back(unwritten: Simulator) -> None:
    """The cooperative may say what people think; the policy lets it read the rating and not the comment."""
    mine = known_as(unwritten, "coop_ponte")
    variables = {"input": {"citizen": mine, "service": "S1", "rating": 4, "comment": "private"}, "key": "feedback-1"}
    found = await unwritten.ask("coop_ponte", "social-support", FEEDBACK, variables)
    assert found.content["data"]["giveFeedback"] == {"rating": 4, "comment": None, "service": "S1"}
    [error] = found.content["errors"]
    assert error["extensions"]["code"] == "FIELD_DENIED"
    assert error["path"] == ["giveFeedback", "comment"]
    [written] = await rows(unwritten, WRITTEN)
    assert written.record["comment"] == "private"


async def test_r41_a_record_that_may_not_be_read_at_all_is_null_and_written(unwritten: Simulator) -> None:
    mutation = """mutation($input: InteractionInput!, $key: String!) {
      recordInteraction(input: $input, idempotencyKey: $key) { topic }
    }"""
    mine = known_as(unwritten, "coop_ponte")
    given = {"citizen": mine, "channel": "counter", "direction": "inbound", "topic": "Help"}
    found = await unwritten.ask("coop_ponte", "social-support", mutation, {"input": given, "key": "contact-1"})
    assert found.content["data"]["recordInteraction"] is None
    assert len(await rows(unwritten, WRITTEN)) == 1


async def test_a_mutation_that_the_agreement_does_not_open_is_denied(unwritten: Simulator) -> None:
    mine = known_as(unwritten, "coop_ponte")
    found = await unwritten.ask("coop_ponte", "social-support", PREFER, preference(mine))
    assert found.content["data"]["preferContact"] is None
    assert {each["extensions"]["code"] for each in found.content["errors"]} == {"FIELD_DENIED"}
    assert await rows(unwritten, WRITTEN) == []


def _without_statements(content: dict[str, Any]) -> None:
    content["extensions"]["crocevia"]["translations"] = []


async def test_a_gateway_cannot_write_without_the_exchange(unwritten: Simulator) -> None:
    unwritten.wire.malice["c_m999"] = _without_statements
    await unwritten.ask(*TOWN, PREFER, preference(known_as(unwritten, "c_m999")))
    assert _codes(unwritten.wire.heard[-1][2]) == {"SCOPE_EXCEEDED"}
    assert await rows(unwritten, WRITTEN) == []


async def test_a_gateway_cannot_write_about_somebody_else(
    unwritten: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may ask the exchange about another citizen; what the exchange then signs does not fit what was signed."""
    monkeypatch.setattr(Sender, "require_answer", lambda *_: None)  # such a gateway knows what it asked instead
    other = known_as(unwritten, "c_m999", CHILD)

    def about_another(content: dict[str, Any]) -> None:
        for conversion in content["conversions"]:
            if conversion["source"] == "c_m999":
                conversion["pids"] = [other]

    unwritten.wire.malice["exchange"] = about_another
    found = await unwritten.ask(*TOWN, PREFER, preference(known_as(unwritten, "c_m999")))
    assert _codes(found.content) == {"SCOPE_EXCEEDED"}
    assert await rows(unwritten, WRITTEN) == []


async def test_one_operation_writes_about_one_citizen(unwritten: Simulator) -> None:
    mutation = """mutation($a: ContactPreferenceInput!, $b: ContactPreferenceInput!) {
      a: preferContact(input: $a, idempotencyKey: "wish-0001") { channel }
      b: preferContact(input: $b, idempotencyKey: "wish-0002") { channel }
    }"""
    given = [preference(known_as(unwritten, "c_m999", code))["input"] for code in (PERSON, CHILD)]
    found = await unwritten.ask(*TOWN, mutation, {"a": given[0], "b": given[1]})
    assert _codes(found.content) == {"BAD_USER_INPUT"}
    assert await rows(unwritten, WRITTEN) == []


async def test_roots_of_one_operation_are_written_together(unwritten: Simulator) -> None:
    mutation = """mutation($a: ContactPreferenceInput!, $b: ConsentInput!) {
      preferContact(input: $a, idempotencyKey: "wish-0001") { channel }
      recordConsent(input: $b, idempotencyKey: "consent-1") { purpose given }
    }"""
    citizen = known_as(unwritten, "c_m999")
    consent = {"citizen": citizen, "purpose": "service-notices", "given": True}
    variables = {"a": preference(citizen)["input"], "b": consent}
    found = await unwritten.ask(*TOWN, mutation, variables)
    assert found.content["data"]["recordConsent"] == {"purpose": "service-notices", "given": True}
    assert [each.mutation for each in await rows(unwritten, WRITTEN)] == ["preferContact", "recordConsent"]
    refused = await unwritten.ask(*TOWN, mutation, {**variables, "b": {**consent, "given": False}})
    assert _codes(refused.content) == {"IDEMPOTENCY_KEY_REUSED"}


def _codes(content: dict[str, Any]) -> set[str]:
    return {each["extensions"]["code"] for each in content["errors"]}


CASES = "query($by: CitizenKey!) { citizen(by: $by) { cases { title } contactPoints { channel } } }"
CONSENT = """mutation($input: ConsentInput!, $key: String!) {
  recordConsent(input: $input, idempotencyKey: $key) { given }
}"""


async def test_r8_a_consent_that_is_given_or_withdrawn_through_a_node_counts_at_the_next_question(
    unwritten: Simulator,
) -> None:
    """The register does not know of it yet."""
    people = list(read_truth(unwritten.home.root / "truth.ndjson"))
    agreed = [each for each in people if each.civil and any(one.purpose == TOWN[1] for one in each.civil.consents)]
    seen: list[str] = []
    for person in agreed:
        found = await unwritten.ask(*TOWN, CASES, {"by": {"taxCode": person.tax_code}})
        if (found.content["data"]["citizen"] or {}).get("cases"):
            seen.append(person.tax_code)
    withdrawing, staying = seen[:2]
    giving = next(each.tax_code for each in people if each.civil and each not in agreed)

    async def asked(tax_code: str) -> Any:
        return (await unwritten.ask(*TOWN, CASES, {"by": {"taxCode": tax_code}})).content["data"]["citizen"]

    async def consent(key: str, tax_code: str = withdrawing, **said: Any) -> None:
        told = {"citizen": known_as(unwritten, "c_m999", tax_code), "purpose": TOWN[1], **said}
        assert (await unwritten.ask(*TOWN, CONSENT, {"input": told, "key": key})).content["data"]["recordConsent"]

    before = await asked(withdrawing), await asked(staying)
    await consent("withdrawn-1", given=False)
    after = await asked(withdrawing), await asked(staying)
    assert before[0]["cases"]
    assert after[0] is None  # to find somebody by tax code needs the consent too
    assert after[1] == before[1]
    await consent("given-again", given=True)
    assert await asked(withdrawing) == before[0]
    await consent("withdrawn-2", given=False)
    await consent("given-for-a-while", given=True, expires="2020-01-01")
    assert await asked(withdrawing) is None  # what the register has was given before, and withdrawn

    assert await asked(giving) is None
    for number, other in enumerate(({"purpose": "statistics"}, {"consumer": "inprev"}, {"expires": "2020-01-01"})):
        await consent(f"of-no-use-{number}", giving, given=True, **other)
        assert await asked(giving) is None, other
    await consent("given-anew", giving, given=True)
    assert await asked(giving) is not None
    await consent("and-no-more", giving, given=False)
    assert await asked(giving) is None

    await consent("given-twice", staying, given=True)
    assert await asked(staying) == before[1]
    held = """FROM "ANAGRAFE" a WHERE a."ID_SOGG" = "CONSENSI"."ID_SOGG" AND a."COD_FISC" = ?"""
    today = day_in_rome(unwritten.clock.now()).strftime("%Y%m%d")
    withdrawn = """UPDATE "CONSENSI" SET "DT_REV" = """
    assert await unwritten.write("c_m999", f"{withdrawn}? WHERE EXISTS (SELECT 1 {held})", today, staying)
    assert await asked(staying) is None  # withdrawn at the counter, after it was given through the node
    assert await unwritten.write("c_m999", f"{withdrawn}NULL WHERE EXISTS (SELECT 1 {held})", staying)
    assert await asked(staying) == before[1]
