"""Who waits for whom, and who is entered by what: plans that would be late or wrong if this were forgotten."""

from __future__ import annotations

from graphql import parse

from federation.planning.explain import explain
from federation.planning.planner import Planner
from tests.support.supergraphs import supergraph

CHAIN = """
type Parcel
  @join__type(graph: POST, key: "id") @join__type(graph: SCALES, key: "id")
  @join__type(graph: TARIFFS, key: "id") @join__type(graph: CUSTOMS, key: "id")
{
  id: ID!
  weight: Int @join__field(graph: SCALES) @join__field(graph: TARIFFS, external: true)
  stamp: Int @join__field(graph: TARIFFS, requires: "weight")
  value: Int @join__field(graph: CUSTOMS) @join__field(graph: SCALES, external: true)
  insured: Boolean @join__field(graph: SCALES, requires: "value")
}
type Query
  @join__type(graph: POST) @join__type(graph: SCALES) @join__type(graph: TARIFFS) @join__type(graph: CUSTOMS)
{ parcels: [Parcel] @join__field(graph: POST) }
"""


def test_a_request_that_somebody_waits_for_is_not_joined_with_a_later_one_of_its_subgraph() -> None:
    plan = Planner(supergraph(("post", "scales", "tariffs", "customs"), CHAIN)).plan(
        parse("{ parcels { stamp insured } }")
    )
    after = {(fetch.member, tuple(plan.fetches[number].member for number in fetch.after)) for fetch in plan.fetches}
    assert after == {
        ("post", ()),
        ("scales", ("post",)),
        ("customs", ("post",)),
        ("tariffs", ("scales",)),
        ("scales", ("customs",)),
    }


REQUIRING = """
type Parcel @join__type(graph: POST, key: "id") @join__type(graph: TARIFFS, key: "id") {
  id: ID!
  weight: Int @join__field(graph: POST) @join__field(graph: TARIFFS, external: true)
  value: Int @join__field(graph: POST) @join__field(graph: TARIFFS, external: true)
  stamp: Int @join__field(graph: TARIFFS, requires: "weight value")
  duty: Int @join__field(graph: TARIFFS, requires: "value weight")
}
type Query @join__type(graph: POST) @join__type(graph: TARIFFS) { parcel: Parcel @join__field(graph: POST) }
"""


def test_a_deferred_fragment_waits_for_what_another_one_asks_for_it() -> None:
    plan = Planner(supergraph(("post", "tariffs"), REQUIRING)).plan(
        parse('{ parcel { ... @defer(label: "a") { stamp duty } ... @defer(label: "b") { duty } } }')
    )
    assert [fetch.member for fetch in plan.fetches] == ["post", "tariffs"]
    (entity,) = plan.fetches[1].entities
    assert {one.name for one in entity.selections} == {"stamp", "duty"}
    assert {block.label: block.fetches for block in plan.deferred} == {"a": (1,), "b": (1,)}


TWO_HOMES = """
interface Media
  @join__type(graph: SHOP, key: "code", isInterfaceObject: true)
  @join__type(graph: PRESS, key: "id") @join__type(graph: ARCHIVE, key: "code") @join__type(graph: ARCHIVE, key: "id")
{
  id: ID! @join__field(graph: PRESS) @join__field(graph: ARCHIVE)
  code: ID! @join__field(graph: SHOP) @join__field(graph: ARCHIVE)
}
type Book implements Media
  @join__implements(graph: PRESS, interface: "Media") @join__implements(graph: ARCHIVE, interface: "Media")
  @join__type(graph: PRESS, key: "id") @join__type(graph: ARCHIVE, key: "code") @join__type(graph: ARCHIVE, key: "id")
{
  id: ID! @join__field(graph: PRESS) @join__field(graph: ARCHIVE)
  code: ID! @join__field @join__field(graph: ARCHIVE)
  pages: Int @join__field(graph: PRESS)
}
type Query @join__type(graph: SHOP) @join__type(graph: PRESS) @join__type(graph: ARCHIVE) {
  sold: [Media] @join__field(graph: SHOP)
}
"""


def test_of_several_subgraphs_that_know_an_interface_each_is_entered_by_a_key_of_its_own() -> None:
    plan = Planner(supergraph(("shop", "press", "archive"), TWO_HOMES)).plan(
        parse("{ sold { ... on Book { pages } } }")
    )
    assert [fetch.member for fetch in plan.fetches] == ["shop", "archive", "press"]
    assert [line.strip() for line in explain(plan).splitlines() if "$representations: Book" in line] == [
        "$representations: Book { code }",
        "$representations: Book { id }",
    ]
