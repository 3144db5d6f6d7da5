"""The citizen and what the registers hold about one (Core Person 2.1.2, CPV-AP_IT)."""

import strawberry

from node.vocabulary.directives import Category
from node.vocabulary.scalars import Banded, Date, Decimal, Email, PartialDate, TaxCode
from node.vocabulary.services import Interaction, PublicOrganisation, ServiceCase
from node.vocabulary.terms import (
    ADMS,
    CLV,
    COV,
    CPV,
    CROCEVIA,
    DCT,
    FOAF,
    LEARNING,
    LOCN,
    M8G,
    MU,
    PERSON,
    RDFS,
    SKOS,
    TI,
    concept,
    entity,
    field,
    first,
    shared_concept,
)


@shared_concept(f"{DCT}Location", "A place with a name.", "Un luogo con un nome.")
class Location:
    """Core Location."""

    geographic_name: str | None = field(f"{LOCN}geographicName", Category.BIRTH, "Its name.", "Il nome del luogo.")
    geographic_identifier: str | None = field(
        f"{RDFS}seeAlso",
        Category.BIRTH,
        "Its cadastral code; for a foreign country, that of the country.",
        "Il codice catastale del comune o dello Stato estero.",
    )


@shared_concept(f"{LOCN}Address", "A postal address.", "Un indirizzo.")
class Address:
    """Core Location Address."""

    full_address: str | None = field(
        f"{LOCN}fullAddress", Category.ADDRESS, "The whole address in one line.", "L'indirizzo completo."
    )
    thoroughfare: str | None = field(f"{LOCN}thoroughfare", Category.ADDRESS, "The street.", "La via.")
    locator_designator: str | None = field(
        f"{LOCN}locatorDesignator", Category.ADDRESS, "The house number.", "Il numero civico."
    )
    post_code: str | None = field(f"{LOCN}postCode", Category.ADDRESS, "The post code.", "Il CAP.")
    post_name: str | None = field(f"{LOCN}postName", Category.ADDRESS, "The town.", "La località.")
    admin_unit_l1: str | None = field(f"{LOCN}adminUnitL1", Category.ADDRESS, "The country.", "Lo Stato.")
    admin_unit_l2: str | None = field(
        f"{LOCN}adminUnitL2", Category.ADDRESS, "The province, as its two letters.", "La sigla della provincia."
    )


@concept(f"{CPV}ResidenceInTime", "Where a citizen is registered, and since when.", "La residenza nel tempo.")
class Residence:
    """CPV-AP_IT ResidenceInTime."""

    address: Address | None = field(f"{CLV}hasAddress", Category.ADDRESS, "The address.", "L'indirizzo.")
    municipality: str | None = field(
        f"{CLV}hasCity", Category.ADDRESS, "The cadastral code of the municipality.", "Il codice catastale del comune."
    )
    since: PartialDate | None = field(f"{TI}startTime", Category.ADDRESS, "Since when.", "Dalla data.")
    until: PartialDate | None = field(f"{TI}endTime", Category.ADDRESS, "Until when.", "Fino alla data.")
    status: str | None = field(
        f"{ADMS}status",
        Category.ADDRESS,
        "`resident`, `emigrated` or `deceased`.",
        "Residente (`resident`), emigrato (`emigrated`) o deceduto (`deceased`).",
    )


@concept(f"{CPV}Person", "A member of a household as the household sees it.", "Un componente della famiglia.")
class HouseholdMember:
    """A person of a household, without an identifier of their own."""

    given_name: str | None = field(f"{FOAF}givenName", Category.FAMILY, "Given name.", "Il nome.")
    year_of_birth: int | None = field(
        f"{CROCEVIA}yearOfBirth", Category.FAMILY, "The year of birth.", "L'anno di nascita."
    )
    kinship: str | None = field(
        f"{CPV}hasParentalRelationshipWith",
        Category.FAMILY,
        "The relation to the head of the household.",
        "La relazione di parentela con l'intestatario della scheda.",
    )


@concept(f"{CPV}Family", "The household a citizen is registered with.", "La famiglia anagrafica.")
class Household:
    """CPV-AP_IT Family."""

    size: int | None = field(
        f"{CROCEVIA}householdSize", Category.FAMILY, "How many people.", "Il numero di componenti."
    )
    kinship: str | None = field(
        f"{CPV}hasParentalRelationshipWith",
        Category.FAMILY,
        "The citizen's relation to the head of the household.",
        "La relazione di parentela del cittadino con l'intestatario della scheda.",
    )
    members: list[HouseholdMember] | None = field(
        f"{FOAF}member", Category.FAMILY, "Everybody in it, the citizen included.", "Tutti i componenti."
    )


