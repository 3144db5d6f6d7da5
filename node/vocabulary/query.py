"""The roots of the shared vocabulary; each published one has a single owner."""

import strawberry

from node.vocabulary.citizen import Citizen
from node.vocabulary.directives import Semantic
from node.vocabulary.groups import BenefitConnection, CitizenConnection, SupportProgrammeConnection
from node.vocabulary.scalars import TaxCode
from node.vocabulary.selection import (
    BenefitOrderBy,
    BenefitWhere,
    CitizenOrderBy,
    CitizenWhere,
    Connection,
    SupportProgrammeOrderBy,
    SupportProgrammeWhere,
)
from node.vocabulary.services import PublicService
from node.vocabulary.terms import CROCEVIA, argument, first, in_two_languages, root


@strawberry.input(
    one_of=True,
    description=in_two_languages(
        "How one citizen is found: exactly one key.", "La chiave con cui trovare un cittadino."
    ),
)
class CitizenKey:
    """An exact key of one person."""

    id: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET,
        description=in_two_languages("The asking administration's own pseudonym.", "Lo pseudonimo di chi interroga."),
    )
    tax_code: TaxCode | None = strawberry.field(
        default=strawberry.UNSET,
        description=in_two_languages(
            "The tax code, where a policy allows exact look-up.",
            "Il codice fiscale, se la ricerca esatta è consentita.",
        ),
    )


AFTER = argument("after", str | None, "The cursor after which to start.", "Il cursore da cui partire.")


@strawberry.type(
    description=in_two_languages("What may be asked.", "Che cosa si può chiedere."),
    directives=[Semantic(iri=f"{CROCEVIA}Query")],
)
class Query:
    """The roots: `citizen` is answered by the directory of the federation, the lists by the member that owns them."""

    citizen: Citizen | None = root(
        "One citizen, by an exact key.",
        "Un cittadino, con una chiave esatta.",
        [argument("by", CitizenKey, "The key.", "La chiave.")],
    )
    citizens: CitizenConnection | None = root(
        "Registered residents.",
        "I residenti iscritti in anagrafe.",
        [
            first(20),
            AFTER,
            argument("where", CitizenWhere | None, "Which ones.", "Quali."),
            argument("order_by", list[CitizenOrderBy] | None, "In which order.", "In quale ordine."),
        ],
    )
    public_services: Connection[PublicService] | None = root(
        "The catalogue of services.", "Il catalogo dei servizi.", [first(20), AFTER]
    )
    benefits: BenefitConnection | None = root(
        "Benefits paid.",
        "Le prestazioni erogate.",
        [
            first(20),
            AFTER,
            argument("where", BenefitWhere | None, "Which ones.", "Quali."),
            argument("order_by", list[BenefitOrderBy] | None, "In which order.", "In quale ordine."),
        ],
    )
    support_programmes: SupportProgrammeConnection | None = root(
        "Programmes of social support.",
        "I progetti di sostegno.",
        [
            first(20),
            AFTER,
            argument("where", SupportProgrammeWhere | None, "Which ones.", "Quali."),
            argument("order_by", list[SupportProgrammeOrderBy] | None, "In which order.", "In quale ordine."),
        ],
    )
