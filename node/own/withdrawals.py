"""Consents that were withdrawn through this node: they count at once, before the register has taken them over.

To withdraw must be as easy as to give (GDPR art. 7(3)). A consent that is given through the node waits for the
register; one that is withdrawn does not: whatever the register says that was given until that day counts no more.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, delete, insert, or_, select

from federation.contract.clock import Clock, epoch_seconds
from node.own.database import OwnDatabase
from node.own.tables import WITHDRAWAL

MUTATION: Final = "recordConsent"
_EVERYBODY: Final = ""
"""In place of a consumer: the consent for all of them."""
_SECONDS: Final = 1
"""For how long another worker's withdrawal may not be seen here."""


def note(connection: Connection, mutation: str, subject: str, record: Mapping[str, Any]) -> None:
    """Note what a written consent withdraws, or that it was given again; part of the transaction that writes it."""
    if mutation != MUTATION:
        return
    name = {"subject": subject, "purpose": record["purpose"], "consumer": record.get("consumer") or _EVERYBODY}
    connection.execute(delete(WITHDRAWAL).where(*(WITHDRAWAL.c[key] == value for key, value in name.items())))
    if not record["given"]:
        connection.execute(insert(WITHDRAWAL).values(**name, day=str(record["at"])[:10]))


@dataclass(slots=True)
class Withdrawals:
    """What was withdrawn, by consumer, looked up at most once a second; `forget` after a write of this process."""

    database: OwnDatabase
    clock: Clock
    _known: dict[str, str] = field(default_factory=dict, repr=False)
    _since: int = 0

    async def of(self, consumer: str) -> str:
        """Return JSON text: `[subject, purpose, day]` for each consent that `consumer` must not count on.

        Raises:
            DatabaseUnavailableError: the own tables do not answer, so it is not known.
        """
        now = epoch_seconds(self.clock)
        if now - self._since >= _SECONDS:
            self._known.clear()
            self._since = now
        found = self._known.get(consumer)
        if found is None:
            found = self._known[consumer] = await self.database.run(lambda connection: _of(connection, consumer))
        return found

    def forget(self) -> None:
        """Look again at the next question."""
        self._known.clear()


def _of(connection: Connection, consumer: str) -> str:
    query = select(WITHDRAWAL.c.subject, WITHDRAWAL.c.purpose, WITHDRAWAL.c.day).where(
        or_(WITHDRAWAL.c.consumer == _EVERYBODY, WITHDRAWAL.c.consumer == consumer)
    )
    return msgspec.json.encode([list(row) for row in connection.execute(query)]).decode()
