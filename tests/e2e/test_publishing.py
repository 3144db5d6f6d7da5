"""A member joins with an old database of its own, and is asked about citizens once it says on whom it holds a file."""

from __future__ import annotations

import asyncio
import json
import re
import sqlite3
import time
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from typer.testing import CliRunner

import crocevia
from federation.consumer.client import PartnerClient
from federation.contract.clock import SystemClock
from federation.contract.identifiers import MemberId
from federation.demo.layout import Ports, url
from federation.demo.processes import Processes, Program
from federation.directory.directory import Directory
from federation.shared.place import SharedPlace
from federation.trust.keys import MESSAGE_KEY, SigningKey
from tests.support.demo import REPOSITORY, free_ports, nonce

if TYPE_CHECKING:
    from collections.abc import Iterator

GUIDE = (REPOSITORY / "docs" / "node.md").read_text(encoding="utf-8")
CODES = {"mario": "RSSMRA80A01F257G", "laura": "BNCLRA84H57F257B", "paolo": "FRRPLA82C03A944U"}
TABLES = ("--persons", "ANAG_SOGGETTI", "--key", "ID_SOGG", "--code", "COD_FISCALE", "--into", "CROCEVIA_PERSONE")
BY_CODE = "query ($code: TaxCode!) { citizen(by: {taxCode: $code}) { id givenName } }"
BY_ID = "query ($id: ID!) { citizen(by: {id: $id}) { givenName } }"
WHO = ("--name", "it=Comune", "--kind", "municipality", "--area", "F257")
DIRECTORY = "directory: {of: Citizen, capacity: resident}\n"


def run(*arguments: object) -> str:
    """Run a command in this process, which has imported it once."""
    ran = CliRunner().invoke(crocevia.app, [str(each) for each in arguments])
    assert ran.exit_code == 0, (arguments, ran.output, ran.exception)
    return ran.stdout


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", GUIDE, re.DOTALL)


def edited(path: Path, pattern: str, written: str) -> None:
    text, count = re.subn(pattern, lambda _: written, path.read_text(), count=1, flags=re.MULTILINE | re.DOTALL)
    assert count == 1, pattern
    path.write_text(text)


@dataclass(frozen=True, slots=True)
class Joined:
    """A federation of one node, made from the guide's register, and one partner."""

    root: Path
    ports: Ports

    @property
    def node(self) -> Path:
        return self.root / "node"

    @property
    def settings(self) -> Path:
        return self.node / "settings.toml"

    def register(self, script: str) -> list[tuple[Any, ...]]:
        """Change or ask the register, as its own office does."""
        with closing(sqlite3.connect(self.node / "comune.db")) as connection:
            found = connection.execute(script).fetchall()
            connection.commit()
            return found

    def asked(self) -> int:
        """How many entries the node's ledger has: who is not asked has none."""
        with closing(sqlite3.connect(self.node / "state" / "ledger.db")) as connection:
            return int(connection.execute("SELECT count(*) FROM entry").fetchone()[0])

    def ask(self, query: str, variables: dict[str, str]) -> Any:
        """Ask as the partner, and return the citizen."""
        return asyncio.run(self._ask(query, variables))

    async def _ask(self, query: str, variables: dict[str, str]) -> Any:
        async with httpx.AsyncClient(trust_env=False, timeout=15) as http:
            key = SigningKey.load(self.root / "partner" / MESSAGE_KEY)
            client = PartnerClient(MemberId("inprev"), url(self.ports.gateway), key, http, SystemClock(), nonce)
            found = await client.ask(query, "benefit-assessment", "acc-1", variables)
        return found.content["data"]["citizen"]


