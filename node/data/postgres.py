"""A member's PostgreSQL database: a pool of read-only connections, prepared statements, no value in an error."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Final

import asyncpg

from federation.contract.errors import BadInputError, DatabaseUnavailableError
from node.data.dialects import POSTGRESQL
from node.data.mapping import DatabaseSettings
from node.data.statements import Statement

_MOST_CONNECTIONS: Final = 8
_NO_CHARACTER: Final = "\0"
_ESCAPED: Final = "\\u0000"
_NO_TEXT: Final = "a text of the request holds the character U+0000, which no text of the database has"
_MILLISECONDS: Final = 1000
_PATIENCE: Final = 2
"""Seconds that the node waits longer than the server before it gives a connection up."""


class PostgreSQLDatabase:
    """A PostgreSQL database.

    * Every transaction is read only, whatever the role may do; a role without rights to write is the first fence.
    * Texts are read alike on every server: dates are ISO, time is UTC, numbers are plain.
    * Connections are opened when first needed, so a database that is down is an error of the question, and a database
      that comes back is used again without a restart.
    """

    def __init__(self, settings: DatabaseSettings) -> None:
        """Name a database; nothing is opened yet."""
        self.dialect: Final = POSTGRESQL
        self._settings = settings
        self._pool: asyncpg.Pool | None = None
        self._opening = asyncio.Lock()

    async def rows(self, statement: Statement, values: Mapping[str, Any]) -> Sequence[Sequence[Any]]:
        """Run a statement; the connection keeps it prepared.

        Raises:
            BadInputError: a text of the request is one that PostgreSQL cannot hold.
            DatabaseUnavailableError: the database does not answer, or not in time.
        """
        bound = statement.with_values(values)
        arguments = [bound[name] for name in statement.order or ()]
        if any(isinstance(argument, str) and _NO_CHARACTER in argument for argument in arguments):
            raise BadInputError(_NO_TEXT)
        found: Sequence[Sequence[Any]] = await self._fetch(statement.sql, arguments)
        return found

    async def close(self) -> None:
        """Give up all connections."""
        pool, self._pool = self._pool, None
        if pool is not None:
            await pool.close()

    async def _fetch(self, sql: str, arguments: Sequence[Any]) -> Any:
        try:
            pool = await self._connected()
            return await pool.fetch(sql, *arguments, timeout=self._settings.statement_timeout + _PATIENCE)
        except asyncpg.UntranslatableCharacterError as error:
            # Keys of a request travel as JSON, which writes the character so.
            if any(isinstance(argument, str) and _ESCAPED in argument for argument in arguments):
                raise BadInputError(_NO_TEXT) from error
            raise DatabaseUnavailableError(f"the database did not answer ({type(error).__name__})") from error
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError) as error:
            # The server's message may hold names and values: the kind of error is all that is told (policy R28).
            raise DatabaseUnavailableError(f"the database did not answer ({type(error).__name__})") from error

    async def _connected(self) -> asyncpg.Pool:
        if self._pool is None:
            async with self._opening:
                if self._pool is None:
                    self._pool = await self._open()
        return self._pool

    async def _open(self) -> asyncpg.Pool:
        return await asyncpg.create_pool(
            self._settings.url,
            min_size=1,
            max_size=_MOST_CONNECTIONS,
            timeout=self._settings.statement_timeout,
            server_settings={
                "application_name": "crocevia",
                "default_transaction_read_only": "on",
                "statement_timeout": str(self._settings.statement_timeout * _MILLISECONDS),
                "datestyle": "ISO, YMD",
                "intervalstyle": "iso_8601",
                "timezone": "UTC",
                "jit": "off",  # statements of a few milliseconds: compiling them would cost more than it saves
            },
        )
