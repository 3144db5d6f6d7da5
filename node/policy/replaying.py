"""Recorded operations against a candidate bundle: which decisions would be others (policy section 7).

The journal holds forms, never values or rows; so a recorded form is compared with the forms that the candidate may give
to the same consumer, purpose, legal bases and day. A form that stays possible is no change.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from federation.contract.clock import day_in_rome
from federation.contract.entries import Entry, EntryKind
from node.policy.compile import PlanCache
from node.policy.errors import PolicyError
from node.policy.messages import message
from node.policy.requesters import Requester

if TYPE_CHECKING:
    from node.policy.bundle import Bundle
    from node.policy.plans import FieldPlan, TypePlan


class Consumer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the member list says of a consumer."""

    kind: str
    area: str | None = None


@dataclass(frozen=True, slots=True, order=True)
class Shift:
    """A field that a consumer was answered in one form and would be answered otherwise."""

    consumer: str
    purpose: str
    coordinate: str
    recorded: str
    candidate: tuple[str, ...]
    operations: int


@dataclass(frozen=True, slots=True)
class Replay:
    """What came of a log: the shifts, and how many operations and decisions were looked at."""

    shifts: tuple[Shift, ...]
    operations: int
    decisions: int


def replay(bundle: Bundle, entries: Iterable[Entry], consumers: Mapping[str, Consumer]) -> Replay:
    """Decide every recorded disclosure again by a candidate bundle.

    Raises:
        PolicyError: an entry names a consumer of whom nothing is known.
    """
    plans = PlanCache(bundle)
    counts: Counter[tuple[str, str, str, str, tuple[str, ...]]] = Counter()
    operations = decisions = 0
    for entry in entries:
        if entry.kind is EntryKind.DISCLOSURE:
            operations += 1
            requester = _requester(entry, consumers)
            for decision in entry.decisions:
                if not decision.join_key:
                    decisions += 1
                    possible = _possible(plans, entry, requester, decision.coordinate)
                    if decision.form not in possible:
                        key = (entry.consumer, entry.purpose, decision.coordinate, decision.form, possible)
                        counts[key] += 1
    shifts = (Shift(*key, operations=count) for key, count in counts.items())
    return Replay(tuple(sorted(shifts)), operations, decisions)


def _requester(entry: Entry, consumers: Mapping[str, Consumer]) -> Requester:
    known = consumers.get(entry.consumer)
    if known is None:
        raise PolicyError(
            message("consumer `{consumer}` of the log is not among the consumers given", consumer=entry.consumer)
        )
    return Requester(known.kind, frozenset(entry.legal_basis), known.area)


def _possible(plans: PlanCache, entry: Entry, requester: Requester, coordinate: str) -> tuple[str, ...]:
    """Return the names of the forms that the candidate may give; `deny` is among them where a row may be denied."""
    if entry.purpose not in plans.bundle.vocabulary.purposes:
        return ("deny",)
    type_name, _, field_name = coordinate.partition(".")
    plan = plans.plan(type_name, requester, entry.purpose, day_in_rome(datetime.fromisoformat(entry.at)))
    field = plan.fields.get(field_name)
    if field is None or not plan.anything or not field.may_be_seen:
        return ("deny",)
    forms = tuple(dict.fromkeys(str(grant.form.name) for grant in field.grants))
    return forms if _always(plan, field) else (*forms, "deny")


def _always(plan: TypePlan, field: FieldPlan) -> bool:
    return plan.every_row and field.constant is not None
