"""Retries and breakers around a fetcher."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from federation.contract.errors import NodeMisbehavedError, NodeTimeoutError, NodeUnavailableError
from federation.execution.breaker import State
from federation.execution.ports import Answered, FetchAnswer, FetchRequest
from federation.execution.resilient import ResilienceSettings, ResilientFetcher
from federation.planning.plan import OperationKind

OK = FetchAnswer(b"{}")
DOWN = NodeUnavailableError("down")


class Scripted:
    """Answers with the next entry of a list, the last one for ever."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.asked = 0

    async def fetch(self, request: FetchRequest) -> FetchAnswer:
        self.asked += 1
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, asyncio.Event):
            await answer.wait()
            return OK
        if isinstance(answer, Exception):
            raise answer
        assert isinstance(answer, FetchAnswer)
        assert request.member == "b"
        return answer


def request(kind: OperationKind = OperationKind.QUERY, seconds: float = 1.0) -> FetchRequest:
    deadline = asyncio.get_running_loop().time() + seconds
    return FetchRequest(0, "b", kind, b'"{ x }"', b"{}", deadline)


def resilient(inner: Scripted, chance: Callable[[], float] = lambda: 0.0) -> ResilientFetcher:
    return ResilientFetcher(inner, ResilienceSettings(), chance)


async def test_a_query_is_asked_once_more_after_a_connection_fault() -> None:
    inner = Scripted(DOWN, OK)
    assert await resilient(inner).fetch(request()) is OK
    assert inner.asked == 2


NOT_RETRIED = {
    "a mutation": (OperationKind.MUTATION, 1.0, DOWN),
    "a timeout": (OperationKind.QUERY, 1.0, NodeTimeoutError("late")),
    "a misbehaving member": (OperationKind.QUERY, 1.0, NodeMisbehavedError("garbage")),
    "no time left": (OperationKind.QUERY, 0.01, DOWN),
}


@pytest.mark.parametrize(("kind", "seconds", "error"), NOT_RETRIED.values(), ids=NOT_RETRIED.keys())
async def test_what_is_not_asked_again(kind: OperationKind, seconds: float, error: Exception) -> None:
    inner = Scripted(error, OK)
    with pytest.raises(type(error)):
        await resilient(inner).fetch(request(kind, seconds))
    assert inner.asked == 1


async def test_a_member_that_is_down_is_soon_not_asked_at_all() -> None:
    inner = Scripted(DOWN)
    fetcher = resilient(inner)
    for _ in range(50):
        with pytest.raises(NodeUnavailableError):
            await fetcher.fetch(request())
    assert inner.asked <= 6
    assert fetcher.states() == {"b": State.OPEN}


async def test_discarded_answers_open_the_breaker_too() -> None:
    inner = Scripted(OK)
    fetcher = resilient(inner)
    for _ in range(3):
        await fetcher.fetch(request())
        fetcher.discredit(Answered(0, "b", None, NodeMisbehavedError("wrong type")))
    assert fetcher.states() == {"b": State.OPEN}


async def test_cancelling_cancels_the_request_inside() -> None:
    inner = Scripted(asyncio.Event())
    future = resilient(inner).fetch(request())
    await asyncio.sleep(0)
    future.cancel()
    await asyncio.sleep(0.01)
    assert [task for task in asyncio.all_tasks() if task is not asyncio.current_task()] == []


async def test_a_defect_inside_is_not_hidden() -> None:
    with pytest.raises(ZeroDivisionError):
        await resilient(Scripted(ZeroDivisionError())).fetch(request())
