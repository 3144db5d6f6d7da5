"""One PostgreSQL server and one founded federation for all integration tests of a session."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.postgres import Server, running_server
from tests.support.simulator import Simulator, found, simulated

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from federation.demo.layout import Home


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running_server(tmp_path_factory.mktemp("pg")) as server:
        yield server


@pytest.fixture(scope="session")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A founded federation; nobody changes it: each simulator works on a copy."""
    return found(tmp_path_factory.mktemp("founded"))


@pytest.fixture
async def federation(founded: Home, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Simulator]:
    """A federation whose world the test may change."""
    async with simulated(founded, tmp_path_factory.mktemp("federation") / "home") as simulator:
        yield simulator
