"""The directives of the shared vocabulary: what a field means, and how sensitive it is.

Both are documentation that composition carries into the supergraph; what may be disclosed is decided by the policies
of each node and never by a directive.
"""

from enum import StrEnum

import strawberry
from strawberry.federation.schema_directive import Location, schema_directive

SPECIFICATION = "https://w3id.org/crocevia/vocabulary/v1.0"


class Sensitivity(StrEnum):
    """How sensitive a category of personal data is, lowest first."""

    PUBLIC = "public"
    INTERNAL = "internal"
    PERSONAL = "personal"
    CONFIDENTIAL = "confidential"
    SPECIAL = "special"


class Category(StrEnum):
    """The category of personal data a field belongs to, as in the federation's policy vocabulary."""

    ADDRESS = "address"
    BIRTH = "birth"
    CASE = "case"
    CONTACT = "contact"
    EDUCATION = "education"
    FAMILY = "family"
    GENDER = "gender"
    HEALTH = "health"
    IDENTIFIER = "identifier"
    INCOME = "income"
    NAME = "name"
    PUBLIC = "public"
    RELATION = "relation"
    SUPPORT = "support"


SENSITIVITY: dict[Category, Sensitivity] = {
    Category.ADDRESS: Sensitivity.PERSONAL,
    Category.BIRTH: Sensitivity.PERSONAL,
    Category.CASE: Sensitivity.PERSONAL,
    Category.CONTACT: Sensitivity.PERSONAL,
    Category.EDUCATION: Sensitivity.PERSONAL,
    Category.FAMILY: Sensitivity.PERSONAL,
    Category.GENDER: Sensitivity.PERSONAL,
    Category.HEALTH: Sensitivity.SPECIAL,
    Category.IDENTIFIER: Sensitivity.CONFIDENTIAL,
    Category.INCOME: Sensitivity.CONFIDENTIAL,
    Category.NAME: Sensitivity.PERSONAL,
    Category.PUBLIC: Sensitivity.PUBLIC,
    Category.RELATION: Sensitivity.PERSONAL,
    Category.SUPPORT: Sensitivity.CONFIDENTIAL,
}


@schema_directive(
    locations=[Location.OBJECT, Location.FIELD_DEFINITION],
    description="The term of a published vocabulary that a type or field stands for.\nit: Il termine di un vocabolario "
    "pubblicato che il tipo o il campo rappresenta.",
    compose=True,
    import_url=SPECIFICATION,
)
class Semantic:
    """`@semantic(iri:)`."""

    iri: str = strawberry.directive_field(name="iri")


@schema_directive(
    locations=[Location.FIELD_DEFINITION],
    description="The category of personal data of a field and its sensitivity: documentation, never the source of a "
    "decision.\nit: La categoria di dati personali del campo e la sua sensibilità: documentazione, mai fonte di una "
    "decisione.",
    compose=True,
    import_url=SPECIFICATION,
)
class Privacy:
    """`@privacy(category:, sensitivity:)`."""

    category: str = strawberry.directive_field(name="category")
    sensitivity: str = strawberry.directive_field(name="sensitivity")
