"""Chance with a seed: how often things happen in the demo's town, and the days on which they do."""

from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random


class Share:
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


@dataclass(slots=True)
class Chance:
    """The one source of chance of a population, and the running numbers of its registers."""

    seed: int
    random: Random = field(init=False)
    _numbers: dict[str, int] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self.random = Random(self.seed)  # noqa: S311 - synthetic people must be the same every time

    def happens(self, share: float) -> bool:
        """Say whether something that happens this often happens now."""
        return self.random.random() < share

    def day_before(self, day: date, *, years: int) -> date:
        """Return a day in the `years` before another."""
        return day - timedelta(days=self.random.randint(1, years * 365))

    def day_between(self, first: date, last: date) -> date:
        """Return a day from `first` to `last`, both included."""
        return first + timedelta(days=self.random.randint(0, (last - first).days))

    def next_number(self, register: str) -> int:
        """Return the next free number of a register, from 1."""
        self._numbers[register] = self._numbers.get(register, 0) + 1
        return self._numbers[register]

    def reserve_number(self, register: str, number: int) -> None:
        """Keep numbers up to this one from being given."""
        self._numbers[register] = max(number, self._numbers.get(register, 0))
