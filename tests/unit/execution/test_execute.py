"""A plan in, one merged response out: joins, conditions, aliases, partial answers."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from federation.contract.errors import NodeTimeoutError, NodeUnavailableError
from federation.execution.compiled import CompiledPlan
from federation.execution.execute import execute
from federation.execution.ports import Answered, FetchAnswer, FetchRequest, KeyedRepresentation, Representation
from federation.execution.report import Messages
from federation.execution.run import Outside
from federation.planning.plan import Condition, OnType, OperationKind, OutputField, Plan, RepresentationField
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
    run,
    shown,
)

PRODUCTS = {
    "data": {
        "products": [
            {"id": "1", "name": "Table", "__typename": "Product"},
            {"id": "2", "name": "Couch", "__typename": "Product"},
            {"id": "1", "name": "Table", "__typename": "Product"},
        ]
    }
}


def shop(*, price: str = "Int", stock: str = "Int") -> Plan:
    """Return the classic plan: products from `a`, prices from `b` and stock from `c` at the same time."""
    here = path("products", "*")
    return plan(
        [
            root_fetch(
                "a", node("products", "[Product]", leaf("id", "ID!"), leaf("name"), leaf("__typename", "String!"))
            ),
            entity_fetch(1, "b", entities([here], leaf("price", "Int"))),
            entity_fetch(2, "c", entities([here], leaf("stock", "Int"))),
        ],
        shown("products", "[Product]", shown("name"), shown("price", price), shown("stock", stock)),
    )


B = by_representation({"1": {"price": 10}, "2": {"price": 20}})
C = by_representation({"1": {"stock": 5}, "2": {"stock": 0}})


async def test_entities_are_joined_from_two_members() -> None:
    response = await run(shop(), {"a": PRODUCTS, "b": B, "c": C})
    assert data_of(response) == {
        "products": [
            {"name": "Table", "price": 10, "stock": 5},
            {"name": "Couch", "price": 20, "stock": 0},
            {"name": "Table", "price": 10, "stock": 5},
        ]
    }
    assert response.errors == []


async def test_a_representation_is_sent_once_however_often_it_occurs() -> None:
    members = ScriptedMembers({"a": PRODUCTS, "b": B, "c": C})
    await run(shop(), members)
    assert members.variables("b") == [
        {"representations": [{"__typename": "Product", "id": "1"}, {"__typename": "Product", "id": "2"}]}
    ]


async def test_an_object_without_its_key_is_not_sent_and_stays_null() -> None:
    answer = {"data": {"products": [{"id": None, "name": "Ghost", "__typename": "Product"}, None]}}
    members = ScriptedMembers({"a": answer})
    response = await run(shop(), members)
    assert data_of(response) == {"products": [{"name": "Ghost", "price": None, "stock": None}, None]}
    assert [request.member for request in members.requests] == ["a"]
    assert response.errors == []


async def test_a_member_that_is_down_costs_its_fields_and_nothing_else() -> None:
    response = await run(shop(), {"a": PRODUCTS, "b": NodeUnavailableError("member `b` cannot be reached"), "c": C})
    assert [product["stock"] for product in data_of(response)["products"]] == [5, 0, 5]
    assert [product["price"] for product in data_of(response)["products"]] == [None, None, None]
    assert response.errors == [
        {
            "message": "member `b` cannot be reached",
            "path": ["products", 0, "price"],
            "extensions": {
                "code": "NODE_UNAVAILABLE",
                "member": "b",
                "paths": [["products", 0, "price"], ["products", 1, "price"], ["products", 2, "price"]],
                "affected": 3,
            },
        }
    ]


async def test_null_goes_up_to_the_nearest_nullable_parent_and_no_further() -> None:
    c = by_representation({"1": {"stock": 5}})
    response = await run(shop(stock="Int!"), {"a": PRODUCTS, "b": B, "c": c})
    assert data_of(response) == {
        "products": [
            {"name": "Table", "price": 10, "stock": 5},
            None,
            {"name": "Table", "price": 10, "stock": 5},
        ]
    }
    assert response.errors == [
        {
            "message": "no member knows this object",
            "path": ["products", 1, "stock"],
            "extensions": {"code": "NOT_FOUND", "member": "c"},
        }
    ]


async def test_a_failed_fetch_is_reported_once_though_null_propagates() -> None:
    response = await run(shop(stock="Int!"), {"a": PRODUCTS, "b": B, "c": NodeTimeoutError("late")})
    assert data_of(response) == {"products": [None, None, None]}
    assert [error["extensions"]["code"] for error in response.errors] == ["NODE_TIMEOUT"]


async def test_a_nullable_root_that_fails_is_null_and_its_siblings_stay() -> None:
    of = plan(
        [
            root_fetch("a", node("products", "[Product]", leaf("name"))),
            root_fetch("b", node("me", "User", leaf("name", "String!")), id=1),
        ],
        shown("products", "[Product]", shown("name")),
        shown("me", "User", shown("name", "String!")),
    )
    response = await run(of, {"a": NodeUnavailableError("down"), "b": {"data": {"me": {"name": "Ada"}}}})
    assert data_of(response) == {"products": None, "me": {"name": "Ada"}}
    assert response.errors[0]["path"] == ["products"]


async def test_a_member_that_gave_no_key_is_blamed_for_what_could_not_be_asked() -> None:
    here = path("products", "*")
    of = plan(
        [
            root_fetch("a", node("products", "[Product]", leaf("id", "ID!"))),
            entity_fetch(1, "b", entities([here], leaf("sku", "ID"))),
            entity_fetch(2, "c", entities([here], leaf("stock", "Int"), key=("sku",)), after=(1,)),
        ],
        shown("products", "[Product]", shown("stock", "Int")),
    )
    response = await run(of, {"a": {"data": {"products": [{"id": "1"}]}}, "b": NodeUnavailableError("down")})
    assert data_of(response) == {"products": [{"stock": None}]}
    assert response.errors == [
        {
            "message": "down",
            "path": ["products", 0, "stock"],
            "extensions": {"code": "NODE_UNAVAILABLE", "member": "b"},
        }
    ]


ILL_BEHAVED: dict[str, Any] = {
    "wrong type": {"data": {"_entities": [{"price": "10"}, {"price": 20}]}},
    "a number out of range": {"data": {"_entities": [{"price": 2**31}, {"price": 20}]}},
    "too few entities": {"data": {"_entities": [{"price": 10}]}},
    "too many entities": {"data": {"_entities": [{"price": 10}, {"price": 10}, {"price": 10}]}},
    "a missing field": {"data": {"_entities": [{}, {"price": 20}]}},
    "no list": {"data": {"_entities": {"price": 10}}},
    "neither data nor errors": {},
    "null": None,
    "a list": [],
    "errors of a wrong shape": {"data": None, "errors": "no"},
    "truncated": FetchAnswer(b'{"data":{"_entities":[{"price":10},{"price"'),
    "nothing": FetchAnswer(b""),
    "deep": FetchAnswer(b'{"data":' + b"[" * 100_000),
    "not UTF-8": FetchAnswer(b'{"data":{"_entities":null},"errors":[{"message":"\xff"}]}'),
    "HTML": FetchAnswer(b"<html></html>", 200, "text/html"),
    "JSON called HTML": FetchAnswer(b'{"data":{"_entities":[{"price":10},{"price":20}]}}', 200, "text/html"),
    "a redirect": FetchAnswer(b"", 302, ""),
}


@pytest.mark.parametrize("answer", ILL_BEHAVED.values(), ids=ILL_BEHAVED.keys())
async def test_an_answer_that_cannot_be_used_is_discarded_whole(answer: Any) -> None:
    response = await run(shop(), {"a": PRODUCTS, "b": lambda _: answer, "c": C})
    assert [product["price"] for product in data_of(response)["products"]] == [None, None, None]
    assert [product["stock"] for product in data_of(response)["products"]] == [5, 0, 5]
    assert [(error["extensions"]["code"], error["extensions"]["member"]) for error in response.errors] == [
        ("NODE_MISBEHAVED", "b")
    ]


STATUSES = {
    503: "NODE_UNAVAILABLE",
    429: "NODE_UNAVAILABLE",
    502: "NODE_UNAVAILABLE",
    504: "NODE_TIMEOUT",
    500: "NODE_MISBEHAVED",
}


@pytest.mark.parametrize(("status", "code"), STATUSES.items())
async def test_a_status_without_a_graphql_answer_has_its_code(status: int, code: str) -> None:
    answer = FetchAnswer(b"x", status, "text/plain")
    response = await run(shop(), {"a": PRODUCTS, "b": lambda _: answer, "c": C})
    assert [error["extensions"]["code"] for error in response.errors] == [code]


async def test_a_field_nobody_asked_for_is_dropped() -> None:
    smuggled = {"data": {"products": [{"id": "1", "name": "T", "__typename": "Product", "price": 666, "secret": 1}]}}
    response = await run(shop(), {"a": smuggled, "b": NodeUnavailableError("down"), "c": C})
    assert data_of(response) == {"products": [{"name": "T", "price": None, "stock": 5}]}


async def test_a_crafted_name_cannot_fill_a_foreign_field() -> None:
    smuggled = {"data": {"products": [{"id": "1", "name": "T", "__typename": "Product", " price": 666}]}}
    response = await run(shop(), {"a": smuggled, "b": NodeUnavailableError("down"), "c": C})
    assert data_of(response) == {"products": None}


async def test_errors_of_entities_are_reported_at_every_place() -> None:
    answer = {
        "data": {"_entities": [{"price": None}, {"price": 20}]},
        "errors": [
            {"message": "secret 42", "path": ["_entities", 0, "price"], "extensions": {"code": "FIELD_DENIED", "x": 1}}
        ],
    }
    response = await run(shop(), {"a": PRODUCTS, "b": answer, "c": C})
    assert [error["path"] for error in response.errors] == [["products", 0, "price"], ["products", 2, "price"]]
    assert {error["extensions"]["code"] for error in response.errors} == {"FIELD_DENIED"}
    assert "42" not in str(response.errors)


async def test_messages_are_relayed_only_where_that_was_chosen() -> None:
    answer = {
        "data": None,
        "errors": [{"message": "boom", "extensions": {"code": "BOOM", "stacktrace": ["x"], "hint": 1}}],
    }
    relayed = await run(shop(), {"a": PRODUCTS, "b": answer, "c": C}, messages=Messages.RELAY)
    redacted = await run(shop(), {"a": PRODUCTS, "b": answer, "c": C})
    assert relayed.errors[0]["message"] == "boom"
    assert relayed.errors[0]["extensions"]["hint"] == 1
    assert "stacktrace" not in relayed.errors[0]["extensions"]
    assert redacted.errors[0]["message"] == "member `b` reported an error"
    assert redacted.errors[0]["extensions"]["code"] == "NODE_ERROR"
    assert len(redacted.errors) == 1


async def test_an_enum_value_that_clients_may_not_see_is_null_with_an_error() -> None:
    of = plan(
        [root_fetch("a", node("product", "Product", leaf("colour", "Colour"), leaf("name")))],
        shown("product", "Product", shown("colour", "Colour"), shown("name")),
    )
    response = await run(of, {"a": {"data": {"product": {"colour": "INFRARED", "name": "T"}}}})
    assert data_of(response) == {"product": {"colour": None, "name": "T"}}
    assert response.errors[0]["path"] == ["product", "colour"]
    assert "INFRARED" not in str(response.errors)


async def test_fields_are_chosen_by_the_typename_of_the_object() -> None:
    of = plan(
        [
            root_fetch(
                "a",
                node(
                    "node",
                    "Node",
                    leaf("__typename", "String!"),
                    leaf("name", "String", on=frozenset({"Product"})),
                    leaf("user_name", "String!", name="name", on=frozenset({"User"})),
                ),
            )
        ],
        shown(
            "node",
            "Node",
            shown("kind", "String!", source="__typename"),
            shown("name", "String", on=frozenset({"Product"})),
            shown("name", "String!", source="user_name", on=frozenset({"User"})),
        ),
    )
    product = await run(of, {"a": {"data": {"node": {"__typename": "Product", "name": "T"}}}})
    user = await run(of, {"a": {"data": {"node": {"__typename": "User", "user_name": "Ada"}}}})
    other = await run(of, {"a": {"data": {"node": {"__typename": "Ship"}}}})
    assert data_of(product) == {"node": {"kind": "Product", "name": "T"}}
    assert data_of(user) == {"node": {"kind": "User", "name": "Ada"}}
    assert data_of(other) == {"node": {"kind": "Ship"}}


async def test_a_typename_that_clients_may_not_see_is_null() -> None:
    of = plan(
        [root_fetch("a", node("node", "Node", leaf("__typename", "String!"), leaf("id", "ID!")))],
        shown("node", "Node", shown("id", "ID!"), types=frozenset({"Product"})),
    )
    assert data_of(await run(of, {"a": {"data": {"node": {"__typename": "Spy", "id": "1"}}}})) == {"node": None}
    assert data_of(await run(of, {"a": {"data": {"node": {"__typename": "Product", "id": "1"}}}})) == {
        "node": {"id": "1"}
    }


def either(*variables: str) -> tuple[tuple[Condition, ...], ...]:
    return tuple((Condition(variable, wanted=True),) for variable in variables)


async def test_conditions_are_alternatives_and_an_empty_object_stays_an_object() -> None:
    of = plan(
        [
            root_fetch("a", node("product", "Product", leaf("id", "ID!"), leaf("name", conditions=either("x", "y")))),
            entity_fetch(1, "b", entities([path("product")], leaf("price", "Int")), conditions=either("y")),
        ],
        shown(
            "product",
            "Product",
            shown("name", conditions=either("x", "y")),
            shown("price", "Int", conditions=either("y")),
        ),
    )
    script = {"a": {"data": {"product": {"id": "1"}}}, "b": B}
    assert data_of(await run(of, script, {"x": False, "y": False})) == {"product": {}}
    script["a"] = {"data": {"product": {"id": "1", "name": "T"}}}
    assert data_of(await run(of, script, {"x": True, "y": False})) == {"product": {"name": "T"}}
    assert data_of(await run(of, script, {"x": False, "y": True})) == {"product": {"name": "T", "price": 10}}


async def test_an_entity_input_that_is_left_out_is_sent_as_an_empty_list() -> None:
    of = plan(
        [
            root_fetch("a", node("product", "Product", leaf("id", "ID!"))),
            entity_fetch(
                1,
                "b",
                entities([path("product")], leaf("price", "Int"), alias="e0", variable="r0", conditions=either("x")),
                entities([path("product")], leaf("stock", "Int"), alias="e1", variable="r1"),
            ),
        ],
        shown("product", "Product", shown("price", "Int", conditions=either("x")), shown("stock", "Int")),
    )
    members = ScriptedMembers({"a": {"data": {"product": {"id": "1"}}}, "b": {"data": {"e1": [{"stock": 3}]}}})
    assert data_of(await run(of, members, {"x": False})) == {"product": {"stock": 3}}
    assert members.variables("b") == [{"r1": [{"__typename": "Product", "id": "1"}], "r0": []}]


async def test_only_the_variables_a_fetch_uses_and_the_client_gave_are_sent() -> None:
    of = plan([root_fetch("a", leaf("x"), variables=("first", "after"))], shown("x"))
    members = ScriptedMembers({"a": {"data": {"x": "1"}}})
    await run(of, members, {"first": 10, "other": 1})
    assert members.variables("a") == [{"first": 10}]


async def test_one_entity_at_two_positions_keeps_each_positions_own_fields() -> None:
    """The same user stands at two positions whose later fetches store different things under one source key."""
    user = (leaf("id", "ID!"), leaf("__typename", "String!"))
    author, owner = path("product", "author"), path("product", "owner")
    of = plan(
        [
            root_fetch("a", node("product", "Product", node("author", "User", *user), node("owner", "User", *user))),
            entity_fetch(1, "b", entities([author, owner], node("pet", "Pet", leaf("id", "ID!")), typename="User")),
            entity_fetch(
                2, "c", entities([path("product", "author", "pet")], leaf("name"), typename="Pet"), after=(1,)
            ),
            entity_fetch(3, "d", entities([path("product", "owner", "pet")], leaf("name"), typename="Pet"), after=(1,)),
        ],
        shown(
            "product",
            "Product",
            shown("author", "User", shown("pet", "Pet", shown("name"))),
            shown("owner", "User", shown("pet", "Pet", shown("name"))),
        ),
    )
    ada = {"id": "1", "__typename": "User"}
    response = await run(
        of,
        {
            "a": {"data": {"product": {"author": ada, "owner": ada}}},
            "b": {"data": {"_entities": [{"pet": {"id": "9"}}]}},
            "c": {"data": {"_entities": [{"name": "Rex"}]}},
            "d": {"data": {"_entities": [{"name": "Fido"}]}},
        },
    )
    assert data_of(response) == {"product": {"author": {"pet": {"name": "Rex"}}, "owner": {"pet": {"name": "Fido"}}}}


async def test_a_value_object_known_in_part_by_two_members_is_merged() -> None:
    here = path("product")
    of = plan(
        [
            root_fetch("a", node("product", "Product", leaf("id", "ID!"), node("size", "Size", leaf("width", "Int")))),
            entity_fetch(1, "b", entities([here], node("size", "Size", leaf("height", "Int")))),
        ],
        shown("product", "Product", shown("size", "Size", shown("width", "Int"), shown("height", "Int"))),
    )
    script = {"a": {"data": {"product": {"id": "1", "size": {"width": 2}}}}}
    whole = await run(of, {**script, "b": {"data": {"_entities": [{"size": {"height": 3}}]}}})
    part = await run(of, {**script, "b": {"data": {"_entities": [{"size": None}]}}})
    assert data_of(whole) == {"product": {"size": {"width": 2, "height": 3}}}
    assert data_of(part) == {"product": {"size": {"width": 2, "height": None}}}


async def test_what_one_entity_of_a_fetch_brings_survives_another_that_asks_of_other_types() -> None:
    review = node("reviews", "[Review!]", leaf("text"))
    first = entities(
        [path("products", "*")], leaf("price", "Int", on=frozenset({"Product"})), review, alias="_e0", variable="r0"
    )
    other = entities(
        [path("products", "*")], leaf("price", "Int", on=frozenset({"Other"})), review, alias="_e1", variable="r1"
    )
    of = plan(
        [root_fetch("a", node("products", "[Product]", leaf("id", "ID!"))), entity_fetch(1, "b", first, other)],
        shown("products", "[Product]", shown("price", "Int"), shown("reviews", "[Review!]", shown("text"))),
    )
    members = {
        "a": {"data": {"products": [{"id": "1"}]}},
        "b": {"data": {"_e0": [{"price": 10, "reviews": [{"text": "good"}]}], "_e1": [{"reviews": None}]}},
    }
    response = await run(of, members)
    assert data_of(response) == {"products": [{"price": 10, "reviews": [{"text": "good"}]}]}


async def test_what_two_members_write_does_not_depend_on_who_answers_first() -> None:
    of = plan(
        [
            root_fetch("a", node("product", "Product", leaf("id", "ID!"))),
            entity_fetch(1, "b", entities([path("product")], leaf("name"))),
            entity_fetch(2, "c", entities([path("product")], leaf("name"))),
        ],
        shown("product", "Product", shown("name")),
    )
    script = {
        "a": {"data": {"product": {"id": "1"}}},
        "b": {"data": {"_entities": [{"name": "from b"}]}},
        "c": {"data": {"_entities": [{"name": "from c"}]}},
    }
    late = asyncio.Event()
    running = asyncio.ensure_future(run(of, ScriptedMembers(script, delays={"b": late})))
    await asyncio.sleep(0.01)
    late.set()
    assert data_of(await running) == {"product": {"name": "from c"}}
    assert data_of(await run(of, script)) == {"product": {"name": "from c"}}


async def test_a_slow_member_delays_only_what_depends_on_it() -> None:
    slow, asked = asyncio.Event(), asyncio.Event()

    def last(_: FetchRequest) -> Any:
        asked.set()
        return {"data": {"_entities": [{"name": "T"}]}}

    here = path("products", "*")
    of = plan(
        [
            root_fetch("a", node("products", "[Product]", leaf("id", "ID!"))),
            entity_fetch(1, "slow", entities([here], leaf("price", "Int"))),
            entity_fetch(2, "c", entities([here], leaf("stock", "Int"))),
            entity_fetch(3, "d", entities([here], leaf("name"), key=("stock",)), after=(2,)),
        ],
        shown("products", "[Product]", shown("price", "Int"), shown("name")),
    )
    members = ScriptedMembers(
        {
            "a": {"data": {"products": [{"id": "1"}]}},
            "slow": {"data": {"_entities": [{"price": 1}]}},
            "c": {"data": {"_entities": [{"stock": 7}]}},
            "d": last,
        },
        delays={"slow": slow},
    )
    running = asyncio.ensure_future(run(of, members))
    await asyncio.wait_for(asked.wait(), 5)
    assert not running.done()
    slow.set()
    assert data_of(await running) == {"products": [{"price": 1, "name": "T"}]}


async def test_the_deadline_ends_the_request_with_a_partial_answer() -> None:
    members = ScriptedMembers({"a": PRODUCTS, "b": B, "c": C}, delays={"b": asyncio.Event()})
    response = await run(shop(), members, seconds=0.05)
    assert [product["stock"] for product in data_of(response)["products"]] == [5, 0, 5]
    assert [(error["extensions"]["code"], error["extensions"]["member"]) for error in response.errors] == [
        ("NODE_TIMEOUT", "b")
    ]


async def test_a_fetch_leaves_time_for_the_fetches_after_it() -> None:
    members = ScriptedMembers({"a": PRODUCTS, "b": B, "c": C})
    start = asyncio.get_running_loop().time()
    await run(shop(), members, seconds=10)
    first, second, _ = members.requests
    assert first.deadline - start == pytest.approx(5, abs=0.5)
    assert second.deadline - start == pytest.approx(10, abs=0.5)


async def test_a_client_that_leaves_cancels_what_is_still_asked() -> None:
    cancelled: list[str] = []

    class Endless:
        async def fetch(self, request: FetchRequest) -> FetchAnswer:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                cancelled.append(request.member)
                raise
            raise AssertionError

    deadline = asyncio.get_running_loop().time() + 60
    running = asyncio.ensure_future(execute(CompiledPlan(shop(), API), {}, Outside(Endless()), deadline))
    await asyncio.sleep(0.01)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    await asyncio.sleep(0)
    assert cancelled == ["a"]


async def test_a_defect_in_a_fetcher_is_raised_and_not_hidden() -> None:
    def broken(_: FetchRequest) -> Any:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await run(shop(), {"a": PRODUCTS, "b": broken, "c": C})


async def test_mutations_run_one_after_another() -> None:
    gate = asyncio.Event()
    of = plan(
        [
            root_fetch("a", leaf("first"), kind=OperationKind.MUTATION),
            root_fetch("b", leaf("second"), id=1, kind=OperationKind.MUTATION),
        ],
        shown("first"),
        shown("second"),
        kind=OperationKind.MUTATION,
    )
    members = ScriptedMembers({"a": {"data": {"first": "1"}}, "b": {"data": {"second": "2"}}}, delays={"a": gate})
    running = asyncio.ensure_future(run(of, members))
    await asyncio.sleep(0.01)
    assert [request.member for request in members.requests] == ["a"]
    gate.set()
    assert data_of(await running) == {"first": "1", "second": "2"}


class Translator:
    """Knows people by another name at every member, and one person not at all at `b`."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, str]] = []

    async def route(self, member: str, keyed: Sequence[KeyedRepresentation]) -> list[Representation | None]:
        self.asked += [(item.source, member, item.representation["id"]) for item in keyed]
        return [
            None if (member, item.representation["id"]) == ("b", "2") else {**item.representation, "id": f"{member}-1"}
            for item in keyed
        ]


