"""Access directives in open mode: what asks for more than a request may have is denied, and nobody is asked for it."""

from __future__ import annotations

import pytest
from msgspec import json

from federation.composition.compose import compose
from federation.composition.subgraph import Subgraph
from federation.composition.supergraph import Supergraph
from federation.contract.errors import ConfigurationError, FieldDeniedError
from federation.contract.graphql_request import GraphQLRequest
from federation.execution.ports import FetchAnswer, FetchRequest
from federation.gateway.open_access import NO_CLAIMS, AccessRules, Believed, Claims
from federation.gateway.open_graph import Delivery, OpenGraph, OpenSettings
from tests.support.supergraphs import supergraph

LINK = (
    'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9",'
    ' import: ["@key", "@external", "@requires", "@authenticated", "@requiresScopes", "@policy"])\n'
)
PEOPLE = """
type Query { person: Person pets: [Pet] }
type Mutation { open: Person rename: Person @authenticated }
type Subscription { changed: Person @authenticated }
type Person @key(fields: "id") {
  id: ID!
  name: String
  email: String @authenticated
  income: Int @requiresScopes(scopes: [["income"], ["tax", "read"]])
  secret: Secret
  judged: Int @policy(policies: [["judge"]])
  nobody: Int @requiresScopes(scopes: [])
}
scalar Secret @requiresScopes(scopes: [["secret"]])
interface Pet { name: String }
type Dog implements Pet { name: String bark: Int }
type Wolf implements Pet @authenticated { name: String howl: Int }
"""
TAXES = """
type Person @key(fields: "id") {
  id: ID!
  income: Int @external
  tax: Int @requires(fields: "income") @requiresScopes(scopes: [["income"], ["tax", "read"]])
}
"""
HEADER = b"x-scopes"


def shop() -> Supergraph:
    return compose(
        [Subgraph("people", "http://p/", LINK + PEOPLE), Subgraph("taxes", "http://t/", LINK + TAXES)]
    ).supergraph


def claims(*scopes: str) -> Claims:
    return Believed(HEADER).claims({HEADER: " ".join(scopes).encode()})


def denied(held: Claims) -> set[str]:
    return set(AccessRules.of(shop()).denied(held))


ALWAYS = {"Person.judged", "Person.nobody"}
SCOPED = {"Person.income", "Person.tax", "Person.secret"} | ALWAYS
WOLF = {"Wolf.name", "Wolf.howl"}
KNOWN_ONLY = {"Person.email", "Mutation.rename", "Subscription.changed"} | WOLF


@pytest.mark.parametrize(
    ("held", "expected"),
    [
        (NO_CLAIMS, SCOPED | KNOWN_ONLY),
        (claims(), SCOPED),
        (claims("tax"), SCOPED),
        (claims("tax", "read"), SCOPED - {"Person.income", "Person.tax"}),
        (claims("income", "secret", "judge"), ALWAYS),
    ],
)
def test_a_field_is_denied_unless_one_of_its_alternatives_is_held(held: Claims, expected: set[str]) -> None:
    assert denied(held) == expected


def test_a_field_asks_for_what_the_fields_that_it_requires_ask_for() -> None:
    rules = AccessRules.of(
        supergraph(
            ("a", "b"),
            """
            directive @authenticated on FIELD_DEFINITION
            type Query @join__type(graph: A) @join__type(graph: B) { it: It @join__field(graph: A) }
            type It @join__type(graph: A, key: "id") @join__type(graph: B, key: "id") {
              id: ID!
              inner: Inner @join__field(graph: A) @join__field(graph: B, external: true)
              made: Int @join__field(graph: B, requires: "inner { hidden }")
              again: Int @join__field(graph: A, requires: "made")
            }
            type Inner @join__type(graph: A) @join__type(graph: B) {
              hidden: Int @authenticated @join__field(graph: A) @join__field(graph: B, external: true)
            }
            """,
        )
    )
    assert rules.denied(NO_CLAIMS) == {"Inner.hidden", "It.made", "It.again"}


