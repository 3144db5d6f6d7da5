"""One PostgreSQL server and one founded federation for all integration tests of a session; both databases for some."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import pytest_asyncio
from sqlalchemy import Connection, delete

from node.own.tables import METADATA
from tests.support.both import DATABASES, On
from tests.support.doors import DOORS, Door
from tests.support.postgres import THINGS_IN_POSTGRES, Server
from tests.support.simulator import Simulator, found, simulated

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


@pytest.fixture(params=DATABASES)
def on(request: pytest.FixtureRequest, things: Server) -> On:
    """Each of the two databases."""
    return On(request.param, things)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def standing(founded: Home, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Simulator]:
    """One federation for all tests of a module: opening one takes longer than most of them."""
    async with simulated(founded, tmp_path_factory.mktemp("standing") / "home") as simulator:
        yield simulator


@pytest.fixture(params=DOORS)
def door(standing: Simulator, request: pytest.FixtureRequest) -> Door:
    """Each of the two ways to ask the module's federation; a test puts back what it changes."""
    return Door(standing, request.param == "at the node")


@pytest.fixture(params=DOORS)
def own_door(federation: Simulator, request: pytest.FixtureRequest) -> Door:
    """Each of the two ways to ask a federation that the test may change."""
    return Door(federation, request.param == "at the node")


@pytest_asyncio.fixture(loop_scope="module")
async def unwritten(standing: Simulator) -> Simulator:
    """The module's federation, in which nobody has written or subscribed yet and everybody behaves."""
    standing.wire.malice.clear()
    standing.wire.heard.clear()
    await standing.nodes["c_m999"].own.run(_empty)
    return standing


def _empty(connection: Connection) -> None:
    for table in reversed(METADATA.sorted_tables):
        connection.execute(delete(table))