def made_by_the_guide(node: Path, ports: Ports) -> None:
    """Write register, mapping and policies as docs/node.md leaves them, and the settings of a node."""
    node.mkdir()
    database = f"sqlite:///{node}/comune.db"
    with closing(sqlite3.connect(node / "comune.db")) as connection:
        connection.executescript(blocks("sql")[0])
    files = ("--out", node / "node.yaml", "--policies", node / "policies")
    run("node", "init", "--database", database, "--member", "c_f257", *files)
    made_up = ("--trial", "--member", "c_f257", *TABLES, "--report", node / "rejected.csv")
    run("node", "enrol", "--database", database, *made_up)
    with closing(sqlite3.connect(node / "comune.db")) as connection:
        connection.executescript(blocks("sql")[1])
    marital, person, _, policy = blocks("yaml")
    edited(node / "node.yaml", r"^ +maritalStatus: .*?\n", marital)
    edited(node / "node.yaml", r"^    table: ANAG_SOGGETTI\n.*?\n    key: .*?\n", person)
    edited(node / "node.yaml", r"^    # owner: ", "    owner: ")
    edited(node / "policies/types/Citizen.yaml", r"^grants: \[\].*", policy)
    edited(
        node / "policies/types/Citizen.yaml",
        r"taxCode: \{category: identifier\}",
        "taxCode: {category: identifier, lookup: exact}",
    )
    (node / "settings.toml").write_text(
        f'member = "c_f257"\nlisten = "127.0.0.1:{ports.node(0)}"\nurl = "{url(ports.node(0))}"\n'
        f'mapping = "node.yaml"\npolicies = "policies"\nkeys = "keys"\nstate = "state"\n'
        f'registry = "registry"\nregistry_url = "{url(ports.publisher)}"\n'
    )


def program(name: str, module: str, settings: Path, port: int) -> Program:
    return Program(name, module, ("--settings", str(settings)), url(port) + "/readyz", settings.parent / "log")


@contextmanager
def serving(joined: Joined) -> Iterator[None]:
    """Run the node."""
    with Processes() as processes:
        processes.start([program("node", "node.server", joined.settings, joined.ports.node(0))])
        processes.wait_until_healthy(60)
        yield


@pytest.fixture(scope="module")
def joined(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Joined]:
    root, ports = tmp_path_factory.mktemp("publishing"), free_ports()
    work, node, partner = root / "work", root / "node", root / "partner"
    at = (("--gateway", ports.gateway), ("--exchange", ports.exchange), ("--publisher", ports.publisher))
    run(
        "federation",
        "init",
        "https://dati.valle.example",
        "--work",
        work,
        *(x for name, port in at for x in (name, url(port))),
    )
    (work / "gateway" / "state").mkdir()
    made_by_the_guide(node, ports)
    (node / "registry").mkdir()
    (node / "registry" / "root.json").write_bytes((work / "registry" / "root.json").read_bytes())
    found = Joined(root, ports)
    run("node", "join", "--settings", found.settings, "--out", root / "node.json", *WHO)
    asks = ("--member", "inprev", "--keys", partner, "--registry", work / "registry", "--out", root / "partner.json")
    run("node", "join", *asks, "--name", "it=Previdenza", "--kind", "national", "--area", "*")
    with Processes() as processes:
        processes.start(
            [
                program("publisher", "federation.membership", work / "publisher/settings.toml", ports.publisher),
                program("gateway", "federation.gateway", work / "gateway/settings.toml", ports.gateway),
                program("exchange", "federation.exchange", work / "exchange/settings.toml", ports.exchange),
            ]
        )
        processes.wait_until_healthy(60)
        with serving(found):
            run("federation", "admit", root / "node.json", "--work", work)
            run("federation", "admit", root / "partner.json", "--work", work)
        draft, terms = root / "acc-1.json", ("--purpose", "benefit-assessment=6.1.e", "--until", "2099-12-31")
        provider = ("--provider", "c_f257=Query.citizen,Citizen.id,Citizen.taxCode,Citizen.givenName")
        run("agreement", "draft", draft, "--id", "acc-1", "--consumer", "inprev", *terms, *provider, "--daily", "1000")
        registry = ("--registry", work / "registry")
        run("agreement", "sign", draft, "--member", "inprev", "--key", partner / "officer-1.pem", *registry)
        run("agreement", "sign", draft, "--member", "c_f257", "--key", node / "keys/officer-1.pem", *registry)
        run("federation", "agree", draft, "--work", work)
        yield found


