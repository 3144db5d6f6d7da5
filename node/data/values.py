"""From the mapping's expressions to SQL."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import assert_never

from sqlalchemy import BigInteger, Text, and_, case, cast, false, func, literal, null, or_, true

from node.data.dialects import Dialect, Sql
from node.data.expressions import (
    Age,
    Coalesce,
    Coded,
    Column,
    Concat,
    Constant,
    DateFormat,
    Day,
    Expression,
    Joined,
    JsonAt,
    Moment,
    MomentFormat,
    OwnerAttribute,
    Trimmed,
    Truth,
    Typed,
    ValueSet,
    columns_in,
)

_ISO_DAY = "####-##-##"
_NO_YEAR = "0000"


@dataclass(frozen=True, slots=True)
class Values:
    """Writes expressions about one row as SQL.

    `column` gives the row's raw column, `owners` the attribute of the row's owner or of the row it is part of.
    """

    dialect: Dialect
    today: date
    column: Callable[[str], Sql]
    owners: Callable[[str], Sql]

    def value(self, expression: Expression) -> Sql:
        """Return an expression's value; sets have none, see `RowScope.values_of`."""
        match expression:
            case Column(name):
                return self.column(name)
            case Constant(bool(value)):
                return true() if value else false()
            case Constant(value):
                return literal(value)
            case Concat(parts):
                return self._concatenated([self.text(part) for part in parts])
            case Joined():
                return self._joined(expression)
            case Coalesce(parts):
                return (
                    func.coalesce(*(self.text(part) for part in parts), type_=Text)
                    if len(parts) > 1
                    else self.text(parts[0])
                )
            case Trimmed(of):
                return func.nullif(func.trim(self.text(of)), "", type_=Text)
            case JsonAt(of, path):
                return self.dialect.json_at(self.text(of), path)
            case Coded():
                return self._coded(expression)
            case Day(of, written_as):
                return self._day(self.text(of), written_as)
            case Moment():
                return self._moment(expression)
            case Truth():
                return self._truth(expression)
            case Typed(of, kind):
                return self.dialect.typed(self.value(of), kind)
            case Age(of):
                return self._age(self.text(of))
            case OwnerAttribute(name):
                return self.owners(name)
            case ValueSet():
                raise AssertionError("a set is no value")
            case _:
                assert_never(expression)

    def text(self, expression: Expression) -> Sql:
        """Return an expression's value as text."""
        return self.dialect.text(self.value(expression))

    def _concatenated(self, parts: list[Sql]) -> Sql:
        found = parts[0]
        for part in parts[1:]:
            found = found.concat(part)
        return found

    def _joined(self, joined: Joined) -> Sql:
        shown = [(part, func.nullif(self.text(part), "", type_=Text)) for part in joined.parts]
        pieces = [case((value.is_(None), ""), else_=literal(joined.separator).concat(value)) for _, value in shown]
        whole = func.substr(self._concatenated(list(pieces)), len(joined.separator) + 1, type_=Text)
        of_columns = [value.is_not(None) for part, value in shown if any(True for _ in columns_in(part))]
        return case((or_(false(), *of_columns), whole))

    def _coded(self, coded: Coded) -> Sql:
        code = self.text(coded.of)
        # A register's code is compared as it is written, whatever collation its column has.
        pairs = [(self.dialect.by_code_point(code) == written, literal(word)) for written, word in coded.words]
        if coded.otherwise is not None:
            pairs.append((code.is_not(None), literal(coded.otherwise)))
        return case(*pairs)

    def _truth(self, truth: Truth) -> Sql:
        code = self.dialect.by_code_point(self.text(truth.of))
        otherwise = code.in_(truth.false) if truth.false else code.is_not(None)
        return case((code.in_(truth.true), true()), (otherwise, false()), else_=null())

    def _day(self, value: Sql, written_as: DateFormat) -> Sql:
        shaped = self.dialect.shaped
        match written_as:
            case DateFormat.YYYYMMDD:
                parts = _part(value, 1, 4), _part(value, 5, 2), _part(value, 7, 2)
                return case((shaped(value, "########"), self._reduced(*parts)))
            case DateFormat.DAY_FIRST:
                parts = _part(value, 7, 4), _part(value, 4, 2), _part(value, 1, 2)
                return case((shaped(value, "##/##/####"), self._reduced(*parts)))
            case DateFormat.ISO:
                return case(
                    (self.dialect.is_iso_day(value), value),
                    # A moment of the register's own clock is of that day; with an offset it may be of another.
                    (
                        and_(
                            self._has_seconds(value),
                            _after_seconds(value)[1] == "",
                            self.dialect.is_iso_day(_part(value, 1, 10)),
                        ),
                        _part(value, 1, 10),
                    ),
                    (and_(shaped(value, "####-00-00"), _has_year(value)), _part(value, 1, 4)),
                    (and_(shaped(value, "####-##-00"), _has_year(value), _has_month(value)), _part(value, 1, 7)),
                    (and_(shaped(value, "####-##"), _has_year(value), _has_month(value)), value),
                    (and_(shaped(value, "####"), _has_year(value)), value),
                )
            case DateFormat.YEAR:
                return case((and_(shaped(value, "####"), _has_year(value)), value))
            case DateFormat.YYYYMM:
                month = self._reduced(_part(value, 1, 4), _part(value, 5, 2), literal("00"))
                return case((shaped(value, "######"), month))
            case _:
                assert_never(written_as)

    def _reduced(self, year: Sql, month: Sql, day: Sql) -> Sql:
        """Return an ISO date as far as it is known: a month or day of `00` is not. What no calendar has is null."""
        of_month = year.concat("-").concat(month)
        whole = of_month.concat("-").concat(day)
        return case(
            (self.dialect.is_iso_day(whole), whole),
            (and_(year != _NO_YEAR, month == "00", day == "00"), year),
            (and_(year != _NO_YEAR, month.between("01", "12"), day == "00"), of_month),
        )

    def _moment(self, moment: Moment) -> Sql:
        offset = literal(moment.offset)
        match moment.format:
            case MomentFormat.EPOCH:
                return self.dialect.from_epoch(self.value(moment.of))
            case MomentFormat.DIGITS:
                value = self.text(moment.of)
                day = _part(value, 1, 4).concat("-").concat(_part(value, 5, 2)).concat("-").concat(_part(value, 7, 2))
                time = (
                    _part(value, 9, 2).concat(":").concat(_part(value, 11, 2)).concat(":").concat(_part(value, 13, 2))
                )
                return case((self.dialect.shaped(value, "#" * 14), day.concat("T").concat(time).concat(offset)))
            case MomentFormat.ISO:
                value = self.text(moment.of)
                fraction, zone = _after_seconds(value)
                time = _part(value, 1, 10).concat("T").concat(_part(value, 12, 8)).concat(fraction)
                return case((self._has_seconds(value), time.concat(self._zone(zone, offset))))
            case _:
                assert_never(moment.format)

    def _has_seconds(self, value: Sql) -> Sql:
        begin = _part(value, 1, 19)
        return or_(*(self.dialect.shaped(begin, f"####-##-##{between}##:##:##") for between in " T"))

    def _zone(self, written: Sql, otherwise: Sql) -> Sql:
        """Return an offset as RFC 3339 has it: the one that is written, which PostgreSQL does in hours where it can."""
        hours = or_(*(self.dialect.shaped(written, f"{sign}##") for sign in "+-"))
        whole = or_(written == "Z", *(self.dialect.shaped(written, f"{sign}##:##") for sign in "+-"))
        return case((written == "", otherwise), (hours, written.concat(":00")), (whole, written))

    def _age(self, day: Sql) -> Sql:
        """Text order is date order, so that 29 February comes of age on 1 March, as in `masks.age_band`."""
        years = literal(self.today.year) - cast(_part(day, 1, 4), BigInteger)
        before = literal(self.today.isoformat()[5:]) < self.dialect.by_code_point(_part(day, 6, 5))
        age = years - case((before, 1), else_=0)
        return case((and_(self.dialect.shaped(day, _ISO_DAY), day <= self.today.isoformat()), age))


def _has_year(value: Sql) -> Sql:
    """Return whether an ISO date is of a year that calendars count."""
    return _part(value, 1, 4) != _NO_YEAR


def _has_month(value: Sql) -> Sql:
    """Return whether an ISO date has a month of the calendar."""
    return _part(value, 6, 2).between("01", "12")


def _part(value: Sql, start: int, length: int) -> Sql:
    return func.substr(value, start, length, type_=Text)


def _after_seconds(value: Sql) -> tuple[Sql, Sql]:
    """Return the fraction of a second and the offset that follow a moment's first 19 characters; empty if absent."""
    rest = func.substr(value, 20, type_=Text)
    zone = case((func.substr(rest, 1, 1, type_=Text) == ".", func.ltrim(rest, ".0123456789", type_=Text)), else_=rest)
    return func.substr(rest, 1, func.length(rest) - func.length(zone), type_=Text), zone
