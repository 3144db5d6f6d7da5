"""What plans look like, feature by feature."""

from __future__ import annotations

from functools import cache

import pytest
from graphql import parse

from federation.planning.errors import UnanswerableError
from federation.planning.explain import explain, mermaid, print_fetches, print_paths
from federation.planning.plan import Condition, EntityInput, OperationKind, Plan, RepresentationField
from federation.planning.planner import Planner, PlannerOptions
from tests.support.supergraphs import supergraph

SHOP = """
type Product
  @join__type(graph: PRODUCTS, key: "id") @join__type(graph: PRICES, key: "id") @join__type(graph: REVIEWS, key: "id")
{
  id: ID!
  name: String @join__field(graph: PRODUCTS)
  weight: Int @join__field(graph: PRODUCTS) @join__field(graph: PRICES, external: true)
  price(currency: String): Int @join__field(graph: PRICES) @join__field(graph: REVIEWS, external: true)
  shipping: Int @join__field(graph: PRICES, requires: "weight")
  tax: Int @join__field(graph: REVIEWS, requires: "price(currency: \\"EUR\\")")
  duty: Int @join__field(graph: REVIEWS, requires: "price(currency: \\"USD\\")")
  stock: Int
    @join__field(graph: PRODUCTS, overrideLabel: "percent(5)")
    @join__field(graph: REVIEWS, override: "products", overrideLabel: "percent(5)")
  lost: Int @join__field(graph: PRICES, external: true)
  reviews: [Review] @join__field(graph: REVIEWS)
}
type Review @join__type(graph: REVIEWS, key: "id") { id: ID! body: String product: Product }
type Query @join__type(graph: PRODUCTS) @join__type(graph: PRICES) @join__type(graph: REVIEWS) {
  products: [Product] @join__field(graph: PRODUCTS)
  reviews: [Review] @join__field(graph: REVIEWS)
  find(by: By): Product @join__field(graph: PRODUCTS)
}
input By @join__type(graph: PRODUCTS) { id: ID }
type Mutation @join__type(graph: PRODUCTS) @join__type(graph: PRICES) {
  rename(id: ID!, name: String): Product @join__field(graph: PRODUCTS)
  reprice(id: ID!, price: Int): Product @join__field(graph: PRICES)
  touch(id: ID!): Product @join__field(graph: PRODUCTS) @join__field(graph: PRICES)
}
type Subscription @join__type(graph: PRODUCTS) @join__type(graph: REVIEWS) {
  changed: Product @join__field(graph: PRODUCTS) @join__field(graph: REVIEWS)
}
"""

PETS = """
interface Pet @join__type(graph: HOMES) @join__type(graph: VETS) { id: ID! name: String @join__field(graph: HOMES) }
type Dog implements Pet
  @join__implements(graph: HOMES, interface: "Pet") @join__implements(graph: VETS, interface: "Pet")
  @join__type(graph: HOMES, key: "id") @join__type(graph: VETS, key: "id")
{
  id: ID!
  name: String @join__field(graph: HOMES)
  weight: Int @join__field(graph: VETS)
  size: String @join__field(graph: HOMES)
}
type Cat implements Pet
  @join__implements(graph: HOMES, interface: "Pet") @join__implements(graph: VETS, interface: "Pet")
  @join__type(graph: HOMES, key: "id") @join__type(graph: VETS, key: "id")
{
  id: ID!
  name: String @join__field(graph: HOMES)
  weight: Float @join__field(graph: VETS)
  size: Int @join__field(graph: HOMES)
}
type Fox implements Pet @inaccessible
  @join__implements(graph: HOMES, interface: "Pet") @join__type(graph: HOMES, key: "id")
{ id: ID! name: String }
type Query @join__type(graph: HOMES) @join__type(graph: VETS) { pets: [Pet] @join__field(graph: HOMES) }
"""


@cache
def shop() -> Planner:
    graphs = ("products", "prices", "reviews")
    return Planner(supergraph(graphs, SHOP, ("query", "mutation", "subscription")))


