"""A node behind real sockets, asked by a member whose signature holds and whose intentions do not.

Whatever stands in an argument, a name, a cursor or the body: it is answered with data or refused with a code, never
with a fault of the server, and no message repeats it. Afterwards the node answers as before, on both databases.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import httpx
import pytest
import pytest_asyncio
import uvicorn

from federation.serving.connection import answering
from federation.serving.server import endpoints_of
from node.data.database import SQLiteDatabase
from node.server.app import create_app
from tests.support.doors import BENEFITS, COUNTING, LAURA, MUNICIPALITY
from tests.support.postgres import execute

if TYPE_CHECKING:
    from tests.support.simulator import Simulator

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

ALPHABET: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
LISTING: Final = """query($first: Int, $after: String, $where: CitizenWhere, $order: [CitizenOrderBy!]) {
  citizens(first: $first, after: $after, where: $where, orderBy: $order) {
    totalCount pageInfo { endCursor } edges { node { sex citizenship } } } }"""
OF_LAURA: Final = "query($by: CitizenKey!) { citizen(by: $by) { givenName } }"


@dataclass
class Served:
    """The municipality's node on a port, and who asks it."""

    federation: Simulator
    http: httpx.AsyncClient
    url: str
    tokens: dict[tuple[str, str], str]

    async def send(self, who: tuple[str, str], body: bytes) -> httpx.Response:
        """Send a body that a consumer signed."""
        if who not in self.tokens:
            self.tokens[who] = self.federation.token(*who)
        sent = self.federation.signed(MUNICIPALITY, who[0], body, self.tokens[who])
        return await self.http.post(self.url, content=sent.body, headers=dict(sent.headers))

    async def ask(self, who: tuple[str, str], query: str, variables: Any = None, **more: Any) -> httpx.Response:
        """Ask a question."""
        return await self.send(who, json.dumps({"query": query, "variables": variables or {}, **more}).encode())

    async def all(self, who: tuple[str, str], query: str, many: Iterable[Any]) -> list[httpx.Response]:
        """Ask one question with many variables, some at a time."""
        at_once = asyncio.Semaphore(8)

        async def one(variables: Any) -> httpx.Response:
            async with at_once:
                return await self.ask(who, query, variables)

        return await asyncio.gather(*map(one, many))

    async def answers(self) -> None:
        """Insist that the node answers as ever."""
        laura = await self.ask(BENEFITS, OF_LAURA, LAURA)
        assert laura.json()["data"] == {"citizen": {"givenName": "Laura"}}, laura.text


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def served(on_each: Simulator) -> AsyncIterator[Served]:
    """The node's own application and connections, on a free port."""
    app = create_app(on_each.nodes[MUNICIPALITY])
    config = uvicorn.Config(
        app, port=0, http=answering(endpoints_of(app)), ws="none", lifespan="off", log_level="critical"
    )
    server = uvicorn.Server(config)
    running = asyncio.create_task(server._serve())
    while not server.started:  # noqa: ASYNC110  # uvicorn has no event for it
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    async with httpx.AsyncClient(timeout=60) as http:
        yield Served(on_each, http, f"http://127.0.0.1:{port}/graphql", {})
    server.should_exit = True
    await running


def code_of(response: httpx.Response) -> str:
    """Return the code of a refusal as a whole."""
    content = response.json()
    assert content.get("data") is None, content
    [error] = content["errors"]
    return str(error["extensions"]["code"])


def harmless(response: httpx.Response, attack: str = "") -> None:
    """Insist on an answer or a refusal by code, of which no message repeats what was sent."""
    assert response.status_code < 500, response.text
    for error in response.json().get("errors", ()):
        assert error["extensions"]["code"] not in {"INTERNAL", "DATABASE_UNAVAILABLE"}, error
        assert not attack or attack not in json.dumps(error, ensure_ascii=False), error


# --- cursors ---------------------------------------------------------------------------------------------------------


async def test_r24_a_cursor_that_is_changed_in_any_place_is_refused(served: Served) -> None:
    first = {"first": 2, "order": [{"sex": "ASC"}]}
    page = (await served.ask(COUNTING, LISTING, first)).json()["data"]["citizens"]
    cursor = page["pageInfo"]["endCursor"]
    changed = {_with(cursor, at, letter) for at in range(len(cursor)) for letter in _others(cursor[at])}
    changed |= {cursor[:at] + cursor[at + 1 :] for at in range(len(cursor))}
    changed |= {cursor + end for end in ("=", "==", "A", "\n", " ", "\x00", "!")} | {"", "=", "\n" + cursor}
    changed.discard(cursor)
    assert len(changed) > 3 * len(cursor)
    for response in await served.all(COUNTING, LISTING, [{**first, "after": each} for each in sorted(changed)]):
        assert code_of(response) == "BAD_USER_INPUT"
        assert response.status_code < 500
        assert cursor[:8] not in response.text
    next_page = (await served.ask(COUNTING, LISTING, {**first, "after": cursor})).json()["data"]["citizens"]
    assert next_page["edges"]