async def test_representations_are_translated_and_what_is_not_routed_is_null_without_error() -> None:
    router = Translator()
    members = ScriptedMembers(
        {
            "a": PRODUCTS,
            "b": {"data": {"_entities": [{"price": 1}]}},
            "c": {"data": {"_entities": [{"stock": 2}]}},
        }
    )
    response = await run(shop(), members, router=router)
    assert data_of(response)["products"] == [
        {"name": "Table", "price": 1, "stock": 2},
        {"name": "Couch", "price": None, "stock": 2},
        {"name": "Table", "price": 1, "stock": 2},
    ]
    assert response.errors == []
    assert sorted(router.asked) == [("a", "b", "1"), ("a", "b", "2"), ("a", "c", "1"), ("a", "c", "2")]
    assert members.variables("c") == [{"representations": [{"__typename": "Product", "id": "c-1"}]}]


async def test_the_supplier_of_a_key_that_several_members_write_is_known_per_object() -> None:
    here = path("product")
    of = plan(
        [
            root_fetch("a", node("product", "Product", leaf("id", "ID!"), leaf("_k_id", "ID"))),
            entity_fetch(1, "b", entities([here], leaf("_k_id", "ID"))),
            entity_fetch(
                2,
                "c",
                entities([here], leaf("name"), key=("id",), fields=(RepresentationField("id", "_k_id"),)),
                after=(1,),
            ),
        ],
        shown("product", "Product", shown("name")),
    )
    router = Translator()
    script = {
        "a": {"data": {"product": {"id": "1", "_k_id": "of a"}}},
        "b": {"data": {"_entities": [{"_k_id": "of b"}]}},
        "c": {"data": {"_entities": [{"name": "T"}]}},
    }
    await run(of, script, router=router)
    assert router.asked[-1] == ("b", "c", "of b")
    router.asked.clear()
    await run(of, {**script, "b": {"data": {"_entities": [{"_k_id": None}]}}}, router=router)
    assert router.asked[-1] == ("a", "c", "of a")


