"""Shared tests of the own tables: what holds on SQLite must hold on PostgreSQL."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection

from federation.contract.errors import IdempotencyError
from node.own.database import OwnDatabase
from node.own.outbox import events_after
from node.own.tables import METADATA
from node.own.upgrading import Standing, require_current, upgrade, version_of
from node.own.writes import Write, Writes

WRITE = Write(
    mutation="giveFeedback",
    consumer="coop_ponte",
    idempotency_key="feedback-2",
    input_digest="sha256:1",
    subject="v1.siv.c_m999.aaaa",
    type_name="Feedback",
    event="created",
    record={"rating": 4, "service": "S1"},
    at="2026-11-28T10:00:00.000Z",
)


async def new_tables_are_current(own: OwnDatabase) -> None:
    assert (await own.run(version_of)).standing is Standing.EMPTY
    await own.run(require_current)
    assert (await own.run(version_of)).standing is Standing.CURRENT
    assert await own.run(differences) == []
    assert (await own.run(upgrade)).standing is Standing.CURRENT


async def what_is_written_once_stays_once(own: OwnDatabase) -> None:
    writes = Writes(own)
    await asyncio.gather(*(writes.carry_out([WRITE]) for _ in range(5)))
    assert await writes.earlier([WRITE, replace(WRITE, idempotency_key="feedback-3")]) == (WRITE.record, None)
    with pytest.raises(IdempotencyError):
        await writes.earlier([replace(WRITE, input_digest="sha256:2")])
    events = await own.run(lambda connection: events_after(connection, 0, 10))
    assert [event["record"] for event in events] == [WRITE.record]


async def several_writes_are_one(own: OwnDatabase) -> None:
    writes = Writes(own)
    await writes.carry_out([WRITE])
    new, clashing = replace(WRITE, idempotency_key="feedback-9"), replace(WRITE, input_digest="sha256:2")
    with pytest.raises(IdempotencyError):
        await writes.carry_out([new, clashing])
    assert await writes.earlier([new]) == (None,)


async def events_come_in_the_order_of_their_numbers(own: OwnDatabase) -> None:
    many = [replace(WRITE, idempotency_key=f"many-{number:04}") for number in range(20)]
    await asyncio.gather(*(Writes(own).carry_out([each]) for each in many))
    events = await own.run(lambda connection: events_after(connection, 0, 100))
    numbers = [event["seq"] for event in events]
    assert numbers == sorted(numbers)
    later = await own.run(lambda connection: events_after(connection, numbers[-3], 100))
    assert [event["seq"] for event in later] == numbers[-2:]


def differences(connection: Connection) -> list[object]:
    """Return what the migrations made otherwise than the tables in code."""
    return list(compare_metadata(MigrationContext.configure(connection), METADATA))
