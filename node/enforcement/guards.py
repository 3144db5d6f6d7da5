"""What many answers would tell that no single one may: budgets on guesses, and fields that are kept apart.

A field that may only be verified can be guessed, an identifier that may only be looked up can be enumerated, and what
two answers tell can be put together. Each is bounded here for a consumer, and counted over all workers and restarts:

* look-ups by an identifier: in all, of one citizen, and those that named nobody (policy R23);
* probes, by `<field>Matches` and `<field>Reached`: in all, and of one citizen and field, so that a search by halves or
  a list of guesses ends;
* combinations that the policy declares: fields that one consumer never learns of one citizen together;
* counts, that may not differ from counts told before by a few persons (policy R26), and questions for them.

What was read is judged before it is recorded and before it leaves; a refusal is recorded instead.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

import msgspec

from federation.contract.coverage import AskedField
from federation.contract.errors import BudgetExhaustedError, CombinationError
from federation.contract.governed import asks_about
from federation.trust.counters import Counters
from federation.trust.quotas import seconds_to_midnight
from node.data.answer import Answer
from node.enforcement.caller import Caller, Identity
from node.enforcement.delivered import Apart, Delivered
from node.enforcement.told_counts import AskedCounts, ToldCounts
from node.policy.bundle import Bundle
from node.policy.documents import TypeDocument

_LOOKUP: Final = ("Query", "citizen")
_KEY: Final = "id"


class Budgets(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab"):
    """How often a consumer may do what tells a little each time: per purpose and day."""

    lookups: int = 10_000
    lookups_of_one: int = 100
    misses: int = 500
    """Look-ups that named nobody, or nobody who may be shown."""
    probes: int = 10_000
    probes_of_one: int = 5
    """Guesses of one field of one citizen, whether of its value or of an age."""
    counts: int = 200
    """Questions for counts."""
    least_difference: int = 10
    """Two counts of which one may contain the other are equal, or differ by so many persons (policy R26)."""
    populations: int = 1
    """Filters, equalities left out, by which the counts of a type that a consumer is told are cut, within a year."""


@dataclass(frozen=True, slots=True)
class Guards:
    """The budgets of a node, and where it counts."""

    budgets: Budgets
    counters: Counters
    delivered: Delivered
    told_counts: ToldCounts

    def audit(self, caller: Caller, identity: Identity) -> CountsAudit:
        """Return the audit of the counts of one question."""
        return CountsAudit(_Spending(self, caller, identity))

    async def before(self, wanted: frozenset[AskedField], caller: Caller, identity: Identity) -> None:
        """Count the look-ups of a question before anything is read.

        INVARIANT: once the misses are used up, nobody is looked up any more: if only those that name nobody were
        refused, the refusal would be the answer.

        Raises:
            BudgetExhaustedError: too many of them today, or too many that named nobody.
        """
        lookups = tuple(_lookups(wanted))
        if lookups:
            spending = _Spending(self, caller, identity)
            await identity.together.judge(lambda: self._may_look_up(len(lookups), spending))

    async def after(
        self, wanted: frozenset[AskedField], answered: Answer, caller: Caller, identity: Identity, bundle: Bundle
    ) -> None:
        """Count what an answer would tell, before it is recorded and leaves.

        Raises:
            BudgetExhaustedError: too many look-ups of one citizen or of nobody, or too many guesses.
            CombinationError: a consumer would know together what the policy keeps apart.
        """
        lookups, probes = tuple(_lookups(wanted)), tuple(_probes(wanted, bundle.types))
        if lookups or probes:
            spending = _Spending(self, caller, identity)
            await identity.together.judge(lambda: self._may_tell(lookups, probes, answered, spending))
        apart = tuple(_kept_apart(answered, bundle.types, caller.requested.requester.kind))
        if apart and answered.subjects:
            complete = self.delivered.learn(caller.consumer.id, answered.subjects, apart, caller.requested.day)
            if complete is not None:
                raise _never_together(complete)

    def _may_look_up(self, times: int, spending: _Spending) -> None:
        for _ in range(times):
            spending.require_left("misses", self.budgets.misses)
            spending.spend("lookups", self.budgets.lookups)

    def _may_tell(
        self, lookups: Iterable[AskedField], probes: Iterable[AskedField], answered: Answer, spending: _Spending
    ) -> None:
        for lookup in lookups:
            found = answered.data.get(lookup.response_key) is not None
            if not found:
                spending.spend("misses", self.budgets.misses)
            for subject in answered.subjects if found else ():
                spending.spend("lookups-of-one", self.budgets.lookups_of_one, subject)
        for probe in probes:
            for subject in sorted(answered.subjects):
                spending.spend("probes", self.budgets.probes)
                spending.spend("probes-of-one", self.budgets.probes_of_one, subject, _guessed(probe))


@dataclass(frozen=True, slots=True)
class CountsAudit:
    """Holds the counts of one question against those that were told before: the data plane's `GroupsAudit`."""

    spending: _Spending

    def admits(self, asked: AskedCounts) -> bool:
        """Say that counts may be told, and remember them.

        Raises:
            BudgetExhaustedError: too many questions for counts today.
            CountsOverlapError: they differ too little from counts that were told before.
            UnavailableError: they cannot be remembered, so they cannot be told.
        """
        guards, caller = self.spending.guards, self.spending.caller
        self.spending.spend("counts", guards.budgets.counts, asked.type_name)
        day, budgets = caller.requested.day, guards.budgets
        guards.told_counts.tell(caller.consumer.id, asked, day, budgets.least_difference, budgets.populations)
        return True