def test_a_new_member_is_asked_about_those_on_whom_it_says_it_holds_a_file(joined: Joined) -> None:
    enrol = ("node", "enrol", "--settings", joined.settings, *TABLES, "--report", joined.root / "rejected.csv")
    said = run(*enrol)
    assert "3 people enrolled" in said
    assert "nothing is published, since the mapping names no `directory`" in said
    with serving(joined):
        mario = joined.ask(BY_CODE, {"code": CODES["mario"]})
        assert mario["givenName"] is None, "found there by the code, and asked nothing more: it published no row"
        before = joined.asked()
        assert joined.ask(BY_ID, {"id": mario["id"]}) == {"givenName": None}
        assert joined.asked() == before, "who holds no file does not learn that somebody asked"

    with (joined.node / "node.yaml").open("a") as mapping:
        mapping.write(DIRECTORY)
    assert json.loads(run("node", "publish", "--settings", joined.settings, "--format", "json")) == {
        "files": 3,
        "sent": 3,
    }
    assert json.loads(run("node", "publish", "--settings", joined.settings, "--format", "json")) == {
        "files": 3,
        "sent": 0,
    }
    with serving(joined):
        assert joined.ask(BY_ID, {"id": mario["id"]}) == {"givenName": "MARIO"}
        assert joined.asked() == before + 1

        laura = (joined.ask(BY_CODE, {"code": CODES["laura"]}))["id"]
        [(citizen,)] = joined.register("SELECT PSEUDONIMO FROM CROCEVIA_PERSONE WHERE ID_SOGG = 2")
        joined.register("DELETE FROM CROCEVIA_PERSONE WHERE ID_SOGG = 2")
        line = {"key": "moved-2026-01", "citizen": citizen, "type": "Citizen", "kind": "updated", "fields": ["id"]}
        (joined.root / "changed.ndjson").write_text(json.dumps(line) + "\n")
        run("changed", joined.root / "changed.ndjson", "--settings", joined.settings)
        told = time.monotonic()
        while held(joined) != 2:
            assert time.monotonic() - told < 10, "the running node publishes by itself what it was told of"
            time.sleep(0.05)
        assert joined.ask(BY_ID, {"id": laura}) == {"givenName": None}

        assert "1 people enrolled" in run(*enrol)
        assert joined.ask(BY_ID, {"id": laura}) == {"givenName": "LAURA"}

    with closing(sqlite3.connect(joined.root / "work/gateway/state/directory.db")) as directory:
        buckets = {bucket for (bucket,) in directory.execute("SELECT bucket FROM held LIMIT 2")}
        lost = sum(row[0] in buckets for row in directory.execute("SELECT bucket FROM held"))
        everything = b"".join(
            bytes(each) for row in directory.execute("SELECT * FROM held") for each in row if isinstance(each, bytes)
        )
    assert citizen.encode() not in everything, "the directory does not keep the members' pseudonyms"
    with closing(Directory.open(SharedPlace(joined.root / "work/gateway/state"))) as directory:
        directory.replace(MemberId("c_f257"), buckets, [])
    repaired = json.loads(run("node", "publish", "--settings", joined.settings, "--format", "json"))
    assert repaired == {"files": 3, "sent": lost}

    # Whoever is asked about everybody takes out what it had said.
    edited(joined.node / "node.yaml", re.escape(DIRECTORY), "directory: {broadcast: true}\n")
    assert "directory: 0 files, 0 sent" in run("node", "publish", "--settings", joined.settings, "--format", "table")
    assert held(joined) == 0
    run("node", "join", "--settings", joined.settings, "--out", joined.root / "again.json", *WHO)
    assert json.loads((joined.root / "again.json").read_text())["proposal"]["member"]["broadcast"] is True


def held(joined: Joined) -> int:
    """How many rows the directory has."""
    with closing(sqlite3.connect(joined.root / "work/gateway/state/directory.db")) as directory:
        return int(directory.execute("SELECT count(*) FROM held").fetchone()[0])
