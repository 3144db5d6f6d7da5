"""What each showcase query must answer: worked out by hand from the people as they were made and the policies.

Nothing here asks the policy engine, a mapping or a register: a rule is written as the sentence an officer would say,
once per query, so that the demo's check has something independent to compare the federation's answers with. When a
policy under `policies/` changes, its sentence here changes with it.

The queries are `deploy/demo/queries/<name>.graphql`; each takes one variable `by` of type `CitizenKey`, except
`statistics`, which lists.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Final

from node.demo.answers import Amount, AnyText, Rows, Tree
from node.demo.facts import HEALTH_AREA, MUNICIPALITY, CivilRecord, Consent, Person
from node.demo.records import SERVICES
from node.demo.seed import read_truth


@dataclass(frozen=True, slots=True)
class Expectation:
    """What one consumer must receive for one citizen.

    `denied` holds the response paths, without list positions, that must be reported as `FIELD_DENIED`; a path below an
    object that is null or a list that is empty may also go unreported. `masked` holds the field coordinates whose
    values are masked wherever they appear.

    `found_by_tax_code` says whether the citizen can be looked up by tax code: only the municipality knows codes for the
    federation, and a row that it may not show is one that it does not have. Where it is false such a look-up answers
    `{"citizen": null}`; a look-up by the consumer's own pseudonym answers `data` in any case.
    """

    query: str
    consumer: str
    purpose: str
    data: Tree
    denied: frozenset[str]
    masked: frozenset[str]
    found_by_tax_code: bool


@dataclass(frozen=True, slots=True)
class Town:
    """The people a check asks about, and the civil records of everybody they live with."""

    people: tuple[Person, ...]
    households: dict[int, tuple[CivilRecord, ...]]

    def documented(self, name: str) -> Person:
        """Return a documented person by the name in `deploy/demo/people.yaml`.

        Raises:
            KeyError: nobody has that name.
        """
        for person in self.people:
            if person.showcase == name:
                return person
        raise KeyError(name)

    def living_with(self, record: CivilRecord) -> tuple[CivilRecord, ...]:
        """Return the residents of a citizen's household, oldest first."""
        return self.households[record.household]


ConsumerPseudonym = Callable[[str, bytes], str]
"""From a consumer and a subject id to the consumer's own pseudonym of that subject."""

CARD: Final = "BNCLRA84H57F257B"
"""The tax code that the operator of the cooperative reads on a health card: the default of the query's `card`."""
STATISTICS_YEAR: Final = "1984"
STATISTICS_SEX: Final = "female"
_PAGE: Final = 100
_ADULT_AT_SCHOOL: Final = 19
_CHILD_OF_A_FAMILY: Final = 21
_OLDEST_BAND: Final = 100
_LARGE_HOUSEHOLD: Final = 6

_EXEMPTIONS: Final = {
    "E01": "Età inferiore a 6 o superiore a 65 anni e reddito",
    "E02": "Disoccupazione e reddito",
    "E03": "Assegno sociale",
    "C01": "Invalidità civile al 100 per cento senza accompagnamento",
    "C03": "Invalidità civile dal 67 al 99 per cento",
    "013": "Diabete mellito",
    "0A31": "Ipertensione arteriosa",
    "048": "Patologia neoplastica",
    "M50": "Gravidanza a rischio",
}
_SCHOOLS: Final = {
    "BVAA99901X": ("Scuola dell'infanzia Girotondo", "nursery-school"),
    "BVEE999012": ("Scuola primaria Maria Montessori", "primary-school"),
    "BVMM999011": ("Scuola secondaria di primo grado Laura Bassi", "lower-secondary-school"),
}
_SERVICE_DAYS: Final = {
    "SRV01": 45,
    "SRV02": 6,
    "SRV03": 60,
    "SRV04": 60,
    "SRV05": 30,
    "SRV06": 90,
    "SRV07": 30,
    "SRV08": 0,
}
_SERVICE_COST: Final = {"SRV02": "22.21"}


def read_town(truth_file: Path, wanted: Callable[[int, Person], bool]) -> Town:
    """Read the people for whom `wanted(position, person)` is true, and everybody they live with.

    The file is read twice, so that a town of any size fits in memory. The people of the statistics query are always
    read.
    """
    people = tuple(
        person
        for position, person in enumerate(read_truth(truth_file))
        if wanted(position, person) or _is_counted(person)
    )
    numbers = {person.civil.household for person in people if person.civil}
    households: dict[int, list[CivilRecord]] = {number: [] for number in numbers}
    for person in read_truth(truth_file):
        if person.civil and person.civil.household in numbers and person.civil.status == "resident":
            households[person.civil.household].append(person.civil)
    by_age = {
        number: tuple(sorted(records, key=lambda record: (record.born[:4], record.number)))
        for number, records in households.items()
    }
    return Town(people, by_age)


