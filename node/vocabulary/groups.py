"""Counts and measures over the rows of a list, by groups: what a policy's `aggregates` may allow."""

from enum import Enum
from typing import Any

import strawberry

from node.vocabulary.citizen import Benefit, Citizen, SupportProgramme
from node.vocabulary.directives import Semantic
from node.vocabulary.scalars import Date, Decimal, PartialDate
from node.vocabulary.selection import Connection
from node.vocabulary.terms import ADMS, CROCEVIA, DCT, HYDRA, M8G, MU, PERSON, TI, argument, plumbing
from node.vocabulary.terms import in_two_languages as both

_GROUP = Semantic(iri=f"{CROCEVIA}Group")
_SUMMARY = Semantic(iri=f"{CROCEVIA}Measures")
_COUNT = ("How many rows.", "Quante righe.")
_BY = "By which fields; without any, all rows are one group.", "Secondo quali campi; senza, tutto è un gruppo."
_MIN = "The smallest values.", "I valori minimi."
_MAX = "The largest values.", "I valori massimi."
_AVG = "The mean values, to two decimals.", "I valori medi, con due decimali."


def _groups(by: object) -> Any:
    found = plumbing(
        f"{CROCEVIA}groups",
        "Counts by group, where a policy allows them; small groups and what would give them away are left out.",
        "Conteggi per gruppo, se consentiti; i gruppi piccoli, e quelli da cui si ricaverebbero, sono omessi.",
    )
    found.arguments = [argument("by", by, *_BY)]
    return found


@strawberry.enum(description=both("By what citizens may be grouped.", "Come raggruppare i cittadini."))
class CitizenDimension(Enum):
    """Fields of a citizen that make groups."""

    DATE_OF_BIRTH = strawberry.enum_value("dateOfBirth", name="dateOfBirth")
    SEX = strawberry.enum_value("sex", name="sex")
    CITIZENSHIP = strawberry.enum_value("citizenship", name="citizenship")
    MARITAL_STATUS = strawberry.enum_value("maritalStatus", name="maritalStatus")


@strawberry.type(description=both("Measures of a group of citizens.", "Misure su un gruppo."), directives=[_SUMMARY])
class CitizenMeasures:
    """Extremes of a group of citizens."""

    date_of_birth: PartialDate | None = plumbing(f"{M8G}birthDate", "Date of birth.", "La data di nascita.")


@strawberry.type(description=both("One group of citizens.", "Un gruppo di cittadini."), directives=[_GROUP])
class CitizenGroup:
    """Citizens with the same values of the dimensions; what they were not grouped by is null."""

    count: int | None = plumbing(f"{CROCEVIA}count", *_COUNT)
    date_of_birth: PartialDate | None = plumbing(f"{M8G}birthDate", "Born.", "La data di nascita.")
    sex: str | None = plumbing(f"{M8G}sex", "Sex.", "Il sesso.")
    citizenship: str | None = plumbing(f"{PERSON}citizenship", "Citizenship.", "La cittadinanza.")
    marital_status: str | None = plumbing(f"{CROCEVIA}maritalStatus", "Marital status.", "Lo stato civile.")
    min: CitizenMeasures | None = plumbing(f"{CROCEVIA}minimum", *_MIN)
    max: CitizenMeasures | None = plumbing(f"{CROCEVIA}maximum", *_MAX)


@strawberry.type(
    name="CitizenConnection",
    description=both("One page of a list.", "Una pagina di un elenco."),
    directives=[Semantic(iri=f"{HYDRA}Collection")],
)
class CitizenConnection(Connection[Citizen]):
    """Citizens, page by page and by group."""

    groups: list[CitizenGroup] | None = _groups(list[CitizenDimension] | None)


@strawberry.enum(description=both("By what benefits may be grouped.", "Come raggruppare le prestazioni."))
class BenefitDimension(Enum):
    """Fields of a benefit that make groups."""

    KIND = strawberry.enum_value("kind", name="kind")
    STATUS = strawberry.enum_value("status", name="status")
    VALID_FROM = strawberry.enum_value("validFrom", name="validFrom")


