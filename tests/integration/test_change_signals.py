"""Signals of change: at least once, in order, to whoever may read what changed, without a value and without a name."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner, Result

import crocevia
from federation.contract.entries import Entry, EntryKind
from node.own.outbox import events_after
from tests.integration.test_writes import FEEDBACK, PREFER, TOWN, known_as, preference
from tests.support.simulator import Simulator

if TYPE_CHECKING:
    from pathlib import Path


pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

COOP = ("coop_ponte", "social-support")
CHANGES = """query($after: String, $first: Int) {
  changes(member: "c_m999", after: $after, first: $first) { signals { id citizen kind type fields } cursor more }
}"""


async def changes(federation: Simulator, who: tuple[str, str], **variables: Any) -> dict[str, Any]:
    found = await federation.ask(*who, CHANGES, variables)
    told: dict[str, Any] = found.content["data"]["changes"]
    assert told is not None, found.content
    return told


async def opine(federation: Simulator, key: str, **more: Any) -> None:
    """Let the cooperative say what a person thinks of a service."""
    given = {"citizen": known_as(federation, "coop_ponte"), "service": "S1", "rating": 4, **more}
    found = await federation.ask(*COOP, FEEDBACK, {"input": given, "key": key})
    assert found.content["data"]["giveFeedback"] is not None


async def test_a_subscriber_is_told_what_changed_without_a_value(unwritten: Simulator) -> None:
    assert (await changes(unwritten, COOP))["signals"] == []  # from now on
    await opine(unwritten, "feedback-1", comment="private")
    told = await changes(unwritten, COOP)
    [signal] = told["signals"]
    assert {name: signal[name] for name in ("citizen", "kind", "type", "fields")} == {
        "citizen": known_as(unwritten, "coop_ponte"),
        "kind": "created",
        "type": "Feedback",
        "fields": ["at", "rating", "service"],  # it may not read the comment
    }
    assert not told["more"]


async def test_a_change_of_nothing_that_may_be_read_is_nobodys_news(unwritten: Simulator) -> None:
    """The town reads wishes and no opinions, the cooperative opinions and no wishes."""
    await changes(unwritten, COOP)
    await changes(unwritten, TOWN)
    await opine(unwritten, "feedback-1")
    await unwritten.ask(*TOWN, PREFER, preference(known_as(unwritten, "c_m999")))
    [opinion] = (await changes(unwritten, COOP))["signals"]
    [wish] = (await changes(unwritten, TOWN))["signals"]
    assert (opinion["type"], wish["type"]) == ("Feedback", "ContactPreference")
    assert opinion["citizen"] != wish["citizen"]
    assert wish["kind"] == "updated"
    assert set(wish["fields"]) == {"at", "channel", "language"}


async def test_what_was_not_taken_in_is_told_again_under_the_same_name(unwritten: Simulator) -> None:
    await changes(unwritten, COOP)
    for number in range(3):
        await opine(unwritten, f"feedback-{number}")
    first = await changes(unwritten, COOP)
    again = await changes(unwritten, COOP)
    names = [signal["id"] for signal in first["signals"]]
    assert [signal["id"] for signal in again["signals"]] == names
    assert len(set(names)) == 3
    assert first["cursor"] != again["cursor"]  # nobody sees from a cursor whether there were other events
    assert (await changes(unwritten, COOP, after=again["cursor"]))["signals"] == []
    assert (await changes(unwritten, COOP))["signals"] == []  # the cursor was remembered
    assert [each["id"] for each in (await changes(unwritten, COOP, after=None, first=5))["signals"]] == []


async def test_pages_follow_each_other_in_order(unwritten: Simulator) -> None:
    await changes(unwritten, COOP)
    for number in range(5):
        await opine(unwritten, f"feedback-{number}")
    whole = [signal["id"] for signal in (await changes(unwritten, COOP))["signals"]]
    paged: list[str] = []
    page = await changes(unwritten, COOP, first=2)
    while True:
        paged += [signal["id"] for signal in page["signals"]]
        if not page["more"]:
            break
        page = await changes(unwritten, COOP, after=page["cursor"], first=2)
    assert paged == whole


async def test_a_citizen_sees_that_a_consumer_was_told_of_a_change(unwritten: Simulator) -> None:
    await changes(unwritten, COOP)
    await opine(unwritten, "feedback-1", comment="private")
    await changes(unwritten, COOP)
    entries = [Entry.parse(each.entry) for each in unwritten.nodes["c_m999"].reader.entries()]
    *_, entry = [each for each in entries if each.kind is EntryKind.SIGNAL]
    assert (entry.consumer, entry.purpose, entry.subjects) == ("coop_ponte", "social-support", 1)
    assert {each.coordinate for each in entry.decisions} == {"Feedback.at", "Feedback.rating", "Feedback.service"}


async def test_a_cursor_of_another_subscriber_is_refused(unwritten: Simulator) -> None:
    town = await changes(unwritten, TOWN)
    found = await unwritten.ask(*COOP, CHANGES, {"after": town["cursor"]})
    assert found.content["data"]["changes"] is None
    assert found.content["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"


async def test_an_agreement_that_does_not_open_it_tells_nothing(unwritten: Simulator) -> None:
    query = 'query { changes(member: "inprev") { cursor } }'
    found = await unwritten.ask(*TOWN, query, {})
    assert found.content["data"]["changes"] is None
    assert found.content["errors"][0]["extensions"]["code"] == "FIELD_DENIED"


async def test_a_node_tells_nothing_past_the_gateway(unwritten: Simulator) -> None:
    told = await unwritten.ask_node("c_m999", *COOP, CHANGES, {})
    assert told["errors"][0]["extensions"]["code"] == "SCOPE_EXCEEDED"


async def test_a_gateway_cannot_move_a_cursor(unwritten: Simulator) -> None:
    """It would make the node believe that the subscriber took in what it never saw."""
    first = await changes(unwritten, COOP)

    def forward(content: dict[str, Any]) -> None:
        content["variables"]["after"] = first["cursor"]
        text = content["query"].replace("query($", "query($after: String, $")
        content["query"] = text.replace("(member:", "(after: $after, member:")

    unwritten.wire.malice["c_m999"] = forward
    found = await unwritten.ask(*COOP, 'query { changes(member: "c_m999") { cursor } }', {})
    assert found.content["data"]["changes"] is None
    assert unwritten.wire.heard[-1][2]["errors"][0]["extensions"]["code"] == "SCOPE_EXCEEDED"


async def test_a_subscriber_that_comes_too_late_is_told_so_until_it_begins_anew(unwritten: Simulator) -> None:
    place = await changes(unwritten, COOP)
    await opine(unwritten, "feedback-1")
    await forgetting(unwritten, timedelta(days=366))
    await opine(unwritten, "feedback-2")
    for given in ({}, {"after": place["cursor"]}):
        found = await unwritten.ask(*COOP, CHANGES, given)
        assert found.content["data"]["changes"] is None
        assert found.content["errors"][0]["extensions"]["code"] == "CHANGES_GONE"
    told = await changes(unwritten, COOP, after="oldest")
    assert [signal["type"] for signal in told["signals"]] == ["Feedback"]
    assert (await changes(unwritten, COOP, after=told["cursor"]))["signals"] == []


async def forgetting(federation: Simulator, later: timedelta) -> None:
    """Let the node forget what it would forget later."""
    node, now = federation.nodes["c_m999"], federation.clock.instant
    federation.clock.instant = now + later
    await node.forget_events()
    federation.clock.instant = now


def tell(federation: Simulator, file: Path) -> Result:
    settings = federation.home.party("c_m999") / "settings.toml"
    return CliRunner().invoke(crocevia.app, ["changed", str(file), "--settings", str(settings)])


def line(federation: Simulator, key: str, **more: Any) -> str:
    told = {"key": key, "citizen": known_as(federation, "c_m999"), "kind": "updated", **more}
    return json.dumps(told) + "\n"


async def test_what_the_members_own_programs_changed_is_told_once(unwritten: Simulator, tmp_path: Path) -> None:
    """They name fields and no values; who may read which of them is decided as if there were some."""
    await changes(unwritten, COOP)
    await changes(unwritten, TOWN)
    file = tmp_path / "changed.ndjson"
    file.write_text(
        line(unwritten, "batch-1-1", type="ContactPreference", fields=["language", "channel"])
        + line(unwritten, "batch-1-2", type="Feedback", fields=["rating", "comment"])
        + line(unwritten, "batch-1-3", type="Citizen", fields=["maritalStatus"])
    )
    for _ in range(2):
        ran = await asyncio.to_thread(tell, unwritten, file)
        assert ran.stdout == "3 changes told\n", ran.exception
    [wish] = (await changes(unwritten, TOWN))["signals"]
    [opinion] = (await changes(unwritten, COOP))["signals"]
    assert (wish["type"], sorted(wish["fields"])) == ("ContactPreference", ["channel", "language"])
    assert (opinion["type"], opinion["fields"]) == ("Feedback", ["rating"])
    assert await unwritten.nodes["c_m999"].own.run(lambda connection: events_after(connection, 0, 9)) == []


WRONG = {
    "no type of this node": ({"type": "Pets", "fields": ["name"]}, "line 1: this node answers no type `Pets`"),
    "no field of the type": ({"type": "Feedback", "fields": ["mood"]}, "line 1: `Feedback` has no field `mood`"),
    "a value": ({"type": "Feedback", "fields": ["rating"], "rating": 5}, "line 1: "),
    "another member's citizen": (
        {"type": "Feedback", "fields": ["rating"], "citizen": "v1.siv.inprev.aaaa"},
        "line 1: `citizen` must be a pseudonym of `c_m999`",
    ),
}


@pytest.mark.parametrize(("more", "said"), WRONG.values(), ids=WRONG.keys())
async def test_a_line_that_is_none_is_named(
    unwritten: Simulator, tmp_path: Path, more: dict[str, Any], said: str
) -> None:
    (tmp_path / "changed.ndjson").write_text(line(unwritten, "batch-2-1", **more))
    ran = await asyncio.to_thread(tell, unwritten, tmp_path / "changed.ndjson")
    assert said in str(ran.exception)