# --- the six showcase queries ---------------------------------------------------------------------------------------


def benefit_assessment(person: Person, town: Town, today: date, pseudonym: ConsumerPseudonym) -> Expectation:
    """Work out what social security sees: identity, family, income band, benefits, rounded disability."""
    # Residents only; contacts, exemption codes, classes and the cooperative's notes are not needed for a benefit.
    civil = person.civil if person.civil and person.civil.status == "resident" else None
    health, security, support = person.health, person.security, person.support
    school = person.school if person.school and _age(person.school.born, today, _CHILD_OF_A_FAMILY) else None
    citizen = {
        "id": pseudonym("inprev", person.subject_id),
        **_names(civil, "givenName", "familyName"),
        "dateOfBirth": civil and civil.born,
        "placeOfBirth": civil and civil.birthplace and {"geographicName": civil.birthplace.name},
        "maritalStatus": civil and civil.marital_status,
        # Nobody outside an emergency learns where a protected person lives, or one whose flag is unknown.
        "residence": civil
        and _unless_protected(
            civil,
            {
                "municipality": MUNICIPALITY,
                "since": civil.since,
                "address": {"fullAddress": _full_address(civil), "postCode": civil.home.post_code},
            },
        ),
        "household": civil
        and {
            "size": civil.household_size,
            "kinship": civil.kinship,
            "members": [
                {"givenName": member.given_name, "yearOfBirth": int(member.born[:4]), "kinship": member.kinship}
                for member in town.living_with(civil)
                if member.protected is False
            ],
        },
        "contactPoints": None,
        "isee": security and _band(security.isee, (0, 6000, 9360, 15000, 25000, 40000)),
        "benefits": security
        and [
            {
                "kind": benefit.kind,
                "status": benefit.status,
                "amount": Amount(benefit.amount),
                "validFrom": benefit.valid_from,
                "validUntil": benefit.valid_until,
            }
            for benefit in sorted(security.benefits, key=lambda benefit: benefit.valid_from, reverse=True)[:5]
        ],
        "contributions": security
        and [
            {"year": year.year, "weeks": year.weeks, "employer": year.employer, "amount": Amount(year.amount)}
            for year in security.contributions[:5]
        ],
        "disability": health
        and health.disability
        and {
            "recognised": health.disability.recognised,
            "percentage": _rounded(health.disability.percentage, 10),
            "recognisedOn": health.disability.recognised_on[:7],
        },
        "healthExemptions": None,
        "enrolments": school
        and [{"schoolYear": year.school_year, "status": year.status, "grade": None} for year in school.enrolments],
        "supportProgrammes": support
        and [
            {"kind": programme.kind, "status": programme.status, "startedOn": programme.started_on, "notes": None}
            for programme in support.programmes
        ],
    }
    return Expectation(
        query="benefit-assessment",
        consumer="inprev",
        purpose="benefit-assessment",
        data={"citizen": citizen},
        denied=_paths("contactPoints healthExemptions enrolments.grade supportProgrammes.notes"),
        masked=frozenset({"Citizen.isee", "Disability.percentage", "Disability.recognisedOn"}),
        found_by_tax_code=_has_code(civil),
    )