async def test_the_caller_learns_how_each_fetch_ended_and_its_extensions() -> None:
    heard: list[Answered] = []
    answer = {**PRODUCTS, "extensions": {"crocevia": {"receipt": 1}}}
    await run(shop(), {"a": answer, "b": NodeUnavailableError("down"), "c": C}, on_answer=heard.append)
    by_member = {item.member: item for item in heard}
    assert by_member["a"].extensions is not None
    assert msgspec.json.decode(by_member["a"].extensions) == {"crocevia": {"receipt": 1}}
    assert by_member["b"].failure is not None
    assert by_member["c"].extensions is None


async def test_provenance_names_the_members_of_every_field() -> None:
    response = await run(shop(), {"a": PRODUCTS, "b": B, "c": C})
    assert {(".".join(item.path), item.members) for item in response.provenance} == {
        ("products", ("a",)),
        ("products.name", ("a",)),
        ("products.price", ("b",)),
        ("products.stock", ("c",)),
    }


async def test_a_field_denied_before_planning_is_null_with_an_error() -> None:
    of = plan(
        [root_fetch("a", node("products", "[Product]", leaf("name")))],
        shown("products", "[Product]", shown("name"), shown("price", "Int", denied=True)),
    )
    response = await run(of, {"a": {"data": {"products": [{"name": "T"}]}}})
    assert data_of(response) == {"products": [{"name": "T", "price": None}]}
    assert response.errors[0]["path"] == ["products", 0, "price"]
    assert response.errors[0]["extensions"]["code"] == "FIELD_DENIED"


