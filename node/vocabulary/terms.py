"""How a type and a field of the vocabulary are declared: meaning, category and two languages in one line."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar, dataclass_transform

import strawberry
from strawberry.annotation import StrawberryAnnotation
from strawberry.federation.schema_directives import Key, Shareable
from strawberry.federation.types import FieldSet
from strawberry.types.arguments import StrawberryArgument

from node.vocabulary.directives import SENSITIVITY, Category, Privacy, Semantic

T = TypeVar("T", bound=type)

ADMS = "http://www.w3.org/ns/adms#"
CLV = "https://w3id.org/italia/onto/CLV/"
COV = "https://w3id.org/italia/onto/COV/"
CPSV = "http://purl.org/vocab/cpsv#"
CPV = "https://w3id.org/italia/onto/CPV/"
CROCEVIA = "https://w3id.org/crocevia/onto/"
DCT = "http://purl.org/dc/terms/"
FOAF = "http://xmlns.com/foaf/0.1/"
HYDRA = "http://www.w3.org/ns/hydra/core#"
LEARNING = "https://w3id.org/italia/onto/Learning/"
LOCN = "http://www.w3.org/ns/locn#"
M8G = "http://data.europa.eu/m8g/"
MU = "https://w3id.org/italia/onto/MU/"
ORG = "http://www.w3.org/ns/org#"
PERSON = "http://www.w3.org/ns/person#"
RDFS = "http://www.w3.org/2000/01/rdf-schema#"
SKOS = "http://www.w3.org/2004/02/skos/core#"
TI = "https://w3id.org/italia/onto/TI/"


def in_two_languages(en: str, it: str) -> str:
    """Join a description in English and one in Italian, in the order the schema prints them."""
    return f"{en}\nit: {it}"


@dataclass_transform(kw_only_default=True)
def concept(iri: str, en: str, it: str) -> Callable[[T], T]:
    """Declare a type that one member owns."""
    return strawberry.type(description=in_two_languages(en, it), directives=[Semantic(iri=iri)])


@dataclass_transform(kw_only_default=True)
def shared_concept(iri: str, en: str, it: str) -> Callable[[T], T]:
    """Declare a type whose values several members may give (`@shareable`)."""
    return strawberry.type(description=in_two_languages(en, it), directives=[Shareable(), Semantic(iri=iri)])


@dataclass_transform(kw_only_default=True)
def entity(iri: str, en: str, it: str) -> Callable[[T], T]:
    """Declare a type whose fields several members may own, joined by `id`."""
    return strawberry.type(
        description=in_two_languages(en, it), directives=[Key(fields=FieldSet("id")), Semantic(iri=iri)]
    )


@dataclass_transform(kw_only_default=True)
def shared_entity(iri: str, en: str, it: str) -> Callable[[T], T]:
    """Declare an entity whose fields several members may give alike."""
    directives = [Key(fields=FieldSet("id")), Shareable(), Semantic(iri=iri)]
    return strawberry.type(description=in_two_languages(en, it), directives=directives)


def field(iri: str, category: Category, en: str, it: str, arguments: Sequence[StrawberryArgument] = ()) -> Any:
    """Declare a field that policies govern; its annotation must admit null."""
    privacy = Privacy(category=category.value, sensitivity=SENSITIVITY[category].value)
    declared = strawberry.field(
        default=None, description=in_two_languages(en, it), directives=[Semantic(iri=iri), privacy]
    )
    declared.arguments = list(arguments)
    return declared


def plumbing(iri: str, en: str, it: str) -> Any:
    """Declare a field of a connection: it carries no personal data of its own."""
    return strawberry.field(description=in_two_languages(en, it), directives=[Semantic(iri=iri)])


def argument(name: str, annotation: object, en: str, it: str, default: object = strawberry.UNSET) -> StrawberryArgument:
    """Declare an argument of a field."""
    return StrawberryArgument(
        name, None, StrawberryAnnotation(annotation), description=in_two_languages(en, it), default=default
    )


def first(default: int) -> StrawberryArgument:
    """Declare the argument that bounds the length of a list."""
    return argument(
        "first",
        int | None,
        "At most this many; the agreement has a limit.",
        "Al massimo questo numero; l'accordo ha un limite.",
        default,
    )


def root(en: str, it: str, arguments: Sequence[StrawberryArgument]) -> Any:
    """Declare a root of the vocabulary."""
    declared = strawberry.field(
        default=None, description=in_two_languages(en, it), directives=[Semantic(iri=f"{HYDRA}entrypoint")]
    )
    declared.arguments = list(arguments)
    return declared
