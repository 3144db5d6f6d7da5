"""Guards: under which values of the client's variables something is wanted, as alternatives of conditions.

A guard is a set of alternatives, each a set of conditions that must all hold. `ALWAYS` has one empty alternative and
`NEVER` has none. `@skip` and `@include` with literals fold away here, so only variables remain.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphql import BooleanValueNode, VariableNode

from federation.planning.plan import Condition, Conditions

if TYPE_CHECKING:
    from collections.abc import Iterable

    from graphql import DirectiveNode, ValueNode

Alternative = frozenset[Condition]
Guard = frozenset[Alternative]

ALWAYS: Guard = frozenset({frozenset()})
NEVER: Guard = frozenset()

MOST_ALTERNATIVES = 16
"""A guard with more alternatives is widened to `ALWAYS`: asking for more than needed is correct, only dearer."""


def either(left: Guard, right: Guard) -> Guard:
    """Return the guard that holds when one of two guards holds."""
    if right in (left, NEVER):
        return left
    return right if left == NEVER else _shortest(left | right)


def both(left: Guard, right: Guard) -> Guard:
    """Return the guard that holds when both guards hold."""
    if left in (ALWAYS, right):
        return right
    if right == ALWAYS:
        return left
    return _shortest({one | other for one in left for other in right if _possible(one | other)})


def any_of(guards: Iterable[Guard]) -> Guard:
    """Return the guard that holds when at least one of the guards holds."""
    result = NEVER
    for guard in guards:
        result = either(result, guard)
    return result


def inside(guard: Guard, outer: Guard) -> Guard:
    """Return what `guard` still asks where `outer` is known to hold, so that no condition is tested twice."""
    if outer in (ALWAYS, NEVER):
        return guard
    if guard == outer:
        return ALWAYS
    known = frozenset.intersection(*outer)
    return _shortest({alternative - known for alternative in guard})


def widen(guard: Guard) -> Guard:
    """Give up on a guard with too many alternatives: it then always holds."""
    return guard if len(guard) <= MOST_ALTERNATIVES else ALWAYS


def of_directives(directives: Iterable[DirectiveNode] | None) -> Guard:
    """Read `@skip` and `@include` of one selection."""
    guard = ALWAYS
    for directive in directives or ():
        name = directive.name.value
        if name in ("skip", "include"):
            values = {argument.name.value: argument.value for argument in directive.arguments or ()}
            guard = both(guard, of_value(values["if"], wanted=name == "include"))
    return guard


def of_value(value: ValueNode, *, wanted: bool) -> Guard:
    """Return the guard that holds when a boolean value, literal or variable, is `wanted`."""
    if isinstance(value, BooleanValueNode):
        return ALWAYS if value.value is wanted else NEVER
    assert isinstance(value, VariableNode)  # validation lets nothing else through
    return frozenset({frozenset({Condition(value.name.value, wanted)})})


def to_conditions(guard: Guard) -> Conditions:
    """Return the guard as the plan writes it, in a stable order."""
    if guard == ALWAYS:
        return ()
    return tuple(
        sorted(
            (tuple(sorted(alternative, key=_condition_order)) for alternative in guard),
            key=lambda conditions: [_condition_order(condition) for condition in conditions],
        )
    )


def _condition_order(condition: Condition) -> tuple[str, bool]:
    return (condition.variable, condition.wanted)


def _possible(alternative: Alternative) -> bool:
    return not any(Condition(condition.variable, not condition.wanted) in alternative for condition in alternative)


def _shortest(alternatives: Iterable[Alternative]) -> Guard:
    """Drop alternatives that say more than another one, and join `a` with `not a`."""
    kept = set(alternatives)
    changed = True
    while changed:
        changed = False
        for alternative in list(kept):
            for condition in alternative:
                opposite = alternative - {condition} | {Condition(condition.variable, not condition.wanted)}
                if opposite in kept:
                    kept.add(alternative - {condition})
                    kept.discard(alternative)
                    kept.discard(opposite)
                    changed = True
                    break
            if changed:
                break
    return frozenset(one for one in kept if not any(other < one for other in kept))
