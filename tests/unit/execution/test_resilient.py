"""Retries and breakers."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from federation.contract.errors import (
    AgreementError,
    CroceviaError,
    NodeMisbehavedError,
    NodeTimeoutError,
    NodeUnavailableError,
)
from federation.execution.breaker import State
from federation.execution.ports import Answered, FetchAnswer, FetchRequest
from federation.execution.resilient import ResilienceSettings, ResilientFetcher
from federation.execution.retry import RetryBudget
from federation.execution.run import SHORTEST_TIME_FOR_A_RETRY
from federation.planning.plan import OperationKind, Plan
from tests.support.execution import data_of, leaf, plan, root_fetch, run, shown

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


def request() -> FetchRequest:
    deadline = asyncio.get_running_loop().time() + 1
    return FetchRequest(0, "b", OperationKind.QUERY, b'"{ x }"', b"{}", deadline)


def resilient(inner: Scripted) -> ResilientFetcher:
    return ResilientFetcher(inner, ResilienceSettings(), lambda: 0.0)


async def test_a_member_that_is_down_is_soon_not_asked_at_all() -> None:
    inner = Scripted(DOWN)
    fetcher = resilient(inner)
    for _ in range(50):
        with pytest.raises(NodeUnavailableError):
            await fetcher.fetch(request())
    assert inner.asked == 5
    assert fetcher.states() == {"b": State.OPEN}


async def test_discarded_answers_open_the_breaker_too() -> None:
    inner = Scripted(OK)
    fetcher = resilient(inner)
    for _ in range(3):
        await fetcher.fetch(request())
        fetcher.discredit(Answered(0, "b", None, NodeMisbehavedError("wrong type")))
    assert fetcher.states() == {"b": State.OPEN}


async def test_refusals_that_are_no_faults_do_not_open_the_breaker() -> None:
    fetcher = resilient(Scripted(AgreementError("ended")))
    for _ in range(10):
        with pytest.raises(AgreementError):
            await fetcher.fetch(request())
    assert fetcher.states() == {"b": State.CLOSED}


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


def one_fetch(kind: OperationKind = OperationKind.QUERY) -> Plan:
    return plan([root_fetch("b", leaf("x"), kind=kind)], shown("x"), kind=kind)


async def test_a_query_is_asked_once_more_after_a_connection_fault() -> None:
    inner = Scripted(DOWN, FetchAnswer(b'{"data":{"x":"1"}}'))
    response = await run(one_fetch(), inner, retries=RetryBudget())
    assert (data_of(response), response.errors, inner.asked) == ({"x": "1"}, [], 2)


NOT_RETRIED = {
    "a mutation": (OperationKind.MUTATION, 5.0, DOWN, RetryBudget()),
    "a timeout": (OperationKind.QUERY, 5.0, NodeTimeoutError("late"), RetryBudget()),
    "a misbehaving member": (OperationKind.QUERY, 5.0, NodeMisbehavedError("garbage"), RetryBudget()),
    "no time left": (OperationKind.QUERY, 0.9 * SHORTEST_TIME_FOR_A_RETRY, DOWN, RetryBudget()),
    "no budget left": (OperationKind.QUERY, 5.0, DOWN, RetryBudget(saved=0.0)),
    "no budget at all": (OperationKind.QUERY, 5.0, DOWN, None),
}


@pytest.mark.parametrize(("kind", "seconds", "error", "budget"), NOT_RETRIED.values(), ids=NOT_RETRIED.keys())
async def test_what_is_not_asked_again(
    kind: OperationKind, seconds: float, error: CroceviaError, budget: RetryBudget | None
) -> None:
    inner = Scripted(error, FetchAnswer(b'{"data":{"x":"1"}}'))
    response = await run(one_fetch(kind), inner, seconds=seconds, retries=budget)
    assert [entry["extensions"]["code"] for entry in response.errors] == [error.code]
    assert inner.asked == 1


async def test_a_second_fault_is_final() -> None:
    inner = Scripted(DOWN, DOWN, OK)
    response = await run(one_fetch(), inner, retries=RetryBudget(saved=9.0))
    assert [entry["extensions"]["code"] for entry in response.errors] == ["NODE_UNAVAILABLE"]
    assert inner.asked == 2