@cache
def pets() -> Planner:
    return Planner(supergraph(("homes", "vets"), PETS))


def plan_of(text: str, planner: Planner | None = None, options: PlannerOptions | None = None) -> Plan:
    return (planner or shop()).plan(parse(text), None, options)


def _sent(entity: EntityInput) -> tuple[RepresentationField, ...]:
    (reference,) = entity.references
    return reference.fields


def members(plan: Plan) -> list[str]:
    return [fetch.member for fetch in plan.fetches]


def test_two_requirements_of_one_field_with_different_arguments_stay_apart() -> None:
    plan = plan_of('{ products { tax duty price(currency: "GBP") } }')
    assert members(plan) == ["products", "prices", "reviews"]
    asked = plan.fetches[1].operation
    assert 'price(currency: "GBP")' in asked
    assert '_k_price: price(currency: "EUR")' in asked
    assert '_k_price_2: price(currency: "USD")' in asked
    sources = [one.source for entity in plan.fetches[2].entities for one in _sent(entity) if one.name == "price"]
    assert sources == ["_k_price", "_k_price_2"]


def test_one_field_with_different_arguments_at_two_places_is_asked_apart() -> None:
    plan = plan_of('{ products { price(currency: "EUR") } find(by: {}) { price(currency: "USD") } }')
    _, prices = plan.fetches
    assert len(prices.entities) == 2
    assert 'price(currency: "EUR")' in prices.operation
    assert 'price(currency: "USD")' in prices.operation


def test_a_client_alias_that_hides_a_key_does_not_lose_it() -> None:
    plan = plan_of("{ products { id: name shipping } }")
    assert "id: name" in plan.fetches[0].operation
    (entity,) = plan.fetches[1].entities
    assert {one.name: one.source for one in _sent(entity)} == {"id": "_k_id", "weight": "weight"}
    assert [one.name for one in entity.references[0].key] == ["id"]


def test_in_privacy_mode_inputs_never_share_a_selection_with_what_the_client_asked() -> None:
    plan = plan_of("{ products { id weight shipping } }", options=PlannerOptions(internal_prefix="_k_"))
    assert plan.fetches[0].operation == "query { products { id weight _k_id: id _k_weight: weight } }"


def test_in_privacy_mode_a_client_cannot_write_a_join_key_of_its_own() -> None:
    plan = plan_of("{ products { _k_id: id name } }", options=PlannerOptions(internal_prefix="_k_"))
    assert plan.fetches[0].operation == "query { products { a_k_id: id name } }"
    assert [one.source for one in plan.response[0].selections] == ["a_k_id", "name"]


def test_a_client_field_called_typename_does_not_hide_the_type() -> None:
    plan = plan_of("{ pets { __typename: name ... on Dog { weight } } }", pets())
    assert plan.fetches[0].operation.startswith("query { pets { __typename a__typename: name")


@pytest.mark.parametrize(("labels", "expected"), [(set(), ["products"]), ({"percent(5)"}, ["products", "reviews"])])
def test_a_progressive_override_follows_its_label(labels: set[str], expected: list[str]) -> None:
    assert members(plan_of("{ products { stock } }", options=PlannerOptions(labels=frozenset(labels)))) == expected


def test_mutations_run_one_after_the_other_each_in_one_subgraph() -> None:
    plan = plan_of(
        'mutation { a: rename(id: 1, name: "x") { name } b: rename(id: 1, name: "y") { name tax } '
        "c: touch(id: 2) { name } d: touch(id: 2) { price } e: reprice(id: 1, price: 3) { id } }"
    )
    assert members(plan) == ["products", "prices", "reviews", "products", "prices"]
    assert [fetch.after for fetch in plan.fetches] == [(), (0,), (1,), (2,), (3,)]
    assert [fetch.kind for fetch in plan.fetches[1:3]] == [OperationKind.QUERY] * 2
    assert [one.response_name for one in plan.response] == ["a", "b", "c", "d", "e"]
    assert "a: rename" in plan.fetches[0].operation
    assert "b: rename" in plan.fetches[0].operation


