"""The conditions of policies as SQL, with the same three truth values: NULL is unknown (policy section 2)."""

from __future__ import annotations

from typing import Final, assert_never

from sqlalchemy import Boolean, and_, case, cast, exists, false, literal, null, or_, true
from sqlalchemy.sql.selectable import FromClause

from node.data.dialects import Sql, negated
from node.data.expressions import PlainType
from node.data.rows import Row
from node.policy.conditions import (
    And,
    Compare,
    Comparison,
    Condition,
    Consent,
    In,
    Literal,
    Meets,
    Name,
    Not,
    Or,
    SetLiteral,
    Unknown,
    ValueType,
    type_of,
)

_PLAIN: Final = {ValueType.BOOL: PlainType.BOOL, ValueType.INT: PlainType.INT, ValueType.STR: PlainType.STR}


def condition_sql(condition: Condition, row: Row) -> Sql:
    """Return a residual condition, or an operand of one, about a row."""
    match condition:
        case Literal(bool(value)):
            return true() if value else false()
        case Literal(value):
            return literal(value)
        case Name():
            return row.attribute(condition.attribute, _PLAIN[condition.type])
        case Unknown():
            return cast(null(), Boolean)
        case Consent(purpose):
            return row.consents(purpose)
        case Not(operand):
            return negated(condition_sql(operand, row))
        case And(parts):
            return and_(*(condition_sql(part, row) for part in parts))
        case Or(parts):
            return or_(*(condition_sql(part, row) for part in parts))
        case Compare():
            return _compared(condition, row)
        case In(element, collection):
            return _contained(condition_sql(element, row), collection, row)
        case Meets(left, right):
            return _met(left, right, row)
        case SetLiteral():
            raise AssertionError("a set stands only in `in` and `any`")
        case _:
            assert_never(condition)


def _compared(compare: Compare, row: Row) -> Sql:
    left, right = condition_sql(compare.left, row), condition_sql(compare.right, row)
    if type_of(compare.left) is ValueType.STR:
        left = row.reading.dialect.by_code_point(left)
    match compare.operator:
        case Comparison.EQ:
            return left == right
        case Comparison.NE:
            return left != right
        case Comparison.LT:
            return left < right
        case Comparison.LE:
            return left <= right
        case Comparison.GT:
            return left > right
        case Comparison.GE:
            return left >= right
        case _:
            assert_never(compare.operator)


def _contained(element: Sql, collection: Condition, row: Row) -> Sql:
    if isinstance(collection, SetLiteral):
        members = [member.value for member in collection.members]
        return case((element.is_(None), null()), else_=element.in_(members)) if not members else element.in_(members)
    found = _set(collection, row)
    if found is None:
        return cast(null(), Boolean)
    other, tied, value = found
    # A set is known as a whole; only the element can be missing.
    return case((element.is_(None), null()), else_=_exists(other, tied, value == element))


def _met(left: Condition, right: Condition, row: Row) -> Sql:
    if isinstance(left, SetLiteral) and isinstance(right, SetLiteral):
        common = {member.value for member in left.members} & {member.value for member in right.members}
        return true() if common else false()
    if isinstance(left, SetLiteral):
        return _met(right, left, row)
    found = _set(left, row)
    if found is None:
        return cast(null(), Boolean)
    other, tied, value = found
    if isinstance(right, SetLiteral):
        return _exists(other, tied, value.in_([str(member.value) for member in right.members]))
    second = _set(right, row)
    if second is None:
        return cast(null(), Boolean)
    inner = exists(literal(1)).where(second[1], second[2] == value).select_from(second[0])
    return _exists(other, tied, inner.correlate_except(second[0]))


def _set(name: Condition, row: Row) -> tuple[FromClause, Sql, Sql] | None:
    assert isinstance(name, Name)  # the checker admits nothing else as a set
    return row.set_attribute(name.attribute)


def _exists(other: FromClause, *conditions: Sql) -> Sql:
    return exists(literal(1)).where(*conditions).select_from(other).correlate_except(other)
