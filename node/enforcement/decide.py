"""What one request may see: the policy's plans, narrowed to what the provider agreed to.

A field is answered only if the policy grants it *and* the agreement names it. A field that the agreement leaves out is
denied like any other, so that asking too much costs that field and not the answer (policy R12).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date

from federation.contract.decisions import PolicyVersion
from federation.contract.members import AgreedProvider
from node.policy.bundle import Bundle
from node.policy.compile import PlanCache
from node.policy.conditions import FALSE
from node.policy.plans import Cause, Decision, FieldPlan, TypePlan
from node.policy.requesters import Requester

_MOST_PLANS = 10_000
_NOT_AGREED = Decision(None, Cause.NO_GRANT)


@dataclass(frozen=True, slots=True)
class Requested:
    """Who asks, for what, on which day, under which part of an agreement; all of it verified."""

    requester: Requester
    purpose: str
    day: date
    provider: AgreedProvider


@dataclass(slots=True)
class Decisions:
    """The plans of one bundle; a new bundle begins with a new `Decisions`, so that no operation sees two (R36)."""

    bundle: Bundle
    version: PolicyVersion
    _plans: PlanCache = field(init=False)
    _narrowed: dict[tuple[str, Requested], TypePlan] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._plans = PlanCache(self.bundle)

    def of(self, requested: Requested) -> RequestPlans:
        """Return the plans that decide one request."""
        return RequestPlans(self, requested)

    def plan(self, type_name: str, requested: Requested) -> TypePlan:
        """Return the plan of a type, narrowed to the agreement.

        Raises:
            PurposeError: the purpose is not in the vocabulary (R4).
        """
        found = self._narrowed.get((type_name, requested))
        if found is None:
            if len(self._narrowed) >= _MOST_PLANS:
                self._narrowed.clear()
            plan = self._plans.plan(type_name, requested.requester, requested.purpose, requested.day)
            found = self._narrowed[type_name, requested] = _narrow(plan, requested.provider)
        return found


@dataclass(frozen=True, slots=True)
class RequestPlans:
    """The plans of one request, by type."""

    decisions: Decisions
    requested: Requested

    def __call__(self, type_name: str) -> TypePlan:
        """Return the plan of a type; see `Decisions.plan`."""
        return self.decisions.plan(type_name, self.requested)


def _narrow(plan: TypePlan, provider: AgreedProvider) -> TypePlan:
    fields = {
        name: decided if provider.covers(plan.type_name, name) else _denied(decided)
        for name, decided in plan.fields.items()
    }
    exact = frozenset(name for name in plan.exact_lookups if provider.covers(plan.type_name, name))
    return replace(plan, fields=fields, exact_lookups=exact)


def _denied(decided: FieldPlan) -> FieldPlan:
    return replace(decided, grants=(), prohibitions=(), prohibited=FALSE, constant=_NOT_AGREED)
