"""From nothing to an answer: a federation is founded, a node and a partner join, both sign, and one asks the other."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import msgspec
import pytest

from federation.consumer.client import PartnerClient, Refused
from federation.contract.clock import SystemClock
from federation.contract.identifiers import MemberId
from federation.demo.layout import Ports, url
from federation.demo.processes import Processes, Program
from federation.trust.keys import MESSAGE_KEY, SigningKey
from node.demo.seed import seed
from tests.support.demo import REPOSITORY, free_ports, nonce

if TYPE_CHECKING:
    from tests.support.demo import Command

NAME = "https://dati.valle.example"
SERVICES = "{ publicServices(first: 1) { edges { node { title } } } }"


@pytest.fixture
def ports() -> Ports:
    return free_ports()


def program(name: str, module: str, settings: Path, port: int) -> Program:
    return Program(name, module, ("--settings", str(settings)), url(port) + "/readyz", settings.parent / "log")


def node_files(root: Path, ports: Ports) -> Path:
    """Write what an administration has before it joins: register, mapping, policies, settings, and the first root."""
    seed(root / "made", 20, lambda _done, _wanted: None, lambda member, subject: f"v1.x.{member}.{subject.hex()}")
    folder = root / "node"
    shutil.copytree(root / "made" / "c_m999", folder)
    (folder / "registry").mkdir()
    shutil.copy(root / "work" / "registry" / "root.json", folder / "registry")
    (folder / "settings.toml").write_text(
        f'member = "c_m999"\nlisten = "127.0.0.1:{ports.node(0)}"\nurl = "{url(ports.node(0))}"\n'
        f'mapping = "node.yaml"\npolicies = "{REPOSITORY}/policies/c_m999"\nkeys = "keys"\nstate = "state"\n'
        f'registry = "registry"\nregistry_url = "{url(ports.publisher)}"\n'
    )
    return folder / "settings.toml"


async def test_a_member_joins_signs_and_is_answered(tmp_path: Path, ports: Ports, command: Command) -> None:
    work, run = tmp_path / "work", command
    addresses = (
        "--gateway",
        url(ports.gateway),
        "--exchange",
        url(ports.exchange),
        "--publisher",
        url(ports.publisher),
    )
    assert run("federation", "init", NAME, "--work", work, *addresses).status == 0
    (work / "gateway" / "state").mkdir()
    node, partner = node_files(tmp_path, ports), tmp_path / "partner"
    joined = ("--out", tmp_path / "node.json", "--name", "it=Comune", "--kind", "municipality", "--area", "M999")
    proposed = run("node", "join", "--settings", node, *joined)
    assert proposed.status == 0
    assert "served fields have a policy (100 %)" in proposed.err
    asks = (
        "--member",
        "inprev",
        "--keys",
        partner,
        "--registry",
        work / "registry",
        "--out",
        tmp_path / "partner.json",
    )
    described = ("--name", "it=Previdenza", "--kind", "national", "--area", "*")
    assert run("node", "join", *asks, *described).status == 0

    with Processes() as processes:
        processes.start(
            [program("publisher", "federation.membership", work / "publisher/settings.toml", ports.publisher)]
        )
        processes.wait_until_healthy(30)
        refused = run("federation", "admit", tmp_path / "node.json", "--work", work)
        assert (refused.status, "nothing answers at" in refused.out) == (1, True)
        processes.start(
            [
                program("node", "node.server", node, ports.node(0)),
                program("gateway", "federation.gateway", work / "gateway/settings.toml", ports.gateway),
                program("exchange", "federation.exchange", work / "exchange/settings.toml", ports.exchange),
            ]
        )
        processes.wait_until_healthy(60)
        assert run("federation", "admit", tmp_path / "node.json", "--work", work).status == 0
        assert run("federation", "admit", tmp_path / "partner.json", "--work", work).status == 0
        assert run("federation", "purposes", REPOSITORY / "policies/vocabulary.yaml", "--work", work).status == 0
        named = msgspec.json.decode(run("federation", "status", "--work", work, "--format", "json").out)
        assert named["edition"] == 4, "founded, two members, and what purposes are called"

        agreement, registry = tmp_path / "acc-1.json", ("--registry", work / "registry")
        purpose = (
            "--purpose",
            "service-notices=6.1.a",
            "--until",
            "2099-12-31",
            "--id",
            "acc-1",
            "--consumer",
            "inprev",
        )
        provider = ("--provider", "c_m999=Query.publicServices,PublicService.*")
        assert run("agreement", "draft", agreement, *purpose, *provider, "--daily", "3").status == 0
        own = ("--member", "inprev", "--key", partner / "officer-1.pem")
        assert run("agreement", "sign", agreement, *own, *registry).status == 0
        assert run("federation", "agree", agreement, "--work", work).status == 0
        assert await _asked(ports, partner, processes) == ("AGREEMENT_INACTIVE", "agreement `acc-1` is pending")
        theirs = ("--member", "c_m999", "--key", node.parent / "keys/officer-1.pem")
        assert run("agreement", "sign", agreement, *theirs, *registry).status == 0
        assert run("federation", "agree", agreement, "--work", work).status == 0
        await _until_published(ports)
        data = await _asked(ports, partner, processes)
        assert isinstance(data, dict)
        assert data["publicServices"]["edges"], data

        suspended = run(
            "agreement",
            "suspend",
            "acc-1",
            *theirs,
            *registry,
            "--node-state",
            node.parent / "state",
            "--out",
            agreement,
        )
        assert "not countersigned" in suspended.err
        answered = await _asked(ports, partner, processes)
        assert isinstance(answered, dict)
        assert answered == {"publicServices": None}, "the node refuses before anybody published it"
        assert run("federation", "agree", agreement, "--work", work).status == 0
        assert await _asked(ports, partner, processes) == ("AGREEMENT_INACTIVE", "agreement `acc-1` is suspended")
        listed = msgspec.json.decode(run("federation", "status", "--work", work, "--format", "json").out)
        assert listed["agreements"] == {"acc-1": "suspended"}
        assert run("federation", "remove", "c_m999", "--work", work).status == 0


async def _asked(ports: Ports, partner: Path, processes: Processes) -> object:
    """Ask, and return the data, or code and message of the refusal of a token."""
    assert processes.ended() is None
    async with httpx.AsyncClient(trust_env=False, timeout=15) as http:
        key = SigningKey.load(partner / MESSAGE_KEY)
        client = PartnerClient(MemberId("inprev"), url(ports.gateway), key, http, SystemClock(), nonce)
        try:
            found = await client.ask(SERVICES, "service-notices", "acc-1")
        except Refused as refused:
            return refused.code, refused.message
        return found.content.get("data", found.content)


async def _until_published(ports: Ports) -> None:
    """Wait until the node at an address of its own has heard of the newest edition."""
    async with httpx.AsyncClient(trust_env=False) as http:
        wanted = (await http.get(url(ports.publisher) + "/readyz")).json()["edition"]
        for _ in range(200):
            if (await http.get(url(ports.node(0)) + "/readyz")).json().get("memberList") == wanted:
                return
            await asyncio.sleep(0.1)
    raise AssertionError("the node did not hear of the edition")
