"""Consents that were given or withdrawn through this node: they count at once, before the register has taken them over.

* The last word on a consent counts: given, it counts from the next question on, until its last day; withdrawn, whatever
  the register says that was given until that day counts no more, nor does it after the last day of what was given here.
  To withdraw is as easy as to give (GDPR art. 7(3)).
* A word about every consumer and one about a single consumer are two: of a consent given to one of them, the withdrawal
  that is not older than it, of either, is the end.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, delete, insert, or_, select

from federation.contract.clock import Clock, day_in_rome, epoch_seconds
from node.data.rows import GIVEN, WITHDRAWN
from node.own.database import OwnDatabase
from node.own.tables import CONSENT

MUTATION: Final = "recordConsent"
_EVERYBODY: Final = ""
"""In place of a consumer: the consent for all of them."""
_SECONDS: Final = 1
"""For how long what another worker wrote may not be seen here."""
_DAY: Final = len("2026-11-28")


def note(connection: Connection, mutation: str, subject: str, record: Mapping[str, Any]) -> None:
    """Note what is now said of a consent; part of the transaction that writes it."""
    if mutation != MUTATION:
        return
    name = {"subject": subject, "purpose": record["purpose"], "consumer": record.get("consumer") or _EVERYBODY}
    connection.execute(delete(CONSENT).where(*(CONSENT.c[key] == value for key, value in name.items())))
    said = {"given": record["given"], "at": str(record["at"]), "expires": record.get("expires")}
    connection.execute(insert(CONSENT).values(**name, **said))


@dataclass(slots=True)
class Consents:
    """What was said, by consumer, looked up at most once a second; `forget` after a write of this process."""

    database: OwnDatabase
    clock: Clock
    _known: dict[str, str] = field(default_factory=dict, repr=False)
    _since: int = 0

    async def of(self, consumer: str) -> str:
        """Return JSON text: `[subject, purpose, "given" or "withdrawn", day]` for each consent as to `consumer`.

        Raises:
            DatabaseUnavailableError: the own tables do not answer, so it is not known.
        """
        now = epoch_seconds(self.clock)
        if not 0 <= now - self._since < _SECONDS:  # a clock that was set back does not keep what is known for longer
            self._known.clear()
            self._since = now
        found = self._known.get(consumer)
        if found is None:
            today = day_in_rome(self.clock.now())
            found = self._known[consumer] = await self.database.run(lambda connection: _of(connection, consumer, today))
        return found

    def forget(self) -> None:
        """Look again at the next question."""
        self._known.clear()


def _of(connection: Connection, consumer: str, today: date) -> str:
    query = select(CONSENT).where(or_(CONSENT.c.consumer == _EVERYBODY, CONSENT.c.consumer == consumer))
    said = connection.execute(query).all()
    ended: dict[tuple[str, str], str] = {}  # every instant is the node's own, so their texts compare
    for row in said:
        if not row.given:
            name = (row.subject, row.purpose)
            ended[name] = max(row.at, ended.get(name, ""))
    counting = [[row.subject, row.purpose, _standing(row, today), row.at[:_DAY]] for row in said if _stands(row, ended)]
    return msgspec.json.encode(counting).decode()


def _stands(said: Any, ended: Mapping[tuple[str, str], str]) -> bool:
    """Return whether a word was not taken back; a withdrawal always stands."""
    return not said.given or said.at > ended.get((said.subject, said.purpose), "")


def _standing(said: Any, today: date) -> str:
    """Return what a word is worth today: what was given until a day that is over has ended as if it were withdrawn."""
    valid = said.given and (said.expires is None or said.expires >= today.isoformat())
    return GIVEN if valid else WITHDRAWN
