"""Whether two grants can ever apply to one cell (R10)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from node.policy.conditions import evaluate
from node.policy.vocabulary import KIND, PURPOSE, TODAY
from node.policy.worlds import TooManySituationsError, boundary_days, days_in, distinguishable_values, situations, size

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from node.policy.conditions import Value
    from node.policy.documents import Grant
    from node.policy.vocabulary import Vocabulary

MAX_SITUATIONS: Final = 200_000
"""Beyond this many, two conditions count as able to hold together: an officer can always choose simpler rows."""


def may_apply_together(one: Grant, other: Grant, vocabulary: Vocabulary) -> bool:
    """Return False only if no requester, purpose, day and row exists to which both grants apply."""
    kinds = [kind for kind in one.kinds if kind in other.kinds]
    purposes = [
        name
        for name in vocabulary.purposes
        if vocabulary.covers(one.purpose, name) and vocabulary.covers(other.purpose, name)
    ]
    first, last = max(one.valid.first, other.valid.first), min(one.valid.last, other.valid.last)
    if not kinds or not purposes or first > last:
        return False
    try:
        days = boundary_days((first, last, *days_in((one.rows, other.rows))))
        fixed: dict[str, Sequence[Value | None]] = {
            KIND: kinds,
            PURPOSE: purposes,
            TODAY: [day.isoformat() for day in days if first <= day <= last],
        }
        return _satisfiable(one, other, fixed)
    except TooManySituationsError:
        return True


def _satisfiable(one: Grant, other: Grant, fixed: Mapping[str, Sequence[Value | None]]) -> bool:
    values = distinguishable_values((one.rows, other.rows), fixed)
    if size(values) > MAX_SITUATIONS:
        return True
    return any(
        evaluate(one.rows, names) is True and evaluate(other.rows, names) is True for names in situations(values)
    )