def school_enrolment(person: Person, town: Town, today: date, pseudonym: ConsumerPseudonym) -> Expectation:
    """Work out what the school sees: children of its town, their home and whom to call; no code, income or health."""
    civil = person.civil
    if civil and not (civil.status == "resident" and _age(civil.born, today, _ADULT_AT_SCHOOL)):
        civil = None
    citizen = {
        "id": pseudonym("istsc_bv01", person.subject_id),
        "taxCode": None,
        **_names(civil, "givenName", "familyName"),
        "dateOfBirth": civil and civil.born,
        "citizenship": civil and civil.citizenship,
        "residence": civil
        and _unless_protected(
            civil,
            {
                "since": civil.since[:4],
                "address": {
                    "fullAddress": _full_address(civil),
                    "postCode": civil.home.post_code,
                    "postName": civil.home.town,
                },
            },
        ),
        "household": civil
        and {
            "size": None,
            "kinship": civil.kinship,
            # In no particular order: years of birth are denied to schools, and an order by them would tell.
            "members": Rows(
                tuple(
                    {"givenName": member.given_name, "yearOfBirth": None, "kinship": member.kinship}
                    for member in town.living_with(civil)
                    if member.protected is False
                ),
                _PAGE,
            ),
        },
        "contactPoints": civil
        and [
            {
                "channel": contact.channel,
                "email": _masked_email(contact.email),
                "telephone": contact.telephone,
                "language": contact.language,
            }
            for contact in civil.contacts
            if civil.protected is False
        ],
        "isee": None,
        "disability": None,
        "enrolments": person.school
        and [
            {
                "schoolYear": year.school_year,
                "grade": year.grade,
                "status": year.status,
                "mealService": year.meal_service,
                "school": {"prefLabel": _SCHOOLS[year.school][0], "classification": _SCHOOLS[year.school][1]},
            }
            for year in person.school.enrolments
        ],
    }
    return Expectation(
        query="school-enrolment",
        consumer="istsc_bv01",
        purpose="school-enrolment",
        data={"citizen": citizen},
        denied=_paths("taxCode household.size household.members.yearOfBirth isee disability"),
        masked=frozenset({"Residence.since", "ContactPoint.email"}),
        found_by_tax_code=_has_code(civil),
    )


def emergency_care(person: Person, town: Town, _today: date, pseudonym: ConsumerPseudonym) -> Expectation:
    """Work out what the emergency room sees: whom it treats, where from, whom to call; the protected included."""
    civil, health = person.civil, person.health
    support = person.support if person.support and person.support.active else None
    citizen = {
        "id": pseudonym("aslvs", person.subject_id),
        **_names(civil, "givenName", "familyName"),
        "dateOfBirth": civil and civil.born,
        "sex": civil and civil.sex,
        "maritalStatus": None,
        "residence": civil
        and {
            "municipality": MUNICIPALITY,
            "address": {"fullAddress": _full_address(civil), "locatorDesignator": civil.home.number},
        },
        "household": civil
        and {
            "size": civil.household_size,
            "members": [
                {
                    "givenName": member.given_name,
                    "yearOfBirth": _rounded(int(member.born[:4]), 5),
                    "kinship": member.kinship,
                }
                for member in town.living_with(civil)
            ],
        },
        "contactPoints": civil
        and [
            {"channel": contact.channel, "telephone": contact.telephone, "email": None, "preferred": contact.preferred}
            for contact in civil.contacts
        ],
        "healthExemptions": health
        and [
            {
                "code": exemption.code,
                "description": _EXEMPTIONS[exemption.code],
                "validFrom": exemption.valid_from,
                "validUntil": exemption.valid_until,
            }
            for exemption in health.exemptions
        ],
        "disability": health
        and health.disability
        and {
            "recognised": health.disability.recognised,
            "percentage": health.disability.percentage,
            "recognisedOn": health.disability.recognised_on,
        },
        "isee": None,
        "supportProgrammes": support
        and [
            {
                "kind": programme.kind,
                "status": programme.status,
                "notes": programme.notes and "riservato: chiamare la cooperativa",
            }
            for programme in support.programmes
            if programme.status == "active"
        ],
    }
    return Expectation(
        query="emergency-care",
        consumer="aslvs",
        purpose="emergency-care",
        data={"citizen": citizen},
        denied=_paths("maritalStatus contactPoints.email isee"),
        masked=frozenset({"HouseholdMember.yearOfBirth", "SupportProgramme.notes"}),
        found_by_tax_code=_has_code(civil),
    )


