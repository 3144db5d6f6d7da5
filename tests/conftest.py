"""For every test: no generated example is timed, because a machine under load would fail it; one PostgreSQL server."""

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
