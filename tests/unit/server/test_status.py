"""What an operator is told of a node: who decides by which policy, and whether the folder holds another."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import msgspec
import pytest
import uvicorn

from federation.contract.clock import FixedClock
from node.server.app import create_app
from node.server.process import NodeProcess
from node.server.settings import NodeSettings
from node.server.status import NodeStatus, node_status
from tests.support.parties import NOW, Parties


@pytest.fixture
def settings_file(settings: NodeSettings, tmp_path: Path) -> Path:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    said = msgspec.structs.asdict(settings) | {"listen": f"127.0.0.1:{port}"}
    values = {key: value for key, value in said.items() if isinstance(value, str | Path)}
    path = tmp_path / "settings.toml"
    lines = [f"{key} = {str(value)!r}" for key, value in values.items()]
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def break_policy(settings: NodeSettings) -> None:
    (settings.policies / "types" / "Citizen.yaml").write_text("policy: Citizen\n", encoding="utf-8")


def test_a_node_that_does_not_run_says_so(settings_file: Path, settings: NodeSettings) -> None:
    found = node_status(settings_file)
    assert (found.running, found.member_list, found.ledger_size, found.drifts) == (None, None, None, False)
    assert found.refusal.startswith("no node answers at `127.0.0.1:")
    assert found.folder is not None
    break_policy(settings)
    assert node_status(settings_file).broken.startswith("policy bundle")


async def test_a_running_node_tells_its_policy_and_drift(
    settings_file: Path, settings: NodeSettings, parties: Parties
) -> None:
    listen = (await asyncio.to_thread(node_status, settings_file)).refusal.split("`")[1]
    running = msgspec.structs.replace(settings, listen=listen)
    process = NodeProcess.open(running, FixedClock(NOW))
    host, port = listen.split(":")
    server = uvicorn.Server(
        uvicorn.Config(create_app(process), host=host, port=int(port), log_level="error", ws="none")
    )
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110  # the server says it to nobody
        await asyncio.sleep(0.01)
    before: NodeStatus = await asyncio.to_thread(node_status, settings_file)
    break_policy(settings)
    after = await asyncio.to_thread(node_status, settings_file)
    server.should_exit = True
    await serving
    assert before.running == before.folder == process.decisions.version
    assert (before.member_list, before.drifts, before.refusal) == (parties.current().version, False, "")
    assert (after.running, after.folder, after.drifts) == (before.running, None, True)
