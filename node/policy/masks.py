"""What every unkeyed mask does to a value: the readable meaning that SQL must equal (policy section 4).

For every mask, `mask(null)` is null, the empty text is not null, and no input raises (R19). A value that a mask cannot
read (a text that is no date, a number that is not finite) gives null: what is not understood is not shown.
"""

from __future__ import annotations

import math
import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING, Final, assert_never

from node.policy.forms import (
    AgeBand,
    AgeOver,
    Band,
    Clear,
    DateShift,
    Email,
    Form,
    Hash,
    Level,
    Month,
    Partial,
    Pseudonym,
    Redact,
    Round,
    Token,
    TopCode,
    Truncate,
    Verify,
    Year,
)
from node.policy.italian_codes import REGION_OF_PROVINCE

if TYPE_CHECKING:
    from collections.abc import Sequence

_PARTIAL_DATE: Final = re.compile(r"[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?")
_POSTAL_CODE: Final = re.compile(r"[0-9]{5}")
_ISTAT_CODE: Final = re.compile(r"[0-9]{6}")
_NUMBER: Final = re.compile(r"-?[0-9]{1,40}(\.[0-9]{1,40})?")
_OLDEST_BAND: Final = 100
_MAX_EXPONENT: Final = 400  # beyond every double: such a number is an accident, and its exact fraction is huge


def apply(form: Form, value: object, today: date) -> object:
    """Return `value` under an unkeyed form.

    Args:
        form: any form but the keyed ones, which need `keyed_masks`; a predicate shows nothing of the value itself.
        value: as the GraphQL field would give it: text, number, Boolean, date, or null.
        today: the day of the request in Europe/Rome; only `age_band` reads it.
    """
    if value is None:
        return None
    match form:
        case Clear():
            return value
        case Redact(text):
            return text
        case Partial():
            return partial(form, value)
        case Email():
            return email(value)
        case Year():
            return year(value)
        case Month():
            return month(value)
        case AgeBand():
            return age_band(value, today)
        case Band(bounds):
            return band(bounds, value)
        case Round(step):
            return rounded(step, value)
        case TopCode(limit):
            return top_coded(limit, value)
        case Truncate(level):
            return truncated(level, value)
        case Verify() | AgeOver() | DateShift() | Hash() | Pseudonym() | Token():
            return None
        case _:
            assert_never(form)


def matches(value: object, supplied: str) -> bool | None:
    """Return whether the stored value is the supplied one, text by text; unknown if there is no stored value."""
    return None if value is None else str(value) == supplied


@dataclass(frozen=True, slots=True)
class Reaching:
    """The births of those who have completed a number of years on a day, for dates of one precision.

    Who is born at `latest` or before has; who is born after `never_after` has not; of others the date does not tell.
    They are texts, whose order is that of time; in `shape` a `#` stands for a digit.
    """

    shape: str
    latest: str
    never_after: str


def reaching(years: int, today: date) -> tuple[Reaching, ...]:
    """Return who has completed `years` on `today`, a day in Europe/Rome, by the precision of the date of birth.

    The birthday itself counts, and that of 29 February is 1 March in other years: text order is date order. A date of
    which the day or the month is not known tells only where every day that it may stand for says the same.
    """
    born = today.year - years
    month, day = f"{born:04}-{today:%m}", f"{born:04}-{today:%m-%d}"
    month_is_over = today.day >= monthrange(born, today.month)[1]
    year_is_over = (today.month, today.day) == (12, 31)
    return (
        Reaching("####-##-##", day, day),
        Reaching("####-##", month if month_is_over else _month_before(born, today.month), month),
        Reaching("####", f"{born if year_is_over else born - 1:04}", f"{born:04}"),
    )


def _month_before(year: int, month: int) -> str:
    return f"{year:04}-{month - 1:02}" if month > 1 else f"{year - 1:04}-12"


def reached(value: object, years: int, today: date) -> bool | None:
    """Return whether who was born then has completed `years` on `today`; unknown for what is no date, or too vague."""
    text = _date_text(value)
    for found in reaching(years, today):
        if text is not None and len(text) == len(found.shape):
            return True if text <= found.latest else False if text > found.never_after else None
    return None


