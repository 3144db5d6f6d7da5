"""An operation is measured by the coordinates and arguments it asks for."""

import pytest
from graphql import build_schema, parse

from federation.contract.coverage import Measured, asked_fields
from federation.contract.errors import BadInputError, DocumentError

SCHEMA = build_schema("""
  type Query { citizen(by: Key!): Citizen  search(text: String, first: Int = 20): [Found!] }
  input Key @oneOf { id: ID taxCode: String }
  type Citizen { id: ID name: String cases(first: Int = 20): [Case!] }
  type Case { id: ID status: String }
  union Found = Citizen | Case
  directive @oneOf on INPUT_OBJECT
""")


def asked(query: str, **variables: object) -> set[str]:
    found = asked_fields(SCHEMA, parse(query), None, variables)
    return {f"{field.coordinate} {field.arguments} as {field.response_key}" for field in found}


def test_variables_and_defaults_are_filled_in() -> None:
    assert asked("query($k: Key!) { c: citizen(by: $k) { cases { status } } }", k={"id": "x"}) == {
        'Query.citizen {"by":{"id":"x"}} as c',
        'Citizen.cases {"first":20} as cases',
        "Case.status {} as status",
    }


def test_a_literal_and_a_variable_of_one_value_ask_the_same() -> None:
    literal = asked('{ citizen(by: {id: "x"}) { name } }')
    assert literal == asked("query($id: ID!) { citizen(by: {id: $id}) { name } }", id="x")


def test_fragments_count_on_the_types_they_reach() -> None:
    query = "{ search { __typename ... on Citizen { name } ...c } } fragment c on Case { status }"
    assert asked(query) == {
        'Query.search {"first":20} as search',
        "Citizen.name {} as name",
        "Case.status {} as status",
    }


def test_a_variable_of_a_wrong_type_is_refused_without_its_value() -> None:
    with pytest.raises(BadInputError) as refused:
        asked("query($n: Int) { search(first: $n) { __typename } }", n="secret")
    assert "secret" not in str(refused.value)


def test_two_operations_without_a_name_are_refused() -> None:
    with pytest.raises(DocumentError, match="2 operations"):
        asked("query a { search { __typename } } query b { search { __typename } }")


QUERY = """query($k: Key!, $n: Int = 5, $t: String) {
  citizen(by: $k) { name cases(first: $n) { ...c } }
  search(text: $t) { ...c ... on Citizen { cases(first: 3) { id } more: cases(first: $n) { ...c } } }
} fragment c on Case { id status }"""


def test_an_operation_measured_once_asks_with_each_variables_what_it_asks_with_these_alone() -> None:
    """What is kept of a text must not carry the variables of an earlier question into a later one."""
    document = parse(QUERY)
    measured = Measured.of(SCHEMA, document, None)
    a, b, c = {"k": {"id": "a"}}, {"k": {"id": "b"}, "n": 7}, {"k": {"taxCode": "c"}, "t": "x"}
    for variables in (a, b, c, a):
        assert measured.asked(variables) == asked_fields(SCHEMA, document, None, variables)
    first, second = measured.asked(a), measured.asked(b)
    assert {(str(each.coordinate), each.arguments) for each in first ^ second} == {
        ("Query.citizen", '{"by":{"id":"a"}}'),
        ("Query.citizen", '{"by":{"id":"b"}}'),
        ("Citizen.cases", '{"first":5}'),
        ("Citizen.cases", '{"first":7}'),
    }


def test_only_arguments_with_variables_are_left_open() -> None:
    measured = Measured.of(SCHEMA, parse(QUERY), None)
    assert {str(each.coordinate) for each in measured.fixed} == {
        "Citizen.name",
        "Citizen.cases",
        "Case.id",
        "Case.status",
    }
    assert sorted(each.type_name for each in measured.varying) == ["Citizen", "Citizen", "Query", "Query"]


def test_an_operation_measured_before_still_refuses_variables_that_do_not_fit() -> None:
    measured = Measured.of(SCHEMA, parse(QUERY), None)
    measured.asked({"k": {"id": "a"}})
    for wrong in ({}, {"k": {"id": "a"}, "n": "many"}, {"k": None}):
        with pytest.raises(BadInputError):
            measured.asked(wrong)
