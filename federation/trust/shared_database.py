"""What the workers of one party share on several hosts: tables of a PostgreSQL database, in the party's own schema.

The stores are asked in the middle of judging a request, and a worker judges one at a time, so a call waits for the
server: one round trip, on a connection of the store's own that lives on a thread of its own. A connection that fails is
given up and opened again at the next call; one that cannot be opened is tried once a second.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from itertools import count
from typing import Any, Final, TypeVar

import asyncpg

from federation.contract.errors import UnavailableError
from federation.trust.shared import Synchronous

_SECONDS: Final = 2.0
"""How long a call may take, and how long one worker waits for another's transaction."""
_PAUSE: Final = 1.0
_FAULTS: Final = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    OSError,
    TimeoutError,
)
_LOCK: Final = "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))"
_COMMIT: Final = {Synchronous.FULL: "on", Synchronous.NORMAL: "off"}

_Result = TypeVar("_Result")


@dataclass(slots=True)
class SharedDatabase:
    """The tables of one store; see `federation.trust.shared.Shared`."""

    _url: str = field(repr=False)
    _schema: str
    _name: str
    _synchronous: Synchronous
    _loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop, repr=False)
    _lock: threading.RLock = field(default_factory=threading.RLock, repr=False)
    _connection: asyncpg.Connection | None = field(default=None, repr=False)
    _inside: bool = False
    _not_before: float = 0.0

    @classmethod
    def open(cls, url: str, schema: str, name: str, layout: str, synchronous: Synchronous) -> SharedDatabase:
        """Connect, and make schema and tables where they are missing.

        Raises:
            UnavailableError: the database does not answer, or the role may not make them.
        """
        opened = cls(url, schema, name, synchronous)
        threading.Thread(target=opened._loop.run_forever, name=f"shared {name}", daemon=True).start()
        try:
            opened.alone(lambda: opened._wait(opened._lay_out(layout)))
        except BaseException:
            opened.close()
            raise
        return opened

    def run(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """Run one statement; see `Shared.run`."""
        with self._lock, self._telling():
            return self._wait(self._fetch(_numbered(statement), values))

    def alone(self, work: Callable[[], _Result]) -> _Result:
        """Run a transaction; see `Shared.alone`."""
        with self._lock, self._telling():
            self._wait(self._begin())
            self._inside = True
            try:
                done = work()
                self._wait(self._end("COMMIT"))
            except BaseException:
                with suppress(*_FAULTS):
                    self._wait(self._end("ROLLBACK"))
                raise
            finally:
                self._inside = False
        return done

    def close(self) -> None:
        """Let go of connection and thread."""
        with self._lock:
            if not self._loop.is_running():
                return
            self._wait(self._hang_up())
            self._loop.call_soon_threadsafe(self._loop.stop)
        while self._loop.is_running():
            threading.Event().wait(0.001)
        self._loop.close()

    def _wait(self, coroutine: Coroutine[Any, Any, _Result]) -> _Result:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()

    async def _connected(self) -> asyncpg.Connection:
        """Return the connection. INVARIANT: a transaction that lost its connection does not go on over another."""
        if self._connection is None or self._connection.is_closed():
            if self._inside or self._loop.time() < self._not_before:
                raise ConnectionError("no connection")
            self._not_before = self._loop.time() + _PAUSE
            self._connection = await asyncpg.connect(
                self._url,
                timeout=_SECONDS,
                command_timeout=_SECONDS,
                server_settings={
                    "application_name": f"crocevia-{self._name}",
                    "search_path": self._schema,
                    "statement_timeout": f"{_SECONDS}s",
                    "synchronous_commit": _COMMIT[self._synchronous],
                },
            )
            self._not_before = 0.0
        return self._connection

    async def _fetch(self, statement: str, values: tuple[Any, ...]) -> list[tuple[Any, ...]]:
        connection = await self._connected()
        return [tuple(row) for row in await connection.fetch(statement, *values)]

    async def _begin(self) -> None:
        connection = await self._connected()
        await connection.execute("BEGIN")
        await connection.fetch(_LOCK, f"{self._schema}.{self._name}")

    async def _end(self, how: str) -> None:
        connection = await self._connected()
        await connection.execute(how)

    async def _lay_out(self, layout: str) -> None:
        connection = await self._connected()
        await connection.fetch(_LOCK, self._schema)
        # To make a schema takes a right that a role need not have for a schema that is there already.
        if await connection.fetchval("SELECT to_regnamespace($1)", self._schema) is None:
            await connection.execute(f"CREATE SCHEMA {self._schema}")
        await connection.execute(_as_postgresql(layout))

    async def _hang_up(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.terminate()

    @contextmanager
    def _telling(self) -> Iterator[None]:
        try:
            yield
        except _FAULTS as error:
            self._wait(self._hang_up())  # nobody knows what else would come over this connection
            # The server's message may hold values: the kind of error is all that is told (policy R28).
            raise UnavailableError(
                f"the shared database did not answer for `{self._name}` ({type(error).__name__}), "
                "so nothing that it must remember is allowed; look at the setting `shared`"
            ) from error


@cache
def _numbered(statement: str) -> str:
    """Return a statement with `$1`, `$2` … in place of `?`; no statement of a store has one in a literal."""
    numbers = count(1)
    return "".join(f"${next(numbers)}" if each == "?" else each for each in statement)


def _as_postgresql(layout: str) -> str:
    """Return a layout in PostgreSQL's words; SQLite's INTEGER has 64 bits."""
    return layout.replace("WITHOUT ROWID", "").replace("BLOB", "BYTEA").replace("INTEGER", "BIGINT")
