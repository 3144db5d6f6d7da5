"""Parts of conditions that say nothing: always true, always false, or without effect beside the others (section 8).

An `||` whose first branch is always true makes the rest dead, and an officer who reads the rule is misled. Every part
is tried in every situation that its rule can tell apart, within what the rule's own clauses leave open (kinds,
purposes, days). A missing value counts where a part is said to be without effect, because there it matters.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from node.policy.conditions import FALSE, TRUE, And, Condition, Literal, Not, Or, Value, children, evaluate, to_text
from node.policy.matrix import conditions_of
from node.policy.vocabulary import KIND, PURPOSE, TODAY
from node.policy.worlds import TooManySituationsError, boundary_days, days_in, distinguishable_values, situations, size

if TYPE_CHECKING:
    from node.policy.bundle import Bundle
    from node.policy.documents import Grant, TypeDocument

MAX_SITUATIONS: Final = 50_000
"""A condition that tells more situations apart is not looked at: no finding is better than a slow one."""

_Fixed = Mapping[str, Sequence[Value | None]]


class Needlessness(StrEnum):
    """Why a part of a condition can go."""

    ALWAYS = "always true"
    NEVER = "never true"
    NO_EFFECT = "without effect beside the others"


@dataclass(frozen=True, slots=True)
class NeedlessPart:
    """A part of a rule's clause that decides nothing."""

    type_name: str
    rule: str
    clause: str
    part: str
    why: Needlessness


def needless_parts(bundle: Bundle) -> Iterator[NeedlessPart]:
    """Yield what conditions say in vain, outermost first; a part of a part that was told is not told again."""
    for name, document in sorted(bundle.types.items()):
        for grant in document.grants:
            fixed = _within(grant, bundle, document)
            for part, why in _needless(grant.rows, fixed):
                yield NeedlessPart(name, grant.id, "rows", to_text(part), why)
        anyone = _anybody(bundle, document)
        for rule in document.prohibitions:
            for clause, condition in (("rows", rule.rows), ("when", rule.when), ("unless", rule.unless)):
                for part, why in _needless(condition, anyone):
                    yield NeedlessPart(name, rule.id, clause, to_text(part), why)


def _within(grant: Grant, bundle: Bundle, document: TypeDocument) -> _Fixed:
    """Return what a grant's own clauses leave open."""
    vocabulary = bundle.vocabulary
    first, last = grant.valid.first, grant.valid.last
    days = boundary_days((first, last, *days_in(conditions_of(document))))
    return {
        KIND: list(grant.kinds),
        PURPOSE: [name for name in vocabulary.purposes if vocabulary.covers(grant.purpose, name)],
        TODAY: [day.isoformat() for day in days if grant.valid.holds(day)],
    }


def _anybody(bundle: Bundle, document: TypeDocument) -> _Fixed:
    days = boundary_days((*days_in(conditions_of(document)), *(grant.valid.first for grant in document.grants)))
    return {
        KIND: list(bundle.vocabulary.kinds),
        PURPOSE: list(bundle.vocabulary.purposes),
        TODAY: [day.isoformat() for day in days],
    }


def _needless(condition: Condition, fixed: _Fixed) -> Iterator[tuple[Condition, Needlessness]]:
    if condition in (TRUE, FALSE):
        return  # an omitted clause
    try:
        values = distinguishable_values((condition,), fixed)
    except TooManySituationsError:
        return
    if size(values) > MAX_SITUATIONS:
        return
    tried = list(situations(values))
    known = [names for names in tried if all(value is not None for value in names.values())]
    yield from _constant_parts(condition, known)
    yield from _ineffective_parts(condition, condition, tried)


def _constant_parts(part: Condition, known: list[dict[str, Value | None]]) -> Iterator[tuple[Condition, Needlessness]]:
    if isinstance(part, Literal):
        return
    truths = {evaluate(part, names, frozenset()) for names in known}
    if truths == {True}:
        yield part, Needlessness.ALWAYS
    elif truths == {False}:
        yield part, Needlessness.NEVER
    elif isinstance(part, (And, Or, Not)):
        for inner in children(part):
            yield from _constant_parts(inner, known)


def _ineffective_parts(
    whole: Condition, part: Condition, tried: list[dict[str, Value | None]]
) -> Iterator[tuple[Condition, Needlessness]]:
    """Yield the operands of `&&` and `||` without which the whole means the same; constant ones are told already."""
    if not isinstance(part, (And, Or)):
        return
    known = [names for names in tried if all(value is not None for value in names.values())]
    for position, inner in enumerate(part.parts):
        rest = (*part.parts[:position], *part.parts[position + 1 :])
        without = rest[0] if len(rest) == 1 else replace(part, parts=rest)
        shorter = without if whole is part else _replaced(whole, part, without)
        constant = {evaluate(inner, names, frozenset()) for names in known} in ({True}, {False})
        if not constant and all(
            evaluate(whole, names, frozenset()) is evaluate(shorter, names, frozenset()) for names in tried
        ):
            yield inner, Needlessness.NO_EFFECT
            return  # of two that make each other needless only one may go
        yield from _ineffective_parts(whole, inner, tried)


def _replaced(whole: Condition, old: Condition, new: Condition) -> Condition:
    """Return a condition with one part of it, by identity, replaced."""
    if whole is old:
        return new
    match whole:
        case Not(operand):
            return Not(_replaced(operand, old, new))
        case And(parts) | Or(parts):
            return replace(whole, parts=tuple(_replaced(part, old, new) for part in parts))
        case _:
            return whole