def _with(text: str, at: int, letter: str) -> str:
    return text[:at] + letter + text[at + 1 :]


def _others(letter: str) -> tuple[str, ...]:
    """Return the letter whose lowest bit differs (in the last place it may say nothing), a far one, and a foreign."""
    at = ALPHABET.index(letter)
    return ALPHABET[at ^ 1], ALPHABET[at ^ 32], "+"


# --- what is no more than a value ------------------------------------------------------------------------------------

ATTACKS: Final = (
    "'; DROP TABLE citizen; --", '" OR 1=1 --', "%", "_", "\\", "')) UNION SELECT 1 --", "${jndi:x}", "{{7*7}}", ":v0",
    "$1", "?", "[a-z]*", "\x00", "\\u0000", "\x1b[2J", "è€𝄞" * 40, "\ud800", "\udfff\ud800", "x" * 20_000, "1e400",
    "-9223372036854775809",
)  # fmt: skip
PLACES: Final = {
    "a filter": (COUNTING, LISTING, lambda text: {"where": {"or": [{"sex": {"eq": text}}]}}),
    "a beginning": (COUNTING, LISTING, lambda text: {"where": {"sex": {"startsWith": text}}}),
    "a list": (COUNTING, LISTING, lambda text: {"where": {"citizenship": {"in": [text, text]}}}),
    "a bound": (COUNTING, LISTING, lambda text: {"where": {"not": {"sex": {"gte": text}}}}),
    "a date": (COUNTING, LISTING, lambda text: {"where": {"dateOfBirth": {"lt": text}}}),
    "a cursor": (COUNTING, LISTING, lambda text: {"after": text}),
    "an order": (COUNTING, LISTING, lambda text: {"order": [{"sex": text}]}),
    "a field of an order": (COUNTING, LISTING, lambda text: {"order": [{text: "ASC"}]}),
    "a field of a filter": (COUNTING, LISTING, lambda text: {"where": {text: {"eq": "x"}}}),
    "a number": (COUNTING, LISTING, lambda text: {"first": text}),
    "a tax code": (BENEFITS, OF_LAURA, lambda text: {"by": {"taxCode": text}}),
    "an id": (BENEFITS, OF_LAURA, lambda text: {"by": {"id": text}}),
    "a variable that nobody asked for": (BENEFITS, OF_LAURA, lambda text: {**LAURA, text: text}),
}  # fmt: skip


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES.keys())
async def test_no_text_in_any_argument_is_more_than_a_value(served: Served, place: Any) -> None:
    who, query, variables = place
    before = await _count(served)
    for attack, response in zip(
        ATTACKS, await served.all(who, query, [variables(text) for text in ATTACKS]), strict=True
    ):
        harmless(response, attack if len(attack) > 3 else "")
        assert "BNCLRA84H57F257B" not in response.text
    assert await _count(served) == before
    await served.answers()


async def _count(served: Served) -> int:
    found = await served.ask(COUNTING, LISTING, {"first": 1})
    return int(found.json()["data"]["citizens"]["totalCount"])


TEXTS: Final = (
    '{ citizens(orderBy: [{sex: "ASC; DROP"}]) { totalCount } }',
    "{ citizens(orderBy: [{sex: SIDEWAYS}]) { totalCount } }",
    "{ citizens(first: 9223372036854775808) { totalCount } }",
    "{ citizens(first: 1e400) { totalCount } }",
    "{ citizens(first: -1) { totalCount } }",
    "{ citizens(first: 2147483647) { totalCount } }",
    '{ citizens(where: {sex: {like: "%"}}) { totalCount } }',
    "{ citizens { groups(by: [password]) { count } } }",
    '{ citizens(where: {dateOfBirth: {eq: "9999-99-99"}}) { totalCount } }',
    "{ a: __typename a: citizens { totalCount } }",
    "query(" + ", ".join(f"$v{n}: Int" for n in range(2_000)) + ") { __typename }",
    "{ " + " ".join(f"a{n}: __typename" for n in range(5_000)) + " }",
    "{ citizens { edges { node { ... on Citizen { " * 60 + "sex" + " } } } } }" * 60,
    "query { " + "{" * 5_000,
    "query Q { ...A } fragment A on Query { ...B } fragment B on Query { ...A }",
    "{ citizens(where: " + "{and: [" * 300 + "{}" + "]}" * 300 + ") { totalCount } }",
    "{ citizen(by: {}) { givenName } }",
    '{ citizen(by: {id: "a", taxCode: "b"}) { givenName } }',
    "{ citizen(by: null) { givenName } }",
    "{ __schema { types { fields { type { fields { type { fields { name } } } } } } } }",
    'mutation { dropTable(name: "citizen") }',
    "subscription { citizens { totalCount } }",
    '{ _entities(representations: [{}, null, 1, "x", {__typename: "Nothing"}]) { __typename } }',
    "{ citizens { edges { node " + "{ household { members { citizen " * 5 + "{ sex }" + " } } }" * 5 + " } } }",
)  # fmt: skip


@pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))
async def test_a_document_that_asks_for_too_much_or_nothing_known_is_refused_by_its_code(
    served: Served, text: str
) -> None:
    for who in (COUNTING, BENEFITS):
        response = await served.ask(who, text)
        harmless(response)
        assert code_of(response) != ""
    await served.answers()


BODIES: Final = {
    "no JSON": b"{",
    "infinity": b'{"query": "query($n: Int) { citizens(first: $n) { totalCount } }", "variables": {"n": Infinity}}',
    "a number that is none": b'{"query": "{ __typename }", "variables": {"n": NaN}}',
    "1e99": b'{"query": "query($n: Int) { citizens(first: $n) { totalCount } }", "variables": {"n": 1e99}}',
    "2^63": b'{"query": "query($n: Int) { citizens(first: $n) { totalCount } }", "variables": {"n": %d}}' % 2**63,
    "bytes that are no text": b'{"query": "{ __typename }\xff"}',
    "a lone surrogate in the text": b'{"query": "{ citizen(by: {taxCode: \\"\\ud800\\"}) { givenName } }"}',
    "a lone surrogate as operation": b'{"query": "{ __typename }", "operationName": "\\udc00"}',
    "nested variables": b'{"query": "{ __typename }", "variables": {"a": ' + b"[" * 9_000 + b"]" * 9_000 + b"}}",
    "a list of operations": b'[{"query": "{ __typename }"}]',
    "a query that is a list": b'{"query": ["{ __typename }"]}',
    "variables that are a text": b'{"query": "{ __typename }", "variables": "x"}',
    "extensions that are a number": b'{"query": "{ __typename }", "extensions": 7}',
    "a relay that is none": b'{"query": "{ __typename }", "extensions": {"crocevia": {"consumerRequest": {}}}}',
    "nothing": b"",
}  # fmt: skip


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
async def test_a_body_that_is_no_question_is_refused_by_its_code(served: Served, body: bytes) -> None:
    response = await served.send(BENEFITS, body)
    assert 400 <= response.status_code < 500 or response.status_code == 200, response.text
    assert code_of(response) not in {"INTERNAL", "DATABASE_UNAVAILABLE"}
    await served.answers()


# --- trouble with the database ---------------------------------------------------------------------------------------


@asynccontextmanager
async def down(federation: Simulator) -> AsyncIterator[None]:
    """Take the register away for a while: the file, or every connection to its database."""
    url = federation.registers.get(MUNICIPALITY)
    if url is None:
        file = federation.home.root / MUNICIPALITY / "register.db"
        file.rename(file.with_suffix(".away"))
        database = federation.nodes[MUNICIPALITY].plane.database
        assert isinstance(database, SQLiteDatabase)
        for reader in (database._at_once, *database._readers):
            reader.close()  # an open file is read on after its name went
        yield
        file.with_suffix(".away").rename(file)
        return
    async with changed(url, "ALLOW_CONNECTIONS false", "ALLOW_CONNECTIONS true"):
        yield


@asynccontextmanager
async def read_only(federation: Simulator) -> AsyncIterator[None]:
    """Let nobody write to the database of the register and of the own tables."""
    url = federation.registers.get(MUNICIPALITY)
    if url is None:
        own = federation.nodes[MUNICIPALITY].settings.own_url.removeprefix("sqlite:///")
        with closing(sqlite3.connect(own, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            yield
            other.execute("ROLLBACK")
        return
    async with changed(url, "SET default_transaction_read_only = on", "RESET default_transaction_read_only"):
        yield


@asynccontextmanager
async def changed(url: str, change: str, back: str) -> AsyncIterator[None]:
    """Change a database for a while, and end every connection to it so that all notice."""
    name = urlsplit(url).path.removeprefix("/")
    server = url.replace(f"/{name}?", "/postgres?")
    for each in (change, back):
        await execute(server, f"ALTER DATABASE {name} {each}")
        await execute(server, f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
        if each is change:
            yield


async def test_a_register_that_is_gone_is_said_to_be_by_its_code_and_is_read_when_it_is_back(served: Served) -> None:
    async with down(served.federation):
        for response in await served.all(BENEFITS, OF_LAURA, [LAURA] * 4):
            assert code_of(response) == "DATABASE_UNAVAILABLE"
            assert response.status_code == 503
            assert "BNCLRA84H57F257B" not in response.text
    await served.answers()


async def test_registers_that_nobody_may_write_to_are_read(served: Served) -> None:
    async with read_only(served.federation):
        for response in await served.all(BENEFITS, OF_LAURA, [LAURA] * 4):
            assert response.json().get("data") == {"citizen": {"givenName": "Laura"}}, response.text
    await served.answers()
