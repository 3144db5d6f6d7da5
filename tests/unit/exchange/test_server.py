"""The exchange over HTTP, on real files: answers are signed, refusals are problems, and health tells the truth."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from federation.contract.clock import rfc3339
from federation.contract.identifiers import MemberId
from federation.exchange.messages import CONVERT_PATH, MAX_BODY_BYTES, Conversion, ConvertAnswer
from federation.exchange.server import MASTER_KEY, SUBJECTS_KEY, Process, create_app
from federation.exchange.settings import load_settings
from federation.ledger.place import open_store_to_read
from federation.ledger.reader import LedgerReader
from federation.ledger.verify import verify_ledger
from federation.trust.http_messages import HttpRequest, HttpResponse
from federation.trust.http_signatures import RequestBinding, verify_response
from federation.trust.keys import LEDGER_KEY, MESSAGE_KEY, VerifyKey, generate_ed25519, write_private
from tests.support.exchange import EXCHANGE_KEY, EXCHANGE_URL, NOW, SUITE, World, member_list
from tests.support.members import registry_of

OPERATOR = Ed25519PrivateKey.from_private_bytes(bytes(32))
INPREV, ASLVS = MemberId("inprev"), MemberId("aslvs")
PID = str(SUITE.pseudonym(INPREV, bytes(16)))


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
async def process(tmp_path: Path, world: World) -> AsyncIterator[Process]:
    (tmp_path / "keys").mkdir()
    EXCHANGE_KEY.save(tmp_path / "keys" / MESSAGE_KEY)
    generate_ed25519(tmp_path / "keys" / LEDGER_KEY)
    write_private(tmp_path / "keys" / MASTER_KEY, bytes(range(32)))
    write_private(tmp_path / "keys" / SUBJECTS_KEY, bytes(32))
    registry_of(tmp_path / "registry", member_list(), world.clock)
    (tmp_path / "settings.toml").write_text(
        f'listen = "127.0.0.1:0"\nurl = "{EXCHANGE_URL}"\nkeys = "keys"\nstate = "state"\nregistry = "registry"\n'
    )
    opened = Process.open(load_settings(tmp_path / "settings.toml"), world.clock)
    yield opened
    opened.close()


@pytest.fixture
async def client(process: Process) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(create_app(process))
    async with httpx.AsyncClient(transport=transport, base_url=EXCHANGE_URL) as opened:
        yield opened


async def post(client: httpx.AsyncClient, request: HttpRequest) -> httpx.Response:
    return await client.post(CONVERT_PATH, content=request.body, headers=dict(request.headers))


def keys(kid: str) -> VerifyKey | None:
    return EXCHANGE_KEY.public() if kid == EXCHANGE_KEY.kid else None


async def test_an_answer_is_signed_for_its_question_and_stands_in_the_ledger(
    client: httpx.AsyncClient, world: World, process: Process
) -> None:
    request = world.asked(Conversion(INPREV, ASLVS, (PID,)))
    answer = await post(client, request)
    response = HttpResponse(answer.status_code, dict(answer.headers), answer.content)
    verify_response(response, RequestBinding.of(request), keys, world.clock)
    told = ConvertAnswer.parse(answer.content).translations[0].statement.pids
    assert told == (str(SUITE.pseudonym(ASLVS, bytes(16))),)
    reader = LedgerReader.of(open_store_to_read(process.settings.shared_place), process.ledger.signer.verifier)
    assert verify_ledger(reader.store, reader.verifier).head.size == 1
    assert PID.encode() not in reader.entry(0).leaf
    reader.close()


async def test_a_refusal_is_a_problem_document_with_its_code(client: httpx.AsyncClient, world: World) -> None:
    answer = await client.post(CONVERT_PATH, content=b"{}", headers={"content-type": "application/json"})
    assert (answer.status_code, answer.headers["content-type"]) == (401, "application/problem+json")
    assert answer.json()["code"] == "SIGNATURE_INVALID"
    replayed = world.asked(Conversion(INPREV, ASLVS, (PID,)))
    assert (await post(client, replayed)).status_code == 200
    assert (await post(client, replayed)).json()["code"] == "REQUEST_REPLAYED"


async def test_a_body_without_end_is_cut_off(client: httpx.AsyncClient) -> None:
    answer = await client.post(CONVERT_PATH, content=b"x" * (MAX_BODY_BYTES + 1))
    assert (answer.status_code, answer.json()["code"]) == (413, "BODY_TOO_LARGE")


async def test_health_follows_member_list_and_ledger(client: httpx.AsyncClient, world: World) -> None:
    assert (await client.get("/healthz")).status_code == 200
    until = rfc3339(NOW + timedelta(minutes=10))
    standing = {"memberList": 1, "memberListExpires": until, "ledger": {"witnessed": 0, "witnesses": {}}}
    assert (await client.get("/readyz")).json() == {"status": "pass", **standing}
    world.clock.instant = NOW + timedelta(minutes=11)
    stale = await client.get("/readyz")
    assert (stale.status_code, stale.json()["code"]) == (503, "REGISTRY_STALE")
    refused = await post(client, world.asked(Conversion(INPREV, ASLVS, (PID,))))
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")


async def test_other_methods_and_paths_are_not_there(client: httpx.AsyncClient) -> None:
    assert (await client.get(CONVERT_PATH)).status_code == 405
    assert (await client.get("/")).status_code == 404
