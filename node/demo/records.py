"""Makes what each member's register holds about one synthetic person, gaps and mistakes included."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

from node.demo.chance import Chance, Share
from node.demo.facts import (
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
    Programme,
    Recognition,
    SchoolRecord,
    SchoolYear,
    SecurityRecord,
    SupportRecord,
    YearOfWork,
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
SCHOOL_AGES: Final = range(3, 14)
ADULT: Final = 18
_RETIRED: Final = 67
_OLD: Final = 70
_CHILD_ALLOWANCE_AGE: Final = 21
_POVERTY: Final = 9360
_SHORT_NAME: Final = 3
_FIRST_FREE: Final = 1000  # lower numbers of cases, benefits and programmes belong to the documented people
_MAIL: Final = frozenset("abcdefghijklmnopqrstuvwxyz.")
_PRIMARY_AGE: Final = 6
_LOWER_SECONDARY_AGE: Final = 11


@dataclass(frozen=True, slots=True)
class Role:
    """A place in a household that is waiting for a person."""

    kinship: str
    sex: str
    age: int
    marital_status: str


@dataclass(frozen=True, slots=True)
class Around:
    """What the people of one household share."""

    resident: bool
    foreign: bool
    family_names: tuple[str, str]
    home: Home
    household: int
    protected: bool
    isee: str | None
    moved_in: date
    roles: tuple[Role, ...]


@dataclass(frozen=True, slots=True)
class Records:
    """Makes records, member by member."""

    chance: Chance
    employers: tuple[str, ...]

    def civil(self, person: Person, role: Role, around: Around) -> CivilRecord:
        born = date.fromisoformat(person.born)
        foreign = person.birthplace.country != "ITA"
        since = max(born, around.moved_in)
        status, until = "resident", None
        if self.chance.happens(Share.GONE):
            left = self.chance.day_between(since, SEED_DAY)
            status, until = ("deceased" if role.age > _OLD else "emigrated"), left.isoformat()
        return CivilRecord(
            number=self.chance.next_number("civil"),
            tax_code=None if self.chance.happens(Share.TAX_CODE_MISSING) else person.tax_code,
            family_name=person.family_name,
            given_name=person.given_name,
            born=self._remembered(born, foreign=foreign),
            birthplace=None if self.chance.happens(Share.BIRTHPLACE_MISSING) else person.birthplace,
            sex=person.sex,
            citizenship=person.birthplace.country if foreign and self.chance.happens(Share.FOREIGN_CITIZENS) else "ITA",
            marital_status=None if self.chance.happens(Share.MARITAL_STATUS_MISSING) else role.marital_status,
            status=status,
            since=since.isoformat(),
            until=until,
            home=around.home,
            household=around.household,
            household_size=0,  # known when the household is complete
            kinship=role.kinship,
            # Rows that came from the old system never had the flag: it is unknown, not "no".
            protected=None if self.chance.happens(Share.FLAG_MISSING) else around.protected,
            contacts=self._contacts(person) if role.age >= ADULT else (),
            cases=self._cases() if role.age >= ADULT and status == "resident" else (),
            dealings=self._dealings() if role.age >= ADULT else (),
            consents=self._consents() if role.age >= ADULT else (),
        )

    def _remembered(self, born: date, *, foreign: bool) -> str:
        """Return a date of birth as a register knows it: without day, or day and month, for a few born abroad."""
        if foreign and self.chance.happens(Share.BIRTH_DATE_PARTIAL):
            return born.isoformat()[: self.chance.random.choice((4, 7))]
        return born.isoformat()

    def _contacts(self, person: Person) -> tuple[Contact, ...]:
        random = self.chance.random
        contacts: list[Contact] = []
        if self.chance.happens(Share.WITH_EMAIL):
            name = "".join(letter for letter in f"{person.given_name}.{person.family_name}".lower() if letter in _MAIL)
            address = f"{name}{random.randint(1, 99)}@posta.example"
            contacts.append(Contact(channel="email", email=address, preferred=True, language="it"))
        if self.chance.happens(Share.WITH_TELEPHONE):
            number = f"+39 3{random.randint(20, 99)} {random.randint(1000000, 9999999)}"
            language = None if self.chance.happens(Share.LANGUAGE_MISSING) else "it"
            contacts.append(Contact(channel="telephone", telephone=number, preferred=not contacts, language=language))
        return tuple(contacts)

    def _cases(self) -> tuple[Case, ...]:
        random = self.chance.random
        if not self.chance.happens(Share.WITH_CASES):
            return ()
        days = sorted(random.sample(range(2, 700), random.randint(1, 3)))
        return tuple(self._case(SEED_DAY - timedelta(days=days_ago)) for days_ago in days)

    def _case(self, opened: date) -> Case:
        random = self.chance.random
        service = random.choice(tuple(SERVICES))
        recent = SEED_DAY - opened < timedelta(days=90)
        status = random.choice(("open", "open", "waiting") if recent else ("closed", "closed", "rejected"))
        return Case(
            number=f"P{opened.year}-{_FIRST_FREE + self.chance.next_number('case'):07}",
            title=SERVICES[service],
            status=status,
            opened_on=opened.isoformat(),
            deadline=(opened + timedelta(days=60)).isoformat() if status in {"open", "waiting"} else None,
            service=service,
        )

    def _dealings(self) -> tuple[Dealing, ...]:
        random = self.chance.random
        if not self.chance.happens(Share.WITH_DEALINGS):
            return ()
        minutes = sorted(random.sample(range(100, 400_000), random.randint(1, 4)))
        return tuple(self._dealing(minutes_ago) for minutes_ago in minutes)

    def _dealing(self, minutes_ago: int) -> Dealing:
        random = self.chance.random
        at = datetime(SEED_DAY.year, SEED_DAY.month, SEED_DAY.day, tzinfo=UTC) - timedelta(minutes=minutes_ago)
        return Dealing(
            channel=random.choice(CHANNELS),
            direction=random.choice(("inbound", "inbound", "outbound")),
            topic=random.choice(TOPICS),
            outcome=random.choice(OUTCOMES),
            at=at.isoformat().replace("+00:00", "Z"),
            service=random.choice((None, *SERVICES)),
        )

    def _consents(self) -> tuple[Consent, ...]:
        if not self.chance.happens(Share.WITH_CONSENT):
            return ()
        given = self.chance.day_before(SEED_DAY, years=2)
        withdrawn = (
            self.chance.day_between(given, SEED_DAY).isoformat()
            if self.chance.happens(Share.CONSENT_WITHDRAWN)
            else None
        )
        expires = date(2025, 12, 31) if self.chance.happens(Share.CONSENT_EXPIRED) else date(2029, 12, 31)
        return (Consent("service-notices", given.isoformat(), withdrawn, expires.isoformat()),)

    # --- health ------------------------------------------------------------------------------------------------------

    def health(self, person: Person, around: Around) -> HealthRecord:
        return HealthRecord(
            number=self.chance.next_number("health"),
            tax_code=None if self.chance.happens(Share.TAX_CODE_UNKNOWN_TO_HEALTH) else person.tax_code,
            family_name=self._typed(person.family_name),
            given_name=self._typed(person.given_name),
            born=person.born,
            sex=None if self.chance.happens(Share.SEX_MISSING) else person.sex,
            area=HEALTH_AREA if around.resident or self.chance.happens(Share.NEIGHBOURS_IN_AREA) else "3_11",
            protected=around.protected,
            since=max(date.fromisoformat(person.born), around.moved_in).isoformat(),
            exemptions=self._exemptions(),
            disability=self._recognition() if self.chance.happens(Share.DISABLED) else None,
        )

    def _typed(self, name: str) -> str:
        """Return a name as somebody typed it: now and then two letters change places."""
        if len(name) > _SHORT_NAME and self.chance.happens(Share.TYPING_ERRORS):
            place = self.chance.random.randrange(1, len(name) - 1)
            return name[:place] + name[place + 1] + name[place] + name[place + 2 :]
        return name

    def _exemptions(self) -> tuple[Exemption, ...]:
        random = self.chance.random
        if not self.chance.happens(Share.WITH_EXEMPTIONS):
            return ()
        codes = sorted(random.sample(EXEMPTIONS, random.choice((1, 1, 1, 2))))
        return tuple(
            Exemption(code, self.chance.day_before(SEED_DAY, years=6).isoformat(), random.choice((None, "2027-03-31")))
            for code in codes
        )

    def _recognition(self) -> Recognition:
        random = self.chance.random
        percentage = random.choice((34, 46, 67, 74, 80, 100))
        recognised_on = self.chance.day_before(SEED_DAY, years=20).isoformat()[: random.choice((7, 7, 4))]
        recognised = self.chance.happens(Share.DISABILITY_RECOGNISED)
        return Recognition(recognised=recognised, percentage=percentage, recognised_on=recognised_on)

    # --- social security ---------------------------------------------------------------------------------------------

    def security(self, person: Person, role: Role, around: Around) -> SecurityRecord:
        working = ADULT + 1 <= role.age < _RETIRED and self.chance.happens(Share.WORKING)
        return SecurityRecord(
            number=self.chance.next_number("security"),
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

    def _benefits(self, role: Role, around: Around) -> tuple[Allowance, ...]:
        random = self.chance.random
        children = [other for other in around.roles if other.kinship == "child" and other.age < _CHILD_ALLOWANCE_AGE]
        poor = around.isee is not None and float(around.isee) < _POVERTY
        kinds: list[str] = []
        if role.age >= _RETIRED:
            kinds.append("old-age-pension")
        if children and role.kinship == "head":
            kinds.append("universal-child-allowance")
        if role.age >= ADULT and poor and self.chance.happens(Share.POOR_AND_HELPED):
            kinds.append("inclusion-allowance")
        if ADULT <= role.age < _RETIRED and self.chance.happens(Share.UNEMPLOYED):
            kinds.append("unemployment-benefit")
        days = sorted(random.sample(range(30, 1400), len(kinds)))
        return tuple(self._benefit(kind, days_ago) for kind, days_ago in zip(kinds, days, strict=True))

    def _benefit(self, kind: str, days_ago: int) -> Allowance:
        random = self.chance.random
        start = (SEED_DAY - timedelta(days=days_ago)).replace(day=1)
        status = random.choice(("active", "active", "active", "suspended", "ended"))
        until = (start + timedelta(days=540)).isoformat() if kind != "old-age-pension" else None
        amount = f"{random.randint(58, 1900)}.{random.randint(0, 99):02}"
        return Allowance(
            f"{_FIRST_FREE + self.chance.next_number('benefit'):09}", kind, status, amount, start.isoformat(), until
        )

    def _contributions(self) -> tuple[YearOfWork, ...]:
        random = self.chance.random
        employer = random.choice(self.employers)
        years = range(SEED_DAY.year - 1, SEED_DAY.year - 1 - random.randint(1, 3), -1)
        return tuple(
            YearOfWork(year, random.choice((52, 52, 52, 39, 26, 13)), employer, f"{random.randint(900, 9800)}.00")
            for year in years
        )

    # --- school and cooperative --------------------------------------------------------------------------------------

    def school(self, person: Person, role: Role) -> SchoolRecord:
        years = [self._enrolment(SEED_DAY.year, role.age, "active")]
        if role.age - 1 in SCHOOL_AGES:
            years.append(self._enrolment(SEED_DAY.year - 1, role.age - 1, "completed"))
        leaves = self.chance.happens(Share.LEAVING_SCHOOL)
        if leaves:
            years[0] = SchoolYear(
                years[0].school_year, years[0].school, years[0].grade, "transferred", meal_service=None
            )
        return SchoolRecord(
            number=self.chance.next_number("school"),
            tax_code=None if self.chance.happens(Share.TAX_CODE_UNKNOWN_TO_SCHOOL) else person.tax_code,
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
        meals = self.chance.random.choice((True, True, False, None))
        section = self.chance.random.choice("ABC")
        return SchoolYear(f"{year}/{(year + 1) % 100:02}", school, f"{grade}{section}", status, meals)

    def support(self, person: Person) -> SupportRecord:
        random = self.chance.random
        active = self.chance.happens(Share.HELPED_NOW)
        started = self.chance.day_before(SEED_DAY, years=3)
        ended = None if active else self.chance.day_between(started, SEED_DAY).isoformat()
        programme = Programme(
            number=f"PONTE-{_FIRST_FREE + self.chance.next_number('programme'):06}",
            kind=random.choice(SUPPORT_KINDS),
            status="active" if active else "ended",
            started_on=started.isoformat(),
            ended_on=ended,
            weekly_hours=random.choice((2, 4, 6, 10, None)),
            notes=random.choice((None, "colloquio ogni due settimane", "in attesa di documenti")),
        )
        return SupportRecord(
            number=self.chance.next_number("support"),
            initials=f"{person.given_name[0]}.{person.family_name[0]}.",
            birth_year=int(person.born[:4]),
            active=active,
            since=started.isoformat(),
            programmes=(programme,),
        )


def _class_of(age: int) -> tuple[str, int]:
    """Return the school and the class for an age: infanzia, primaria, secondaria di primo grado."""
    if age < _PRIMARY_AGE:
        return SCHOOLS[0], age - 2
    if age < _LOWER_SECONDARY_AGE:
        return SCHOOLS[1], age - _PRIMARY_AGE + 1
    return SCHOOLS[2], age - _LOWER_SECONDARY_AGE + 1
