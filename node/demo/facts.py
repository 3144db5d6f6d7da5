"""What the demo's synthetic people are: the facts behind every register, before any register writes them its own way.

All dates and times are ISO texts, amounts are decimal texts, codes are words of the vocabulary; `None` is a value that
the register does not have. The truth file of the demo is a line of JSON per `Person`.
"""

from dataclasses import dataclass
from datetime import date
from typing import Final

SEED_DAY: Final = date(2026, 11, 1)
"""The day on which the demo's registers were filled: ages and states are as of that day."""

MUNICIPALITY: Final = "M999"
HEALTH_AREA: Final = "3_12"


@dataclass(frozen=True, slots=True)
class Place:
    """A birthplace: its name, its cadastral code, and the country's code."""

    name: str
    code: str
    country: str


@dataclass(frozen=True, slots=True)
class Home:
    """An address."""

    thoroughfare: str
    number: str
    post_code: str
    town: str
    province: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """A way to reach a citizen."""

    channel: str
    email: str | None = None
    telephone: str | None = None
    preferred: bool
    language: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A procedure of the municipality."""

    number: str
    title: str
    status: str
    opened_on: str
    deadline: str | None = None
    service: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Dealing:
    """One contact between a citizen and the municipality; `at` is in UTC."""

    channel: str
    direction: str
    topic: str
    outcome: str | None = None
    at: str
    service: str | None = None


@dataclass(frozen=True, slots=True)
class Consent:
    """A consent the citizen gave, or a parent gave for a child."""

    purpose: str
    given: str
    withdrawn: str | None = None
    expires: str | None = None


@dataclass(frozen=True, slots=True)
class CivilRecord:
    """What the municipality's population register holds."""

    number: int
    tax_code: str | None
    family_name: str
    given_name: str
    born: str
    birthplace: Place | None
    sex: str
    citizenship: str
    marital_status: str | None
    status: str
    since: str
    until: str | None
    home: Home
    household: int
    household_size: int
    kinship: str
    protected: bool | None
    contacts: tuple[Contact, ...]
    cases: tuple[Case, ...]
    dealings: tuple[Dealing, ...]
    consents: tuple[Consent, ...]


@dataclass(frozen=True, slots=True)
class Exemption:
    """An exemption from health fees."""

    code: str
    valid_from: str
    valid_until: str | None = None


@dataclass(frozen=True, slots=True)
class Recognition:
    """A recognition of disability."""

    recognised: bool
    percentage: int
    recognised_on: str


@dataclass(frozen=True, slots=True)
class HealthRecord:
    """What the health authority holds; names are as its counter typed them."""

    number: int
    tax_code: str | None
    family_name: str
    given_name: str
    born: str
    sex: str | None
    area: str
    protected: bool
    since: str
    exemptions: tuple[Exemption, ...]
    disability: Recognition | None


@dataclass(frozen=True, slots=True)
class Allowance:
    """A benefit of social security, monthly."""

    number: str
    kind: str
    status: str
    amount: str
    valid_from: str
    valid_until: str | None = None


@dataclass(frozen=True, slots=True)
class YearOfWork:
    """Contributions of one year."""

    year: int
    weeks: int
    employer: str
    amount: str


@dataclass(frozen=True, slots=True)
class SecurityRecord:
    """What the social-security institute holds."""

    number: int
    tax_code: str
    family_name: str
    given_name: str
    born: str
    protected: bool
    since: str
    isee: str | None
    benefits: tuple[Allowance, ...]
    contributions: tuple[YearOfWork, ...]


@dataclass(frozen=True, slots=True)
class SchoolYear:
    """One enrolment."""

    school_year: str
    school: str
    grade: str
    status: str
    meal_service: bool | None = None


@dataclass(frozen=True, slots=True)
class SchoolRecord:
    """What the school district holds."""

    number: int
    tax_code: str | None
    family_name: str
    given_name: str
    born: str
    currently_enrolled: bool
    since: str
    enrolments: tuple[SchoolYear, ...]
    consents: tuple[Consent, ...]


@dataclass(frozen=True, slots=True)
class Programme:
    """A programme of social support."""

    number: str
    kind: str
    status: str
    started_on: str
    ended_on: str | None = None
    weekly_hours: int | None = None
    notes: str | None = None


@dataclass(frozen=True, slots=True)
class SupportRecord:
    """What the social cooperative holds: initials and a year of birth, no tax code."""

    number: int
    initials: str
    birth_year: int
    active: bool
    since: str
    programmes: tuple[Programme, ...]


@dataclass(frozen=True, slots=True)
class Person:
    """A synthetic person and the records of the members that know them.

    `subject` is the opaque subject id of the directory, 16 bytes in hexadecimal; no register stores it.
    `showcase` names the documented people of the demo.
    """

    subject: str
    showcase: str | None
    tax_code: str
    family_name: str
    given_name: str
    sex: str
    born: str
    birthplace: Place
    civil: CivilRecord | None = None
    health: HealthRecord | None = None
    security: SecurityRecord | None = None
    school: SchoolRecord | None = None
    support: SupportRecord | None = None

    @property
    def subject_id(self) -> bytes:
        """The 16 bytes of the subject id."""
        return bytes.fromhex(self.subject)


@dataclass(frozen=True, slots=True)
class Holding:
    """A row of the reference directory: which member holds a file on a subject, in which capacity, since when."""

    subject: str
    member: str
    capacity: str
    since: str