async def test_introspection_is_answered_from_the_api_schema_in_its_place() -> None:
    of = plan(
        [root_fetch("a", node("product", "Product", leaf("name")))],
        OutputField("__schema", "__schema", "Query.__schema", "__Schema!"),
        shown("product", "Product", shown("name")),
        shown("__typename", "String!", typename_literal="Query"),
        introspection="{ __schema { queryType { name } } }",
    )
    response = await run(of, {"a": {"data": {"product": {"name": "T"}}}})
    assert data_of(response) == {
        "__schema": {"queryType": {"name": "Query"}},
        "product": {"name": "T"},
        "__typename": "Query",
    }


async def test_a_path_step_on_a_type_takes_only_objects_of_that_type() -> None:
    here = (*path("products", "*"), OnType(frozenset({"Product"})))
    of = plan(
        [
            root_fetch("a", node("products", "[Node]", leaf("id", "ID!"), leaf("__typename", "String!"))),
            entity_fetch(1, "b", entities([here], leaf("price", "Int"))),
        ],
        shown("products", "[Node]", shown("price", "Int", on=frozenset({"Product"}))),
    )
    answer = {"data": {"products": [{"id": "1", "__typename": "Product"}, {"id": "2", "__typename": "User"}]}}
    response = await run(of, {"a": answer, "b": {"data": {"_entities": [{"price": 4}]}}})
    assert data_of(response) == {"products": [{"price": 4}, {}]}


