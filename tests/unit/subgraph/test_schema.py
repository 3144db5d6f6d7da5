"""A member's schema: what it publishes, what it keeps to itself, and how a wrong mapping is named."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from graphql import GraphQLInputObjectType, GraphQLObjectType, get_named_type, parse, validate_schema

from federation.contract.governed import MATCHES, REACHED
from node.data.mapping import Mapping
from node.data.written import MappingError
from node.subgraph.schema import NodeSchema, asked_coordinates
from node.vocabulary.schema import full_schema
from tests.support.policies import DEMO_MEMBERS, ROOT, demo

WRONG_MAPPINGS = {
    "type": ("Citizen", "Citisen", "type `Citisen` is not in the vocabulary; did you mean `Citizen`"),
    "field": ("isee: IM_ISEE", "issee: IM_ISEE", "`Citizen.issee` is not in the vocabulary's `Citizen`"),
    "relation as a field": ("isee: IM_ISEE", "benefits2: X", "is not in the vocabulary's `Citizen`"),
    "object as a value": ("isee: IM_ISEE", "disability: X", "is of type `Disability`: put it under `relations`"),
    "wrong target": ("benefits: {to: Benefit", "benefits: {to: Contribution", "the vocabulary says `Benefit`"),
    "root": (
        "  benefits:\n    of: Benefit",
        "  benefitz:\n    of: Benefit",
        "root `benefitz` is not in the vocabulary",
    ),
    "order": ("order: [-validFrom]", "order: [-validfrom]", "orders by `validfrom`, which `Benefit` does not map"),
}


def mapping(member: str) -> Mapping:
    return Mapping.parse((ROOT / "deploy" / "demo" / member / "node.yaml").read_text(encoding="utf-8"))


def built(member: str) -> NodeSchema:
    return NodeSchema.build(full_schema(), mapping(member), asked_coordinates(demo(member).types.values()))


@pytest.mark.parametrize("member", DEMO_MEMBERS)
def test_a_members_schema_is_valid_and_holds_what_is_mapped_only(member: str) -> None:
    schema = built(member).schema
    assert validate_schema(schema) == []
    mapped = {
        f"{source.type_name}.{name}"
        for source in mapping(member).sources.values()
        for name in (*source.fields, *source.relations, source.key.field if source.key else None)
        if name
    }
    types = {source.type_name for source in mapping(member).sources.values()}
    found = _coordinates(schema.type_map[kind] for kind in types)
    assert {name for name in found if not name.endswith((MATCHES, REACHED))} == mapped


@pytest.mark.parametrize("field", ["null", "kind"])
def test_a_key_by_which_a_mapping_finds_nothing_is_not_resolvable(field: str) -> None:
    text = (ROOT / "deploy" / "demo" / "inprev" / "node.yaml").read_text(encoding="utf-8")
    assert (
        'type Benefit @key(fields: "id", resolvable: true)'
        in NodeSchema.build(full_schema(), Mapping.parse(text)).published_sdl
    )
    mapped = "      kind: {column: TP_PRE, codes: prestazione}\n"
    other = text.replace("    key: NR_PRE\n", f"    key: {{field: {field}, column: NR_PRE}}\n")
    other = other.replace(
        f"    fields:\n{mapped}", f"    fields:\n      id: NR_PRE\n{'' if field == 'kind' else mapped}"
    )
    found = NodeSchema.build(full_schema(), Mapping.parse(other)).published_sdl
    assert 'type Benefit @key(fields: "id", resolvable: false)' in found


def _coordinates(kinds: Iterator[object]) -> Iterator[str]:
    for kind in kinds:
        assert isinstance(kind, GraphQLObjectType)
        yield from (f"{kind.name}.{name}" for name in kind.fields)


@pytest.mark.parametrize("member", DEMO_MEMBERS)
def test_the_published_sdl_parses_and_says_nothing_of_local_roots(member: str) -> None:
    node = built(member)
    parse(node.published_sdl)
    assert "_entities" not in node.published_sdl
    assert "_service" not in node.published_sdl
    assert "CitizenKey" not in node.published_sdl
    assert 'type Citizen @key(fields: "id"' in node.published_sdl
    assert node.published_sdl.startswith("extend schema @")


def test_published_lists_bring_their_filters_narrowed_to_what_the_mapping_opens() -> None:
    schema = built("c_m999").schema
    where = schema.type_map["CitizenWhere"]
    assert isinstance(where, GraphQLInputObjectType)
    opened = {"givenName", "familyName", "dateOfBirth", "sex", "citizenship", "maritalStatus", "residence", "cases"}
    assert set(where.fields) == opened | {"and", "or", "not"}
    always = {"_entities", "_service", "changes", "myFields", "whyDenied"}
    assert _roots("c_m999") == {"citizen", "citizens", "publicServices"} | always
    assert _roots("aslvs") == {"citizen"} | always


def _roots(member: str) -> set[str]:
    query = built(member).schema.query_type
    assert query is not None
    return set(query.fields)


def test_what_a_policy_lets_be_verified_has_a_field_for_it() -> None:
    citizen = built("c_m999").schema.type_map["Citizen"]
    assert isinstance(citizen, GraphQLObjectType)
    confirmed = citizen.fields["taxCodeMatches"]
    assert get_named_type(confirmed.type).name == "Boolean"
    assert str(confirmed.args["value"].type) == "TaxCode!"
    assert "givenNameMatches" not in citizen.fields
    reached = citizen.fields["dateOfBirthReached"]
    assert get_named_type(reached.type).name == "Boolean"
    assert str(reached.args["years"].type) == "Int!"


def test_a_key_is_published_only_where_the_mapping_gives_it() -> None:
    assert built("c_m999").entity_keys == dict.fromkeys(
        ("Citizen", "PublicOrganisation", "PublicService", "ServiceCase"), frozenset({"id"})
    )
    changed = (ROOT / "deploy" / "demo" / "inprev" / "node.yaml").read_text(encoding="utf-8")
    changed = changed.replace("key: NR_PRE", "key: {field: null, column: NR_PRE}").replace("filter: [id, ", "filter: [")
    assert NodeSchema.build(full_schema(), Mapping.parse(changed)).entity_keys == {"Citizen": frozenset({"id"})}


@pytest.mark.parametrize(("written", "wrong", "message"), WRONG_MAPPINGS.values(), ids=WRONG_MAPPINGS.keys())
def test_a_mapping_that_does_not_fit_is_named_with_its_line(written: str, wrong: str, message: str) -> None:
    text = (ROOT / "deploy" / "demo" / "inprev" / "node.yaml").read_text(encoding="utf-8")
    assert written in text
    with pytest.raises(MappingError) as raised:
        NodeSchema.build(full_schema(), Mapping.parse(text.replace(written, wrong)))
    assert message in str(raised.value)
    assert raised.value.message.startswith("node.yaml:")


def test_the_vocabulary_is_left_as_it_was() -> None:
    before = set(full_schema().type_map)
    built("c_m999")
    assert set(full_schema().type_map) == before
