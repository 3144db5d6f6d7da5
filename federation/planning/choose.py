"""Stage 4, choose: one option for every goal, so that all together cost least.

The cost of a set of jumps is a sum over requests, not over jumps: jumps into one subgraph that can happen at the same
time become one request. The longest chain weighs most, then each request (the later, the dearer), then each jump.

Search is branch and bound. Adding jumps never makes a set cheaper, therefore (1) a goal that the jumps already taken
can answer is decided at once, (2) a set that already costs as much as the best known answer is given up, and (3) the
goal whose cheapest option adds most is decided first, since it tells branches apart soonest. Goals with the same
options are decided together. A stated budget bounds the work; when it ends, the best answer so far is used.

Among answers of equal cost, the one that has most fields in early requests is taken.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from federation.planning.paths import Goal, Search
    from federation.planning.tree import Mask, Option

CHAIN = 1_000_000
REQUEST = 1_000
JUMP = 1

TIES = 200
"""How many answers of equal cost are compared before the first of them is taken."""


@dataclass(frozen=True, slots=True)
class Choice:
    """The decision: every goal with its option, the jumps used, their cost, and whether that is proved the least."""

    picks: tuple[tuple[Goal, Option], ...]
    mask: Mask
    cost: int
    proved: bool


def choose(search: Search, goals: Iterable[Goal], budget: int, start: Mask = 0) -> Choice:
    """Pick the cheapest combination of options; `budget` is the number of combinations looked at."""
    goals = tuple(goals)
    asked = Counter(tuple((option.mask, option.jump.level) for option in goal.options) for goal in goals)
    bound = _Bound(search, budget, asked)
    questions = {tuple(mask for mask, _ in ways) for ways in asked}
    bound.descend(start, sorted(questions, key=lambda masks: (len(masks), masks)))
    assert bound.best is not None  # the first descent always reaches an answer
    picks = tuple((goal, _within(goal, bound.best)) for goal in goals)
    mask = start
    for _, option in picks:
        mask |= option.mask
    return Choice(picks, mask, bound.cost(mask), proved=bound.left > 0)


def _within(goal: Goal, mask: Mask) -> Option:
    possible = (option for option in goal.options if option.mask & ~mask == 0)
    return min(possible, key=lambda option: option.jump.level)


class _Bound:
    """The state of the search: best answer so far, and how much may still be looked at."""

    def __init__(self, search: Search, budget: int, asked: Counter[tuple[tuple[Mask, int], ...]]) -> None:
        self.search = search
        self.left = budget
        self.ties = TIES
        self.asked = asked
        self.best: Mask | None = None
        self.best_cost = 0
        self.best_lateness = 0
        self._costs: dict[Mask, int] = {}

    def cost(self, mask: Mask) -> int:
        """Weigh a set of jumps."""
        found = self._costs.get(mask)
        if found is None:
            requests = {(jump.subgraph, jump.level) for jump in self.search.masks(mask)}
            longest = max((level for _, level in requests), default=0)
            found = longest * CHAIN + sum(level * REQUEST for _, level in requests) + mask.bit_count() * JUMP
            self._costs[mask] = found
        return found

    def descend(self, mask: Mask, questions: list[tuple[Mask, ...]]) -> None:
        """Decide the open questions one after the other, the most telling first."""
        open_questions = [masks for masks in questions if all(one & ~mask for one in masks)]
        if not open_questions:
            self._offer(mask)
            return
        priced = [(min(self.cost(mask | one) for one in masks), masks) for masks in open_questions]
        least, hardest = max(priced, key=lambda found: found[0])
        if self._hopeless(least):
            return
        for one in sorted(hardest, key=lambda found: self.cost(mask | found)):
            if self._hopeless(self.cost(mask | one)):
                return
            self.left -= 1
            self.descend(mask | one, open_questions)

    def _hopeless(self, cost: int) -> bool:
        if self.best is None:
            return False
        return self.left <= 0 or cost > self.best_cost or (cost == self.best_cost and self.ties <= 0)

    def _offer(self, mask: Mask) -> None:
        """Take an answer when it is cheaper than the best, or as cheap and earlier."""
        cost = self.cost(mask)
        if self.best is not None and cost == self.best_cost:
            self.ties -= 1
        lateness = self._lateness(mask)
        if self.best is None or (cost, lateness) < (self.best_cost, self.best_lateness):
            self.best, self.best_cost, self.best_lateness = mask, cost, lateness

    def _lateness(self, mask: Mask) -> int:
        """Sum, over all goals, the length of the chain to the request that answers it."""
        return sum(times * min(level for one, level in ways if one & ~mask == 0) for ways, times in self.asked.items())