@concept(f"{M8G}ContactPoint", "A way to reach a citizen.", "Un recapito del cittadino.")
class ContactPoint:
    """Core Person ContactPoint."""

    channel: str | None = field(f"{DCT}type", Category.CONTACT, "What kind of contact it is.", "Il tipo di recapito.")
    email: Email | None = field(f"{M8G}email", Category.CONTACT, "Electronic mail.", "La posta elettronica.")
    telephone: str | None = field(f"{M8G}telephone", Category.CONTACT, "Telephone number.", "Il numero di telefono.")
    preferred: bool | None = field(
        f"{CROCEVIA}preferred", Category.CONTACT, "Whether the citizen prefers it.", "Se è il recapito preferito."
    )
    language: str | None = field(
        f"{DCT}language", Category.CONTACT, "The language the citizen prefers there.", "La lingua preferita."
    )


@concept(f"{CROCEVIA}HealthExemption", "An exemption from health fees.", "Un'esenzione dal ticket sanitario.")
class HealthExemption:
    """An exemption as the health authority records it."""

    code: str | None = field(f"{DCT}identifier", Category.HEALTH, "Its national code.", "Il codice di esenzione.")
    description: str | None = field(f"{DCT}description", Category.HEALTH, "Why it was given.", "Il motivo.")
    valid_from: Date | None = field(f"{TI}startTime", Category.HEALTH, "First day.", "Primo giorno di validità.")
    valid_until: Date | None = field(f"{TI}endTime", Category.HEALTH, "Last day.", "Ultimo giorno di validità.")


@concept(f"{CROCEVIA}Disability", "A recognised civil disability.", "Un'invalidità civile riconosciuta.")
class Disability:
    """A recognition of disability as the health authority records it."""

    recognised: bool | None = field(
        f"{CROCEVIA}recognised", Category.HEALTH, "Whether it is recognised.", "Se l'invalidità è riconosciuta."
    )
    percentage: int | None = field(
        f"{CROCEVIA}disabilityPercentage", Category.HEALTH, "Its degree in percent.", "La percentuale di invalidità."
    )
    recognised_on: PartialDate | None = field(
        f"{DCT}issued", Category.HEALTH, "The date of the recognition.", "La data del riconoscimento."
    )


@entity(f"{CROCEVIA}Benefit", "A benefit paid by social security.", "Una prestazione previdenziale o assistenziale.")
class Benefit:
    """A benefit as the social-security institute records it."""

    id: strawberry.ID | None = field(f"{DCT}identifier", Category.INCOME, "Its number.", "Il numero della prestazione.")
    kind: str | None = field(f"{DCT}type", Category.INCOME, "What kind of benefit.", "Il tipo di prestazione.")
    status: str | None = field(f"{ADMS}status", Category.INCOME, "Its state.", "Lo stato della prestazione.")
    amount: Decimal | None = field(f"{MU}value", Category.INCOME, "Euro a month.", "L'importo mensile in euro.")
    valid_from: Date | None = field(f"{TI}startTime", Category.INCOME, "First day.", "La data di decorrenza.")
    valid_until: Date | None = field(f"{TI}endTime", Category.INCOME, "Last day.", "La data di scadenza.")


@concept(f"{CROCEVIA}Contribution", "Social-security contributions of one year.", "I contributi di un anno.")
class Contribution:
    """Contributions paid for a citizen by one employer in one year."""

    year: int | None = field(f"{TI}year", Category.INCOME, "The year they were earned in.", "L'anno di competenza.")
    weeks: int | None = field(f"{TI}duration", Category.INCOME, "Weeks credited.", "Le settimane accreditate.")
    employer: str | None = field(f"{COV}legalName", Category.INCOME, "Who paid them.", "Il datore di lavoro.")
    amount: Decimal | None = field(f"{MU}value", Category.INCOME, "Euro paid.", "L'importo versato in euro.")


@concept(f"{LEARNING}Enrolment", "A pupil's enrolment for one school year.", "L'iscrizione a un anno scolastico.")
class Enrolment:
    """Learning-AP_IT Enrolment."""

    school_year: str | None = field(
        f"{LEARNING}hasAcademicYear", Category.EDUCATION, "The school year, `2026/27`.", "L'anno scolastico."
    )
    school: PublicOrganisation | None = field(
        f"{LEARNING}atInstitute", Category.EDUCATION, "The school.", "Il plesso scolastico."
    )
    grade: str | None = field(f"{LEARNING}courseYear", Category.EDUCATION, "The class attended.", "La classe.")
    status: str | None = field(
        f"{LEARNING}hasEnrolmentStatus", Category.EDUCATION, "Its state.", "Lo stato dell'iscrizione."
    )
    meal_service: bool | None = field(
        f"{CROCEVIA}mealService", Category.EDUCATION, "Whether meals are taken.", "Se usufruisce della mensa."
    )


