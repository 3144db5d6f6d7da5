"""What breaks clients is told apart from what does not, and from what nobody uses."""

from __future__ import annotations

import pytest
from graphql import GraphQLSchema, build_schema

from federation.composition.diff import Change, Severity, compare, judge

BASE = """
directive @client(note: String) repeatable on FIELD | QUERY
type Query {
  person(id: ID!, language: String = "it"): Person
  node: Node
  found(filter: Filter): [Found!]
  order(by: Order): Int
}
interface Node { id: ID }
type Person implements Node { id: ID  name: String  office: Office! }
type Office { title: String }
type Place { title: String }
union Found = Person | Place
enum Order { RISING FALLING }
input Filter { name: String  nested: Nested }
input Nested { limit: Int = 10 }
"""

CHANGED = {
    "a field goes": ("name: String  office", "office", ("breaking", "FIELD_REMOVED", "Person.name")),
    "a field comes": ("name: String  office", "name: String  age: Int  office", ("safe", "FIELD_ADDED", "Person.age")),
    "a field may be null": ("office: Office!", "office: Office", ("breaking", "FIELD_CHANGED_KIND", "Person.office")),
    "a field is never null": (
        "title: String }\ntype P",
        "title: String! }\ntype P",
        ("safe", "FIELD_CHANGED_KIND_SAFE", "Office.title"),
    ),
    "an argument goes": (', language: String = "it"', "", ("breaking", "ARG_REMOVED", "Query.person(language:)")),
    "an argument becomes required": ("by: Order", "by: Order!", ("breaking", "ARG_CHANGED_KIND", "Query.order(by:)")),
    "an argument need not be given": ("id: ID!", "id: ID", ("safe", "ARG_CHANGED_KIND_SAFE", "Query.person(id:)")),
    "a required argument comes": (
        "node: Node",
        "node(id: ID!): Node",
        ("breaking", "REQUIRED_ARG_ADDED", "Query.node(id:)"),
    ),
    "an optional argument comes": (
        "node: Node",
        "node(id: ID): Node",
        ("dangerous", "OPTIONAL_ARG_ADDED", "Query.node(id:)"),
    ),
    "a default changes": ('"it"', '"en"', ("dangerous", "ARG_DEFAULT_VALUE_CHANGE", "Query.person(language:)")),
    "a default comes": ("by: Order", "by: Order = RISING", ("safe", "ARG_DEFAULT_VALUE_ADDED", "Query.order(by:)")),
    "an input default changes": ("= 10", "= 20", ("dangerous", "INPUT_FIELD_DEFAULT_VALUE_CHANGE", "Nested.limit")),
    "a required input field comes": (
        "limit: Int",
        "first: Int! limit: Int",
        ("breaking", "REQUIRED_INPUT_FIELD_ADDED", "Nested.first"),
    ),
    "an optional input field comes": (
        "limit: Int",
        "first: Int limit: Int",
        ("dangerous", "OPTIONAL_INPUT_FIELD_ADDED", "Nested.first"),
    ),
    "an input field goes": ("name: String  nested", "nested", ("breaking", "FIELD_REMOVED", "Filter.name")),
    "an input field changes": ("limit: Int = 10", "limit: String", ("breaking", "FIELD_CHANGED_KIND", "Nested.limit")),
    "an enum value goes": ("RISING FALLING", "RISING", ("breaking", "VALUE_REMOVED_FROM_ENUM", "Order.FALLING")),
    "an enum value comes": ("RISING FALLING", "RISING FALLING ANY", ("dangerous", "VALUE_ADDED_TO_ENUM", "Order.ANY")),
    "a union loses a member": ("= Person | Place", "= Person", ("breaking", "TYPE_REMOVED_FROM_UNION", "Found")),
    "a union gains a member": (
        "= Person | Place",
        "= Person | Place | Office",
        ("dangerous", "TYPE_ADDED_TO_UNION", "Found"),
    ),
    "an interface is left": (
        "Person implements Node",
        "Person",
        ("breaking", "IMPLEMENTED_INTERFACE_REMOVED", "Person"),
    ),
    "an interface is taken on": (
        "type Place {",
        "type Place implements Node { id: ID ",
        ("dangerous", "IMPLEMENTED_INTERFACE_ADDED", "Place"),
    ),
    "a kind changes": (
        "interface Node { id: ID }\ntype Person implements Node",
        "type Node { id: ID }\ntype Person",
        ("breaking", "TYPE_CHANGED_KIND", "Node"),
    ),
    "exactly one field": ("input Filter {", "input Filter @oneOf {", ("breaking", "ONE_OF_CHANGED", "Filter")),
    "a deprecation": (
        "name: String  office",
        "name: String @deprecated  office",
        ("safe", "DEPRECATION_ADDED", "Person.name"),
    ),
    "a description": ("type Office", '"A room." type Office', ("safe", "DESCRIPTION_CHANGED", "Office")),
    "a directive goes": (
        "directive @client(note: String) repeatable on FIELD | QUERY",
        "",
        ("breaking", "DIRECTIVE_REMOVED", "@client"),
    ),
    "a directive leaves a place": ("FIELD | QUERY", "FIELD", ("breaking", "DIRECTIVE_LOCATION_REMOVED", "@client")),
    "a directive gains a place": ("on FIELD", "on MUTATION | FIELD", ("safe", "DIRECTIVE_LOCATION_ADDED", "@client")),
    "a directive stands once": (" repeatable", "", ("breaking", "DIRECTIVE_REPEATABLE_REMOVED", "@client")),
    "a directive loses an argument": ("(note: String)", "", ("breaking", "DIRECTIVE_ARG_REMOVED", "@client(note:)")),
    "a directive needs an argument": (
        "(note: String)",
        "(note: String, by: ID!)",
        ("breaking", "REQUIRED_DIRECTIVE_ARG_ADDED", "@client(by:)"),
    ),
    "a directive may take more": (
        "(note: String)",
        "(note: String, by: ID)",
        ("safe", "OPTIONAL_DIRECTIVE_ARG_ADDED", "@client(by:)"),
    ),
}