@dataclass(frozen=True, slots=True)
class _Spending:
    """One caller's budgets."""

    guards: Guards
    caller: Caller
    identity: Identity

    def spend(self, budget: str, limit: int, *of: str) -> None:
        asked = self.caller.requested
        name = _counted(budget, self.caller.consumer.id, asked.purpose, of)
        if self.guards.counters.add(name, asked.day, limit) is None:
            raise self._used_up(budget, limit)

    def require_left(self, budget: str, limit: int) -> None:
        asked = self.caller.requested
        if self.guards.counters.used(_counted(budget, self.caller.consumer.id, asked.purpose, ()), asked.day) >= limit:
            raise self._used_up(budget, limit)

    def _used_up(self, budget: str, limit: int) -> BudgetExhaustedError:
        return BudgetExhaustedError(
            f"budget `{budget}` for purpose `{self.caller.requested.purpose}` is used up for today: {limit}",
            budget=budget,
            limit=limit,
            retryAfter=seconds_to_midnight(self.identity.clock.now()),
        )


def _counted(budget: str, consumer: str, purpose: str, of: Iterable[str]) -> str:
    """Name a counter; whom it is about stands in it as a digest only."""
    about = sha256("\n".join(of).encode()).hexdigest()[:32]
    return f"{budget}:{consumer}:{purpose}:{about}"


def _lookups(wanted: frozenset[AskedField]) -> Iterator[AskedField]:
    """Yield the look-ups by an identifier that may not be listed; the consumer's own pseudonym is none."""
    for field in wanted:
        if (field.coordinate.type_name, field.coordinate.field_name) == _LOOKUP:
            given: dict[str, Any] = msgspec.json.decode(field.arguments)["by"]
            if _KEY not in given:
                yield field


def _probes(wanted: frozenset[AskedField], types: Mapping[str, TypeDocument]) -> Iterator[AskedField]:
    """Yield each guess once, however often it is written."""
    guesses = {(each.coordinate, each.arguments): each for each in wanted if _is_probe(each, types)}
    yield from (guesses[guess] for guess in sorted(guesses))


def _is_probe(asked: AskedField, types: Mapping[str, TypeDocument]) -> bool:
    document = types.get(asked.coordinate.type_name)
    return document is not None and asks_about(asked.coordinate.field_name) in document.fields


def _guessed(probe: AskedField) -> str:
    """Name the field that is guessed: a guess of its value and one of an age are of one budget."""
    return f"{probe.coordinate.type_name}.{asks_about(probe.coordinate.field_name)}"


def _kept_apart(answered: Answer, types: Mapping[str, TypeDocument], kind: str) -> Iterator[Apart]:
    """Yield the declared combinations of which an answer tells something."""
    told: dict[str, set[str]] = {}
    for decision in answered.decisions:
        if decision.disclosed:
            type_name, _, name = decision.coordinate.partition(".")
            told.setdefault(type_name, set()).add(name)
    for type_name, names in told.items():
        document = types.get(type_name)
        for combination in document.never_together if document else ():
            shown = names.intersection(combination.fields)
            if shown and combination.is_for(kind):
                name = f"{type_name}.{combination.id}"
                yield Apart(name, frozenset(shown), frozenset(combination.fields))


def _never_together(complete: Apart) -> CombinationError:
    type_name = complete.name.partition(".")[0]
    coordinates = sorted(f"{type_name}.{name}" for name in complete.all)
    return CombinationError(
        f"policy rule `{complete.name}` never gives {', '.join(coordinates)} of one citizen together; ask for fewer",
        coordinates=coordinates,
    )
