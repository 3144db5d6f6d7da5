"""Incremental delivery and subscriptions, with hand-written plans."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from federation.contract.errors import NodeUnavailableError
from federation.execution.compiled import CompiledPlan
from federation.execution.deferred import Payload, execute_incrementally
from federation.execution.ports import FetchAnswer, FetchRequest
from federation.execution.run import Outside
from federation.execution.subscribe import subscribe
from federation.planning.plan import Condition, DeferredBlock, OperationKind, Plan
from tests.support.execution import (
    API,
    ScriptedMembers,
    by_representation,
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

HERE = path("products", "*")
PRODUCTS = {"data": {"products": [{"id": "1", "name": "T"}, {"id": "2", "name": "C"}]}}
B = by_representation({"1": {"price": 10}, "2": {"price": 20}})
C = by_representation({"1": {"stock": 5}, "2": {"stock": 6}})


def later(label: str, fetch: int, name: str, conditions: Any = ()) -> DeferredBlock:
    return DeferredBlock(label, HERE, (fetch,), (shown(name, "Int"),), conditions)


def shop() -> Plan:
    return plan(
        [
            root_fetch("a", node("products", "[Product]", leaf("id", "ID!"), leaf("name"))),
            entity_fetch(1, "b", entities([HERE], leaf("price", "Int"))),
            entity_fetch(2, "c", entities([HERE], leaf("stock", "Int"))),
        ],
        shown("products", "[Product]", shown("name")),
        deferred=(later("p", 1, "price"), later("s", 2, "stock")),
    )


async def payloads(of: Plan, members: ScriptedMembers, variables: Any = None) -> list[Payload]:
    deadline = asyncio.get_running_loop().time() + 5
    found = execute_incrementally(CompiledPlan(of, API), variables or {}, Outside(members), deadline)
    return [payload async for payload in found]


async def test_the_initial_response_does_not_wait_for_fragments_nor_they_for_each_other() -> None:
    slow = asyncio.Event()
    members = ScriptedMembers({"a": PRODUCTS, "b": B, "c": C}, delays={"b": slow})
    deadline = asyncio.get_running_loop().time() + 5
    stream = execute_incrementally(CompiledPlan(shop(), API), {}, Outside(members), deadline)
    first = await anext(stream)
    assert first.initial is not None
    assert data_of(first.initial) == {"products": [{"name": "T"}, {"name": "C"}]}
    second = await anext(stream)
    assert [part["data"] for part in second.incremental] == [{"stock": 5}, {"stock": 6}]
    assert [part["path"] for part in second.incremental] == [["products", 0], ["products", 1]]
    assert second.more
    slow.set()
    third = await anext(stream)
    assert [part["label"] for part in third.incremental] == ["p", "p"]
    assert not third.more


async def test_a_fragment_whose_member_is_down_brings_its_error_and_others_are_whole() -> None:
    members = ScriptedMembers({"a": PRODUCTS, "b": NodeUnavailableError("down"), "c": C})
    first, *rest = await payloads(shop(), members)
    parts = [part for payload in rest for part in payload.incremental]
    assert first.initial is not None
    assert first.initial.errors == []
    assert {part["label"]: part["data"] for part in parts if part["path"] == ["products", 0]} == {
        "p": {"price": None},
        "s": {"stock": 5},
    }
    errors = [error for part in parts for error in part.get("errors", [])]
    assert [(error["extensions"]["code"], error["path"]) for error in errors] == [
        ("NODE_UNAVAILABLE", ["products", 0, "price"])
    ]


async def test_a_fragment_that_is_not_deferred_after_all_is_in_the_initial_response() -> None:
    yes, no = ((Condition("d", wanted=True),),), ((Condition("d", wanted=False),),)
    of = plan(
        [
            root_fetch("a", node("products", "[Product]", leaf("id", "ID!"))),
            entity_fetch(1, "b", entities([HERE], leaf("price", "Int"))),
        ],
        shown("products", "[Product]", shown("price", "Int", conditions=no)),
        deferred=(later("p", 1, "price", yes),),
    )
    members = ScriptedMembers({"a": {"data": {"products": [{"id": "1"}]}}, "b": B})
    (only,) = await payloads(of, members, {"d": False})
    assert only.initial is not None
    assert data_of(only.initial) == {"products": [{"price": 10}]}
    assert not only.more


def nested() -> Plan:
    """Return a plan whose products come with one fragment, and their prices with another one inside it."""
    outer = DeferredBlock("outer", (), (2,), (shown("products", "[Product]", shown("stock", "Int")),))
    return plan(
        [
            root_fetch("a", node("products", "[Product]", leaf("id", "ID!")), leaf("name")),
            entity_fetch(1, "b", entities([HERE], leaf("price", "Int"))),
            entity_fetch(2, "c", entities([HERE], leaf("stock", "Int"))),
        ],
        shown("name"),
        deferred=(outer, later("inner", 1, "price")),
    )


async def test_a_fragment_in_a_fragment_has_its_whole_path_and_comes_after_the_one_around_it() -> None:
    slow = asyncio.Event()
    members = ScriptedMembers({"a": {"data": {**PRODUCTS["data"], "name": "x"}}, "b": B, "c": C}, delays={"c": slow})
    deadline = asyncio.get_running_loop().time() + 5
    stream = execute_incrementally(CompiledPlan(nested(), API), {}, Outside(members), deadline)
    await anext(stream)
    after = asyncio.ensure_future(anext(stream))
    await asyncio.sleep(0.05)
    assert not after.done()  # the price is there, and the client does not know the products yet
    slow.set()
    parts = [*(await after).incremental, *[part async for payload in stream for part in payload.incremental]]
    assert [(part["label"], part["path"]) for part in parts] == [
        ("outer", []),
        ("inner", ["products", 0]),
        ("inner", ["products", 1]),
    ]


async def test_a_fragment_below_a_place_that_became_null_is_not_delivered() -> None:
    of = plan(
        [
            root_fetch("a", node("products", "[Product]", leaf("id", "ID!"), leaf("name"))),
            entity_fetch(1, "b", entities([HERE], leaf("price", "Int"))),
        ],
        shown("products", "[Product]", shown("name", "String!")),
        deferred=(later("p", 1, "price"),),
    )
    found = {"data": {"products": [{"id": "1", "name": None}, {"id": "2", "name": "C"}]}}
    first, *rest = await payloads(of, ScriptedMembers({"a": found, "b": B}))
    assert first.initial is not None
    assert data_of(first.initial) == {"products": [None, {"name": "C"}]}
    assert [part["path"] for payload in rest for part in payload.incremental] == [["products", 1]]


class Changes(ScriptedMembers):
    """Streams two events of `a`, the second of them useless."""

    async def subscribe(self, request: FetchRequest) -> AsyncIterator[FetchAnswer]:
        assert request.member == "a"
        yield FetchAnswer(msgspec.json.encode({"data": {"product": {"id": "1"}}}))
        yield FetchAnswer(b'{"data":{"product":')
        raise NodeUnavailableError("gone")


async def test_every_event_of_a_subscription_is_joined_and_a_broken_stream_is_an_error() -> None:
    of = plan(
        [
            root_fetch("a", node("product", "Product", leaf("id", "ID!")), kind=OperationKind.SUBSCRIPTION),
            entity_fetch(1, "b", entities([path("product")], leaf("price", "Int"))),
        ],
        shown("product", "Product", shown("price", "Int")),
        kind=OperationKind.SUBSCRIPTION,
    )
    members = Changes({"b": B})
    stream = subscribe(CompiledPlan(of, API), {}, Outside(members), members, seconds=5)
    good, useless = await anext(stream), await anext(stream)
    assert (data_of(good), good.errors) == ({"product": {"price": 10}}, [])
    assert data_of(useless) == {"product": None}
    assert [error["extensions"]["code"] for error in useless.errors] == ["NODE_MISBEHAVED"]
    with pytest.raises(NodeUnavailableError):
        await anext(stream)
