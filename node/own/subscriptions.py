"""Who is told of changes, and how far each subscriber has come: at least once, in the order of the outbox."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, and_, insert, select, update
from sqlalchemy.exc import IntegrityError

from federation.contract.errors import ChangesGoneError
from node.own.database import OwnDatabase
from node.own.numbering import BEGINNING, Place, forgotten, last_number
from node.own.tables import OUTBOX, SUBSCRIPTION, WRITTEN
from node.own.writes import TOLD

_DAY_LENGTH: Final = 10


@dataclass(frozen=True, slots=True)
class Subscriber:
    """A consumer under one agreement, for one purpose: what it may be told depends on all three."""

    consumer: str
    agreement: str
    purpose: str


OLDEST: Final = Place(-1, "")
"""In place of an event: before the oldest that is kept, whatever went before."""


@dataclass(frozen=True, slots=True)
class Happened:
    """An event: what came to be or changed of which citizen (this member's pseudonym), with the record's values.

    What the member's own programs told of has no record.
    """

    place: Place
    kind: str
    type_name: str
    fields: Sequence[str]
    subject: str
    record: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class Looked:
    """Events after a place, in order; `end` is the last one that was looked at, the place itself if there was none."""

    events: tuple[Happened, ...]
    end: Place


@dataclass(frozen=True, slots=True)
class Subscriptions:
    """The own tables as far as telling of changes is concerned.

    * Who asks for the first time is told of what happens from then on.
    * Who asks after a place has taken in what was before it; that is remembered and never goes back.
    * Who asks without a place is told again from the remembered one.
    * Who would have to be told of events that are no longer kept is refused, until it asks after `OLDEST`: it has to
      read everything anew.
    """

    database: OwnDatabase

    async def look(self, subscriber: Subscriber, after: Place | None, most: int, at: str) -> Looked:
        """Return up to `most` events after `after`, or after what the subscriber took in.

        A place that is not in the outbox, because a backup was restored that does not have it, counts as none given.

        Raises:
            ChangesGoneError: what follows the place is no longer kept.
            DatabaseUnavailableError: the own tables do not answer.
        """

        def looked(connection: Connection) -> Looked:
            return _Look(connection, subscriber, at).after(after, most)

        try:
            return await self.database.run(looked)
        except IntegrityError:  # the same subscriber asked for the first time twice at once
            return await self.database.run(looked)


@dataclass(frozen=True, slots=True)
class _Look:
    connection: Connection
    subscriber: Subscriber
    at: str

    def after(self, given: Place | None, most: int) -> Looked:
        taken = self._taken()
        known = forgotten(self.connection) if given == OLDEST else self._known(given)
        if known is not None and known.seq > taken.seq:
            self._take(known)
        begin = known or taken
        rows = self.connection.execute(
            select(OUTBOX, WRITTEN.c.mutation, WRITTEN.c.record)
            .join(WRITTEN, WRITTEN.c.id == OUTBOX.c.written)
            .where(OUTBOX.c.seq > begin.seq)
            .order_by(OUTBOX.c.seq)
            .limit(most)
        ).all()
        # Asked last: what is forgotten while we look is not passed over in silence.
        if begin.seq < forgotten(self.connection).seq:
            raise ChangesGoneError(
                "changes after that place are no longer kept: read the data anew, then ask after `oldest`"
            )
        events = tuple(
            Happened(
                place=Place(row.seq, row.at),
                kind=row.kind,
                type_name=row.type_name,
                fields=row.fields,
                subject=row.subject,
                record=None if row.mutation == TOLD else row.record,
            )
            for row in rows
        )
        return Looked(events, events[-1].place if events else begin)

    def _taken(self) -> Place:
        """Return what the subscriber took in; a new subscriber has taken in everything so far."""
        known = self.connection.execute(select(SUBSCRIPTION.c.taken, SUBSCRIPTION.c.at).where(self._is_own())).first()
        if known is None:
            taken = self.connection.execute(select(last_number())).scalar_one()
            self.connection.execute(insert(SUBSCRIPTION).values(**self._name(), taken=taken, since=self.at, at=self.at))
        else:
            taken = known.taken
            if known.at[:_DAY_LENGTH] != self.at[:_DAY_LENGTH]:
                self.connection.execute(update(SUBSCRIPTION).where(self._is_own()).values(at=self.at))
        gone = forgotten(self.connection)
        if gone.seq == taken:
            return gone
        at = self.connection.execute(select(OUTBOX.c.at).where(OUTBOX.c.seq == taken)).scalar()
        return Place(taken, at or "")

    def _take(self, place: Place) -> None:
        self.connection.execute(update(SUBSCRIPTION).where(self._is_own()).values(taken=place.seq, at=self.at))

    def _known(self, place: Place | None) -> Place | None:
        """Return a place that is or was in the outbox; None for one of a lost state."""
        gone = forgotten(self.connection)
        if place is None or place in (BEGINNING, gone) or place.seq < gone.seq:
            return place
        found = select(OUTBOX.c.seq).where(OUTBOX.c.seq == place.seq, OUTBOX.c.at == place.at)
        return None if self.connection.execute(found).first() is None else place

    def _is_own(self) -> Any:
        return and_(*(SUBSCRIPTION.c[name] == value for name, value in self._name().items()))

    def _name(self) -> dict[str, str]:
        who = self.subscriber
        return {"consumer": who.consumer, "agreement": who.agreement, "purpose": who.purpose}