async def test_a_nested_key_is_sent_whole_or_not_at_all() -> None:
    nested = (RepresentationField("category", "category", (RepresentationField("tag", "tag"),)),)
    of = plan(
        [
            root_fetch("a", node("products", "[Product]", node("category", "Category", leaf("tag")))),
            entity_fetch(
                1, "b", entities([path("products", "*")], leaf("price", "Int"), key=("category",), fields=nested)
            ),
        ],
        shown("products", "[Product]", shown("price", "Int")),
    )
    products = [{"category": {"tag": "x"}}, {"category": {"tag": None}}, {"category": None}]
    members = ScriptedMembers({"a": {"data": {"products": products}}, "b": {"data": {"_entities": [{"price": 4}]}}})
    response = await run(of, members)
    assert data_of(response) == {"products": [{"price": 4}, {"price": None}, {"price": None}]}
    assert members.variables("b") == [{"representations": [{"__typename": "Product", "category": {"tag": "x"}}]}]


async def test_lists_of_different_lengths_keep_the_longer_and_merge_what_both_have() -> None:
    here = path("product")
    of = plan(
        [
            root_fetch("a", node("product", "Product", leaf("id", "ID!"), node("tags", "[Tag]", leaf("x", "Int")))),
            entity_fetch(1, "b", entities([here], node("tags", "[Tag]", leaf("y", "Int")))),
        ],
        shown("product", "Product", shown("tags", "[Tag]", shown("x", "Int"), shown("y", "Int"))),
    )
    script = {
        "a": {"data": {"product": {"id": "1", "tags": [{"x": 1}]}}},
        "b": {"data": {"_entities": [{"tags": [{"y": 1}, {"y": 2}]}]}},
    }
    assert data_of(await run(of, script)) == {"product": {"tags": [{"x": 1, "y": 1}, {"x": None, "y": 2}]}}


