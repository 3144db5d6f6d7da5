"""The unkeyed masks as SQL, equal to `node.policy.masks.apply` value by value; a generated test holds them together."""

from __future__ import annotations

from datetime import date
from enum import Enum, auto
from typing import Final, assert_never

from sqlalchemy import BigInteger, Numeric, Text, and_, case, cast, false, func, literal, null, or_, true

from node.data.dialects import Dialect, Sql
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
from node.policy.masks import band_labels, reaching

_PARTIAL_DATES: Final = ("####", "####-##", "####-##-##")
_OLDEST_BAND: Final = 100


class Kind(Enum):
    """What a field's values are in SQL. A day is a text that is known to be an ISO date, of any precision."""

    TEXT = auto()
    DAY = auto()
    WHOLE = auto()
    NUMBER = auto()
    TRUTH = auto()


_TEXTS: Final = frozenset({Kind.TEXT, Kind.DAY})

KIND_OF_SCALAR: Final = {"Int": Kind.WHOLE, "Boolean": Kind.TRUTH, "Decimal": Kind.NUMBER, "Banded": Kind.NUMBER}
"""Every scalar that is not named here is text."""


def masked(form: Form, value: Sql, kind: Kind, dialect: Dialect, today: date) -> Sql:
    """Return a value under a form; a keyed form leaves it as it is, for the node to finish after projection.

    Args:
        form: any form; a predicate shows nothing of the value itself.
        value: of the kind; NULL stays NULL.
        kind: text masks give NULL for what is no text, number masks for what is no number.
        dialect: the database's.
        today: the request's day.
    """
    match form:
        case Clear() | DateShift() | Hash() | Pseudonym() | Token():
            return value
        case Redact(text):
            return case((value.is_not(None), literal(text)))
        case Verify() | AgeOver():
            return null()
        case Band() | Round() | TopCode() if kind is Kind.TRUTH:
            return null()
        case Band(bounds):
            return dialect.banded(dialect.numeric(_number(value, kind, dialect)), bounds, band_labels(bounds))
        case Round(step):
            return _made(_rounded(step, dialect.numeric(_number(value, kind, dialect)), dialect), kind, dialect)
        case TopCode(limit):
            number = _number(value, kind, dialect)
            above = literal(str(limit)) if kind in _TEXTS else _made(literal(limit), kind, dialect)
            return case((dialect.numeric(number) <= limit, value), (number.is_not(None), above))
        case _ if kind not in _TEXTS:
            return null()
        case Partial():
            shown = func.substr(value, 1, form.prefix, type_=Text).concat(form.pad * form.length)
            return func.substr(shown, 1, form.length, type_=Text)
        case Email():
            return _email(value, dialect)
        case Year():
            return _start(value, 4) if kind is Kind.DAY else case((_is_date(value, dialect), _start(value, 4)))
        case Month():
            return _start(value, 7) if kind is Kind.DAY else case((_is_date(value, dialect), _start(value, 7)))
        case AgeBand():
            return _age_band(value, dialect, today)
        case Truncate(level):
            return _truncated(level, value, dialect)
        case _:
            assert_never(form)


def _number(value: Sql, kind: Kind, dialect: Dialect) -> Sql:
    """Return a value of the kind as a number; only a text has still to be read as one."""
    return dialect.number(value) if kind in _TEXTS else value


def _made(number: Sql, kind: Kind, dialect: Dialect) -> Sql:
    """Return a number that a mask made as the field's other forms are: one row may have this form, the next another."""
    return number if kind is Kind.WHOLE else dialect.as_number(number)


def _start(value: Sql, length: int) -> Sql:
    return func.substr(value, 1, length, type_=Text)


def _is_date(value: Sql, dialect: Dialect) -> Sql:
    return or_(*(dialect.shaped(value, shape) for shape in _PARTIAL_DATES))


def _email(value: Sql, dialect: Dialect) -> Sql:
    at = dialect.position(value, "@")
    mailbox = case((at == 1, ""), else_=_start(value, 1))
    domain = case((at == 0, ""), else_=func.substr(value, at + 1, 1, type_=Text))
    return mailbox.concat("***@").concat(domain).concat("***")


def _age_band(value: Sql, dialect: Dialect, today: date) -> Sql:
    year = cast(_start(value, 4), BigInteger)
    day = func.substr(value, 6, 5, type_=Text)
    before = literal(today.isoformat()[5:]) < dialect.by_code_point(day)
    age = literal(today.year) - year - case((before, 1), else_=0)
    lowest = age // 10 * 10
    label = cast(lowest, Text).concat("-").concat(cast(lowest + 9, Text))
    is_day = dialect.shaped(value, "####-##-##")
    # The year is read only from a text that has one: a cast of anything else is an error in PostgreSQL.
    return case((is_day, case((age < 0, null()), (age >= _OLDEST_BAND, f"{_OLDEST_BAND}+"), else_=label)))


def reached(value: Sql, dialect: Dialect, years: int, today: date) -> Sql:
    """Return whether who was born then, as a text, has completed `years` on `today`; NULL where it does not tell."""
    born = dialect.by_code_point(value)
    outcomes = [
        (
            dialect.shaped(value, found.shape),
            case((born <= literal(found.latest), true()), (born > literal(found.never_after), false()), else_=null()),
        )
        for found in reaching(years, today)
    ]
    return case(*outcomes)


def _rounded(step: int, number: Sql, dialect: Dialect) -> Sql:
    """Halves go upwards: floor((2 * number + step) / (2 * step)) * step."""
    return dialect.floored((number * 2 + step) / cast(literal(2 * step), Numeric)) * step


def _truncated(level: Level, value: Sql, dialect: Dialect) -> Sql:
    postal, istat = dialect.shaped(value, "#####"), dialect.shaped(value, "######")
    match level:
        case Level.PROVINCE:
            return case((postal, _start(value, 2)), (istat, _start(value, 3)))
        case Level.REGION:
            regions: dict[str, list[str]] = {}
            for province, region in REGION_OF_PROVINCE.items():
                regions.setdefault(region, []).append(province)
            of_istat = [
                (and_(istat, _start(value, 3).in_(provinces)), literal(region)) for region, provinces in regions.items()
            ]
            return case((postal, _start(value, 1)), *of_istat)
        case _:
            assert_never(level)
