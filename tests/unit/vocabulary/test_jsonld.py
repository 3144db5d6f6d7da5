"""The JSON-LD context says what the directives say."""

from typing import Any

from node.vocabulary.jsonld import json_ld_context
from node.vocabulary.schema import full_schema


def _types() -> dict[str, Any]:
    context: Any = json_ld_context(full_schema())["@context"]
    return dict(context)


def test_types_and_fields_have_the_meaning_of_the_schema() -> None:
    citizen = _types()["Citizen"]
    assert citizen["@id"] == "http://www.w3.org/ns/person#Person"
    assert citizen["@context"]["taxCode"] == "https://w3id.org/italia/onto/CPV/taxCode"


def test_one_name_may_mean_two_things_in_two_types() -> None:
    types = _types()
    assert types["ServiceCase"]["@context"]["status"] != types["Enrolment"]["@context"]["status"]


def test_typed_values_say_their_datatype() -> None:
    assert _types()["Benefit"]["@context"]["amount"] == {
        "@id": "https://w3id.org/italia/onto/MU/value",
        "@type": "http://www.w3.org/2001/XMLSchema#decimal",
    }


def test_the_type_of_an_object_is_read_from_its_typename() -> None:
    assert _types()["__typename"] == "@type"
    assert _types()["@version"] == 1.1