@strawberry.type(description=both("Measures of a group of benefits.", "Misure su un gruppo."), directives=[_SUMMARY])
class BenefitMeasures:
    """Extremes of a group of benefits."""

    amount: Decimal | None = plumbing(f"{MU}value", "Euro a month.", "L'importo mensile.")
    valid_from: Date | None = plumbing(f"{TI}startTime", "First day.", "La decorrenza.")
    valid_until: Date | None = plumbing(f"{TI}endTime", "Last day.", "La scadenza.")


@strawberry.type(description=both("Means of a group of benefits.", "Medie su un gruppo."), directives=[_SUMMARY])
class BenefitMeans:
    """Means of a group of benefits."""

    amount: Decimal | None = plumbing(f"{MU}value", "Euro a month.", "L'importo mensile.")


@strawberry.type(description=both("One group of benefits.", "Un gruppo di prestazioni."), directives=[_GROUP])
class BenefitGroup:
    """Benefits with the same values of the dimensions; what they were not grouped by is null."""

    count: int | None = plumbing(f"{CROCEVIA}count", *_COUNT)
    kind: str | None = plumbing(f"{DCT}type", "Kind of benefit.", "Il tipo di prestazione.")
    status: str | None = plumbing(f"{ADMS}status", "State.", "Lo stato.")
    valid_from: Date | None = plumbing(f"{TI}startTime", "First day.", "La decorrenza.")
    min: BenefitMeasures | None = plumbing(f"{CROCEVIA}minimum", *_MIN)
    max: BenefitMeasures | None = plumbing(f"{CROCEVIA}maximum", *_MAX)
    avg: BenefitMeans | None = plumbing(f"{CROCEVIA}mean", *_AVG)


@strawberry.type(
    name="BenefitConnection",
    description=both("One page of a list.", "Una pagina di un elenco."),
    directives=[Semantic(iri=f"{HYDRA}Collection")],
)
class BenefitConnection(Connection[Benefit]):
    """Benefits, page by page and by group."""

    groups: list[BenefitGroup] | None = _groups(list[BenefitDimension] | None)


@strawberry.enum(description=both("By what programmes may be grouped.", "Come raggruppare i progetti."))
class SupportProgrammeDimension(Enum):
    """Fields of a programme that make groups."""

    KIND = strawberry.enum_value("kind", name="kind")
    STATUS = strawberry.enum_value("status", name="status")


@strawberry.type(description=both("Measures of a group of programmes.", "Misure su un gruppo."), directives=[_SUMMARY])
class SupportProgrammeMeasures:
    """Extremes of a group of programmes."""

    started_on: Date | None = plumbing(f"{TI}startTime", "First day.", "La data di inizio.")
    ended_on: Date | None = plumbing(f"{TI}endTime", "Last day.", "La data di fine.")
    weekly_hours: int | None = plumbing(f"{CROCEVIA}weeklyHours", "Hours a week.", "Le ore settimanali.")


@strawberry.type(description=both("Means of a group of programmes.", "Medie su un gruppo."), directives=[_SUMMARY])
class SupportProgrammeMeans:
    """Means of a group of programmes."""

    weekly_hours: Decimal | None = plumbing(f"{CROCEVIA}weeklyHours", "Hours a week.", "Le ore settimanali.")


@strawberry.type(description=both("One group of programmes.", "Un gruppo di progetti."), directives=[_GROUP])
class SupportProgrammeGroup:
    """Programmes with the same values of the dimensions; what they were not grouped by is null."""

    count: int | None = plumbing(f"{CROCEVIA}count", *_COUNT)
    kind: str | None = plumbing(f"{DCT}type", "Kind of support.", "Il tipo di sostegno.")
    status: str | None = plumbing(f"{ADMS}status", "State.", "Lo stato.")
    min: SupportProgrammeMeasures | None = plumbing(f"{CROCEVIA}minimum", *_MIN)
    max: SupportProgrammeMeasures | None = plumbing(f"{CROCEVIA}maximum", *_MAX)
    avg: SupportProgrammeMeans | None = plumbing(f"{CROCEVIA}mean", *_AVG)


@strawberry.type(
    name="SupportProgrammeConnection",
    description=both("One page of a list.", "Una pagina di un elenco."),
    directives=[Semantic(iri=f"{HYDRA}Collection")],
)
class SupportProgrammeConnection(Connection[SupportProgramme]):
    """Programmes, page by page and by group."""

    groups: list[SupportProgrammeGroup] | None = _groups(list[SupportProgrammeDimension] | None)
