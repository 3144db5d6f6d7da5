"""Makes the demo's synthetic people: the same ones for the same seed, and the first thousand of any larger town.

Shares, names and mistakes are those of an Italian town of no particular place: 85 % of the people live in the
municipality, about 70 % are patients of the health authority, 80 % are known to social security, the children of the
right age go to its schools, 4 % are helped by the cooperative; a few registers have typing errors, unknown days of
birth, missing codes and flags that nobody filled in.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Final

from faker import Faker
from faker.providers.person.it_IT import Provider as ItalianNames

from node.demo.chance import Chance, Share
from node.demo.facts import SEED_DAY, Home, Person, Place
from node.demo.records import ADULT, SCHOOL_AGES, Around, Records, Role
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

_OLD: Final = 70
_YEARS_HERE: Final = 8  # families from abroad came about this long ago: younger children were born here
_REGISTERS: Final = ("civil", "health", "security", "school", "support")


@dataclass(slots=True)
class Population:
    """Makes people household by household; numbers of records run on, so it is used once.

    The people of a larger population begin with those of a smaller one of the same seed.
    """

    seed: int
    chance: Chance = field(init=False)
    _records: Records = field(init=False)
    _streets: tuple[str, ...] = field(init=False)
    _codes: set[str] = field(init=False, default_factory=set)

    def __post_init__(self) -> None:
        self.chance = Chance(self.seed)
        faker = Faker("it_IT")
        faker.seed_instance(self.seed)
        self._streets = tuple(sorted({faker.street_name() for _ in range(150)}))
        self._records = Records(self.chance, tuple(sorted({faker.company() for _ in range(80)})))

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
        return self.chance.random.randbytes(16).hex()

    def _tax_code_of(self, family_name: str, given_name: str, sex: str, born: date, birthplace: Place) -> str:
        """Return a tax code nobody has yet: the base code, or the first free omocodia variant of it."""
        base = encode_tax_code(family_name, given_name, sex, born, birthplace.code)
        # Some share their base code with a person of another town, whom the demo never meets.
        variant = 1 if self.chance.happens(Share.OMOCODIA) else 0
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
            self.chance.reserve_number(name, number)

    # --- households --------------------------------------------------------------------------------------------------

    def _household(self) -> list[Person]:
        random = self.chance.random
        resident = self.chance.happens(Share.HOUSEHOLDS_IN_TOWN)
        roles = self._roles()
        foreign = self.chance.happens(Share.HOUSEHOLDS_FROM_ABROAD)
        family_names = (random.choice(ItalianNames.last_names), random.choice(ItalianNames.last_names))
        home = self._home(resident=resident)
        household = self.chance.next_number("household") if resident else 0
        protected = self.chance.happens(Share.HOUSEHOLDS_PROTECTED)
        isee = f"{random.lognormvariate(9.6, 0.75):.2f}" if self.chance.happens(Share.HOUSEHOLDS_WITH_ISEE) else None
        moved_in = self.chance.day_before(SEED_DAY, years=25)
        context = Around(resident, foreign, family_names, home, household, protected, isee, moved_in, tuple(roles))
        return [self._person(role, context) for role in roles]

    def _roles(self) -> list[Role]:
        random = self.chance.random
        kind = random.random()
        head_age = min(95, max(21, int(random.gauss(52, 18))))
        head_sex = random.choice(("male", "female"))
        if kind < Share.HOUSEHOLDS_OF_ONE:
            status = "widowed" if head_age > _OLD and self.chance.happens(Share.OLD_AND_WIDOWED) else "single"
            return [Role("head", head_sex, head_age, status)]
        if kind < Share.HOUSEHOLDS_OF_ONE + Share.HOUSEHOLDS_WITH_ONE_PARENT:
            roles = [Role("head", head_sex, head_age, random.choice(("single", "divorced")))]
        else:
            other = "female" if head_sex == "male" else "male"
            age = max(19, head_age + random.randint(-6, 6))
            status = "married" if self.chance.happens(Share.COUPLES_MARRIED) else "single"
            roles = [Role("head", head_sex, head_age, status)]
            roles.append(Role("spouse" if status == "married" else "partner", other, age, status))
        youngest_parent = min(role.age for role in roles)
        for _ in range(random.choice((0, 1, 1, 2, 2, 3))):
            oldest_child = min(30, youngest_parent - 19)
            if oldest_child >= 0:
                child = Role("child", random.choice(("male", "female")), random.randint(0, oldest_child), "single")
                roles.append(child)
        return roles

    def _home(self, *, resident: bool) -> Home:
        random = self.chance.random
        town, post_code, province = TOWN if resident else random.choice(NEIGHBOURS)
        number = f"{random.randint(1, 140)}{random.choice(('', '', '', '', '/A', '/B'))}"
        return Home(random.choice(self._streets), number, post_code, town, province)

    # --- one person --------------------------------------------------------------------------------------------------

    def _person(self, role: Role, around: Around) -> Person:
        random = self.chance.random
        names = ItalianNames.first_names_male if role.sex == "male" else ItalianNames.first_names_female
        given_name = random.choice(names)
        family_name = around.family_names[1 if role.kinship in {"spouse", "partner"} else 0]
        born = SEED_DAY - timedelta(days=role.age * 365 + role.age // 4 + random.randint(1, 360))
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
            return self.chance.random.choice(ABROAD)
        return self.chance.random.choice(NEARBY if self.chance.happens(Share.BORN_NEARBY) else FAR)

    def _registered(self, person: Person, role: Role, around: Around) -> Person:
        civil = self._records.civil(person, role, around) if around.resident else None
        known_to_health = Share.RESIDENTS_PATIENTS if around.resident else Share.NEIGHBOURS_PATIENTS
        health = self._records.health(person, around) if self.chance.happens(known_to_health) else None
        known_to_security = Share.ADULTS_INSURED if role.age >= ADULT else Share.CHILDREN_INSURED
        security = self._records.security(person, role, around) if self.chance.happens(known_to_security) else None
        school = None
        at_school = Share.RESIDENT_PUPILS if around.resident else Share.NEIGHBOUR_PUPILS
        if role.age in SCHOOL_AGES and self.chance.happens(at_school):
            school = self._records.school(person, role)
        support = self._records.support(person) if self.chance.happens(Share.HELPED) else None
        if not any((civil, health, security, school, support)):
            security = self._records.security(person, role, around)
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


def _counted(household: list[Person]) -> Iterator[Person]:
    """Tell every member of a household how many of them still live there."""
    size = sum(1 for person in household if person.civil is not None and person.civil.status == "resident")
    for person in household:
        yield replace(person, civil=replace(person.civil, household_size=size)) if person.civil else person