def social_support(person: Person, _town: Town, today: date, pseudonym: ConsumerPseudonym) -> Expectation:
    """Work out what the cooperative sees: a first name, an initial, an age band, and what it needs to plan."""
    civil = person.civil if person.civil and person.civil.status == "resident" else None
    health = person.health if person.health and person.health.area == HEALTH_AREA else None
    security, support = person.security, person.support
    citizen = {
        "id": pseudonym("coop_ponte", person.subject_id),
        "givenName": civil and civil.given_name,
        "familyName": civil and civil.family_name[:1] + "*" * 7,
        "taxCodeMatches": civil and civil.tax_code and civil.tax_code == CARD,
        "dateOfBirth": civil and _age_band(civil.born, today),
        "household": civil and {"size": civil.household_size, "kinship": civil.kinship},
        "contactPoints": civil
        and [
            {
                "channel": contact.channel,
                "email": _masked_email(contact.email),
                "telephone": contact.telephone and contact.telephone[:4].ljust(13, "*"),
                "preferred": contact.preferred,
            }
            for contact in civil.contacts
            if civil.protected is False
        ],
        "isee": security and _band(security.isee, (0, 9360, 25000)),
        "benefits": security
        and [
            {"kind": benefit.kind, "status": benefit.status, "amount": None, "validUntil": benefit.valid_until}
            for benefit in sorted(security.benefits, key=lambda benefit: benefit.valid_from, reverse=True)
            if benefit.status == "active"
        ][:5],
        "disability": health and health.disability and {"recognised": health.disability.recognised, "percentage": None},
        "supportProgrammes": support
        and [
            {
                "id": programme.number,
                "kind": programme.kind,
                "status": programme.status,
                "startedOn": programme.started_on,
                "endedOn": programme.ended_on,
                "weeklyHours": programme.weekly_hours,
                "notes": programme.notes,
            }
            for programme in support.programmes
        ],
    }
    return Expectation(
        query="social-support",
        consumer="coop_ponte",
        purpose="social-support",
        data={"citizen": citizen},
        denied=_paths("benefits.amount disability.percentage"),
        masked=frozenset(
            {
                "Citizen.familyName",
                "Citizen.dateOfBirth",
                "Citizen.isee",
                "ContactPoint.email",
                "ContactPoint.telephone",
            }
        ),
        found_by_tax_code=_has_code(civil),
    )


def service_notices(person: Person, _town: Town, today: date, pseudonym: ConsumerPseudonym) -> Expectation:
    """Work out what the municipality may use for notices: only of those who agreed and have not changed their mind."""
    civil = person.civil if person.civil and _agreed(person.civil.consents, today) else None
    school = person.school
    if school and not (school.currently_enrolled and _agreed(school.consents, today)):
        school = None
    citizen = {
        "id": pseudonym("c_m999", person.subject_id),
        "givenName": civil and civil.given_name,
        "familyName": None,
        "contactPoints": civil
        and [
            {
                "channel": contact.channel,
                "email": contact.email,
                "telephone": contact.telephone,
                "preferred": contact.preferred,
            }
            for contact in civil.contacts
            if civil.protected is False
        ],
        "cases": civil
        and [
            {
                "id": case.number,
                "title": case.title,
                "status": case.status,
                "openedOn": case.opened_on,
                "deadline": case.deadline,
                "service": {
                    "id": case.service,
                    "title": SERVICES[case.service],
                    "processingTime": f"P{_SERVICE_DAYS[case.service]}D",
                    "cost": Amount(_SERVICE_COST.get(case.service, "0")),
                },
            }
            for case in civil.cases[:5]
        ],
        "interactions": civil
        and [
            {
                "channel": dealing.channel,
                "direction": dealing.direction,
                "topic": dealing.topic,
                "outcome": dealing.outcome,
                "at": dealing.at,
                "service": dealing.service and {"title": SERVICES[dealing.service]},
            }
            for dealing in civil.dealings[:5]
        ],
        "enrolments": school
        and [
            {
                "schoolYear": year.school_year,
                "grade": None,
                "mealService": year.meal_service,
                "school": {"prefLabel": _SCHOOLS[year.school][0]},
            }
            for year in school.enrolments
            if year.status == "active"
        ],
        "isee": None,
    }
    return Expectation(
        query="service-notices",
        consumer="c_m999",
        purpose="service-notices",
        data={"citizen": citizen},
        denied=_paths("familyName enrolments.grade isee"),
        masked=frozenset(),
        found_by_tax_code=_has_code(civil),
    )


def statistics(town: Town) -> Expectation:
    """Work out what official statistics sees of the women of one year: no names, years for dates, nobody protected."""
    rows = [
        {"node": _counted_person(person, person.civil)}
        for person in town.people
        if person.civil and _is_counted(person)
    ]
    page = {"pageInfo": {"hasNextPage": len(rows) > _PAGE}, "edges": Rows(tuple(rows), _PAGE)}
    return Expectation(
        query="statistics",
        consumer="ustat",
        purpose="statistics",
        data={"citizens": page},
        denied=frozenset({"citizens.edges.node.givenName"}),
        masked=frozenset(
            {
                "Citizen.id",
                "Citizen.dateOfBirth",
                "Citizen.isee",
                "Residence.since",
                "Address.postCode",
                "Household.size",
                "Disability.percentage",
                "Disability.recognisedOn",
            }
        ),
        found_by_tax_code=False,
    )


