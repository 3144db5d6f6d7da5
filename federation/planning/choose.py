"""Stage 4, choose: one option for every goal, so that all together cost least.

The cost of a set of jumps is a sum over requests, not over jumps: jumps into one subgraph that can happen at the same
time become one request. The longest chain weighs most, then each request (the later, the dearer), then each jump.

Search is branch and bound. Adding jumps never makes a set cheaper, therefore (1) a goal with one option, or one that
the jumps already taken can answer, is decided at once, (2) a set that already costs as much as the best known answer is
given up, and (3) the goal whose cheapest option adds most is decided first, since it tells branches apart soonest.
Goals with the same options are decided together. A stated budget bounds the work; when it ends, the best answer so far
is used.

Among answers of equal cost, the one that has most fields in early requests is taken.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from federation.planning.goals import Goal
    from federation.planning.places import Places
    from federation.planning.tree import Mask, Option

CHAIN = 1_000_000
REQUEST = 1_000
JUMP = 1

TIES = 64
"""How many answers of equal cost are compared before the best of them is taken."""

Way = tuple["Mask", int]
"""The jumps of an option, and the requests they make (bit n is the n-th pair of subgraph and level)."""


@dataclass(frozen=True, slots=True)
class Choice:
    """The decision: every goal with its option, the jumps used, their cost, and whether that is proved the least.

    `weighed` is how many sets of jumps were looked at for it.
    """

    picks: tuple[tuple[Goal, Option], ...]
    mask: Mask
    cost: int
    proved: bool
    weighed: int


def choose(places: Places, goals: Iterable[Goal], budget: int) -> Choice:
    """Pick the cheapest combination of options; `budget` is how many sets of jumps may be weighed."""
    goals = tuple(goals)
    bound = _Bound(places, budget)
    asked = Counter(tuple((option.mask, option.jump.level) for option in goal.options) for goal in goals)
    bound.asked = asked
    questions = {tuple(bound.way(mask) for mask, _ in ways) for ways in asked}
    bound.descend((0, 0), sorted(questions, key=lambda ways: (len(ways), ways)))
    best = bound.best
    assert best is not None  # the first descent always reaches an answer
    picks = tuple((goal, _within(goal, best)) for goal in goals)
    mask = 0
    for _, option in picks:
        mask |= option.mask
    cost = bound.cost(bound.way(mask))
    return Choice(picks, mask, cost, proved=bound.left > 0, weighed=budget - bound.left)


def _within(goal: Goal, mask: Mask) -> Option:
    """Take the earliest option that needs no jump beyond those decided on."""
    possible = (option for option in goal.options if option.mask & ~mask == 0)
    return min(possible, key=lambda option: option.jump.level)


class _Bound:
    """The state of the search: best answer so far, and how much may still be weighed."""

    def __init__(self, places: Places, budget: int) -> None:
        self.places = places
        self.left = budget
        self.ties = TIES
        self.asked: Counter[tuple[tuple[Mask, int], ...]] = Counter()
        self.best: Mask | None = None
        self.best_cost = 0
        self.best_lateness = 0
        self._requests: dict[tuple[str, int], int] = {}
        self._costs: dict[int, int] = {}

    def way(self, mask: Mask) -> Way:
        """Find the requests that a set of jumps makes."""
        requests = 0
        for jump in self.places.masks(mask):
            requests |= self._requests.setdefault((jump.subgraph, jump.level), 1 << len(self._requests))
        return (mask, requests)

    def cost(self, way: Way) -> int:
        """Weigh a set of jumps."""
        mask, requests = way
        found = self._costs.get(requests)
        if found is None:
            levels = [level for (_, level), bit in self._requests.items() if bit & requests]
            found = self._costs[requests] = max(levels, default=0) * CHAIN + sum(levels) * REQUEST
        return found + mask.bit_count() * JUMP

    def descend(self, taken: Way, questions: list[tuple[Way, ...]]) -> None:
        """Decide the open questions one after the other, the most telling first."""
        mask, requests = taken
        for forced in questions:
            if len(forced) == 1:
                mask, requests = mask | forced[0][0], requests | forced[0][1]
        taken = (mask, requests)
        questions = [ways for ways in questions if all(one & ~mask for one, _ in ways)]
        if not questions:
            self._offer(taken)
            return
        least = -1
        hardest: list[tuple[int, Way]] = []
        for ways in questions:
            sets = [(mask | one, requests | other) for one, other in ways]
            priced = [(self.cost(more), more) for more in sets]
            self.left -= len(priced)
            cheapest = min(priced)[0]
            if cheapest > least:
                least, hardest = cheapest, priced
        for cost, more in sorted(hardest):
            if self._hopeless(max(cost, least)):
                return
            self.descend(more, questions)

    def _hopeless(self, cost: int) -> bool:
        if self.best is None:
            return False
        return self.left <= 0 or cost > self.best_cost or (cost == self.best_cost and self.ties <= 0)

    def _offer(self, taken: Way) -> None:
        """Take an answer when it is cheaper than the best, or as cheap and earlier."""
        cost = self.cost(taken)
        if self.best is not None and cost == self.best_cost:
            self.ties -= 1
        lateness = self._lateness(taken[0])
        if self.best is None or (cost, lateness) < (self.best_cost, self.best_lateness):
            self.best, self.best_cost, self.best_lateness = taken[0], cost, lateness

    def _lateness(self, mask: Mask) -> int:
        """Sum, over all goals, the length of the chain to the request that answers it."""
        return sum(times * min(level for one, level in ways if one & ~mask == 0) for ways, times in self.asked.items())