@pytest.mark.parametrize("between", ['b: rename(id: "2") { id }', ""])
def test_a_mutation_whose_order_depends_on_a_variable_is_refused(between: str) -> None:
    text = f"""mutation ($c: Boolean!) {{
        a: rename(id: "1") @include(if: $c) {{ id }} {between} a: rename(id: "1") {{ name }}
    }}"""
    if between:
        with pytest.raises(UnanswerableError, match="`a` is selected several times"):
            plan_of(text)
    else:
        assert members(plan_of(text)) == ["products"]


def test_a_subscription_begins_in_one_subgraph() -> None:
    plan = plan_of("subscription { changed { name reviews { body } price } }")
    assert [fetch.kind for fetch in plan.fetches] == [
        OperationKind.SUBSCRIPTION,
        OperationKind.QUERY,
        OperationKind.QUERY,
    ]


def test_a_fetch_is_conditional_when_everything_it_brings_is() -> None:
    plan = plan_of("query($a: Boolean!) { products { name price @include(if: $a) } }")
    assert plan.fetches[1].conditions == ((Condition("a", wanted=True),),)
    assert "id @include(if: $a)" in plan.fetches[0].operation
    assert plan.fetches[0].variables == ("a",)


def test_a_condition_stands_after_arguments_that_hold_objects() -> None:
    plan = plan_of("query($a: Boolean!) { find(by: { id: 1 }) @include(if: $a) { name } products { id } }")
    assert "find(by: { id: 1 }) @include(if: $a) { name }" in plan.fetches[0].operation


def test_a_selection_set_that_may_lose_all_its_fields_keeps_one() -> None:
    plan = plan_of("query($a: Boolean!) { products { name @skip(if: $a) } }")
    assert plan.fetches[0].operation == "query($a: Boolean!) { products { __typename name @skip(if: $a) } }"


def test_the_default_of_a_variable_stays_in_the_subgraph_operation() -> None:
    plan = plan_of('query($c: String = "EUR") { products { price(currency: $c) } }')
    assert plan.fetches[1].operation.startswith('query($c: String = "EUR", $representations: [_Any!]!)')


def test_a_client_variable_named_like_ours_gets_its_way() -> None:
    plan = plan_of("query($representations: String) { products { price(currency: $representations) } }")
    assert plan.fetches[1].entities[0].variable == "_representations"


def test_a_deferred_block_waits_for_its_own_fetches_only() -> None:
    plan = plan_of('{ products { name ... @defer(label: "slow") { price } ... @defer { weight } } }')
    slow, quick = plan.deferred
    assert (slow.label, slow.fetches) == ("slow", (1,))
    assert (quick.label, quick.fetches) == (None, ())
    assert [one.response_name for one in plan.response[0].selections] == ["name"]


def test_a_deferred_block_that_a_variable_turns_off_is_in_the_initial_response() -> None:
    plan = plan_of("query($l: Boolean!) { products { ... @defer(if: $l) { name } } }")
    (block,) = plan.deferred
    assert block.conditions == ((Condition("l", wanted=True),),)
    assert plan.response[0].selections[0].conditions == ((Condition("l", wanted=False),),)


def test_a_denied_field_is_not_asked_and_still_read() -> None:
    plan = plan_of("{ products { name price } }", options=PlannerOptions(denied=frozenset({"Product.price"})))
    assert members(plan) == ["products"]
    assert [one.denied for one in plan.response[0].selections] == [False, True]


def test_a_denied_field_is_still_an_input() -> None:
    plan = plan_of("{ products { weight shipping } }", options=PlannerOptions(denied=frozenset({"Product.weight"})))
    assert members(plan) == ["products", "prices"]


def test_typename_and_introspection_need_no_member() -> None:
    plan = plan_of("{ t: __typename s: __schema { queryType { name } } }")
    assert plan.fetches == ()
    assert plan.response[0].typename_literal == "Query"
    assert (plan.response[1].source, plan.response[1].type) == ("s", "__Schema!")
    assert plan.introspection is not None