ABOUT_ONE: Final = (benefit_assessment, school_enrolment, emergency_care, social_support, service_notices)
"""The showcase queries about one citizen, in the order the demo shows them."""


def _is_counted(person: Person) -> bool:
    """Say whether the statistics query lists a person: a resident woman of the year who is surely not protected."""
    civil = person.civil
    return (
        civil is not None
        and civil.status == "resident"
        and civil.protected is False
        and civil.sex == STATISTICS_SEX
        and civil.born[:4] == STATISTICS_YEAR
    )


def _counted_person(person: Person, civil: CivilRecord) -> Tree:
    security = person.security if person.security and not person.security.protected else None
    health = person.health if person.health and not person.health.protected else None
    return {
        "id": AnyText(),
        "givenName": None,
        "dateOfBirth": civil.born[:4],
        "sex": civil.sex,
        "citizenship": civil.citizenship,
        "maritalStatus": civil.marital_status,
        "residence": {
            "municipality": MUNICIPALITY,
            "since": civil.since[:4],
            "status": civil.status,
            "address": {"postCode": civil.home.post_code[:2], "adminUnitL2": civil.home.province},
        },
        "household": {"size": min(civil.household_size, _LARGE_HOUSEHOLD), "kinship": civil.kinship},
        "isee": security and _band(security.isee, (0, 9360, 15000, 25000, 40000)),
        "disability": health
        and health.disability
        and {
            "recognised": health.disability.recognised,
            "percentage": _rounded(health.disability.percentage, 20),
            "recognisedOn": health.disability.recognised_on[:4],
        },
    }


# --- sentences used by several --------------------------------------------------------------------------------------


def _names(civil: CivilRecord | None, *names: str) -> dict[str, str | None]:
    given: dict[str, str | None] = {
        "givenName": civil.given_name if civil else None,
        "familyName": civil.family_name if civil else None,
    }
    return {name: given[name] for name in names}


def _unless_protected(civil: CivilRecord, tree: Tree) -> Tree:
    """Hide what a protected person, or one whose flag nobody filled in, must not be found by."""
    return tree if civil.protected is False else None


def _has_code(civil: CivilRecord | None) -> bool:
    return civil is not None and civil.tax_code is not None


def _agreed(consents: Iterable[Consent], today: date) -> bool:
    day = today.isoformat()
    return any(
        consent.purpose == "service-notices"
        and consent.given <= day
        and (consent.withdrawn is None or day < consent.withdrawn)
        and (consent.expires is None or day <= consent.expires)
        for consent in consents
    )


def _age(born: str, today: date, below: int) -> bool:
    """Say whether somebody is surely younger than `below`: a date without its day tells nothing."""
    years = _years(born, today)
    return years is not None and years < below


def _years(born: str, today: date) -> int | None:
    if len(born) < len("2026-01-01"):
        return None
    return today.year - int(born[:4]) - (today.isoformat()[5:] < born[5:])


def _age_band(born: str, today: date) -> str | None:
    years = _years(born, today)
    if years is None:
        return None
    return f"{_OLDEST_BAND}+" if years >= _OLDEST_BAND else f"{years // 10 * 10}-{years // 10 * 10 + 9}"


def _band(amount: str | None, bounds: tuple[int, ...]) -> str | None:
    if amount is None:
        return None
    below = [bound for bound in bounds if bound <= Decimal(amount)]
    above = [bound for bound in bounds if bound > Decimal(amount)]
    return f"{f'[{below[-1]}' if below else '('},{above[0] if above else ''})"


def _rounded(number: int, step: int) -> int:
    """Round to the nearest multiple; no figure of the demo lies half-way."""
    return (2 * number + step) // (2 * step) * step


def _masked_email(address: str | None) -> str | None:
    if address is None:
        return None
    mailbox, domain = address.split("@")
    return f"{mailbox[0]}***@{domain[0]}***"


def _full_address(civil: CivilRecord) -> str:
    home = civil.home
    return f"{home.thoroughfare} {home.number}, {home.post_code} {home.town}, {home.province}"


def _paths(below_citizen: str) -> frozenset[str]:
    return frozenset(f"citizen.{path}" for path in below_citizen.split())