def shipping() -> Plan:
    """Return a plan where `c` needs the price of `b` to compute what it answers."""
    here = path("products", "*")
    return plan(
        [
            root_fetch("a", node("products", "[Product]", leaf("id", "ID!"))),
            entity_fetch(1, "b", entities([here], leaf("price", "Int"))),
            entity_fetch(
                2,
                "c",
                entities(
                    [here],
                    leaf("shipping", "Int"),
                    fields=(RepresentationField("id", "id"), RepresentationField("price", "price")),
                ),
                after=(0, 1),
            ),
        ],
        shown("products", "[Product]", shown("shipping", "Int")),
    )


TWO = {"data": {"products": [{"id": "1"}, {"id": "2"}]}}


async def test_nothing_is_computed_from_an_input_that_was_lost() -> None:
    members = ScriptedMembers({"a": TWO, "b": NodeUnavailableError("down")})
    response = await run(shipping(), members)
    assert data_of(response) == {"products": [{"shipping": None}, {"shipping": None}]}
    assert members.variables("c") == []
    assert response.errors[0]["extensions"]["paths"] == [["products", 0, "shipping"], ["products", 1, "shipping"]]


async def test_an_input_that_a_member_reported_an_error_for_is_lost_for_its_object_only() -> None:
    answer = {
        "data": {"_entities": [{"price": None}, {"price": 20}]},
        "errors": [{"message": "no", "path": ["_entities", 0, "price"], "extensions": {"code": "FIELD_DENIED"}}],
    }
    members = ScriptedMembers({"a": TWO, "b": answer, "c": {"data": {"_entities": [{"shipping": 3}]}}})
    response = await run(shipping(), members)
    assert data_of(response) == {"products": [{"shipping": None}, {"shipping": 3}]}
    assert members.variables("c") == [{"representations": [{"__typename": "Product", "id": "2", "price": 20}]}]
    assert ["products", 0, "shipping"] in [error["path"] for error in response.errors]


async def test_an_input_that_is_null_in_the_data_is_sent_as_null() -> None:
    answer = {"data": {"_entities": [{"price": None}, {"price": 20}]}}
    members = ScriptedMembers({"a": TWO, "b": answer, "c": {"data": {"_entities": [{"shipping": 0}, {"shipping": 3}]}}})
    response = await run(shipping(), members)
    assert data_of(response) == {"products": [{"shipping": 0}, {"shipping": 3}]}


async def test_an_object_whose_type_nobody_could_say_is_null_where_its_fields_depend_on_it() -> None:
    of = plan(
        [
            root_fetch("a", node("node", "Node", leaf("id", "ID!"))),
            entity_fetch(1, "b", entities([path("node")], leaf("__typename", "String!"), typename="Node")),
        ],
        shown("node", "Node", shown("id", "ID!"), shown("price", "Int", on=frozenset({"Product"}))),
    )
    response = await run(of, {"a": {"data": {"node": {"id": "1"}}}, "b": NodeUnavailableError("down")})
    assert data_of(response) == {"node": None}
    assert [(error["extensions"]["code"], error["path"]) for error in response.errors] == [
        ("NODE_UNAVAILABLE", ["node"])
    ]
