"""Shared tests of the own tables: what holds on SQLite must hold on PostgreSQL."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection

from federation.contract.errors import ChangesGoneError, IdempotencyError
from node.own.database import OwnDatabase
from node.own.numbering import Place
from node.own.outbox import events_after, take_by_member, taken_by_member
from node.own.retention import Retention, forget
from node.own.subscriptions import OLDEST, Looked, Subscriber, Subscriptions
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


COOP = Subscriber("coop_ponte", "acc-2026-005", "social-support")


async def subscribers_are_told_in_order_what_they_have_not_taken_in(own: OwnDatabase) -> None:
    await Writes(own).carry_out([replace(WRITE, idempotency_key="before-01")])
    begun = await _look(own)
    assert begun.events == ()
    many = [replace(WRITE, idempotency_key=f"many-{number:04}") for number in range(20)]
    await asyncio.gather(*(Writes(own).carry_out([each]) for each in many))
    first = await _look(own, most=5)
    again = await _look(own, most=5)
    assert again == first
    rest = await _look(own, first.end)
    numbers = [event.place.seq for event in (*first.events, *rest.events)]
    assert numbers == sorted(set(numbers))
    assert len(numbers) == 20
    assert (await _look(own)) == rest  # what was before `first.end` was taken in
    await _look(own, begun.end)
    assert (await _look(own)) == rest  # who asks after an earlier place moves nothing back


async def a_place_of_a_lost_state_counts_as_none(own: OwnDatabase) -> None:
    await _look(own)
    await Writes(own).carry_out([WRITE])
    found = await _look(own)
    assert await _look(own, Place(found.end.seq, "2026-11-28T09:00:00.000Z")) == found
    assert await _look(own, Place(99, WRITE.at)) == found


DAY = timedelta(days=1)
KEPT = Retention(settled=30, longest=365)
WRITTEN_AT = datetime(2026, 11, 28, 10, tzinfo=UTC)


async def what_everybody_took_in_is_forgotten_when_its_keys_are_old(own: OwnDatabase) -> None:
    await _look(own)
    await _written(own, 3)
    [_, second, third] = (await _look(own)).events
    await own.run(lambda connection: take_by_member(connection, 3, WRITE.at))
    await _look(own, second.place)
    assert await _forget(own, 29) == 0  # a writer may still send the same again
    assert await _forget(own, 31) == 2
    assert await Writes(own).earlier([replace(WRITE, idempotency_key="many-0001")]) == (None,)
    assert (await _look(own)).events == (third,)
    assert await _look(own, second.place) == await _look(own)  # it has seen all that went
    await _look(own, third.place)
    assert await _forget(own, 31) == 1
    assert (await _look(own)).events == ()


async def a_record_waits_for_the_members_own_system(own: OwnDatabase) -> None:
    await _written(own, 2)
    assert await _forget(own, 31) == 0
    await asyncio.gather(*(own.run(lambda connection: take_by_member(connection, 1, WRITE.at)) for _ in range(2)))
    await own.run(lambda connection: take_by_member(connection, 0, WRITE.at))
    assert await own.run(taken_by_member) == 1
    assert await _forget(own, 31) == 1
    assert [event["seq"] for event in await own.run(lambda connection: events_after(connection, 1, 9))] == [2]
    with pytest.raises(ChangesGoneError, match="ask `--after 1`"):
        await own.run(lambda connection: events_after(connection, 0, 9))


async def who_comes_back_too_late_is_told_to_begin_anew(own: OwnDatabase) -> None:
    begun = await _look(own)
    await _written(own, 3)
    first = await _look(own, most=1)
    assert await _forget(own, 364) == 0
    assert await _forget(own, 366) == 3
    await Writes(own).carry_out([replace(WRITE, idempotency_key="later-001")])
    for place in (None, begun.end, first.end):
        with pytest.raises(ChangesGoneError, match="read the data anew"):
            await _look(own, place)
    [later] = (await _look(own, OLDEST)).events
    assert later.place.seq == 4  # no number is used twice, though the table was empty
    assert (await _look(own)).events == (later,)
    await _look(own, later.place)
    assert (await _look(own)).events == ()


async def _written(own: OwnDatabase, count: int) -> None:
    await Writes(own).carry_out([replace(WRITE, idempotency_key=f"many-{number:04}") for number in range(1, count + 1)])


async def _forget(own: OwnDatabase, days: int) -> int:
    return await own.run(lambda connection: forget(connection, KEPT, WRITTEN_AT + days * DAY))


async def new_subscribers_may_come_at_once(own: OwnDatabase) -> None:
    assert {each.events for each in await asyncio.gather(*(_look(own) for _ in range(5)))} == {()}


async def _look(own: OwnDatabase, after: Place | None = None, most: int = 100) -> Looked:
    return await Subscriptions(own).look(COOP, after, most, WRITE.at)


def differences(connection: Connection) -> list[object]:
    """Return what the migrations made otherwise than the tables in code."""
    return list(compare_metadata(MigrationContext.configure(connection), METADATA))
