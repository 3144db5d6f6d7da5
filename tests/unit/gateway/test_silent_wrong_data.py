"""Wrong data without an error, as gateways have been seen to give it: the worst defect there is, so one test each.

Composition, planning and execution run whole; the subgraphs are served in this process, and compute what they answer
from nothing but what they were sent.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from graphql import GraphQLResolveInfo, build_schema, graphql_sync

from federation.composition.compose import compose
from federation.composition.subgraph import Subgraph
from federation.contract.graphql_request import GraphQLRequest
from federation.execution.ports import FetchAnswer, FetchRequest
from federation.gateway.open_graph import Delivery, OpenGraph, OpenSettings
from tests.support.composition import fed

Values = dict[str, Any]
_ENTITY = re.compile(r"type (\w+) @key")


@dataclass(frozen=True, slots=True)
class Served:
    """A subgraph: its schema, what its root fields give, and what it knows of the entity of a representation.

    A value may be a function of the object and the field's arguments.
    """

    sdl: str
    roots: Mapping[str, Any]
    entity: Callable[[Values], Values | None] = dict

    def answer(self, operation: str, variables: Values) -> Any:
        """Answer as a subgraph does, `_entities` too."""
        entities = " | ".join(_ENTITY.findall(self.sdl))
        more = f"scalar _Any union _Entity = {entities}"
        more += " extend type Query { _entities(representations: [_Any!]!): [_Entity]! }"
        schema = build_schema(f"{self.sdl} {more}", assume_valid=True, assume_valid_sdl=True)

        def resolve(source: Values, info: GraphQLResolveInfo[Any], **arguments: Any) -> Any:
            if info.field_name == "_entities":
                return [self.entity(one) for one in arguments["representations"]]
            value = source.get(info.field_name)
            return value(source, **arguments) if callable(value) else value

        return graphql_sync(
            schema,
            operation,
            dict(self.roots),
            variable_values=variables,
            field_resolver=resolve,
            type_resolver=lambda value, _info, _abstract: value["__typename"],
        ).formatted


@dataclass(frozen=True, slots=True)
class Federation:
    """Subgraphs by name, which a gateway may ask."""

    served: Mapping[str, Served]

    def fetch(self, request: FetchRequest) -> Awaitable[FetchAnswer]:
        return self._fetch(request)

    async def _fetch(self, request: FetchRequest) -> FetchAnswer:
        operation, variables = msgspec.json.decode(request.operation), msgspec.json.decode(request.variables)
        return FetchAnswer(msgspec.json.encode(self.served[request.member].answer(operation, variables)))

    async def data(self, query: str, variables: Values | None = None) -> Any:
        """Return what a client reads; there must be no error."""
        composed = compose([Subgraph(name, f"http://{name}", fed(one.sdl)) for name, one in self.served.items()])
        graph = OpenGraph(composed.supergraph, self, OpenSettings())
        request = GraphQLRequest(query, None, None, {}, {})
        response = await graph.run(graph.prepare(request, Delivery.AT_ONCE), variables or {})
        assert response.errors == []
        return msgspec.json.decode(msgspec.json.encode(response.data))


CURRENCIES = Federation(
    {
        "catalogue": Served(
            'type Query { product: Product } type Product @key(fields: "id") { id: ID! name: String }',
            {"product": {"id": "1", "name": "table"}},
        ),
        "prices": Served(
            'type Product @key(fields: "id") { id: ID! price(currency: String!): String } type Query { p: Int }',
            {},
            lambda sent: {**sent, "price": lambda _product, currency: f"1 {currency}"},
        ),
        "customs": Served(
            """
            type Query { c: Int }
            type Product @key(fields: "id") {
              id: ID!
              price(currency: String!): String @external
              tax: String @requires(fields: "price(currency: \\"EUR\\")")
              duty: String @requires(fields: "price(currency: \\"USD\\")")
            }
            """,
            {},
            lambda sent: {**sent, "tax": f"tax on {sent.get('price')}", "duty": f"duty on {sent.get('price')}"},
        ),
    }
)


async def test_two_requirements_of_one_field_with_different_arguments_are_not_one() -> None:
    found = await CURRENCIES.data("{ product { tax duty } }")
    assert found == {"product": {"tax": "tax on 1 EUR", "duty": "duty on 1 USD"}}


async def test_a_clients_own_argument_is_not_replaced_by_that_of_a_requirement() -> None:
    found = await CURRENCIES.data('{ product { duty price(currency: "GBP") tax } }')
    assert found == {"product": {"duty": "duty on 1 USD", "price": "1 GBP", "tax": "tax on 1 EUR"}}


KEYS = Federation(
    {
        "register": Served(
            """
            type Query { persons: [Person] }
            type Person @key(fields: "id") @key(fields: "code") { id: ID code: String! }
            """,
            {"persons": [{"id": "1", "code": "A"}, {"id": None, "code": "B"}]},
        ),
        "towns": Served(
            'type Query { o: Int } type Person @key(fields: "code") { code: String! town: String! @shareable }',
            {},
            lambda sent: {**sent, "town": f"town of {sent['code']}"},
        ),
        "taxes": Served(
            """
            type Query { t: Int }
            type Person @key(fields: "id") @key(fields: "code") { id: ID code: String! due: String }
            """,
            {},
            lambda sent: {**sent, "due": f"due of {sent['code']}"} if "code" in sent else None,
        ),
        "houses": Served(
            'type Query { h: Int } type Person @key(fields: "code town") { code: String! town: String! house: String }',
            {},
            lambda sent: {**sent, "house": f"house of {sent['code']} in {sent['town']}"},
        ),
    }
)


async def test_a_key_that_may_be_null_does_not_hide_one_that_may_not() -> None:
    assert await KEYS.data("{ persons { due } }") == {"persons": [{"due": "due of A"}, {"due": "due of B"}]}


async def test_a_key_whose_parts_come_from_different_subgraphs_is_put_together() -> None:
    found = await KEYS.data("{ persons { house } }")
    assert found == {"persons": [{"house": "house of A in town of A"}, {"house": "house of B in town of B"}]}


MEDIA = Federation(
    {
        "library": Served(
            """
            type Query { media: [Media] }
            union Media = Book | Film
            type Book @key(fields: "id") { id: ID! size: String title: String }
            type Film @key(fields: "id") { id: ID! size: String title: String }
            """,
            {
                "media": [
                    {"__typename": "Book", "id": "1", "size": "300 pages", "title": "Emma"},
                    {"__typename": "Film", "id": "1", "size": "90 minutes", "title": "Alien"},
                ]
            },
        ),
        "reviews": Served(
            """
            type Query { r: Int }
            type Book @key(fields: "id") { id: ID! praise: String }
            type Film @key(fields: "id") { id: ID! praise: String }
            """,
            {},
            lambda sent: {**sent, "praise": f"a fine {sent['__typename']}"},
        ),
    }
)


async def test_an_object_is_not_given_a_field_of_another_member_of_its_union() -> None:
    query = "{ media { ... on Book { what: title praise } ... on Film { what: size said: praise } } }"
    assert await MEDIA.data(query) == {
        "media": [{"what": "Emma", "praise": "a fine Book"}, {"what": "90 minutes", "said": "a fine Film"}]
    }


async def test_a_key_is_not_lost_with_what_stands_beside_it_under_a_condition() -> None:
    query = """
    query ($with: Boolean!) {
      product {
        ... @include(if: $with) { id name }
        ... @skip(if: $with) { tax }
        price(currency: "GBP")
      }
    }
    """
    assert await CURRENCIES.data(query, {"with": False}) == {"product": {"tax": "tax on 1 EUR", "price": "1 GBP"}}
    assert await CURRENCIES.data(query, {"with": True}) == {"product": {"id": "1", "name": "table", "price": "1 GBP"}}