def test_introspection_keeps_its_place_in_the_response() -> None:
    plan = plan_of('{ products { id } __type(name: "Product") { name } reviews { id } }')
    assert [one.response_name for one in plan.response] == ["products", "__type", "reviews"]


def test_a_field_that_nobody_resolves_is_refused_with_the_reason() -> None:
    with pytest.raises(UnanswerableError, match=r"`Product\.lost` at `Query/products/@` cannot be answered"):
        plan_of("{ products { lost } }")


def test_entities_of_several_types_and_places_travel_in_one_request() -> None:
    plan = plan_of("{ products { name } a: reviews { product { name } } b: reviews { product { name weight } } }")
    assert members(plan) == ["products", "reviews", "products"]
    assert len(plan.fetches[2].entities) == 2


def test_an_input_that_is_lost_costs_only_the_fields_that_require_it() -> None:
    plan = plan_of("{ reviews { product { price shipping } } }")
    assert members(plan) == ["reviews", "products", "prices"]
    price, shipping = plan.fetches[2].entities
    assert [one.name for one in _sent(price)] == ["id"]
    assert [one.key for one in price.selections] == ["price"]
    assert [one.name for one in _sent(shipping)] == ["id", "weight"]
    assert [one.key for one in shipping.selections] == ["shipping"]


def test_a_type_that_clients_may_not_see_is_checked_for() -> None:
    plan = plan_of("{ pets { name } }", pets())
    assert plan.fetches[0].operation == "query { pets { __typename name } }"
    assert plan.response[0].types == {"Dog", "Cat"}
    assert plan.response[0].selections[0].on == frozenset()


def test_types_that_differ_in_shape_get_keys_of_their_own() -> None:
    plan = plan_of("{ pets { ... on Dog { x: size } ... on Cat { y: size } } }", pets())
    assert "x: size" in plan.fetches[0].operation
    merged = plan_of("{ pets { ... on Dog { weight } ... on Cat { w: weight } } }", pets())
    assert members(merged) == ["homes", "vets"]


def test_an_interface_field_is_asked_once_where_the_subgraph_has_it_on_the_interface() -> None:
    assert plan_of("{ pets { id } }", pets()).fetches[0].operation == "query { pets { __typename id } }"


def test_every_stage_prints() -> None:
    stages = shop().stages(parse("query($a: Boolean!) { products { name @include(if: $a) price } }"))
    assert "→ root of products; prices at Query/products/@ by { id }" in print_paths(stages)
    assert "request 1 to prices after 0" in print_fetches(stages)
    assert "fetch 1 from prices after 0" in explain(stages.plan)
    assert "f0 --> f1" in mermaid(stages.plan)
    assert "enter Product by { id }" in str(shop().graph)


def test_a_search_without_budget_takes_the_first_answer_and_says_so() -> None:
    options = PlannerOptions(budget=0)
    plan = plan_of("{ products { price name } }", options=options)
    assert plan.best_effort
    assert members(plan) == ["products", "prices"]


def test_objects_of_an_interface_are_entered_where_the_field_is_and_nowhere_else() -> None:
    schema = supergraph(
        ("a", "b", "c"),
        """
        type Query @join__type(graph: A) @join__type(graph: B) @join__type(graph: C) {
          media: [Media] @join__field(graph: C)
        }
        interface Media
          @join__type(graph: A, key: "id") @join__type(graph: B, key: "id")
          @join__type(graph: C, key: "id", isInterfaceObject: true)
        { id: ID! }
        type Book implements Media
          @join__type(graph: A, key: "id") @join__type(graph: B, key: "id")
          @join__implements(graph: A, interface: "Media") @join__implements(graph: B, interface: "Media")
        {
          id: ID!
          title: String @join__field(graph: A)
          pages: Int @join__field(graph: B)
        }
        """,
    )
    plan = Planner(schema).plan(parse("{ media { ... on Book { pages } } }"))
    assert members(plan) == ["c", "b"]
    assert "pages" in plan.fetches[1].operation
