"""Equal questions at the same time are one request."""

from __future__ import annotations

import asyncio

import pytest

from federation.contract.errors import NodeUnavailableError
from federation.execution.compiled import CompiledPlan
from federation.execution.execute import execute
from federation.execution.ports import FetchAnswer, FetchRequest, PassedOn
from federation.execution.run import Outside
from federation.execution.sharing import SharingFetcher
from federation.planning.plan import OperationKind
from tests.support.execution import (
    API,
    ScriptedMembers,
    data_of,
    entities,
    entity_fetch,
    leaf,
    node,
    path,
    plan,
    root_fetch,
    shown,
)


class Slow:
    """Answers when it is told to, each request with its number."""

    def __init__(self) -> None:
        self.asked: list[asyncio.Future[FetchAnswer]] = []

    def fetch(self, request: FetchRequest) -> asyncio.Future[FetchAnswer]:
        assert request.member == "a"
        self.asked.append(asyncio.get_running_loop().create_future())
        return self.asked[-1]

    def answer(self, number: int) -> None:
        self.asked[number].set_result(FetchAnswer(b"%d" % number))


def request(variables: bytes = b"{}", kind: OperationKind = OperationKind.QUERY) -> FetchRequest:
    return FetchRequest(0, "a", kind, b'"{ x }"', variables, 0.0)


async def test_equal_queries_at_the_same_time_are_one_request() -> None:
    slow = Slow()
    fetcher = SharingFetcher(slow)
    first, second, other = fetcher.fetch(request()), fetcher.fetch(request()), fetcher.fetch(request(b'{"y":1}'))
    slow.answer(0)
    slow.answer(1)
    assert [(await one).body for one in (first, second, other)] == [b"0", b"0", b"1"]
    later = fetcher.fetch(request())
    slow.answer(2)
    assert (await later).body == b"2"


async def test_a_fault_reaches_everybody_who_waits() -> None:
    slow = Slow()
    fetcher = SharingFetcher(slow)
    waiting = [fetcher.fetch(request()) for _ in range(3)]
    slow.asked[0].set_exception(NodeUnavailableError("down"))
    for one in waiting:
        with pytest.raises(NodeUnavailableError):
            await one


async def test_when_the_first_leaves_the_others_are_answered_all_the_same() -> None:
    slow = Slow()
    fetcher = SharingFetcher(slow)
    first, second, third = (fetcher.fetch(request()) for _ in range(3))
    first.cancel()
    await asyncio.sleep(0)
    assert len(slow.asked) == 2
    second.cancel()
    await asyncio.sleep(0)
    slow.answer(1)
    assert (await third).body == b"1"


async def test_when_everybody_leaves_nothing_is_asked_any_more() -> None:
    slow = Slow()
    fetcher = SharingFetcher(slow)
    first, second = fetcher.fetch(request()), fetcher.fetch(request())
    first.cancel()
    await asyncio.sleep(0)
    second.cancel()
    await asyncio.sleep(0)
    assert [future.cancelled() for future in slow.asked] == [True, True]


async def test_a_query_after_a_mutation_does_not_join_one_from_before() -> None:
    slow = Slow()
    fetcher = SharingFetcher(slow)
    before = fetcher.fetch(request())
    mutation = fetcher.fetch(request(kind=OperationKind.MUTATION))
    during = fetcher.fetch(request())
    slow.answer(1)
    await mutation
    await asyncio.sleep(0)
    after = fetcher.fetch(request())
    assert len(slow.asked) == 4
    for number in (0, 2, 3):
        slow.answer(number)
    assert [(await one).body for one in (before, during, after)] == [b"0", b"2", b"3"]


async def test_equal_queries_whose_headers_differ_are_two_requests_and_the_trace_does_not_count() -> None:
    slow = Slow()
    fetcher = SharingFetcher(slow)

    def asked_by(name: bytes, trace: bytes) -> asyncio.Future[FetchAnswer]:
        passed = PassedOn(((b"authorization", name),), ((b"traceparent", trace),))
        return fetcher.fetch(FetchRequest(0, "a", OperationKind.QUERY, b'"{ x }"', b"{}", 0.0, 0, passed))

    waiting = [asked_by(b"a", b"1"), asked_by(b"b", b"2"), asked_by(b"a", b"3")]
    slow.answer(0)
    slow.answer(1)
    assert [(await one).body for one in waiting] == [b"0", b"1", b"0"]


async def test_mutations_are_never_joined() -> None:
    slow = Slow()
    fetcher = SharingFetcher(slow)
    waiting = [fetcher.fetch(request(kind=OperationKind.MUTATION)) for _ in range(2)]
    assert len(slow.asked) == 2
    for one in waiting:
        one.cancel()


async def test_an_answer_that_several_wait_for_is_read_once_and_each_gets_objects_of_their_own() -> None:
    here = path("product")
    of = plan(
        [
            root_fetch("a", node("product", "Product", leaf("id", "ID!"))),
            entity_fetch(1, "b", entities([here], leaf("price", "Int"))),
        ],
        shown("product", "Product", shown("price", "Int")),
    )
    gate = asyncio.Event()
    script = {"a": {"data": {"product": {"id": "1"}}}, "b": {"data": {"_entities": [{"price": 10}]}}}
    members = ScriptedMembers(script, delays={"a": gate})
    outside = Outside(SharingFetcher(members))
    compiled = CompiledPlan(of, API)
    deadline = asyncio.get_running_loop().time() + 5
    running = [asyncio.ensure_future(execute(compiled, {}, outside, deadline)) for _ in range(3)]
    await asyncio.sleep(0)
    gate.set()
    responses = await asyncio.gather(*running)
    assert [data_of(response) for response in responses] == [{"product": {"price": 10}}] * 3
    assert [asked.member for asked in members.requests] == ["a", "b"]
    script["b"] = {"data": {"_entities": [{"price": 11}]}}
    assert data_of(await execute(compiled, {}, outside, deadline)) == {"product": {"price": 11}}


async def test_what_was_read_of_an_answer_ends_with_it() -> None:
    slow = Slow()
    fetcher = SharingFetcher(slow)
    first, second = fetcher.fetch(request()), fetcher.fetch(request())
    slow.answer(0)
    assert ((await first).read, (await second).read) == (None, {})
    third = fetcher.fetch(request())
    slow.answer(1)
    assert (await third).read is None


async def test_when_a_question_cannot_be_asked_again_those_who_wait_are_told() -> None:
    slow = Slow()
    fetcher = SharingFetcher(Closing(slow))
    first, second = fetcher.fetch(request()), fetcher.fetch(request())
    first.cancel()
    with pytest.raises(NodeUnavailableError):
        await second


class Closing:
    """Sends one request and refuses the next at once, as a breaker does that has opened."""

    def __init__(self, inner: Slow) -> None:
        self._inner = inner

    def fetch(self, request: FetchRequest) -> asyncio.Future[FetchAnswer]:
        if self._inner.asked:
            raise NodeUnavailableError("the breaker is open")
        return self._inner.fetch(request)
