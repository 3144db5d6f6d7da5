"""The numbers of the outbox: given by one writer at a time and never twice; up to which of them events are gone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, delete, func, insert, select

from node.own.tables import FORGOTTEN, OUTBOX

_OUTBOX_LOCK: Final = 0x63726F63
"""The advisory lock of whoever adds to the outbox or takes from it."""


@dataclass(frozen=True, slots=True)
class Place:
    """An event of the outbox, or none (0) before the first; `at` tells it from one of that number in a lost state."""

    seq: int
    at: str


BEGINNING: Final = Place(0, "")


def alone(connection: Connection) -> None:
    """Wait until nobody else changes the outbox, for the rest of the transaction.

    INVARIANT: events become visible in the order of their numbers, or whoever reads after the last one that it saw
    would miss one that was numbered earlier and committed later. SQLite has one writer anyway.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(_OUTBOX_LOCK)))


def last_number() -> ColumnElement[Any]:
    """Return the number of the last event that there was, kept or forgotten; 0 before the first.

    No counter of a table says so: SQLite's begins anew when all rows went, PostgreSQL's after a backup is restored.
    """
    kept = select(func.max(OUTBOX.c.seq)).scalar_subquery()
    return func.coalesce(kept, select(func.max(FORGOTTEN.c.seq)).scalar_subquery(), 0)


def forgotten(connection: Connection) -> Place:
    """Return the last event that is no longer kept."""
    found = connection.execute(select(FORGOTTEN.c.seq, FORGOTTEN.c.at)).first()
    return BEGINNING if found is None else Place(found.seq, found.at)


def note_forgotten(connection: Connection, place: Place) -> None:
    """Note up to which event the outbox is emptied; part of the transaction that empties it."""
    connection.execute(delete(FORGOTTEN))
    connection.execute(insert(FORGOTTEN).values(seq=place.seq, at=place.at))
