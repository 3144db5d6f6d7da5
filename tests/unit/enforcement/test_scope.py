"""A gateway may narrow what a consumer asked for, and never widen it."""

import msgspec
import pytest
from graphql import build_schema, parse

from federation.contract.coordinates import FieldCoordinate
from federation.contract.coverage import AskedField, asked_fields
from federation.contract.errors import FieldDeniedError, ScopeError
from federation.contract.identifiers import DIRECTORY, MemberId
from federation.contract.members import AgreedProvider
from federation.contract.messages import TranslationStatement
from node.enforcement.scope import (
    EntityKeys,
    asked_representations,
    require_agreed_roots,
    require_no_identifiers,
    require_translated_keys,
    require_within_consumers_operation,
)

KEYS = EntityKeys({"Citizen": frozenset({"id"})})
NAME = AskedField(FieldCoordinate("Citizen", "givenName"), "{}", "givenName")
CASES = AskedField(FieldCoordinate("Citizen", "cases"), '{"first":5}', "cases")
KEY = AskedField(FieldCoordinate("Citizen", "id"), "{}", "_k_id")
ENTITIES = AskedField(FieldCoordinate("Query", "_entities"), '{"representations":[]}', "_entities")

WIDENED = {
    "a field nobody asked for": AskedField(FieldCoordinate("Citizen", "taxCode"), "{}", "taxCode"),
    "the same field of another type": AskedField(FieldCoordinate("HouseholdMember", "givenName"), "{}", "givenName"),
    "a longer list": AskedField(FieldCoordinate("Citizen", "cases"), '{"first":100}', "cases"),
    "a field dressed as a key": AskedField(FieldCoordinate("Citizen", "taxCode"), "{}", "_k_taxCode"),
    "a signed field dressed as a key": AskedField(FieldCoordinate("Citizen", "givenName"), "{}", "_k_givenName"),
    "the key as a field": AskedField(FieldCoordinate("Citizen", "id"), "{}", "id"),
}


def test_less_than_the_consumer_asked_is_answered() -> None:
    require_within_consumers_operation(frozenset({NAME, KEY, ENTITIES}), frozenset({NAME, CASES}), KEYS)


@pytest.mark.parametrize("more", WIDENED.values(), ids=WIDENED.keys())
def test_more_than_the_consumer_asked_is_refused(more: AskedField) -> None:
    with pytest.raises(ScopeError, match=more.coordinate.field_name):
        require_within_consumers_operation(frozenset({NAME, more}), frozenset({NAME, CASES}), KEYS)


ID = AskedField(FieldCoordinate("Citizen", "id"), "{}", "id")
CASE_ID = AskedField(FieldCoordinate("ServiceCase", "id"), "{}", "id")


def test_a_consumer_that_asks_a_node_itself_reads_what_is_no_identifier_of_a_citizen() -> None:
    require_no_identifiers(frozenset({NAME, CASES, CASE_ID}), KEYS)


@pytest.mark.parametrize("field", [KEY, ID, ENTITIES], ids=["a join key", "the node's own pseudonym", "entities"])
def test_a_nodes_own_names_for_citizens_stay_between_gateway_and_node(field: AskedField) -> None:
    with pytest.raises(ScopeError, match="through the gateway only"):
        require_no_identifiers(frozenset({NAME, field}), KEYS)


STATEMENT = TranslationStatement(DIRECTORY, MemberId("c_m999"), "benefit-assessment", "sha256:1", ("p1", None), 0)


def require(representation: dict[str, object], **changes: str) -> None:
    given = {"member": "c_m999", "purpose": "benefit-assessment", "request_digest": "sha256:1", **changes}
    require_translated_keys([representation], [STATEMENT], **given)


def test_a_translated_citizen_is_answered() -> None:
    require({"__typename": "Citizen", "id": "p1"})


def test_other_entities_need_no_translation() -> None:
    require({"__typename": "ServiceCase", "id": "7"})


@pytest.mark.parametrize(
    ("representation", "changes"),
    [
        ({"__typename": "Citizen", "id": "p2"}, {}),
        ({"__typename": "Citizen"}, {}),
        ({"__typename": "Citizen", "id": ["p1"]}, {}),
        ({"__typename": "Citizen", "id": "p1"}, {"member": "inprev"}),
        ({"__typename": "Citizen", "id": "p1"}, {"purpose": "statistics"}),
        ({"__typename": "Citizen", "id": "p1"}, {"request_digest": "sha256:2"}),
    ],
    ids=["another citizen", "no key", "no text", "another member", "another purpose", "another request"],
)
def test_a_citizen_the_exchange_did_not_translate_for_this_request_is_refused(
    representation: dict[str, object], changes: dict[str, str]
) -> None:
    with pytest.raises(ScopeError):
        require(representation, **changes)


def test_a_handle_of_a_citizen_is_no_name_at_a_node() -> None:
    told = msgspec.structs.replace(STATEMENT, handles=True)
    with pytest.raises(ScopeError):
        require_translated_keys(
            [{"__typename": "Citizen", "id": "p1"}], [told], "c_m999", "benefit-assessment", "sha256:1"
        )


ENTITIES_SCHEMA = build_schema(
    "scalar _Any type Citizen { id: ID } union _Entity = Citizen"
    " type Query { _entities(representations: [_Any!]!): [_Entity]! }"
)
LAURA = {"__typename": "Citizen", "id": "p1"}
IN_TEXT = '{__typename: "Citizen", id: "p1"}'
WRITTEN = {
    "a list": ("($r: [_Any!]!)", "$r", {"r": [LAURA]}),
    "a single value that becomes a list": ("($r: [_Any!]!)", "$r", {"r": LAURA}),
    "one element": ("($r: _Any!)", "[$r]", {"r": LAURA}),
    "a default": (f"($r: [_Any!]! = [{IN_TEXT}])", "$r", {}),
    "the text": ("", f"[{IN_TEXT}]", {}),
    "a single value in the text": ("", IN_TEXT, {}),
    "a key in a variable": ("($r: ID!)", '[{__typename: "Citizen", id: $r}]', {"r": "p1"}),
}


@pytest.mark.parametrize(("definitions", "value", "variables"), WRITTEN.values(), ids=WRITTEN.keys())
def test_a_representation_is_seen_however_it_is_written(
    definitions: str, value: str, variables: dict[str, object]
) -> None:
    entities = f"_entities(representations: {value}) {{ __typename }}"
    query = f"query Q{definitions} {{ ...E }} fragment E on Query {{ a: {entities} }}"
    asked = asked_fields(ENTITIES_SCHEMA, parse(query), None, variables)
    assert list(asked_representations(asked)) == [(("a", 0), LAURA)]


LIST = AskedField(FieldCoordinate("Query", "citizens"), '{"first":5}', "citizens")
LOOK_UP = AskedField(FieldCoordinate("Query", "citizen"), '{"by":{"taxCode":"A"}}', "citizen")


def test_the_agreement_says_which_doors_are_open() -> None:
    provider = AgreedProvider(MemberId("c_m999"), ("Query.citizen", "Citizen.*"))
    require_agreed_roots(frozenset({LOOK_UP, ENTITIES, NAME}), provider)
    with pytest.raises(FieldDeniedError, match=r"Query\.citizens") as refused:
        require_agreed_roots(frozenset({LOOK_UP, LIST, NAME}), provider)
    assert refused.value.extensions["coordinates"] == ["Query.citizens"]