def test_a_field_asks_for_what_the_values_ask_for_that_a_context_gives_it() -> None:
    argument = '{name: "in", type: "String", context: "b__home", selection: "{ address { country } }"}'
    rules = AccessRules.of(
        supergraph(
            ("a", "b"),
            f"""
            directive @authenticated on FIELD_DEFINITION
            type Query @join__type(graph: A) @join__type(graph: B) {{ person: Person @join__field(graph: B) }}
            type Person @join__type(graph: B, key: "id") @context(name: "b__home") {{
              id: ID!
              address: Address
              account: Account
            }}
            type Address @join__type(graph: B) {{ country: String @authenticated }}
            type Account @join__type(graph: B, key: "id") {{
              id: ID!
              tax: Int @join__field(graph: B, contextArguments: [{argument}])
            }}
            """,
        )
    )
    assert rules.denied(NO_CLAIMS) == {"Address.country", "Account.tax"}


def test_plans_are_told_apart_by_the_claims_that_fields_ask_for_and_no_others() -> None:
    rules = AccessRules.of(shop())
    assert rules.relevant(claims("income", "weather")) == claims("income")


def test_no_claims_are_believed_without_a_header_that_was_named() -> None:
    assert Believed().claims({HEADER: b"income"}) == NO_CLAIMS
    assert Believed(HEADER).claims({}) == NO_CLAIMS
    with pytest.raises(ConfigurationError, match="is no name of a header"):
        Believed.of("x scopes")


class People:
    """Remembers what it was asked, and answers everything."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def fetch(self, request: FetchRequest) -> FetchAnswer:
        operation = json.decode(request.operation)
        self.asked.append(operation)
        person = {"id": "1", "name": "Ada", "email": "a@b.example", "income": 1}
        pets = [{"__typename": "Dog", "name": "Rex", "bark": 1}, {"__typename": "Wolf", "name": "Grey", "howl": 2}]
        return FetchAnswer(json.encode({"data": {"person": person, "open": person, "rename": person, "pets": pets}}))


async def answer(people: People, query: str, held: Claims, settings: OpenSettings | None = None) -> dict[str, object]:
    graph = OpenGraph(shop(), people, settings or OpenSettings())
    prepared = graph.prepare(GraphQLRequest(query, None, None, {}, {}), Delivery.AT_ONCE, held)
    found: dict[str, object] = json.decode((await graph.run(prepared, {})).encode())
    return found


async def test_a_denied_field_is_null_with_its_code_and_the_rest_is_answered() -> None:
    people = People()
    found = await answer(people, "{ person { name email } }", NO_CLAIMS)
    assert found["data"] == {"person": {"name": "Ada", "email": None}}
    assert found["errors"] == [
        {
            "message": "the schema asks for more than this client may",
            "path": ["person", "email"],
            "extensions": {"code": "FIELD_DENIED"},
        }
    ]
    assert all("email" not in operation for operation in people.asked)


async def test_what_is_selected_on_an_interface_needs_every_type_and_a_fragment_its_own() -> None:
    people = People()
    found = await answer(people, "{ pets { ... on Dog { name } ... on Wolf { howl } } }", NO_CLAIMS)
    assert found["data"] == {"pets": [{"name": "Rex"}, {"howl": None}]}
    found = await answer(people, "{ pets { name } }", NO_CLAIMS)
    assert found["data"] == {"pets": [{"name": None}, {"name": None}]}
    assert all("howl" not in operation for operation in people.asked)


async def test_a_denied_mutation_is_not_run() -> None:
    people = People()
    found = await answer(people, "mutation { open { name } rename { name } }", NO_CLAIMS)
    assert found["data"] == {"open": {"name": "Ada"}, "rename": None}
    assert all("rename" not in operation for operation in people.asked)
    found = await answer(people, "mutation { rename { name } }", NO_CLAIMS)
    assert found["data"] == {"rename": None}
    assert len(people.asked) == 1


async def test_a_denied_subscription_is_refused() -> None:
    with pytest.raises(FieldDeniedError):
        await answer(People(), "subscription { changed { name } }", NO_CLAIMS)


async def test_directives_may_be_left_to_the_subgraphs() -> None:
    found = await answer(People(), "{ person { email } }", NO_CLAIMS, OpenSettings(believed=None))
    assert found == {"data": {"person": {"email": "a@b.example"}}}
