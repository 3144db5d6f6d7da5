"""The outbox as the member's own system reads it: every event after the last one that it took in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, func, select

from node.own.tables import OUTBOX, WRITTEN
from node.own.writes import TOLD


def events_after(connection: Connection, seq: int, most: int) -> list[Mapping[str, Any]]:
    """Return up to `most` events with their records, in order, those after number `seq`."""
    rows = connection.execute(
        select(OUTBOX, WRITTEN.c.consumer, WRITTEN.c.mutation, WRITTEN.c.record)
        .join(WRITTEN, WRITTEN.c.id == OUTBOX.c.written)
        .where(OUTBOX.c.seq > seq, WRITTEN.c.mutation != TOLD)  # whoever reads here told of those
        .order_by(OUTBOX.c.seq)
        .limit(most)
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


def last_about(connection: Connection, type_name: str, seq: int) -> int:
    """Return the number of the last event about a type after number `seq`; that number if there is none."""
    found = select(func.max(OUTBOX.c.seq)).where(OUTBOX.c.seq > seq, OUTBOX.c.type_name == type_name)
    return connection.execute(found).scalar() or seq