@entity(f"{CROCEVIA}SupportProgramme", "A programme of social support.", "Un progetto di sostegno sociale.")
class SupportProgramme:
    """A programme as a social cooperative records it."""

    id: strawberry.ID | None = field(f"{DCT}identifier", Category.SUPPORT, "Its number.", "Il numero del progetto.")
    kind: str | None = field(f"{DCT}type", Category.SUPPORT, "What kind of support.", "Il tipo di sostegno.")
    status: str | None = field(f"{ADMS}status", Category.SUPPORT, "Its state.", "Lo stato del progetto.")
    started_on: Date | None = field(f"{TI}startTime", Category.SUPPORT, "First day.", "La data di inizio.")
    ended_on: Date | None = field(f"{TI}endTime", Category.SUPPORT, "Last day.", "La data di fine.")
    weekly_hours: int | None = field(
        f"{CROCEVIA}weeklyHours", Category.SUPPORT, "Hours a week.", "Le ore settimanali previste."
    )
    notes: str | None = field(
        f"{SKOS}note", Category.SUPPORT, "The workers' own notes.", "Le annotazioni degli operatori."
    )


@entity(f"{PERSON}Person", "A natural person known to at least one member.", "Una persona nota ad almeno un aderente.")
class Citizen:
    """Core Person Person; every member owns some of its fields."""

    id: strawberry.ID | None = field(
        f"{DCT}identifier",
        Category.IDENTIFIER,
        "The pseudonym of the citizen, valid for the asking administration only.",
        "Lo pseudonimo del cittadino, valido solo per l'amministrazione che interroga.",
    )
    tax_code: TaxCode | None = field(f"{CPV}taxCode", Category.IDENTIFIER, "The tax code.", "Il codice fiscale.")
    given_name: str | None = field(f"{FOAF}givenName", Category.NAME, "Given name.", "Il nome.")
    family_name: str | None = field(f"{FOAF}familyName", Category.NAME, "Family name.", "Il cognome.")
    date_of_birth: PartialDate | None = field(
        f"{M8G}birthDate", Category.BIRTH, "When the citizen was born.", "La data di nascita."
    )
    place_of_birth: Location | None = field(
        f"{PERSON}placeOfBirth", Category.BIRTH, "Where the citizen was born.", "Il luogo di nascita."
    )
    sex: str | None = field(
        f"{M8G}sex", Category.GENDER, "`male` or `female`.", "Maschio (`male`) o femmina (`female`)."
    )
    citizenship: str | None = field(
        f"{PERSON}citizenship", Category.BIRTH, "Country code, ISO 3166-1 alpha-3.", "La cittadinanza (ISO 3166-1)."
    )
    marital_status: str | None = field(
        f"{CROCEVIA}maritalStatus", Category.FAMILY, "Marital status.", "Lo stato civile."
    )
    residence: Residence | None = field(
        f"{CPV}hasResidenceInTime", Category.ADDRESS, "The present residence.", "La residenza attuale."
    )
    household: Household | None = field(
        f"{CPV}belongsToFamily", Category.FAMILY, "The registered household.", "La famiglia anagrafica."
    )
    contact_points: list[ContactPoint] | None = field(
        f"{M8G}contactPoint", Category.CONTACT, "How to reach the citizen.", "I recapiti."
    )
    cases: list[ServiceCase] | None = field(
        f"{CROCEVIA}case", Category.CASE, "Procedures, newest first.", "Le pratiche, dalla più recente.", [first(20)]
    )
    interactions: list[Interaction] | None = field(
        f"{CROCEVIA}interaction",
        Category.RELATION,
        "Contacts over every channel, newest first.",
        "I contatti su ogni canale, dal più recente.",
        [first(20)],
    )
    health_exemptions: list[HealthExemption] | None = field(
        f"{CROCEVIA}healthExemption", Category.HEALTH, "Exemptions from health fees.", "Le esenzioni dal ticket."
    )
    disability: Disability | None = field(
        f"{CROCEVIA}disability", Category.HEALTH, "Recognised disability.", "L'invalidità civile riconosciuta."
    )
    isee: Banded | None = field(
        f"{CROCEVIA}isee",
        Category.INCOME,
        "Equivalised income of the household in euro, or its band.",
        "L'indicatore ISEE del nucleo in euro, o la sua fascia.",
    )
    benefits: list[Benefit] | None = field(
        f"{CROCEVIA}benefit", Category.INCOME, "Benefits, newest first.", "Le prestazioni.", [first(20)]
    )
    contributions: list[Contribution] | None = field(
        f"{CROCEVIA}contribution", Category.INCOME, "Contributions, newest first.", "I contributi.", [first(20)]
    )
    enrolments: list[Enrolment] | None = field(
        f"{LEARNING}hasEnrolment", Category.EDUCATION, "School enrolments, newest first.", "Le iscrizioni a scuola."
    )
    support_programmes: list[SupportProgramme] | None = field(
        f"{CROCEVIA}supportProgramme", Category.SUPPORT, "Programmes of social support.", "I progetti di sostegno."
    )
