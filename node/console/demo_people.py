"""Makes the demo's synthetic people: the same ones for the same seed, and the first thousand of any larger town.

Shares, names and mistakes are those of an Italian town of no particular place: 85 % of the people live in the
municipality, about 70 % are patients of the health authority, 80 % are known to social security, the children of the
right age go to its schools, 4 % are helped by the cooperative; a few registers have typing errors, unknown days of
birth, missing codes and flags that nobody filled in.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Final

from faker import Faker
from faker.providers.person.it_IT import Provider as ItalianNames

from node.console.demo_facts import (
    HEALTH_AREA,
    SEED_DAY,
    Allowance,
    Case,
    CivilRecord,
    Consent,
    Contact,
    Dealing,
    Exemption,
    HealthRecord,
    Home,
    Person,
    Place,
    Programme,
    Recognition,
    SchoolRecord,
    SchoolYear,
    SecurityRecord,
    SupportRecord,
    YearOfWork,
)
from node.vocabulary.tax_code import encode_tax_code, omocodia_variant

TOWN: Final = ("Borgoverde", "99010", "BV")
NEIGHBOURS: Final = (("Vallechiara", "99020", "BV"), ("Ponteserena", "99030", "BV"))

# Cadastral codes that have been valid since before anyone alive was born, so that the place suits every birth date.
NEARBY: Final = tuple(
    Place(name, code, "ITA")
    for name, code in (
        ("Modena", "F257"),
        ("Sassuolo", "I462"),
        ("Carpi", "B819"),
        ("Reggio nell'Emilia", "H223"),
        ("Ferrara", "D548"),
    )
)
FAR: Final = tuple(
    Place(name, code, "ITA")
    for name, code in (
        ("Foggia", "D643"),
        ("Lecce", "E506"),
        ("Perugia", "G478"),
        ("Cosenza", "D086"),
        ("Novara", "F952"),
        ("Torino", "L219"),
        ("Padova", "G224"),
    )
)
ABROAD: Final = tuple(
    Place(name, code, country)
    for name, code, country in (
        ("Romania", "Z129", "ROU"),
        ("Marocco", "Z330", "MAR"),
        ("Albania", "Z100", "ALB"),
        ("Ucraina", "Z138", "UKR"),
        ("Filippine", "Z216", "PHL"),
        ("Repubblica Popolare Cinese", "Z210", "CHN"),
        ("Moldova", "Z140", "MDA"),
        ("Pakistan", "Z236", "PAK"),
        ("Nigeria", "Z335", "NGA"),
        ("Francia", "Z110", "FRA"),
    )
)

SERVICES: Final = {
    "SRV01": "Cambio di residenza",
    "SRV02": "Carta d'identità elettronica",
    "SRV03": "Mensa e trasporto scolastico",
    "SRV04": "Assegno di maternità del Comune",
    "SRV05": "Contrassegno di parcheggio per disabili",
    "SRV06": "Tassa sui rifiuti",
    "SRV07": "Servizio sociale professionale",
    "SRV08": "Prestito bibliotecario",
}
SCHOOLS: Final = ("BVAA99901X", "BVEE999012", "BVMM999011")
EXEMPTIONS: Final = ("E01", "E02", "E03", "C01", "C03", "013", "0A31", "048", "M50")
SUPPORT_KINDS: Final = ("home-help", "job-placement", "educational-support", "housing-support", "listening-desk")
CHANNELS: Final = ("counter", "call-centre", "certified-email", "email", "app")
TOPICS: Final = ("informazioni", "stato della pratica", "appuntamento", "segnalazione", "pagamento")
OUTCOMES: Final = ("resolved", "forwarded", "waiting", None)
_SCHOOL_AGES: Final = range(3, 14)
_ADULT: Final = 18
_RETIRED: Final = 67
_OLD: Final = 70
_YEARS_HERE: Final = 8  # families from abroad came about this long ago: younger children were born here
_CHILD_ALLOWANCE_AGE: Final = 21
_POVERTY: Final = 9360
_SHORT_NAME: Final = 3
_FIRST_FREE: Final = 1000  # lower numbers of cases, benefits and programmes belong to the documented people
_REGISTERS: Final = ("civil", "health", "security", "school", "support")


class _Share:
    """How often each thing happens, from 0 to 1."""

    HOUSEHOLDS_IN_TOWN = 0.86
    HOUSEHOLDS_FROM_ABROAD = 0.11
    HOUSEHOLDS_PROTECTED = 0.006
    HOUSEHOLDS_WITH_ISEE = 0.62
    HOUSEHOLDS_OF_ONE = 0.33
    HOUSEHOLDS_WITH_ONE_PARENT = 0.09
    COUPLES_MARRIED = 0.8
    OLD_AND_WIDOWED = 0.6
    BORN_NEARBY = 0.75
    FOREIGN_CITIZENS = 0.7
    OMOCODIA = 0.008
    GONE = 0.035
    RESIDENTS_PATIENTS = 0.74
    NEIGHBOURS_PATIENTS = 0.48
    NEIGHBOURS_IN_AREA = 0.6
    ADULTS_INSURED = 0.92
    CHILDREN_INSURED = 0.42
    RESIDENT_PUPILS = 0.95
    NEIGHBOUR_PUPILS = 0.2
    HELPED = 0.04
    HELPED_NOW = 0.7
    WITH_EMAIL = 0.55
    WITH_TELEPHONE = 0.6
    WITH_CASES = 0.14
    WITH_DEALINGS = 0.28
    WITH_CONSENT = 0.22
    CONSENT_WITHDRAWN = 0.12
    CONSENT_EXPIRED = 0.1
    WITH_EXEMPTIONS = 0.24
    DISABLED = 0.06
    DISABILITY_RECOGNISED = 0.95
    WORKING = 0.72
    UNEMPLOYED = 0.03
    POOR_AND_HELPED = 0.35
    LEAVING_SCHOOL = 0.03
    # What registers lack or got wrong.
    TAX_CODE_MISSING = 0.004
    TAX_CODE_UNKNOWN_TO_HEALTH = 0.015
    TAX_CODE_UNKNOWN_TO_SCHOOL = 0.02
    BIRTHPLACE_MISSING = 0.006
    BIRTH_DATE_PARTIAL = 0.06
    MARITAL_STATUS_MISSING = 0.02
    FLAG_MISSING = 0.01
    LANGUAGE_MISSING = 0.3
    SEX_MISSING = 0.01
    TYPING_ERRORS = 0.02


@dataclass(frozen=True, slots=True)
class _Role:
    """A place in a household that is waiting for a person."""

    kinship: str
    sex: str
    age: int
    marital_status: str


@dataclass(slots=True)
class Population:
    """Makes people household by household; numbers of records run on, so it is used once.

    The people of a larger population begin with those of a smaller one of the same seed.
    """

    seed: int
    chance: Random = field(init=False)
    _streets: tuple[str, ...] = field(init=False)
    _employers: tuple[str, ...] = field(init=False)
    _codes: set[str] = field(init=False, default_factory=set)
    _numbers: dict[str, int] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self.chance = Random(self.seed)  # noqa: S311 - synthetic people must be the same every time
        faker = Faker("it_IT")
        faker.seed_instance(self.seed)
        self._streets = tuple(sorted({faker.street_name() for _ in range(150)}))
        self._employers = tuple(sorted({faker.company() for _ in range(80)}))

    def people(self, documented: Sequence[Person], count: int) -> Iterator[Person]:
        """Yield `count` people: the documented ones, then others household by household."""
        for person in documented:
            self._reserve(person)
        yield from documented[:count]
        missing = count - len(documented)
        while missing > 0:
            household = self._household()[:missing]
            missing -= len(household)
            yield from _counted(household)

    def subject(self) -> str:
        """Return a new opaque subject id, 16 bytes in hexadecimal."""
        return self.chance.randbytes(16).hex()

    def _next_number(self, register: str) -> int:
        self._numbers[register] = self._numbers.get(register, 0) + 1
        return self._numbers[register]

    def _tax_code_of(self, family_name: str, given_name: str, sex: str, born: date, birthplace: Place) -> str:
        """Return a tax code nobody has yet: the base code, or the first free omocodia variant of it."""
        base = encode_tax_code(family_name, given_name, sex, born, birthplace.code)
        # Some share their base code with a person of another town, whom the demo never meets.
        variant = 1 if self._happens(_Share.OMOCODIA) else 0
        code = omocodia_variant(base, variant)
        while code in self._codes:
            variant += 1
            code = omocodia_variant(base, variant)
        self._codes.add(code)
        return code

    def _reserve(self, person: Person) -> None:
        """Keep the codes and numbers of a documented person from being given to anybody else."""
        self._codes.add(person.tax_code)
        taken = {name: record.number for name in _REGISTERS if (record := getattr(person, name)) is not None}
        if person.civil is not None:
            taken |= {"household": person.civil.household}
        for name, number in taken.items():
            self._numbers[name] = max(number, self._numbers.get(name, 0))

    # --- households --------------------------------------------------------------------------------------------------

    def _household(self) -> list[Person]:
        chance = self.chance
        resident = self._happens(_Share.HOUSEHOLDS_IN_TOWN)
        roles = self._roles()
        foreign = self._happens(_Share.HOUSEHOLDS_FROM_ABROAD)
        family_names = (chance.choice(ItalianNames.last_names), chance.choice(ItalianNames.last_names))
        home = self._home(resident=resident)
        household = self._next_number("household") if resident else 0
        protected = self._happens(_Share.HOUSEHOLDS_PROTECTED)
        isee = f"{chance.lognormvariate(9.6, 0.75):.2f}" if self._happens(_Share.HOUSEHOLDS_WITH_ISEE) else None
        moved_in = self._day_before(SEED_DAY, years=25)
        context = _Around(resident, foreign, family_names, home, household, protected, isee, moved_in, tuple(roles))
        return [self._person(role, context) for role in roles]

    def _roles(self) -> list[_Role]:
        chance = self.chance
        kind = chance.random()
        head_age = min(95, max(21, int(chance.gauss(52, 18))))
        head_sex = chance.choice(("male", "female"))
        if kind < _Share.HOUSEHOLDS_OF_ONE:
            status = "widowed" if head_age > _OLD and self._happens(_Share.OLD_AND_WIDOWED) else "single"
            return [_Role("head", head_sex, head_age, status)]
        if kind < _Share.HOUSEHOLDS_OF_ONE + _Share.HOUSEHOLDS_WITH_ONE_PARENT:
            roles = [_Role("head", head_sex, head_age, chance.choice(("single", "divorced")))]
        else:
            other = "female" if head_sex == "male" else "male"
            age = max(19, head_age + chance.randint(-6, 6))
            status = "married" if self._happens(_Share.COUPLES_MARRIED) else "single"
            roles = [_Role("head", head_sex, head_age, status)]
            roles.append(_Role("spouse" if status == "married" else "partner", other, age, status))
        youngest_parent = min(role.age for role in roles)
        for _ in range(chance.choice((0, 1, 1, 2, 2, 3))):
            oldest_child = min(30, youngest_parent - 19)
            if oldest_child >= 0:
                child = _Role("child", chance.choice(("male", "female")), chance.randint(0, oldest_child), "single")
                roles.append(child)
        return roles

    def _home(self, *, resident: bool) -> Home:
        chance = self.chance
        town, post_code, province = TOWN if resident else chance.choice(NEIGHBOURS)
        number = f"{chance.randint(1, 140)}{chance.choice(('', '', '', '', '/A', '/B'))}"
        return Home(chance.choice(self._streets), number, post_code, town, province)

    # --- one person --------------------------------------------------------------------------------------------------

    def _person(self, role: _Role, around: "_Around") -> Person:
        chance = self.chance
        names = ItalianNames.first_names_male if role.sex == "male" else ItalianNames.first_names_female
        given_name = chance.choice(names)
        family_name = around.family_names[1 if role.kinship in {"spouse", "partner"} else 0]
        born = SEED_DAY - timedelta(days=role.age * 365 + role.age // 4 + chance.randint(1, 360))
        birthplace = self._birthplace(foreign=around.foreign and role.age > _YEARS_HERE)
        person = Person(
            subject=self.subject(),
            showcase=None,
            tax_code=self._tax_code_of(family_name, given_name, role.sex, born, birthplace),
            family_name=family_name,
            given_name=given_name,
            sex=role.sex,
            born=born.isoformat(),
            birthplace=birthplace,
        )
        return self._registered(person, role, around)

    def _birthplace(self, *, foreign: bool) -> Place:
        if foreign:
            return self.chance.choice(ABROAD)
        return self.chance.choice(NEARBY if self._happens(_Share.BORN_NEARBY) else FAR)

    def _registered(self, person: Person, role: _Role, around: "_Around") -> Person:
        civil = self._civil(person, role, around) if around.resident else None
        known_to_health = _Share.RESIDENTS_PATIENTS if around.resident else _Share.NEIGHBOURS_PATIENTS
        health = self._health(person, around) if self._happens(known_to_health) else None
        known_to_security = _Share.ADULTS_INSURED if role.age >= _ADULT else _Share.CHILDREN_INSURED
        security = self._security(person, role, around) if self._happens(known_to_security) else None
        school = None
        at_school = _Share.RESIDENT_PUPILS if around.resident else _Share.NEIGHBOUR_PUPILS
        if role.age in _SCHOOL_AGES and self._happens(at_school):
            school = self._school(person, role)
        support = self._support(person) if self._happens(_Share.HELPED) else None
        if not any((civil, health, security, school, support)):
            security = self._security(person, role, around)
        return Person(
            person.subject,
            person.showcase,
            person.tax_code,
            person.family_name,
            person.given_name,
            person.sex,
            person.born,
            person.birthplace,
            civil,
            health,
            security,
            school,
            support,
        )

    # --- the municipality --------------------------------------------------------------------------------------------

    def _civil(self, person: Person, role: _Role, around: "_Around") -> CivilRecord:
        born = date.fromisoformat(person.born)
        foreign = person.birthplace.country != "ITA"
        since = max(born, around.moved_in)
        status, until = "resident", None
        if self._happens(_Share.GONE):
            left = self._day_between(since, SEED_DAY)
            status, until = ("deceased" if role.age > _OLD else "emigrated"), left.isoformat()
        return CivilRecord(
            number=self._next_number("civil"),
            tax_code=None if self._happens(_Share.TAX_CODE_MISSING) else person.tax_code,
            family_name=person.family_name,
            given_name=person.given_name,
            born=self._remembered(born, foreign=foreign),
            birthplace=None if self._happens(_Share.BIRTHPLACE_MISSING) else person.birthplace,
            sex=person.sex,
            citizenship=person.birthplace.country if foreign and self._happens(_Share.FOREIGN_CITIZENS) else "ITA",
            marital_status=None if self._happens(_Share.MARITAL_STATUS_MISSING) else role.marital_status,
            status=status,
            since=since.isoformat(),
            until=until,
            home=around.home,
            household=around.household,
            household_size=0,  # known when the household is complete
            kinship=role.kinship,
            # Rows that came from the old system never had the flag: it is unknown, not "no".
            protected=None if self._happens(_Share.FLAG_MISSING) else around.protected,
            contacts=self._contacts(person) if role.age >= _ADULT else (),
            cases=self._cases() if role.age >= _ADULT and status == "resident" else (),
            dealings=self._dealings() if role.age >= _ADULT else (),
            consents=self._consents() if role.age >= _ADULT else (),
        )

    def _remembered(self, born: date, *, foreign: bool) -> str:
        """Return a date of birth as a register knows it: without day, or day and month, for a few born abroad."""
        if foreign and self._happens(_Share.BIRTH_DATE_PARTIAL):
            return born.isoformat()[: self.chance.choice((4, 7))]
        return born.isoformat()

    def _contacts(self, person: Person) -> tuple[Contact, ...]:
        chance = self.chance
        contacts: list[Contact] = []
        if self._happens(_Share.WITH_EMAIL):
            name = "".join(letter for letter in f"{person.given_name}.{person.family_name}".lower() if letter in _MAIL)
            address = f"{name}{chance.randint(1, 99)}@posta.example"
            contacts.append(Contact(channel="email", email=address, preferred=True, language="it"))
        if self._happens(_Share.WITH_TELEPHONE):
            number = f"+39 3{chance.randint(20, 99)} {chance.randint(1000000, 9999999)}"
            language = None if self._happens(_Share.LANGUAGE_MISSING) else "it"
            contacts.append(Contact(channel="telephone", telephone=number, preferred=not contacts, language=language))
        return tuple(contacts)

    def _cases(self) -> tuple[Case, ...]:
        chance = self.chance
        if not self._happens(_Share.WITH_CASES):
            return ()
        days = sorted(chance.sample(range(2, 700), chance.randint(1, 3)))
        return tuple(self._case(SEED_DAY - timedelta(days=days_ago)) for days_ago in days)

    def _case(self, opened: date) -> Case:
        chance = self.chance
        service = chance.choice(tuple(SERVICES))
        recent = SEED_DAY - opened < timedelta(days=90)
        status = chance.choice(("open", "open", "waiting") if recent else ("closed", "closed", "rejected"))
        return Case(
            number=f"P{opened.year}-{_FIRST_FREE + self._next_number('case'):07}",
            title=SERVICES[service],
            status=status,
            opened_on=opened.isoformat(),
            deadline=(opened + timedelta(days=60)).isoformat() if status in {"open", "waiting"} else None,
            service=service,
        )

    def _dealings(self) -> tuple[Dealing, ...]:
        chance = self.chance
        if not self._happens(_Share.WITH_DEALINGS):
            return ()
        minutes = sorted(chance.sample(range(100, 400_000), chance.randint(1, 4)))
        return tuple(self._dealing(minutes_ago) for minutes_ago in minutes)

    def _dealing(self, minutes_ago: int) -> Dealing:
        chance = self.chance
        at = datetime(SEED_DAY.year, SEED_DAY.month, SEED_DAY.day, tzinfo=UTC) - timedelta(minutes=minutes_ago)
        return Dealing(
            channel=chance.choice(CHANNELS),
            direction=chance.choice(("inbound", "inbound", "outbound")),
            topic=chance.choice(TOPICS),
            outcome=chance.choice(OUTCOMES),
            at=at.isoformat().replace("+00:00", "Z"),
            service=chance.choice((None, *SERVICES)),
        )

    def _consents(self) -> tuple[Consent, ...]:
        if not self._happens(_Share.WITH_CONSENT):
            return ()
        given = self._day_before(SEED_DAY, years=2)
        withdrawn = self._day_between(given, SEED_DAY).isoformat() if self._happens(_Share.CONSENT_WITHDRAWN) else None
        expires = date(2025, 12, 31) if self._happens(_Share.CONSENT_EXPIRED) else date(2029, 12, 31)
        return (Consent("service-notices", given.isoformat(), withdrawn, expires.isoformat()),)

    # --- health ------------------------------------------------------------------------------------------------------

    def _health(self, person: Person, around: "_Around") -> HealthRecord:
        return HealthRecord(
            number=self._next_number("health"),
            tax_code=None if self._happens(_Share.TAX_CODE_UNKNOWN_TO_HEALTH) else person.tax_code,
            family_name=self._typed(person.family_name),
            given_name=self._typed(person.given_name),
            born=person.born,
            sex=None if self._happens(_Share.SEX_MISSING) else person.sex,
            area=HEALTH_AREA if around.resident or self._happens(_Share.NEIGHBOURS_IN_AREA) else "3_11",
            protected=around.protected,
            since=max(date.fromisoformat(person.born), around.moved_in).isoformat(),
            exemptions=self._exemptions(),
            disability=self._recognition() if self._happens(_Share.DISABLED) else None,
        )

    def _typed(self, name: str) -> str:
        """Return a name as somebody typed it: now and then two letters change places."""
        if len(name) > _SHORT_NAME and self._happens(_Share.TYPING_ERRORS):
            place = self.chance.randrange(1, len(name) - 1)
            return name[:place] + name[place + 1] + name[place] + name[place + 2 :]
        return name

    def _exemptions(self) -> tuple[Exemption, ...]:
        chance = self.chance
        if not self._happens(_Share.WITH_EXEMPTIONS):
            return ()
        codes = sorted(chance.sample(EXEMPTIONS, chance.choice((1, 1, 1, 2))))
        return tuple(
            Exemption(code, self._day_before(SEED_DAY, years=6).isoformat(), chance.choice((None, "2027-03-31")))
            for code in codes
        )

    def _recognition(self) -> Recognition:
        chance = self.chance
        percentage = chance.choice((34, 46, 67, 74, 80, 100))
        recognised_on = self._day_before(SEED_DAY, years=20).isoformat()[: chance.choice((7, 7, 4))]
        recognised = self._happens(_Share.DISABILITY_RECOGNISED)
        return Recognition(recognised=recognised, percentage=percentage, recognised_on=recognised_on)

    # --- social security ---------------------------------------------------------------------------------------------

    def _security(self, person: Person, role: _Role, around: "_Around") -> SecurityRecord:
        working = _ADULT + 1 <= role.age < _RETIRED and self._happens(_Share.WORKING)
        return SecurityRecord(
            number=self._next_number("security"),
            tax_code=person.tax_code,
            family_name=person.family_name,
            given_name=person.given_name,
            born=person.born,
            protected=around.protected,
            since=max(date.fromisoformat(person.born), date(2001, 1, 1)).isoformat(),
            isee=around.isee,
            benefits=self._benefits(role, around),
            contributions=self._contributions() if working else (),
        )

    def _benefits(self, role: _Role, around: "_Around") -> tuple[Allowance, ...]:
        chance = self.chance
        children = [other for other in around.roles if other.kinship == "child" and other.age < _CHILD_ALLOWANCE_AGE]
        poor = around.isee is not None and float(around.isee) < _POVERTY
        kinds: list[str] = []
        if role.age >= _RETIRED:
            kinds.append("old-age-pension")
        if children and role.kinship == "head":
            kinds.append("universal-child-allowance")
        if role.age >= _ADULT and poor and self._happens(_Share.POOR_AND_HELPED):
            kinds.append("inclusion-allowance")
        if _ADULT <= role.age < _RETIRED and self._happens(_Share.UNEMPLOYED):
            kinds.append("unemployment-benefit")
        days = sorted(chance.sample(range(30, 1400), len(kinds)))
        return tuple(self._benefit(kind, days_ago) for kind, days_ago in zip(kinds, days, strict=True))

    def _benefit(self, kind: str, days_ago: int) -> Allowance:
        chance = self.chance
        start = (SEED_DAY - timedelta(days=days_ago)).replace(day=1)
        status = chance.choice(("active", "active", "active", "suspended", "ended"))
        until = (start + timedelta(days=540)).isoformat() if kind != "old-age-pension" else None
        amount = f"{chance.randint(58, 1900)}.{chance.randint(0, 99):02}"
        return Allowance(
            f"{_FIRST_FREE + self._next_number('benefit'):09}", kind, status, amount, start.isoformat(), until
        )

    def _contributions(self) -> tuple[YearOfWork, ...]:
        chance = self.chance
        employer = chance.choice(self._employers)
        years = range(SEED_DAY.year - 1, SEED_DAY.year - 1 - chance.randint(1, 3), -1)
        return tuple(
            YearOfWork(year, chance.choice((52, 52, 52, 39, 26, 13)), employer, f"{chance.randint(900, 9800)}.00")
            for year in years
        )

    # --- school and cooperative --------------------------------------------------------------------------------------

    def _school(self, person: Person, role: _Role) -> SchoolRecord:
        years = [self._enrolment(SEED_DAY.year, role.age, "active")]
        if role.age - 1 in _SCHOOL_AGES:
            years.append(self._enrolment(SEED_DAY.year - 1, role.age - 1, "completed"))
        leaves = self._happens(_Share.LEAVING_SCHOOL)
        if leaves:
            years[0] = SchoolYear(
                years[0].school_year, years[0].school, years[0].grade, "transferred", meal_service=None
            )
        return SchoolRecord(
            number=self._next_number("school"),
            tax_code=None if self._happens(_Share.TAX_CODE_UNKNOWN_TO_SCHOOL) else person.tax_code,
            family_name=person.family_name,
            given_name=person.given_name,
            born=person.born,
            currently_enrolled=not leaves,
            since=f"{years[-1].school_year[:4]}-09-01",
            enrolments=tuple(years),
            consents=self._consents(),
        )

    def _enrolment(self, year: int, age: int, status: str) -> SchoolYear:
        school, grade = _class_of(age)
        meals = self.chance.choice((True, True, False, None))
        section = self.chance.choice("ABC")
        return SchoolYear(f"{year}/{(year + 1) % 100:02}", school, f"{grade}{section}", status, meals)

    def _support(self, person: Person) -> SupportRecord:
        chance = self.chance
        active = self._happens(_Share.HELPED_NOW)
        started = self._day_before(SEED_DAY, years=3)
        ended = None if active else self._day_between(started, SEED_DAY).isoformat()
        programme = Programme(
            number=f"PONTE-{_FIRST_FREE + self._next_number('programme'):06}",
            kind=chance.choice(SUPPORT_KINDS),
            status="active" if active else "ended",
            started_on=started.isoformat(),
            ended_on=ended,
            weekly_hours=chance.choice((2, 4, 6, 10, None)),
            notes=chance.choice((None, "colloquio ogni due settimane", "in attesa di documenti")),
        )
        return SupportRecord(
            number=self._next_number("support"),
            initials=f"{person.given_name[0]}.{person.family_name[0]}.",
            birth_year=int(person.born[:4]),
            active=active,
            since=started.isoformat(),
            programmes=(programme,),
        )

    # --- chance and days ---------------------------------------------------------------------------------------------

    def _happens(self, share: float) -> bool:
        return self.chance.random() < share

    def _day_before(self, day: date, *, years: int) -> date:
        return day - timedelta(days=self.chance.randint(1, years * 365))

    def _day_between(self, first: date, last: date) -> date:
        return first + timedelta(days=self.chance.randint(0, (last - first).days))


def _counted(household: list[Person]) -> Iterator[Person]:
    """Tell every member of a household how many of them still live there."""
    size = sum(1 for person in household if person.civil is not None and person.civil.status == "resident")
    for person in household:
        yield replace(person, civil=replace(person.civil, household_size=size)) if person.civil else person


@dataclass(frozen=True, slots=True)
class _Around:
    """What the people of one household share."""

    resident: bool
    foreign: bool
    family_names: tuple[str, str]
    home: Home
    household: int
    protected: bool
    isee: str | None
    moved_in: date
    roles: tuple[_Role, ...]


_MAIL: Final = frozenset("abcdefghijklmnopqrstuvwxyz.")
_PRIMARY_AGE: Final = 6
_LOWER_SECONDARY_AGE: Final = 11


def _class_of(age: int) -> tuple[str, int]:
    """Return the school and the class for an age: infanzia, primaria, secondaria di primo grado."""
    if age < _PRIMARY_AGE:
        return SCHOOLS[0], age - 2
    if age < _LOWER_SECONDARY_AGE:
        return SCHOOLS[1], age - _PRIMARY_AGE + 1
    return SCHOOLS[2], age - _LOWER_SECONDARY_AGE + 1
