"""What an operator is told of a node: who decides by which policy, and whether the folder holds another."""

from __future__ import annotations

import asyncio
import json
import socket
from pathlib import Path

import msgspec
import pytest
import typer
import uvicorn
from typer.testing import CliRunner

from federation.contract.clock import FixedClock
from federation.contract.exit_codes import ExitCode
from federation.serving.connection import answering
from federation.serving.server import endpoints_of
from federation.trust.channel import Channel, ChannelSettings
from node.server.app import create_app
from node.server.process import NodeProcess
from node.server.settings import NodeSettings
from node.server.status import NodeStatus, node_status
from node.server.status_command import status
from tests.support.channels import Issuer, listed
from tests.support.officers import Officers
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


def speak_by(files: ChannelSettings, settings_file: Path) -> None:
    named = {"certificate": files.certificate, "key": files.key, "authority": files.authority}
    table = "\n".join(f"{name} = '{path}'" for name, path in named.items())
    settings_file.write_text(f"{settings_file.read_text(encoding='utf-8')}\n[channel]\n{table}\n", encoding="utf-8")


def test_a_node_that_does_not_run_says_so(settings_file: Path, settings: NodeSettings) -> None:
    found = node_status(settings_file)
    assert (found.running, found.member_list, found.ledger_size, found.drifts) == (None, None, None, False)
    assert found.refusal.startswith("no node answers at `127.0.0.1:")
    assert found.folder is not None
    break_policy(settings)
    assert node_status(settings_file).broken.startswith("policy bundle")


@pytest.mark.parametrize("mutual", [False, True], ids=["in the clear", "by mutual TLS"])
async def test_a_running_node_tells_its_policy_and_drift(
    settings_file: Path,
    settings: NodeSettings,
    parties: Parties,
    tmp_path: Path,
    mutual: bool,  # noqa: FBT001  # a table
) -> None:
    listen = (await asyncio.to_thread(node_status, settings_file)).refusal.split("`")[1]
    running = msgspec.structs.replace(settings, listen=listen)
    process = NodeProcess.open(running, FixedClock(NOW))
    host, port = listen.split(":")
    app, config = create_app(process), uvicorn.Config("", host=host, port=int(port), log_level="error", ws="none")
    config.app = app
    if mutual:
        files = Issuer.found(tmp_path / "channels").party(settings.member)
        speak_by(files, settings_file)
        config.http = answering(endpoints_of(app), listed(settings.member))
        config.ssl_context_factory = lambda _config, _default: Channel.open(files).accepting
    server = uvicorn.Server(config)
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


def test_the_command_says_drift_in_words_and_as_json(settings_file: Path, settings: NodeSettings) -> None:
    app = typer.Typer()
    app.command()(status)
    stopped = CliRunner().invoke(app, ["--settings", str(settings_file), "--format", "json"])
    found = json.loads(stopped.stdout)
    assert stopped.exit_code == ExitCode.UNREACHABLE
    assert (found["member"], found["running"], found["signed"], found["drifts"]) == ("c_m999", None, False, False)
    assert "il nodo non risponde" in CliRunner().invoke(app, ["--settings", str(settings_file)]).stdout
    break_policy(settings)
    broken = CliRunner().invoke(app, ["--settings", str(settings_file), "--lang", "en"])
    assert broken.exit_code == ExitCode.CHECK_FAILED
    assert "the node does not answer" in broken.stdout


def test_the_status_of_a_signed_policy_says_what_is_published_and_why_it_is_refused(
    settings_file: Path, settings: NodeSettings, tmp_path: Path
) -> None:
    officers = Officers.employed(tmp_path / "officers")
    officers.publish(settings.policies)
    text = settings_file.read_text(encoding="utf-8").replace(str(settings.policies), str(officers.store.root))
    settings_file.write_text(f"{text}\nofficers = '{officers.file}'\n", encoding="utf-8")
    found = node_status(settings_file)
    assert found.signed
    assert found.folder is not None
    assert found.folder.revision == 1
    (officers.store.root / "1" / "invariants.yaml").write_text("- {}\n", encoding="utf-8")
    assert "is not the one that was signed" in node_status(settings_file).broken
