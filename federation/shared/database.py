"""What the workers of one party share on several hosts: tables of a PostgreSQL database, in the party's own schema."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from federation.shared.session import Session

_Result = TypeVar("_Result")


@dataclass(frozen=True, slots=True)
class SharedDatabase:
    """The tables of one store; see `federation.shared.store.Shared`."""

    _session: Session

    @classmethod
    def open(cls, session: Session, layout: str) -> SharedDatabase:
        """Make schema and tables where they are missing.

        Raises:
            UnavailableError: the database does not answer, or the role may not make them.
        """
        try:
            session.lay_out(_as_postgresql(layout))
        except BaseException:
            session.close()
            raise
        return cls(session)

    def run(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """Run one statement; see `Shared.run`."""
        return self._session.run(statement, *values)

    def alone(self, work: Callable[[], _Result]) -> _Result:
        """Run a transaction; see `Shared.alone`."""
        return self._session.alone(work)

    def together(self, work: Callable[[], _Result]) -> _Result:
        """Commit each statement: a lock on all hosts costs more than that; see `Shared.together`."""
        return work()

    def close(self) -> None:
        """Let go of connection and thread."""
        self._session.close()


def _as_postgresql(layout: str) -> str:
    """Return a layout in PostgreSQL's words; SQLite's INTEGER has 64 bits."""
    return layout.replace("WITHOUT ROWID", "").replace("BLOB", "BYTEA").replace("INTEGER", "BIGINT")
