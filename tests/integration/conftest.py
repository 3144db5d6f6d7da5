"""One PostgreSQL server for all integration tests of a session."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.postgres import Server, running_server

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running_server(tmp_path_factory.mktemp("pg")) as server:
        yield server
