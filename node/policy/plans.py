"""Type plans: what one requester may see of one type for one purpose on one day, as values (policy section 5).

How to read a plan:

* a row is visible iff `TypePlan.visible` IS TRUE; no field of any other row may be decided or counted; it is a
  candidate for that if the rules show it, and with `generalise_k` enough candidates must be alike;
* on a visible row a field is denied if `FieldPlan.prohibited` IS NOT FALSE; else the first grant whose `when` IS TRUE
  gives its form; else the field is denied;
* `constant` says so beforehand where no row can change the decision.

Conditions are residuals: only `row.*` names, `Consent` and, rarely, `Unknown` are left in them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import TYPE_CHECKING

import msgspec

from node.policy.conditions import FALSE, TRUE, Condition
from node.policy.forms import CLEAR, OLDEST, PREDICATES, AgeOver, Form, FormName
from node.policy.residuals import conjunction

if TYPE_CHECKING:
    from node.policy.documents import Aggregates, Alike, GovernedField
    from node.policy.requesters import Requester


class Cause(StrEnum):
    """Why a field is decided as it is."""

    GRANTED = "granted"
    NO_GRANT = "no grant"
    PROHIBITED = "prohibited"
    NOT_THIS_ROW = "no grant for this row"
    ROW_HIDDEN = "row hidden"


@dataclass(frozen=True, slots=True)
class Decision:
    """A form for one field, None for denied, with the rule that caused it, None where no rule did."""

    form: Form | None
    cause: Cause
    rule: str | None = None


class ResidualGrant(msgspec.Struct, frozen=True):
    """A live grant as far as one field is concerned; a struct, because a plan makes one per grant and field."""

    id: str
    form: Form
    when: Condition
    law: str
    basis: tuple[str, ...]  # the legal bases that the grant and the requester's agreement share, of art. 6 and 9
    consent: str | None
    retain: str
    until: date


@dataclass(frozen=True, slots=True)
class ResidualProhibition:
    """A prohibition that may concern this requester."""

    id: str
    when: Condition
    law: str | None


@dataclass(frozen=True, slots=True)
class FieldPlan:
    """What may be seen of one field. `grants` stand most disclosing first."""

    field: GovernedField
    grants: tuple[ResidualGrant, ...]
    prohibitions: tuple[ResidualProhibition, ...]
    prohibited: Condition
    constant: Decision | None

    @property
    def may_be_seen(self) -> bool:
        """Whether some row may show the field in some form (R20)."""
        return self.constant is None or self.constant.form is not None

    @property
    def shown(self) -> tuple[ResidualGrant, ...]:
        """The grants that decide the field itself; a predicate shows nothing of it."""
        return tuple(grant for grant in self.grants if grant.form.name not in PREDICATES)

    def asked_by(self, predicate: FormName) -> tuple[ResidualGrant, ...]:
        """Return the grants by which a value may be asked about: those of the predicate first, then `clear`."""
        own = tuple(grant for grant in self.grants if grant.form.name is predicate)
        return (*own, *(grant for grant in self.grants if grant.form == CLEAR))


def thresholds_of(grants: Iterable[ResidualGrant]) -> tuple[int, ...]:
    """Return the numbers of years that grants of `age_over` or `clear` let be asked about, in order."""
    return tuple(sorted({years for grant in grants for years in _thresholds(grant.form)}))


def _thresholds(form: Form) -> Iterable[int]:
    return form.thresholds if isinstance(form, AgeOver) else range(1, OLDEST + 1) if form == CLEAR else ()


@dataclass(frozen=True, slots=True)
class TypePlan:
    """What one requester may see of one type, for one purpose, on one day, under one bundle."""

    type_name: str
    version: int
    bundle_digest: str
    requester: Requester
    purpose: str
    day: date
    candidates: Condition
    alike: Alike | None
    hiding: tuple[ResidualProhibition, ...]
    fields: Mapping[str, FieldPlan]
    exact_lookups: frozenset[str]
    aggregates: Aggregates | None

    @property
    def visible(self) -> Condition:
        """Which rows are visible, with the number of persons alike as an attribute of the row."""
        return self.candidates if self.alike is None else conjunction([self.candidates, self.alike.condition()])

    @property
    def anything(self) -> bool:
        """Whether some row may be visible."""
        return self.candidates != FALSE

    @property
    def every_row(self) -> bool:
        """Whether every row is visible."""
        return self.visible == TRUE
