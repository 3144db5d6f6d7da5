"""Partial evaluation: what is left of a condition once everything but the row and the consent is known (section 2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from node.policy.conditions import (
    CONSENT,
    FALSE,
    ROW,
    TRUE,
    UNKNOWN,
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
    compare,
    contains,
    meets,
    type_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from node.policy.conditions import Value


def residual(condition: Condition, known: Mapping[str, object], consent: Condition) -> Condition:
    """Fold everything except `row.*`; for every row the result has the same three-valued meaning as the condition.

    Args:
        condition: a checked condition.
        known: values of `requester.*`, `purpose` and `today`; a missing or null one folds to unknown.
        consent: what the name `consent` means here, usually `Consent(purpose)`.
    """
    match condition:
        case Literal() | SetLiteral() | Consent() | Unknown():
            return condition
        case Name(dotted, type_):
            return _name(condition, known.get(dotted), consent) if not dotted.startswith(ROW) else Name(dotted, type_)
        case Not(operand):
            return negate(residual(operand, known, consent))
        case And(parts):
            return conjunction(residual(part, known, consent) for part in parts)
        case Or(parts):
            return disjunction(residual(part, known, consent) for part in parts)
        case Compare(operator, left, right):
            return _comparison(operator, residual(left, known, consent), residual(right, known, consent))
        case In(element, collection):
            return _membership(residual(element, known, consent), residual(collection, known, consent))
        case Meets(left, right):
            return _meeting(residual(left, known, consent), residual(right, known, consent))
        case _:
            assert_never(condition)


def when_true(condition: Condition) -> Condition:
    """Replace unknowns so that `condition IS TRUE` stays the same on every row: a grant takes unknown for false.

    Only connectives are looked through; an unknown inside a comparison stays.
    """
    return _settle(condition, FALSE)


def unless_false(condition: Condition) -> Condition:
    """Replace unknowns so that `condition IS NOT FALSE` stays the same: a prohibition takes unknown for true."""
    return _settle(condition, TRUE)


def _settle(condition: Condition, settled: Literal) -> Condition:
    match condition:
        case Unknown():
            return settled
        case Not(operand):
            return negate(_settle(operand, _opposite(settled)))
        case And(parts):
            return conjunction(_settle(part, settled) for part in parts)
        case Or(parts):
            return disjunction(_settle(part, settled) for part in parts)
        case Literal() | SetLiteral() | Name() | Compare() | In() | Meets() | Consent():
            return condition
        case _:
            assert_never(condition)


def _opposite(truth: Literal) -> Literal:
    return FALSE if truth == TRUE else TRUE


def negate(condition: Condition) -> Condition:
    """Return the negation, folded where it is known."""
    match condition:
        case Literal(bool(value)):
            return FALSE if value else TRUE
        case Unknown():
            return UNKNOWN
        case Not(operand):
            return operand
        case _:
            return Not(condition)


def conjunction(parts: Iterable[Condition]) -> Condition:
    """Return the conjunction: false absorbs, true vanishes, repeated parts are said once."""
    return _join(parts, And, absorbing=FALSE, neutral=TRUE)


def disjunction(parts: Iterable[Condition]) -> Condition:
    """Return the disjunction: true absorbs, false vanishes, repeated parts are said once."""
    return _join(parts, Or, absorbing=TRUE, neutral=FALSE)


def _join(parts: Iterable[Condition], connective: type[And | Or], *, absorbing: Literal, neutral: Literal) -> Condition:
    kept: dict[Condition, None] = {}
    for part in parts:
        # Most parts are no literals: telling so first spares comparing whole trees.
        if isinstance(part, Literal):
            if part == absorbing:
                return absorbing
            if part == neutral:
                continue
        if isinstance(part, connective):
            kept.update(dict.fromkeys(part.parts))
        else:
            kept[part] = None
    if len(kept) == 1:
        return next(iter(kept))
    match tuple(kept):
        case ():
            return neutral
        case several:
            return connective(several)


def _name(name: Name, value: object, consent: Condition) -> Condition:
    if name.dotted == CONSENT:
        return consent
    admitted = admit(value, name.type)
    return UNKNOWN if admitted is None else _constant(admitted)


def _constant(value: Value) -> Condition:
    if isinstance(value, frozenset):
        return SetLiteral(tuple(sorted(map(Literal, value), key=lambda literal: str(literal.value))))
    return Literal(value)


def _comparison(operator: Comparison, left: Condition, right: Condition) -> Condition:
    if isinstance(left, Unknown) or isinstance(right, Unknown):
        return UNKNOWN
    if isinstance(left, Literal) and isinstance(right, Literal):
        return _truth(compare(operator, left.value, right.value))
    if type_of(left) is ValueType.BOOL:
        return _boolean_comparison(operator, left, right)
    return Compare(operator, left, right)


def _boolean_comparison(operator: Comparison, left: Condition, right: Condition) -> Condition:
    """`x == true` is `x` and `x == false` is `!x`, also when `x` is unknown."""
    for literal, other in ((left, right), (right, left)):
        if isinstance(literal, Literal):
            same = (operator is Comparison.EQ) == literal.value
            return other if same else negate(other)
    return Compare(operator, left, right)


def _membership(element: Condition, collection: Condition) -> Condition:
    if isinstance(element, Unknown) or isinstance(collection, Unknown):
        return UNKNOWN
    if isinstance(element, Literal) and isinstance(collection, SetLiteral):
        return _truth(contains(element.value, _members(collection)))
    if collection == SetLiteral(()):
        # Nothing is in an empty set, but a missing element still makes the answer unknown.
        return Compare(Comparison.NE, element, element)
    return In(element, collection)


def _meeting(left: Condition, right: Condition) -> Condition:
    if isinstance(left, Unknown) or isinstance(right, Unknown):
        return UNKNOWN
    if isinstance(left, SetLiteral) and isinstance(right, SetLiteral):
        return _truth(meets(_members(left), _members(right)))
    return Meets(left, right)


def _members(literal: SetLiteral) -> frozenset[str]:
    return frozenset(member.value for member in literal.members)  # type: ignore[misc]  # one type, whichever it is


def _truth(value: bool | None) -> Condition:  # noqa: FBT001  # a three-valued truth, not a switch
    return UNKNOWN if value is None else TRUE if value else FALSE
