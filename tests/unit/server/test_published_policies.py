"""A node that knows its officers: only what two of them signed decides, over restarts too (R36, R37)."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from federation.contract.entries import Entry, EntryKind
from federation.contract.errors import ConfigurationError, NotFoundError, PolicyUnavailableError
from node.console.policy_folders import read_files
from node.console.policy_store import next_manifest, signed
from node.policy.signing import ENVELOPE_FILE, Envelope, Role
from node.server.policies import MEMORY_FILE
from node.server.process import NodeProcess
from node.server.settings import NodeSettings
from tests.support.officers import Officers
from tests.support.parties import Parties


@pytest.fixture
def officers(tmp_path: Path, settings: NodeSettings) -> Officers:
    """Return officers who published the first revision."""
    found = Officers.employed(tmp_path / "officers")
    found.publish(settings.policies)
    return found


@pytest.fixture
def draft(settings: NodeSettings) -> Path:
    """Return the folder where bundles are written before they are signed."""
    return settings.policies


@pytest.fixture
def governed(settings: NodeSettings, officers: Officers) -> NodeSettings:
    return msgspec.structs.replace(settings, policies=officers.store.root, officers=officers.file)


@pytest.fixture
async def process(governed: NodeSettings, parties: Parties) -> AsyncIterator[NodeProcess]:
    opened = NodeProcess.open(governed, parties.clock)
    await opened.record_start()
    yield opened
    await opened.close()


def edit(draft: Path) -> None:
    with (draft / "invariants.yaml").open("a", encoding="utf-8") as invariants:
        invariants.write("\n# another day\n")


def policy_entries(process: NodeProcess) -> list[Entry]:
    try:
        found = [Entry.parse(recorded.entry) for recorded in process.reader.entries()]
    except NotFoundError:
        return []  # a ledger in which nothing was recorded yet
    return [entry for entry in found if entry.kind is EntryKind.POLICY]


async def test_r37_a_node_begins_with_the_published_revision(process: NodeProcess, officers: Officers) -> None:
    current = officers.store.current()
    assert current is not None
    assert process.decisions.version.revision == 1
    assert process.decisions.bundle.hashes == current.envelope.manifest.files
    assert policy_entries(process) == []


async def test_r36_the_next_revision_is_taken_between_two_questions(
    process: NodeProcess, officers: Officers, draft: Path
) -> None:
    before = process.node()
    edit(draft)
    officers.publish(draft)
    await process.renew_policy()
    assert (before.policy.version.revision, process.decisions.version.revision) == (1, 2)
    assert [entry.policy for entry in policy_entries(process)] == [process.decisions.version]
    await process.renew_policy()
    assert len(policy_entries(process)) == 1


async def test_r36_of_two_workers_one_records_a_revision(
    process: NodeProcess, governed: NodeSettings, officers: Officers, draft: Path, parties: Parties
) -> None:
    other = NodeProcess.open(governed, parties.clock)
    await other.record_start()
    edit(draft)
    officers.publish(draft)
    await asyncio.gather(process.renew_policy(), other.renew_policy())
    versions = (process.decisions.version, other.decisions.version)
    await other.close()
    assert [version.revision for version in versions] == [2, 2]
    assert [entry.policy for entry in policy_entries(process)] == [versions[0]]


async def test_r37_revisions_between_two_looks_are_followed_parent_by_parent(
    process: NodeProcess, officers: Officers, draft: Path
) -> None:
    for _ in range(3):
        edit(draft)
        officers.publish(draft)
    await process.renew_policy()
    assert process.decisions.version.revision == 4


async def test_r37_a_revision_that_the_node_has_passed_does_not_come_back(
    process: NodeProcess, officers: Officers, draft: Path, caplog: pytest.LogCaptureFixture
) -> None:
    edit(draft)
    officers.publish(draft)
    await process.renew_policy()
    point_at(officers, "1")
    for _ in range(3):
        await process.renew_policy()
    assert process.decisions.version.revision == 2
    [record] = caplog.records
    assert "revision 1 does not descend from revision 2, which is in force" in record.getMessage()


async def test_r37_a_file_changed_after_signing_is_refused(
    process: NodeProcess, officers: Officers, draft: Path, caplog: pytest.LogCaptureFixture
) -> None:
    edit(draft)
    officers.publish(draft)
    edit(officers.store.root / "2")
    await process.renew_policy()
    assert process.decisions.version.revision == 1
    assert "file `invariants.yaml` is not the one that was signed" in caplog.text


async def test_r37_a_half_signed_revision_is_refused_however_it_came_there(
    process: NodeProcess, officers: Officers, draft: Path, caplog: pytest.LogCaptureFixture
) -> None:
    current = officers.store.current()
    assert current is not None
    edit(draft)
    half = signed(
        Envelope(next_manifest(read_files(draft), current.envelope.manifest)),
        Role.AUTHOR,
        officers.root / "author.pem",
    )
    smuggle(officers, draft, half)
    await process.renew_policy()
    assert process.decisions.version.revision == 1
    assert "expected one signature of the approver, got 0" in caplog.text


async def test_r37_a_revision_of_an_officer_who_left_is_refused(
    process: NodeProcess, officers: Officers, draft: Path, caplog: pytest.LogCaptureFixture
) -> None:
    edit(draft)
    officers.publish(draft)
    rows = msgspec.json.decode(officers.file.read_bytes())
    officers.file.write_bytes(msgspec.json.encode([row for row in rows if row["roles"] != ["author"]]))
    await process.renew_policy()
    assert process.decisions.version.revision == 1
    assert "is not known here" in caplog.text


async def test_a_bundle_published_while_the_node_is_stopped_gets_its_entry_at_the_start(
    governed: NodeSettings, officers: Officers, draft: Path, parties: Parties
) -> None:
    first = await started_and_stopped(governed, parties)
    edit(draft)
    officers.publish(draft)
    process = NodeProcess.open(governed, parties.clock)
    await process.record_start()
    [entry] = policy_entries(process)
    await process.close()
    assert entry.policy == process.decisions.version
    assert entry.detail == f"replaces {first}, changed while the node was stopped"


async def test_r37_a_restarted_node_keeps_the_policy_that_was_in_force(
    governed: NodeSettings, officers: Officers, draft: Path, parties: Parties, caplog: pytest.LogCaptureFixture
) -> None:
    digest = await started_and_stopped(governed, parties)
    edit(draft)
    officers.publish(draft)
    edit(officers.store.root / "2")
    process = NodeProcess.open(governed, parties.clock)
    await process.record_start()
    found = process.decisions.version
    entries = policy_entries(process)
    await process.close()
    assert (found.digest, found.revision, entries) == (digest, 1, [])
    assert "policy revision 1 stays in force" in caplog.text


async def test_r37_a_first_start_without_a_sound_revision_is_no_start(
    governed: NodeSettings, officers: Officers, parties: Parties
) -> None:
    edit(officers.store.root / "1")
    with pytest.raises(PolicyUnavailableError, match=r"invariants\.yaml` is not the one that was signed"):
        NodeProcess.open(governed, parties.clock)
    shutil.rmtree(officers.store.root)
    with pytest.raises(PolicyUnavailableError, match="holds no published revision"):
        NodeProcess.open(governed, parties.clock)


async def test_r37_a_memory_that_cannot_be_read_is_not_taken_for_a_first_start(
    governed: NodeSettings, parties: Parties
) -> None:
    await started_and_stopped(governed, parties)
    (governed.state / MEMORY_FILE).write_text("{", encoding="utf-8")
    with pytest.raises(ConfigurationError, match="does not say which policy was in force"):
        NodeProcess.open(governed, parties.clock)


def test_a_missing_officers_file_is_told(governed: NodeSettings, officers: Officers, parties: Parties) -> None:
    officers.file.unlink()
    with pytest.raises(PolicyUnavailableError, match=r"officers file .* does not exist"):
        NodeProcess.open(governed, parties.clock)


async def started_and_stopped(governed: NodeSettings, parties: Parties) -> str:
    process = NodeProcess.open(governed, parties.clock)
    await process.record_start()
    await process.close()
    return process.decisions.version.digest


def point_at(officers: Officers, name: str) -> None:
    link = officers.store.root / "current"
    link.unlink()
    link.symlink_to(name)


def smuggle(officers: Officers, draft: Path, envelope: Envelope) -> None:
    """Put a revision into the store past `publish`."""
    target = Path(shutil.copytree(draft, officers.store.root / str(envelope.manifest.revision)))
    shutil.copy(draft.parent / "vocabulary.yaml", target)
    (target / ENVELOPE_FILE).write_bytes(envelope.to_bytes())
    point_at(officers, target.name)
