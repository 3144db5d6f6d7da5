"""For every test: no generated example is timed, because a machine under load would fail it; both databases."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.postgres import Server

settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    from tests.support.postgres import running_server  # noqa: PLC0415  # most tests need no server

    with running_server(tmp_path_factory.mktemp("pg")) as server:
        yield server


@pytest.fixture(
    scope="module",
    params=["sqlite", pytest.param("postgresql", marks=[pytest.mark.integration, pytest.mark.postgres])],
)
def database(request: pytest.FixtureRequest) -> Server | None:
    """Each of the two databases that a node may have: PostgreSQL as the tests' server, SQLite as nothing."""
    found: Server | None = None if request.param == "sqlite" else request.getfixturevalue("postgres")
    return found
