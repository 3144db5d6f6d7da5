"""The database of the own tables: one transaction at a time, on SQLite or PostgreSQL, with the same code.

Work is a function of a connection. On SQLite it runs in a thread; on PostgreSQL it runs on the event loop, where the
driver's waiting is made to look like a call. Either way it is one transaction, and nothing of it stays if it fails.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, Protocol, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from federation.contract.errors import ConfigurationError, DatabaseUnavailableError

SCHEMA: Final = "crocevia"
"""PostgreSQL's schema of the own tables."""
_SQLITE: Final = "sqlite:///"
_POSTGRESQL: Final = "postgresql://"
_SECONDS: Final = 5

_Result = TypeVar("_Result")
Work = Callable[[Connection], _Result]


class OwnDatabase(Protocol):
    """Where the own tables are."""

    async def run(self, work: Work[_Result]) -> _Result:
        """Run work in one transaction and return what it returns.

        Raises:
            DatabaseUnavailableError: the database does not answer; nothing was changed.
            IntegrityError: a constraint of the tables does not hold; nothing was changed.
        """
        ...

    async def close(self) -> None:
        """Give up all connections."""
        ...


class SqliteOwnDatabase:
    """A file beside the ledger, durable at every commit."""

    def __init__(self, file: Path) -> None:
        """Name the file; it is made when it is first needed."""
        self.file: Final = file
        self._engine: Engine = create_engine(
            f"{_SQLITE}{file}", connect_args={"timeout": _SECONDS, "isolation_level": None}
        )
        event.listen(self._engine, "connect", _set_up)
        event.listen(self._engine, "begin", _begin)

    async def run(self, work: Work[_Result]) -> _Result:
        """Run work in one transaction; see `OwnDatabase.run`."""
        return await asyncio.to_thread(self.run_now, work)

    def run_now(self, work: Work[_Result]) -> _Result:
        """Run work in one transaction, waiting for it."""
        try:
            with self._engine.begin() as connection:
                return work(connection)
        except IntegrityError:
            raise
        except SQLAlchemyError as error:
            raise _unavailable(error) from error

    async def close(self) -> None:
        """Give up all connections."""
        self._engine.dispose()


class PostgreSQLOwnDatabase:
    """The schema `crocevia` of a PostgreSQL database; the role must own it, or be allowed to create it."""

    def __init__(self, url: str) -> None:
        """Name the database; nothing is opened yet."""
        from sqlalchemy.ext.asyncio import create_async_engine  # noqa: PLC0415  # needs the optional extra `postgres`

        self._engine = create_async_engine(
            url.replace(_POSTGRESQL, "postgresql+asyncpg://", 1),
            pool_size=4,
            connect_args={
                "timeout": _SECONDS,
                "server_settings": {"search_path": SCHEMA, "application_name": "crocevia-own", "timezone": "UTC"},
            },
        )

    async def run(self, work: Work[_Result]) -> _Result:
        """Run work in one transaction; see `OwnDatabase.run`."""
        try:
            async with self._engine.begin() as connection:
                await connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}"))
                return await connection.run_sync(work)
        except IntegrityError:
            raise
        except (SQLAlchemyError, OSError, TimeoutError) as error:
            raise _unavailable(error) from error

    async def close(self) -> None:
        """Give up all connections."""
        await self._engine.dispose()


def open_own(url: str) -> SqliteOwnDatabase | PostgreSQLOwnDatabase:
    """Open the own tables at `sqlite:///FILE` (an absolute path) or `postgresql://…`.

    Raises:
        ConfigurationError: the address is neither.
    """
    if url.startswith(_SQLITE):
        return SqliteOwnDatabase(Path(url.removeprefix(_SQLITE)))
    if url.startswith(_POSTGRESQL):
        return PostgreSQLOwnDatabase(url)
    raise ConfigurationError("`own` needs an address that begins with `sqlite:///` or `postgresql://`")


def _set_up(connection: Any, _: Any) -> None:
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA secure_delete = ON")


def _begin(connection: Connection) -> None:
    """Take the write lock at once, so that two writers wait for each other and neither fails half-way."""
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _unavailable(error: Exception) -> DatabaseUnavailableError:
    # The driver's message may hold values: the kind of error is all that is told (policy R28).
    return DatabaseUnavailableError(f"the node's own tables did not answer ({type(error).__name__})")
