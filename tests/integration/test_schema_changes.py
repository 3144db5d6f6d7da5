"""A register whose schema changes under a running node, over HTTP: a clear code, no value, recovery by itself."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
import uvicorn

from federation.serving.connection import answering
from federation.serving.server import endpoints_of
from node.console.trying import Trying, as_application
from node.data.mapping import Mapping as NodeMapping
from node.policy.bundle import VOCABULARY_FILE, vocabulary_of
from node.policy.starter import starter_files
from node.subgraph.schema import NodeSchema
from node.vocabulary.schema import full_schema
from tests.support.both import DAY
from tests.support.policies import ROOT
from tests.support.postgres import Server

pytestmark = [pytest.mark.integration, pytest.mark.postgres]

PERSONS = "CREATE VIEW persone AS SELECT n, pseudonimo, nome FROM anagrafe"
TABLES = f"""
CREATE TABLE anagrafe (n INTEGER PRIMARY KEY, pseudonimo TEXT UNIQUE, nome TEXT);
CREATE TABLE pratiche (numero INTEGER PRIMARY KEY, persona INTEGER, oggetto TEXT);
INSERT INTO anagrafe VALUES (1, 'v1.trial.c_m999.AAAA', 'Anna'); INSERT INTO pratiche VALUES (7, 1, 'Bonus');
{PERSONS};"""
MAPPING = """member: c_m999
database: {{url: "{url}"}}
types:
  Citizen:
    table: persone
    key: pseudonimo
    subject: pseudonimo
    fields: {{givenName: nome}}
    relations: {{cases: {{to: ServiceCase, join: {{n: persona}}}}}}
  ServiceCase:
    table: pratiche
    key: {{field: id, column: numero, type: int}}
    owner: {{to: Citizen, join: {{persona: n}}}}
    fields: {{title: oggetto}}
roots: {{citizens: {{of: Citizen}}}}
"""
GRANT = """grants:
  - id: g
    to: {kind: [national]}
    purpose: benefit-assessment
    basis: ["6.1.e"]
    law: a law
    see: {FIELDS}
    valid: {from: 2026-01-01, until: 2099-12-31}
    retain: P180D
"""
SEEN = {"Citizen": "{givenName: clear, cases: clear}", "ServiceCase": "{title: clear}"}
QUERY = "{ citizens { edges { node { givenName cases { title } } } } }"
SHOWN = [{"node": {"givenName": "Anna", "cases": [{"title": "Bonus"}]}}]


class Changing:
    """A register that the test changes, and a client of the node that reads it."""

    def __init__(self, url: str, client: httpx.AsyncClient) -> None:
        self.url = url
        self.client = client

    @property
    def is_postgres(self) -> bool:
        """Whether it is PostgreSQL."""
        return self.url.startswith("postgresql")

    async def change(self, script: str) -> None:
        """Run statements as the register's owner."""
        await _run(self.url, script)

    async def asked(self) -> Any:
        """Return what the node shows, or the code by which it refuses; a refusal holds no value and no name."""
        answer = await self.client.post("/graphql", json={"query": QUERY})
        found = answer.json()
        if answer.status_code == httpx.codes.OK and not found.get("errors"):
            return found["data"]["citizens"]["edges"]
        assert not any(word in answer.text for word in ("Anna", "Bonus", "anagrafe", "nome", "oggetto", "SELECT"))
        return answer.status_code, found["errors"][0]["extensions"]["code"]