def partial(form: Partial, value: object) -> str | None:
    """Return exactly `form.length` characters: the first `form.prefix` of a text, then padding."""
    if not isinstance(value, str):
        return None
    return value[: form.prefix].ljust(form.length, form.pad)


def email(value: object) -> str | None:
    """Return `x***@d***`; without an `@` all of the text is the mailbox."""
    if not isinstance(value, str):
        return None
    mailbox, _, domain = value.partition("@")
    return f"{mailbox[:1]}***@{domain[:1]}***"


def year(value: object) -> str | None:
    """Return the first four characters of an ISO date, or of an ISO date of reduced precision."""
    text = _date_text(value)
    return None if text is None else text[:4]


def month(value: object) -> str | None:
    """Return year and month of an ISO date, or the year alone where no more is known."""
    text = _date_text(value)
    return None if text is None else text[:7]


def age_band(value: object, today: date) -> str | None:
    """Return the ten-year band of the age reached on `today`: `0-9`, … `90-99`, `100+`; null for a partial date."""
    text = _date_text(value)
    if text is None or len(text) != len("2026-01-01"):
        return None
    # Text order is date order, so 29 February comes of age on 1 March, as in the civil code's reckoning.
    age = today.year - int(text[:4]) - (today.isoformat()[5:] < text[5:])
    if age < 0:
        return None
    if age >= _OLDEST_BAND:
        return f"{_OLDEST_BAND}+"
    lowest = age // 10 * 10
    return f"{lowest}-{lowest + 9}"


def band(bounds: Sequence[Decimal], value: object) -> str | None:
    """Return the half-open interval in which a number lies: `(,0)`, `[0,9360)`, `[9360,)`."""
    number = _number(value)
    if number is None:
        return None
    labels = band_labels(bounds)
    return labels[sum(bound <= number for bound in bounds)]


def band_labels(bounds: Sequence[Decimal]) -> tuple[str, ...]:
    """Return every label of a band, lowest first: one more than there are bounds."""
    texts = [format(bound, "f") for bound in bounds]
    inner = (f"[{lower},{upper})" for lower, upper in pairwise(texts))
    return (f"(,{texts[0]})", *inner, f"[{texts[-1]},)")


def rounded(step: int, value: object) -> int | None:
    """Return the nearest multiple of `step`, halves upwards: floor(value / step + 1/2) * step."""
    number = _number(value)
    if number is None:
        return None
    return math.floor(Fraction(number) / step + Fraction(1, 2)) * step


def top_coded(limit: int, value: object) -> object:
    """Return the number itself up to `limit`, else `limit`."""
    number = _number(value)
    if number is None:
        return None
    return value if number <= limit else limit


def truncated(level: Level, value: object) -> str | None:
    """Return the province or region part of a postal code (5 digits) or ISTAT municipality code (6 digits).

    * postal code: the first two digits (province), the first (region): the areas of the postal service;
    * ISTAT code: the first three digits (province), the region's own code of two digits.
    """
    if not isinstance(value, str):
        return None
    if _POSTAL_CODE.fullmatch(value):
        return value[:2] if level is Level.PROVINCE else value[:1]
    if _ISTAT_CODE.fullmatch(value):
        return value[:3] if level is Level.PROVINCE else REGION_OF_PROVINCE.get(value[:3])
    return None


def _date_text(value: object) -> str | None:
    text = value.isoformat()[:10] if isinstance(value, date) else value
    return text if isinstance(text, str) and _PARTIAL_DATE.fullmatch(text) else None


def _number(value: object) -> Decimal | None:
    """Read a number, or the text of one as `Decimal` scalars travel; Booleans are no numbers."""
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal, str)):
        return None
    if isinstance(value, str) and not _NUMBER.fullmatch(value):
        return None
    number = Decimal(str(value)) if isinstance(value, float) else Decimal(value)
    return number if number.is_finite() and abs(number.adjusted()) <= _MAX_EXPONENT else None
