"""One PostgreSQL server and one founded federation for all integration tests of a session; both databases for some."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import pytest_asyncio
from sqlalchemy import Connection, delete

from node.own.tables import METADATA
from tests.support.both import On
from tests.support.doors import DOORS, Door
from tests.support.postgres import THINGS_IN_POSTGRES, Registers, Server
from tests.support.simulator import Simulator, found, registers_of, simulated

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from federation.demo.layout import Home


@pytest.fixture(scope="session")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A founded federation; nobody changes it: each simulator works on a copy."""
    return found(tmp_path_factory.mktemp("founded"))


@pytest.fixture
async def federation(founded: Home, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Simulator]:
    """A federation whose world the test may change."""
    async with simulated(founded, tmp_path_factory.mktemp("federation") / "home") as simulator:
        yield simulator


@pytest.fixture(scope="module")
def things(request: pytest.FixtureRequest, postgres: Server) -> Server:
    """A database of the module's own with the tables of things."""
    made = postgres.database(request.module.__name__.rpartition(".")[2])
    made.run(THINGS_IN_POSTGRES)
    return made


@pytest.fixture
def on(database: Server | None, things: Server) -> On:
    """Each of the two databases."""
    return On(things, is_postgres=database is not None)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def standing(founded: Home, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Simulator]:
    """One federation for all tests of a module: opening one takes longer than most of them."""
    async with simulated(founded, tmp_path_factory.mktemp("standing") / "home") as simulator:
        yield simulator


@pytest.fixture(scope="session")
def in_postgres(postgres: Server, founded: Home) -> Registers:
    """The registers of the founded federation, in PostgreSQL."""
    return Registers.of(postgres, registers_of(founded))


@pytest.fixture(scope="module")
def registers(database: Server | None, request: pytest.FixtureRequest) -> Registers | None:
    """Where the nodes find their registers: in the SQLite files of the founded federation, or in PostgreSQL."""
    copied: Registers | None = None if database is None else request.getfixturevalue("in_postgres")
    return copied


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def on_each(
    registers: Registers | None, founded: Home, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Simulator]:
    """One federation for all tests of a module, on each of the two databases."""
    async with simulated(founded, tmp_path_factory.mktemp("on_each") / "home", registers) as simulator:
        yield simulator


@pytest_asyncio.fixture(loop_scope="module")
async def own_on_each(
    registers: Registers | None, founded: Home, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Simulator]:
    """A federation whose world the test may change, on each of the two databases."""
    async with simulated(founded, tmp_path_factory.mktemp("own") / "home", registers) as simulator:
        yield simulator


@pytest.fixture(params=DOORS)
def door(on_each: Simulator, request: pytest.FixtureRequest) -> Door:
    """Each of the two ways to ask the module's federation; a test puts back what it changes."""
    return Door(on_each, request.param == "at the node")


@pytest.fixture(params=DOORS)
def own_door(own_on_each: Simulator, request: pytest.FixtureRequest) -> Door:
    """Each of the two ways to ask a federation that the test may change."""
    return Door(own_on_each, request.param == "at the node")


@pytest_asyncio.fixture(loop_scope="module")
async def unwritten(on_each: Simulator) -> Simulator:
    """The module's federation, in which nobody has written or subscribed yet and everybody behaves."""
    on_each.wire.malice.clear()
    on_each.wire.heard.clear()
    await on_each.nodes["c_m999"].own.run(_empty)
    return on_each


def _empty(connection: Connection) -> None:
    for table in reversed(METADATA.sorted_tables):
        connection.execute(delete(table))