def schema(text: str) -> GraphQLSchema:
    return build_schema(text)


def brief(change: Change) -> tuple[str, str, str]:
    return change.severity.value, change.code, change.coordinate


@pytest.mark.parametrize(("before", "after", "expected"), CHANGED.values(), ids=CHANGED.keys())
def test_a_change_is_found_and_judged(before: str, after: str, expected: tuple[str, str, str]) -> None:
    assert before in BASE
    assert expected in {brief(change) for change in compare(schema(BASE), schema(BASE.replace(before, after, 1)))}


def test_equal_schemas_have_no_changes() -> None:
    assert compare(schema(BASE), schema(BASE)) == ()


def test_the_worst_comes_first() -> None:
    changed = (
        BASE.replace("name: String  office", "office")
        .replace('"it"', '"en"')
        .replace("type Place {", "type Place { x: Int ")
    )
    assert [change.severity for change in compare(schema(BASE), schema(changed))] == [
        Severity.BREAKING,
        Severity.DANGEROUS,
        Severity.SAFE,
    ]


def test_an_argument_that_loses_its_default_and_becomes_required_breaks() -> None:
    old, new = schema("type Query { f(a: Int! = 1): Int }"), schema("type Query { f(a: Int!): Int }")
    assert [brief(change) for change in compare(old, new)] == [("breaking", "ARG_DEFAULT_VALUE_CHANGE", "Query.f(a:)")]


def test_a_removed_mutation_type_breaks_although_a_type_of_that_name_stays() -> None:
    body = "type Query { f: M } type M { g: Int }"
    old, new = schema(f"schema {{ query: Query mutation: M }} {body}"), schema(f"schema {{ query: Query }} {body}")
    assert [brief(change) for change in compare(old, new)] == [("breaking", "ROOT_TYPE_CHANGED", "M")]


def test_a_built_in_scalar_that_is_no_longer_used_is_no_change() -> None:
    old, new = schema("type Query { f: Int g: Float }"), schema("type Query { f: Int }")
    assert [change.code for change in compare(old, new)] == ["FIELD_REMOVED"]


USED = {
    "the field itself": ("name: String  office", "office", {"Person.name"}),
    "an enum taken by the field": ("RISING FALLING", "RISING", {"Query.order"}),
    "an input taken through another one": ("limit: Int = 10", "limit: String", {"Query.found"}),
    "a field of a union": ("= Person | Place", "= Person", {"Query.found"}),
    "a field of a type that leaves a union": ("= Person | Place", "= Person", {"Place.title"}),
    "an abstract field behind which a type left an interface": ("Person implements Node", "Person", {"Query.node"}),
}


@pytest.mark.parametrize(("before", "after", "used"), USED.values(), ids=USED.keys())
def test_what_is_used_is_not_safe_by_usage(before: str, after: str, used: set[str]) -> None:
    found = compare(schema(BASE), schema(BASE.replace(before, after, 1)))
    assert judge(found, used) == found
    worse = [change for change in found if change.severity is not Severity.SAFE]
    assert all(
        change.unused
        for change in judge(found, {"Office.title"})
        if change.coordinate in {item.coordinate for item in worse}
    )


def test_an_interface_field_is_used_through_its_implementations() -> None:
    changed = schema(
        BASE.replace("interface Node { id: ID }", "interface Node { code: Int }").replace(
            "{ id: ID  name", "{ id: ID code: Int name"
        )
    )
    removed = [change for change in compare(schema(BASE), changed) if change.code == "FIELD_REMOVED"]
    assert [change.coordinate for change in removed] == ["Node.id"]
    assert not judge(removed, {"Person.id"})[0].unused
    assert judge(removed, {"Person.name"})[0].unused


def test_directives_are_never_safe_by_usage() -> None:
    found = compare(schema(BASE), schema(BASE.replace("FIELD | QUERY", "FIELD")))
    assert judge(found, set()) == found


def test_a_change_that_is_safe_by_usage_says_so() -> None:
    found = compare(schema(BASE), schema(BASE.replace("name: String  office", "office")))
    (change,) = judge(found, set())
    assert str(change) == "safe FIELD_REMOVED: field `Person.name` was removed (safe by usage)"
