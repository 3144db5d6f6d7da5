"""The outbox as the member's own system reads it: every event after the last one that it took in.

To ask after an event says that everything up to it was taken in, as with every other subscriber (docs/adr/0028).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import Connection, func, insert, select, update

from federation.contract.errors import ChangesGoneError
from node.own.numbering import alone, forgotten, last_number
from node.own.tables import OUTBOX, SUBSCRIPTION, WRITTEN
from node.own.writes import TOLD

MEMBER: Final = ""
"""In place of a consumer: the member's own system, whose agreement and purpose have no name either."""
_IS_MEMBERS: Final = SUBSCRIPTION.c.consumer == MEMBER


def events_after(connection: Connection, seq: int, most: int) -> list[Mapping[str, Any]]:
    """Return up to `most` events with their records, in order, those after number `seq`.

    Raises:
        ChangesGoneError: some of those that follow are no longer kept.
    """
    rows = connection.execute(
        select(OUTBOX, WRITTEN.c.consumer, WRITTEN.c.mutation, WRITTEN.c.record)
        .join(WRITTEN, WRITTEN.c.id == OUTBOX.c.written)
        .where(OUTBOX.c.seq > seq, WRITTEN.c.mutation != TOLD)  # whoever reads here told of those
        .order_by(OUTBOX.c.seq)
        .limit(most)
    ).all()
    gone = forgotten(connection)
    if seq < gone.seq:
        raise ChangesGoneError(
            f"events up to {gone.seq} are no longer kept: compare what was written with the register, "
            f"then ask `--after {gone.seq}`"
        )
    return [
        {
            "seq": row.seq,
            "kind": row.kind,
            "type": row.type_name,
            "fields": row.fields,
            "subject": row.subject,
            "consumer": row.consumer,
            "mutation": row.mutation,
            "at": row.at,
            "record": row.record,
        }
        for row in rows
    ]


def taken_by_member(connection: Connection) -> int:
    """Return the last event that the member's own system took in, 0 for none."""
    found: int | None = connection.execute(select(SUBSCRIPTION.c.taken).where(_IS_MEMBERS)).scalar()
    return found or 0


def take_by_member(connection: Connection, seq: int, at: str) -> None:
    """Note that the member's own system took in what is up to an event; it never goes back."""
    alone(connection)  # two who read at once would both begin, and the later one could lower what the other noted
    seq = min(seq, connection.execute(select(last_number())).scalar_one())
    if connection.execute(select(SUBSCRIPTION.c.taken).where(_IS_MEMBERS)).first() is None:
        named = dict.fromkeys(("consumer", "agreement", "purpose"), MEMBER)
        connection.execute(insert(SUBSCRIPTION).values(**named, taken=seq, since=at, at=at))
    elif seq > taken_by_member(connection):
        connection.execute(update(SUBSCRIPTION).where(_IS_MEMBERS).values(taken=seq, at=at))


def next_with_record(connection: Connection, seq: int) -> int | None:
    """Return the first event after a number that the member's own system has to take in; None if there is none."""
    found: int | None = connection.execute(
        select(func.min(OUTBOX.c.seq))
        .join(WRITTEN, WRITTEN.c.id == OUTBOX.c.written)
        .where(OUTBOX.c.seq > seq, WRITTEN.c.mutation != TOLD)
    ).scalar()
    return found


def last_about(connection: Connection, type_name: str, seq: int) -> int:
    """Return the number of the last event about a type after number `seq`; that number if there is none."""
    found = select(func.max(OUTBOX.c.seq)).where(OUTBOX.c.seq > seq, OUTBOX.c.type_name == type_name)
    return connection.execute(found).scalar() or seq
