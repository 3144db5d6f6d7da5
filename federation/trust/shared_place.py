"""Where one party keeps what its worker processes share: on its host, or in a database for several hosts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from federation.contract.errors import ConfigurationError
from federation.trust.shared import Shared, SharedFile, Synchronous

_POSTGRESQL: Final = "postgresql://"


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
        if not self.url.startswith(_POSTGRESQL):
            raise ConfigurationError(f"`shared` needs an address that begins with `{_POSTGRESQL}`")
        from federation.trust.shared_database import SharedDatabase  # noqa: PLC0415  # the optional extra `postgres`

        return SharedDatabase.open(self.url, f"crocevia_{self.party}", name, layout, synchronous)
