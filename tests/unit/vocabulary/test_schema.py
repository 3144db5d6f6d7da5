"""The printed vocabulary: equal to the committed file, complete, documented, and nullable where policies decide."""

from pathlib import Path

import pytest
from graphql import (
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLNonNull,
    GraphQLObjectType,
    build_schema,
    get_named_type,
    graphql_sync,
    parse,
    validate,
    validate_schema,
)

from federation.contract.coverage import is_plumbing
from node.vocabulary.schema import full_schema, printed_schema

ROOT = Path(__file__).parents[3]
PLUMBING = {"PageInfo", "Query", "Mutation"}
TYPES = [
    "Address",
    "Benefit",
    "Channel",
    "Citizen",
    "ContactPoint",
    "Contribution",
    "Disability",
    "Enrolment",
    "HealthExemption",
    "Household",
    "HouseholdMember",
    "Interaction",
    "LifeEvent",
    "Location",
    "PublicOrganisation",
    "PublicService",
    "Residence",
    "ServiceCase",
    "SupportProgramme",
]


def _object_types() -> list[GraphQLObjectType]:
    types = full_schema().type_map.values()
    return [kind for kind in types if isinstance(kind, GraphQLObjectType) and not kind.name.startswith("__")]


def _fields() -> dict[str, GraphQLField]:
    return {f"{kind.name}.{name}": field for kind in _object_types() for name, field in kind.fields.items()}


def _is_plumbing(coordinate: str) -> bool:
    type_name = coordinate.split(".", maxsplit=1)[0]
    return type_name in PLUMBING or is_plumbing(type_name)


def _directives(field: GraphQLField) -> set[str]:
    assert field.ast_node is not None
    return {directive.name.value for directive in field.ast_node.directives or ()}


def test_the_committed_file_is_what_the_types_print() -> None:
    assert (ROOT / "schema.graphql").read_text(encoding="utf-8") == printed_schema(), (
        "run `python -m node.vocabulary.print_schema > schema.graphql`"
    )


def test_the_file_stands_alone_for_a_reader_that_knows_no_federation() -> None:
    assert validate_schema(build_schema(printed_schema())) == []


@pytest.mark.parametrize("name", TYPES)
def test_the_vocabulary_has_the_type(name: str) -> None:
    assert isinstance(full_schema().type_map[name], GraphQLObjectType)


def test_every_field_says_what_it_means() -> None:
    without = [coordinate for coordinate, field in _fields().items() if "semantic" not in _directives(field)]
    assert without == []


def test_every_field_that_policies_govern_has_a_category_and_admits_null() -> None:
    governed = {coordinate: field for coordinate, field in _fields().items() if not _is_plumbing(coordinate)}
    assert [name for name, field in governed.items() if "privacy" not in _directives(field)] == []
    assert [name for name, field in governed.items() if isinstance(field.type, GraphQLNonNull)] == []


def test_every_type_and_field_is_described_in_english_and_italian() -> None:
    described = {kind.name: kind.description for kind in _object_types()}
    described |= {coordinate: field.description for coordinate, field in _fields().items()}
    for name, description in described.items():
        lines = (description or "").splitlines()
        assert len(lines) == 2, name
        assert lines[1].startswith("it: "), name


def test_entities_are_joined_by_their_id() -> None:
    keyed = {
        kind.name
        for kind in _object_types()
        if kind.ast_node and any(directive.name.value == "key" for directive in kind.ast_node.directives or ())
    }
    assert keyed == {"Benefit", "Citizen", "PublicOrganisation", "PublicService", "ServiceCase", "SupportProgramme"}


def test_filters_and_orders_name_only_fields_of_their_type() -> None:
    schema = full_schema()
    for name, kind in schema.type_map.items():
        if not isinstance(kind, GraphQLInputObjectType) or not name.endswith(("Where", "OrderBy")):
            continue
        listed = schema.type_map[name.removesuffix("Where").removesuffix("OrderBy")]
        assert isinstance(listed, GraphQLObjectType)
        assert set(kind.fields) - {"and", "or", "not"} <= set(listed.fields), name


def test_a_filter_has_the_scalar_of_the_field_it_tests() -> None:
    schema = full_schema()
    for name, kind in schema.type_map.items():
        if not isinstance(kind, GraphQLInputObjectType) or not name.endswith("Where"):
            continue
        listed = schema.type_map[name.removesuffix("Where")]
        assert isinstance(listed, GraphQLObjectType)
        for field_name in set(kind.fields) - {"and", "or", "not"}:
            tested = get_named_type(kind.fields[field_name].type)
            assert isinstance(tested, GraphQLInputObjectType)
            scalar = get_named_type(listed.fields[field_name].type)
            if isinstance(scalar, GraphQLObjectType):
                assert tested.name == f"{scalar.name}Where", f"{name}.{field_name}"
                continue
            assert get_named_type(tested.fields["eq"].type) is scalar, f"{name}.{field_name}"


def test_a_citizen_is_looked_up_by_exactly_one_key() -> None:
    both = '{ citizen(by: {id: "v1.siv.c_m999.AA", taxCode: "RSSMRA80A01H501U"}) { id } }'
    (error,) = validate(full_schema(), parse(both))
    assert error.message.startswith("Within OneOf Input Object type 'CitizenKey', exactly one field must be specified")


def test_a_malformed_value_in_a_document_is_refused_without_repeating_it() -> None:
    wrong = '{ citizen(by: {taxCode: "RSSMRA80A01H501X"}) { id } }'
    (error,) = validate(full_schema(), parse(wrong))
    assert "RSSMRA80A01H501X" not in error.message
    assert "scalar `TaxCode`" in error.message


def test_a_malformed_value_of_a_register_is_not_shown() -> None:
    answer = graphql_sync(full_schema(), '{ citizen(by: {id: "x"}) { isee } }', {"citizen": {"isee": "about ten"}})
    assert answer.data == {"citizen": {"isee": None}}
    assert answer.errors is not None
    assert "about ten" not in answer.errors[0].message
