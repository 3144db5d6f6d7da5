"""A node's process takes another policy between two questions, and records that it did."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from federation.contract.entries import Entry, EntryKind
from federation.contract.errors import PolicyUnavailableError
from node.enforcement.answer import answer
from node.own.upgrading import require_current
from node.server.process import NodeProcess
from node.server.settings import NodeSettings
from tests.support.parties import NODE_URL, Parties

QUERY = '{ citizen(by: {taxCode: "BNCLRA84H57F257B"}) { givenName maritalStatus } }'
OPEN = "      maritalStatus: clear\n      residence: clear\n"


@pytest.fixture
async def process(settings: NodeSettings, parties: Parties) -> AsyncIterator[NodeProcess]:
    opened = NodeProcess.open(settings, parties.clock)
    await opened.own.run(require_current)
    yield opened
    await opened.close()


async def ask(process: NodeProcess, parties: Parties) -> dict[str, Any]:
    request = parties.consumers({"query": QUERY, "variables": {}}, NODE_URL)
    found: dict[str, Any] = msgspec.json.decode(await answer(request, process.node()))
    return found


def deny_marital_status(settings: NodeSettings) -> None:
    path = settings.policies / "types" / "Citizen.yaml"
    before = path.read_text(encoding="utf-8")
    assert OPEN in before
    path.write_text(before.replace(OPEN, "      residence: clear\n"), encoding="utf-8")


def entries(process: NodeProcess) -> list[Entry]:
    return [Entry.parse(found.entry) for found in process.reader.entries()]


async def test_r36_another_bundle_decides_the_next_question_and_is_recorded_before_it(
    process: NodeProcess, settings: NodeSettings, parties: Parties
) -> None:
    old = process.decisions.version
    begun = process.node()
    first = await ask(process, parties)
    assert first["data"]["citizen"] == {"givenName": "Laura", "maritalStatus": "married"}
    deny_marital_status(settings)
    await process.renew_policy()
    assert process.decisions.version == old
    await process.renew_policy()
    new = process.decisions.version
    second = await ask(process, parties)
    assert second["data"]["citizen"] == {"givenName": "Laura", "maritalStatus": None}
    assert (begun.policy.version, begun.plane is process.plane) == (old, False)
    assert [(entry.kind, entry.policy) for entry in entries(process)] == [
        (EntryKind.DISCLOSURE, old),
        (EntryKind.POLICY, new),
        (EntryKind.DISCLOSURE, new),
    ]
    assert entries(process)[1].detail == f"replaces {old.digest}"
    for _ in range(3):
        await process.renew_policy()
    assert len(entries(process)) == 3


async def test_r36_a_field_that_a_new_bundle_lets_verify_can_be_verified(
    process: NodeProcess, settings: NodeSettings
) -> None:
    assert "citizenshipMatches" not in process.plane.schema.type_map["Citizen"].fields  # type: ignore[attr-defined]  # an object type
    path = settings.policies / "types" / "Citizen.yaml"
    before = path.read_text(encoding="utf-8")
    path.write_text(before.replace("dateOfBirth: verify, citizenship: clear", "citizenship: verify"), encoding="utf-8")
    for _ in range(2):
        await process.renew_policy()
    assert "citizenshipMatches" in process.plane.schema.type_map["Citizen"].fields  # type: ignore[attr-defined]  # as above


async def test_r37_a_broken_bundle_leaves_the_node_answering(
    process: NodeProcess, settings: NodeSettings, parties: Parties, caplog: pytest.LogCaptureFixture
) -> None:
    (settings.policies / "types" / "Citizen.yaml").write_text("policy: Citizen\n", encoding="utf-8")
    for _ in range(3):
        await process.renew_policy()
    assert (await ask(process, parties))["data"]["citizen"]["maritalStatus"] == "married"
    assert [record.levelname for record in caplog.records] == ["WARNING"]


def test_r37_no_good_bundle_at_the_start_means_no_node(settings: NodeSettings, parties: Parties) -> None:
    (settings.policies / "types" / "Citizen.yaml").write_text("policy: Citizen\n", encoding="utf-8")
    with pytest.raises(PolicyUnavailableError, match="the first: types/Citizen"):
        NodeProcess.open(settings, parties.clock)


async def test_a_running_node_follows_its_folder(process: NodeProcess, settings: NodeSettings) -> None:
    old = process.decisions.version
    following = asyncio.create_task(process.follow_policies(every=0.01))
    deny_marital_status(settings)
    async with asyncio.timeout(30):
        while process.decisions.version == old:  # noqa: ASYNC110  # the process says it to nobody
            await asyncio.sleep(0.01)
    following.cancel()
    await asyncio.wait([following])
