"""A register on each of the two databases: what is said of one must be said of the other."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar

import pytest

from node.data.database import Database
from tests.support.data import MemoryDatabase
from tests.support.postgres import Server

_Result = TypeVar("_Result")
Asking = Callable[[Database], Coroutine[Any, Any, _Result]]


@dataclass(frozen=True, slots=True)
class Register:
    """SQLite in memory, or the schema `public` of a database of the tests' server."""

    server: Server | None = None

    @property
    def is_postgres(self) -> bool:
        """Whether it is PostgreSQL."""
        return self.server is not None

    def asked(self, script: str, asking: Asking[_Result]) -> _Result:
        """Return what is said of a register that a script made."""
        if self.server is None:
            return asyncio.run(asking(MemoryDatabase.of(script)))
        self.server.run(f"DROP SCHEMA IF EXISTS public CASCADE; CREATE SCHEMA public; {script}")
        database = self.server.open()
        try:
            return self.server.runner.run(asking(database))
        finally:
            self.server.runner.run(database.close())


@pytest.fixture(scope="session")
def registers(postgres: Server) -> Server:
    """A database whose schema `public` is made anew for each register."""
    return postgres.database("registers")


@pytest.fixture
def register(database: Server | None, request: pytest.FixtureRequest) -> Register:
    """Each of the two databases."""
    return Register(None if database is None else request.getfixturevalue("registers"))
