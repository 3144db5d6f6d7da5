"""One connection to PostgreSQL for code that does not run on an event loop: it lives on a thread of its own.

What is kept here is asked for in the middle of judging or recording a request, and a worker does one at a time, so a
call waits for the server: one round trip. A connection that fails is given up and opened again at the next call; one
that cannot be opened is tried once a second.
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
from federation.shared.store import SECONDS, Synchronous

_PAUSE: Final = 1.0
_FAULTS: Final = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    OSError,
    TimeoutError,
)
_LOCK: Final = "SELECT pg_advisory_xact_lock(hashtextextended(?, 0))"
_COMMIT: Final = {Synchronous.FULL: "on", Synchronous.NORMAL: "off"}

_Result = TypeVar("_Result")


@dataclass(slots=True)
class Session:
    """A connection that works in one schema; `name` is what it is for, `failure` makes the errors it raises.

    INVARIANT: a transaction that lost its connection does not go on over another, and one whose process stands still
    for `SECONDS` is ended by the server, with its locks: when the process goes on, it cannot commit.
    """

    _url: str = field(repr=False)
    schema: str
    name: str
    _synchronous: Synchronous
    _failure: Callable[[str], UnavailableError] = UnavailableError
    _loop: asyncio.AbstractEventLoop = field(init=False, default_factory=asyncio.new_event_loop, repr=False)
    _lock: threading.RLock = field(init=False, default_factory=threading.RLock, repr=False)
    _connection: asyncpg.Connection | None = field(init=False, default=None, repr=False)
    _inside: bool = field(init=False, default=False)
    _not_before: float = field(init=False, default=0.0)
    connections: int = field(init=False, default=0)
    """How many were opened so far: what was read over another one may be of a server that is no more."""

    def __post_init__(self) -> None:
        threading.Thread(target=self._loop.run_forever, name=f"shared {self.name}", daemon=True).start()

    def run(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """Run one statement, with `?` for each value, and return its rows.

        Raises:
            UnavailableError: it did not happen, or nobody knows whether it did.
        """
        with self._lock, self._telling():
            return self._wait(self._fetch(_numbered(statement), values))

    def begin(self, how: str = "BEGIN") -> None:
        """Begin a transaction.

        Raises:
            UnavailableError: the server does not answer.
        """
        with self._lock, self._telling():
            self._wait(self._execute(how))
            self._inside = True

    def begin_alone(self, name: str | None = None) -> None:
        """Begin a transaction while no other session is in one of this name in this schema.

        Raises:
            UnavailableError: the server does not answer, or another session is in one for too long.
        """
        self.begin()
        try:
            self.run(_LOCK, f"{self.schema}.{name or self.name}")
        except BaseException:
            self.rollback()
            raise

    def commit(self) -> None:
        """Commit the transaction.

        Raises:
            UnavailableError: nobody knows whether it happened.
        """
        with self._lock:
            try:
                with self._telling():
                    self._wait(self._execute("COMMIT"))
            finally:
                self._inside = False

    def rollback(self) -> None:
        """Give up the transaction; where the server does not answer, it ends with the connection."""
        with self._lock:
            try:
                with suppress(UnavailableError), self._telling():
                    self._wait(self._execute("ROLLBACK"))
            finally:
                self._inside = False

    def alone(self, work: Callable[[], _Result], name: str | None = None) -> _Result:
        """Run what `work` runs as one transaction of `begin_alone`.

        Raises:
            UnavailableError: none of it happened, or nobody knows whether it did.
        """
        with self._lock:
            self.begin_alone(name)
            try:
                done = work()
            except BaseException:
                self.rollback()
                raise
            self.commit()
        return done

    def lay_out(self, layout: str, found: str = "") -> None:
        """Make the schema and its tables where they are missing: not at all if there is a table `found`.

        Raises:
            UnavailableError: the database does not answer, or the role may not make them.
        """
        if not (found and self._has(found)):  # most often it is there: then whoever starts waits for nobody
            self.alone(lambda: self._make(layout, found), "layout")

    def vacuum(self, table: str) -> None:
        """Have the server clear away the old versions of a table's rows; as long as it takes.

        Raises:
            UnavailableError: it did not happen, or nobody knows whether it did.
        """
        try:
            self._wait(self._vacuum(table))  # over a connection of its own: nobody waits for it
        except _FAULTS as error:
            raise self._failed(error) from error

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

    def _make(self, layout: str, found: str) -> None:
        # To make a schema takes a right that a role need not have for a schema that is there already.
        if self.run("SELECT to_regnamespace(?)", self.schema) == [(None,)]:
            self.run(f"CREATE SCHEMA {self.schema}")
        if not (found and self._has(found)):
            with self._telling():
                self._wait(self._execute(layout))

    def _has(self, table: str) -> bool:
        return self.run("SELECT to_regclass(?)", f"{self.schema}.{table}") != [(None,)]

    def _wait(self, coroutine: Coroutine[Any, Any, _Result]) -> _Result:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()

    async def _connected(self) -> asyncpg.Connection:
        """Return the connection, a new one only outside a transaction."""
        if self._connection is None or self._connection.is_closed():
            if self._inside or self._loop.time() < self._not_before:
                raise ConnectionError("no connection")
            self._not_before = self._loop.time() + _PAUSE
            self._connection = await self._connect()
            self._not_before = 0.0
            self.connections += 1
        return self._connection

    async def _connect(self) -> asyncpg.Connection:
        return await asyncpg.connect(
            self._url,
            timeout=SECONDS,
            command_timeout=SECONDS,
            server_settings={
                "application_name": f"crocevia-{self.name}",
                "search_path": self.schema,
                "statement_timeout": f"{SECONDS}s",
                "idle_in_transaction_session_timeout": f"{SECONDS}s",
                "synchronous_commit": _COMMIT[self._synchronous],
            },
        )

    async def _vacuum(self, table: str) -> None:
        connection = await self._connect()
        try:
            await connection.execute("SET statement_timeout = 0")
            await connection.execute(f"VACUUM {table}", timeout=86_400)
        finally:
            connection.terminate()

    async def _fetch(self, statement: str, values: tuple[Any, ...]) -> list[tuple[Any, ...]]:
        connection = await self._connected()
        return [tuple(row) for row in await connection.fetch(statement, *values)]

    async def _execute(self, script: str) -> None:
        connection = await self._connected()
        await connection.execute(script)

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
            raise self._failed(error) from error

    def _failed(self, error: Exception) -> UnavailableError:
        # The server's message may hold values: the kind of error is all that is told (policy R28).
        return self._failure(
            f"the shared database did not answer for `{self.name}` ({type(error).__name__}), "
            "so nothing that it must remember is allowed; look at the setting `shared`"
        )


@cache
def _numbered(statement: str) -> str:
    """Return a statement with `$1`, `$2` … in place of `?`; no statement of a store has one in a literal."""
    numbers = count(1)
    return "".join(f"${next(numbers)}" if each == "?" else each for each in statement)