async def _run(url: str, script: str) -> None:
    if not url.startswith("postgresql"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
            connection.executescript(script)
        return
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(script)
    finally:
        await connection.close()


def _bundle(folder: Path, mapping: NodeMapping) -> None:
    vocabulary = (ROOT / "policies" / VOCABULARY_FILE).read_bytes()
    sdl = NodeSchema.build(full_schema(), mapping).published_sdl
    for name, content in {
        VOCABULARY_FILE: vocabulary,
        **starter_files(sdl, vocabulary_of(vocabulary), "o@e.it", DAY),
    }.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        kept = [line for line in content.decode().splitlines() if not line.startswith("grants:")]
        seen = SEEN.get(path.stem) if path.parent.name == "types" else None
        granted = GRANT.replace("{FIELDS}", seen) if seen else ""
        path.write_text("\n".join(kept) + "\n" + granted if seen else content.decode(), encoding="utf-8")


@asynccontextmanager
async def _served(asking: Trying) -> AsyncIterator[httpx.AsyncClient]:
    """Serve a node on a socket of its own."""
    application = as_application(asking)
    config = uvicorn.Config(
        application, port=0, http=answering(endpoints_of(application)), ws="none", log_level="error"
    )
    server = uvicorn.Server(config)
    running = asyncio.create_task(server._serve())
    while not server.started:  # noqa: ASYNC110  # uvicorn has no event for it
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
            yield client
    finally:
        server.should_exit = True
        await running


@pytest.fixture(scope="module")
def server(database: Server | None) -> Server | None:
    """A database of the module's own, if it is PostgreSQL."""
    return None if database is None else database.database("changing")


@pytest.fixture
async def changing(server: Server | None, tmp_path: Path) -> AsyncIterator[Changing]:
    """A node that runs, on each of the two databases."""
    url = f"sqlite:///{tmp_path}/register.db"
    if server is not None:
        url = server.url
        await _run(url, "DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    await _run(url, TABLES)
    mapping = NodeMapping.parse(MAPPING.format(url=url))
    _bundle(tmp_path / "policies", mapping)
    asking = Trying.checked(tmp_path / "policies", mapping, tmp_path, "national", "benefit-assessment", ["6.1.e"], None)
    async with _served(asking) as client:
        yield Changing(url, client)


CHANGES = {
    "a column of a table is dropped": (
        "ALTER TABLE pratiche DROP COLUMN oggetto",
        "ALTER TABLE pratiche ADD COLUMN oggetto TEXT; UPDATE pratiche SET oggetto = 'Bonus'",
    ),
    "a column is renamed": (
        "ALTER TABLE pratiche RENAME COLUMN oggetto TO titolo",
        "ALTER TABLE pratiche RENAME COLUMN titolo TO oggetto",
    ),
    "a table is dropped": (
        "CREATE TABLE kept AS SELECT * FROM pratiche; DROP TABLE pratiche",
        "CREATE TABLE pratiche AS SELECT * FROM kept; DROP TABLE kept",
    ),
    "a view is replaced by one that lacks a column": (
        "DROP VIEW persone; CREATE VIEW persone AS SELECT n, pseudonimo FROM anagrafe",
        f"DROP VIEW persone; {PERSONS}",
    ),
    "a view is gone": ("DROP VIEW persone", PERSONS),
}


@pytest.mark.parametrize(("change", "undo"), CHANGES.values(), ids=CHANGES.keys())
async def test_what_is_gone_is_unavailable_and_answers_when_it_is_back(
    changing: Changing, change: str, undo: str
) -> None:
    for _ in range(2):  # the second time every statement was prepared before
        assert await changing.asked() == SHOWN
        await changing.change(change)
        assert await changing.asked() == (503, "DATABASE_UNAVAILABLE")
        assert await changing.asked() == (503, "DATABASE_UNAVAILABLE")
        await changing.change(undo)
    assert await changing.asked() == SHOWN


async def test_a_view_that_is_replaced_by_another_is_read_as_it_is_now(changing: Changing) -> None:
    assert await changing.asked() == SHOWN
    await changing.change(
        "DROP VIEW persone; CREATE VIEW persone AS SELECT 'x' AS more, nome, n, pseudonimo FROM anagrafe"
    )
    assert await changing.asked() == SHOWN


async def test_a_type_that_changes_is_read_where_it_still_fits(changing: Changing) -> None:
    assert await changing.asked() == SHOWN
    if not changing.is_postgres:  # any value may stand in a column of SQLite
        await changing.change("UPDATE pratiche SET persona = '1', oggetto = 7")
        assert await changing.asked() == [{"node": {"givenName": "Anna", "cases": [{"title": "7"}]}}]
        return
    await changing.change("ALTER TABLE pratiche ALTER COLUMN oggetto TYPE varchar(20)")
    assert await changing.asked() == SHOWN
    await changing.change("ALTER TABLE pratiche ALTER COLUMN persona TYPE text")
    assert await changing.asked() == (503, "DATABASE_UNAVAILABLE"), "a text is compared with no number"
    await changing.change("ALTER TABLE pratiche ALTER COLUMN persona TYPE integer USING persona::integer")
    assert await changing.asked() == SHOWN
