"""Where one party keeps what its worker processes share: on its host, or in a database for several hosts."""

from __future__ import annotations

import fcntl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from federation.contract.errors import ConfigurationError, UnavailableError
from federation.shared.store import Shared, SharedFile, Synchronous

if TYPE_CHECKING:
    from federation.shared.session import Session

_POSTGRESQL: Final = "postgresql://"
_MOVED: Final = ".moved"
MOVED: Final = "was moved to the database: start this process with the setting that the other hosts have in `shared`"
"""What a process hears that still works with a file that another has taken along."""


@dataclass(frozen=True, slots=True)
class SharedPlace:
    """Where one party keeps what its workers share: files in `state`, or the database at `url`, in its own schema."""

    state: Path
    url: str | None = None
    party: str = ""

    def open(self, name: str, layout: str, synchronous: Synchronous) -> Shared:
        """Open one store of the party, or make it.

        Raises:
            ConfigurationError: `url` is no address of a PostgreSQL database.
            UnavailableError: it cannot be opened.
        """
        if self.url is None:
            return SharedFile.open(self.state / f"{name}.db", layout, synchronous)
        from federation.shared.database import SharedDatabase  # noqa: PLC0415  # the optional extra `postgres`

        return SharedDatabase.open(self.session(name, synchronous), layout)

    def session(
        self, name: str, synchronous: Synchronous, failure: Callable[[str], UnavailableError] = UnavailableError
    ) -> Session:
        """Return a connection to the party's schema of the database, for one store; `failure` makes its errors.

        Raises:
            ConfigurationError: `url` is no address of a PostgreSQL database.
        """
        if self.url is None or not self.url.startswith(_POSTGRESQL):
            raise ConfigurationError(f"`shared` needs an address that begins with `{_POSTGRESQL}`")
        from federation.shared.session import Session  # noqa: PLC0415  # the optional extra `postgres`

        return Session(self.url, f"crocevia_{self.party}", name, synchronous, failure)


def refuse_if_moved(path: Path, failure: Callable[[str], UnavailableError]) -> None:
    """Refuse to make a file anew whose content went to the database: that would begin a second history.

    Raises:
        UnavailableError: it was moved.
    """
    if path.with_name(path.name + _MOVED).exists() and not path.exists():
        raise failure(f"`{path.name}` {MOVED}")


@contextmanager
def moving(path: Path) -> Iterator[bool]:
    """Tell whether a host has this file, whose content goes to the database now; then put it aside as `….moved`.

    One process of a host does this at a time. What fails leaves the file where it is, to be taken at the next start.
    """
    with path.with_name("moving.lock").open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        there = path.exists()
        yield there
        if there:
            path.replace(path.with_name(path.name + _MOVED))
