"""Residuals as Python closures: what the node runs per row where SQL does not decide (policy section 2).

The meaning is that of `conditions.evaluate`, which stays the readable oracle; a generated test keeps the two equal.
The common shapes, a row attribute beside a literal, get a closure of their own: they cost one dictionary look-up.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING, Any, Final, TypeAlias, assert_never

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
    admit,
)

if TYPE_CHECKING:
    from node.policy.conditions import Value

Row: TypeAlias = Mapping[str, object]
"""Attributes of one row by name, without `row.`; a missing or null one is unknown."""

Consents: TypeAlias = Collection[str] | None
"""Purposes for which the row's subject gave a valid consent; None when that cannot be known."""

Test: TypeAlias = Callable[[Row, Consents], "bool | None"]
"""A compiled condition: true, false, or None for unknown. It never raises (R11)."""

_Operand: TypeAlias = Callable[[Row, Consents], "Value | None"]

_OPERATORS: Final[Mapping[Comparison, Callable[[Any, Any], bool]]] = {
    Comparison.EQ: operator.eq,
    Comparison.NE: operator.ne,
    Comparison.LT: operator.lt,
    Comparison.LE: operator.le,
    Comparison.GT: operator.gt,
    Comparison.GE: operator.ge,
}
_EXACT: Final[Mapping[ValueType, type]] = {ValueType.BOOL: bool, ValueType.INT: int, ValueType.STR: str}


def compile_test(condition: Condition) -> Test:
    """Return a residual of type bool as a closure."""
    return _operand(condition)  # type: ignore[return-value]  # of type bool, checked when it was parsed


def _operand(condition: Condition) -> _Operand:
    match condition:
        case Literal(value):
            return lambda _row, _consents: value
        case SetLiteral(members):
            collected: Value = frozenset(member.value for member in members)  # type: ignore[assignment]  # of one type
            return lambda _row, _consents: collected
        case Unknown():
            return lambda _row, _consents: None
        case Name():
            return _name(condition)
        case Consent(purpose):
            return lambda _row, consents: None if consents is None else purpose in consents
        case Not(operand):
            return _not(_operand(operand))
        case And(parts):
            return _and(tuple(_operand(part) for part in parts))
        case Or(parts):
            return _or(tuple(_operand(part) for part in parts))
        case Compare(comparison, Name() as name, Literal(value)) if name.type in _EXACT:
            return _compare_to_literal(comparison, name, value)
        case Compare(comparison, left, right):
            return _compare(comparison, _operand(left), _operand(right))
        case In(element, collection):
            return _in(_operand(element), _operand(collection))
        case Meets(left, right):
            return _meets(_operand(left), _operand(right))
        case _:
            assert_never(condition)


def _name(name: Name) -> _Operand:
    attribute, type_ = name.attribute, name.type
    exact = _EXACT.get(type_)
    if exact is None:
        return lambda row, _consents: admit(row.get(attribute), type_)

    def scalar(row: Row, _consents: Consents) -> Value | None:
        value = row.get(attribute)
        return value if type(value) is exact else None  # type: ignore[return-value]  # exact is bool, int or str

    return scalar


def _not(operand: _Operand) -> _Operand:
    def negation(row: Row, consents: Consents) -> Value | None:
        inner = operand(row, consents)
        return None if inner is None else not inner

    return negation


def _and(parts: tuple[_Operand, ...]) -> _Operand:
    def conjunction(row: Row, consents: Consents) -> Value | None:
        answer: bool | None = True
        for part in parts:
            truth = part(row, consents)
            if truth is False:
                return False
            if truth is None:
                answer = None
        return answer

    return conjunction


def _or(parts: tuple[_Operand, ...]) -> _Operand:
    def disjunction(row: Row, consents: Consents) -> Value | None:
        answer: bool | None = False
        for part in parts:
            truth = part(row, consents)
            if truth is True:
                return True
            if truth is None:
                answer = None
        return answer

    return disjunction


def _compare_to_literal(comparison: Comparison, name: Name, value: object) -> _Operand:
    attribute, exact, relate = name.attribute, _EXACT[name.type], _OPERATORS[comparison]

    def comparison_to_literal(row: Row, _consents: Consents) -> Value | None:
        found = row.get(attribute)
        return relate(found, value) if type(found) is exact else None

    return comparison_to_literal


def _compare(comparison: Comparison, left: _Operand, right: _Operand) -> _Operand:
    relate = _OPERATORS[comparison]

    def comparison_of_two(row: Row, consents: Consents) -> Value | None:
        one, other = left(row, consents), right(row, consents)
        return None if one is None or other is None else relate(one, other)

    return comparison_of_two


def _in(element: _Operand, collection: _Operand) -> _Operand:
    def membership(row: Row, consents: Consents) -> Value | None:
        one, many = element(row, consents), collection(row, consents)
        return one in many if one is not None and isinstance(many, frozenset) else None

    return membership


def _meets(left: _Operand, right: _Operand) -> _Operand:
    def meeting(row: Row, consents: Consents) -> Value | None:
        one, other = left(row, consents), right(row, consents)
        if not isinstance(one, frozenset) or not isinstance(other, frozenset):
            return None
        return not one.isdisjoint(other)

    return meeting
