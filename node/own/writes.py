"""Writing once: the record, its idempotency key and its event, in one transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, insert, select
from sqlalchemy.exc import IntegrityError

from federation.contract.errors import IdempotencyError
from node.own.consents import note
from node.own.database import OwnDatabase
from node.own.numbering import alone, last_number
from node.own.tables import OUTBOX, WRITTEN

_ONE_QUESTION: Final = 500
"""Keys that are looked up at once."""
TOLD: Final = "told"
"""In place of a mutation: what the member's own programs changed in the register, told without a value."""


@dataclass(frozen=True, slots=True)
class Write:
    """One mutation to be carried out; `subject` is this member's pseudonym of the citizen, `at` RFC 3339 in UTC.

    `fields` are those that have a new value: of what is `TOLD`, which has no record; otherwise those of the record.
    """

    mutation: str
    consumer: str
    idempotency_key: str
    input_digest: str
    subject: str
    type_name: str
    event: str
    record: Mapping[str, Any]
    at: str
    fields: Sequence[str] = ()

    @property
    def name(self) -> tuple[str, str, str]:
        """What an idempotency key belongs to."""
        return self.consumer, self.mutation, self.idempotency_key


@dataclass(frozen=True, slots=True)
class Writes:
    """The own tables as far as writing is concerned."""

    database: OwnDatabase

    async def earlier(self, writes: Sequence[Write]) -> tuple[Mapping[str, Any] | None, ...]:
        """Return the record that each write made before, None for new ones.

        Raises:
            IdempotencyError: a key was used for another input.
            DatabaseUnavailableError: the tables do not answer.
        """
        return await self.database.run(lambda connection: tuple(_earlier(connection, write) for write in writes))

    async def carry_out(self, writes: Sequence[Write], unused: Sequence[Write] = ()) -> bool:
        """Write what was not written before, each with its event; all of it or nothing.

        Returns:
            False, and nothing is written, if somebody wrote the same under the key of one of `unused` meanwhile.

        Raises:
            IdempotencyError: meanwhile a key was used for another input.
            DatabaseUnavailableError: nothing was written.
        """
        try:
            return await self.database.run(lambda connection: _carry_out(connection, writes, unused))
        except IntegrityError:
            # Somebody wrote under one of the keys between our look and our write. They did the same or something else.
            return await self.database.run(lambda connection: _carry_out(connection, writes, unused))


def _carry_out(connection: Connection, writes: Sequence[Write], unused: Sequence[Write]) -> bool:
    alone(connection)
    new = _new(connection, writes)
    if not {each.name for each in unused} <= {each.name for each in new}:
        return False
    if not new:
        return True
    made = connection.execute(
        insert(WRITTEN).returning(WRITTEN.c.id, sort_by_parameter_order=True),
        [
            {
                "mutation": write.mutation,
                "consumer": write.consumer,
                "idempotency_key": write.idempotency_key,
                "input_digest": write.input_digest,
                "subject": write.subject,
                "record": dict(write.record),
                "at": write.at,
            }
            for write in new
        ],
    ).scalars()
    last = connection.execute(select(last_number())).scalar_one()
    connection.execute(
        insert(OUTBOX),
        [
            {
                "seq": seq,
                "written": number,
                "kind": write.event,
                "type_name": write.type_name,
                "fields": sorted(write.fields or write.record),
                "subject": write.subject,
                "at": write.at,
            }
            for seq, (number, write) in enumerate(zip(made, new, strict=True), start=last + 1)
        ],
    )
    for write in new:
        note(connection, write.mutation, write.subject, write.record)
    return True


def _new(connection: Connection, writes: Sequence[Write]) -> list[Write]:
    """Return the writes whose keys were not used yet, each key once."""
    used: dict[tuple[str, str, str], str] = {}
    for consumer, mutation in {(write.consumer, write.mutation) for write in writes}:
        keys = [each.idempotency_key for each in writes if (each.consumer, each.mutation) == (consumer, mutation)]
        for start in range(0, len(keys), _ONE_QUESTION):
            found = connection.execute(
                select(WRITTEN.c.idempotency_key, WRITTEN.c.input_digest).where(
                    WRITTEN.c.consumer == consumer,
                    WRITTEN.c.mutation == mutation,
                    WRITTEN.c.idempotency_key.in_(keys[start : start + _ONE_QUESTION]),
                )
            )
            used |= {(consumer, mutation, key): digest for key, digest in found}
    new: list[Write] = []
    for write in writes:
        if write.name not in used:
            used[write.name] = write.input_digest
            new.append(write)
        _require_same(write, used[write.name])
    return new


def _earlier(connection: Connection, write: Write) -> Mapping[str, Any] | None:
    found = connection.execute(
        select(WRITTEN.c.input_digest, WRITTEN.c.record).where(
            WRITTEN.c.consumer == write.consumer,
            WRITTEN.c.mutation == write.mutation,
            WRITTEN.c.idempotency_key == write.idempotency_key,
        )
    ).first()
    if found is None:
        return None
    _require_same(write, found.input_digest)
    record: Mapping[str, Any] = found.record
    return record


def _require_same(write: Write, digest: str) -> None:
    """Insist that a key stands for one input."""
    if digest != write.input_digest:
        raise IdempotencyError(
            "this idempotency key was used for another input; choose a new one", field="idempotencyKey"
        )
