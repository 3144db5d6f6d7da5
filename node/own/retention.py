"""How long events are kept, and the records and idempotency keys that were written with them.

1. Nobody needs an event any more that every subscriber took in, and the member's own system if it has a record; it goes
   once it is older than an idempotency key must be remembered (`settled`).
2. Whether somebody took it in or not, an event goes when it is older than `longest`; so a subscriber that never comes
   back holds nothing up. Who comes back later is told that events are missing (`CHANGES_GONE`), never nothing.

Events go from the first on and without gaps, so that one number says what is missing.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

import msgspec
from sqlalchemy import Connection, delete, func, select

from federation.contract.clock import rfc3339
from node.own.numbering import Place, alone, last_number, note_forgotten
from node.own.outbox import MEMBER, next_with_record, taken_by_member
from node.own.tables import OUTBOX, SUBSCRIPTION, WRITTEN

AT_ONCE: Final = 1_000
"""Events that one transaction forgets."""


class Retention(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """For how many days events are kept: once everybody took them in, and at most."""

    settled: int = 30
    longest: int = 365

    def __post_init__(self) -> None:
        """Insist on days in the order of their meaning."""
        if not 1 <= self.settled <= self.longest:
            raise ValueError("`settled` must be at least 1 day, and `longest` not less than `settled`")


def forget(connection: Connection, retention: Retention, now: datetime) -> int:
    """Forget up to `AT_ONCE` events that need not be kept, in one transaction; return how many."""
    alone(connection)
    longest_ago = rfc3339(now - timedelta(days=retention.longest))
    settled_ago = rfc3339(now - timedelta(days=retention.settled))
    settled = min(_last_before(connection, settled_ago), _taken_by_all(connection, longest_ago))
    until = max(settled, _last_before(connection, longest_ago))
    query = select(OUTBOX.c.seq, OUTBOX.c.at, OUTBOX.c.written).where(OUTBOX.c.seq <= until)
    events = connection.execute(query.order_by(OUTBOX.c.seq).limit(AT_ONCE)).all()
    if events:
        note_forgotten(connection, Place(events[-1].seq, events[-1].at))
        connection.execute(delete(OUTBOX).where(OUTBOX.c.seq <= events[-1].seq))
        connection.execute(delete(WRITTEN).where(WRITTEN.c.id.in_([each.written for each in events])))
    return len(events)


def _last_before(connection: Connection, moment: str) -> int:
    """Return the last number up to which every event happened before a moment."""
    first = connection.execute(select(func.min(OUTBOX.c.seq)).where(OUTBOX.c.at >= moment)).scalar()
    return _last(connection) if first is None else first - 1


def _taken_by_all(connection: Connection, since: str) -> int:
    """Return the last number that everybody took in who asked since a moment, and the member's own system."""
    live = select(func.min(SUBSCRIPTION.c.taken)).where(SUBSCRIPTION.c.at >= since, SUBSCRIPTION.c.consumer != MEMBER)
    slowest = connection.execute(live).scalar()
    waiting = next_with_record(connection, taken_by_member(connection))
    ends = [end for end in (slowest, None if waiting is None else waiting - 1) if end is not None]
    return min(ends, default=_last(connection))


def _last(connection: Connection) -> int:
    found: int = connection.execute(select(last_number())).scalar_one()
    return found
