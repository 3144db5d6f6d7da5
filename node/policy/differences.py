"""What changes between two bundles: who gains and who loses what (policy section 7)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from node.policy.compile import compile_type
from node.policy.conditions import ALIKE, FALSE, ROW, Condition, evaluate
from node.policy.forms import Form, discloses_at_least
from node.policy.proving import classes_of, disclosed_where, every_row
from node.policy.residuals import conjunction

if TYPE_CHECKING:
    from datetime import date

    from node.policy.bundle import Bundle
    from node.policy.conditions import Value
    from node.policy.plans import FieldPlan, TypePlan
    from node.policy.requesters import Requester


@dataclass(frozen=True, slots=True)
class Change:
    """A field that one kind of requester sees otherwise for one purpose, with the first situation that shows it."""

    type_name: str
    field: str
    requester: Requester
    purpose: str
    day: date
    row: Mapping[str, Value | None]
    consent: bool | None
    before: Form | None
    after: Form | None

    @property
    def gains(self) -> bool:
        """Whether the new bundle shows something that the old one does not."""
        return self.after is not None and (self.before is None or not discloses_at_least(self.before, self.after))


def differences(old: Bundle, new: Bundle) -> Iterator[Change]:
    """Yield, per type, field, kind and purpose, the first gain and the first loss in any situation.

    Raises:
        TooManySituationsError: a condition compares with more values than can be tried.
    """
    for name in sorted(old.types.keys() | new.types.keys()):
        seen: set[tuple[str, str, str, bool]] = set()
        for change in _changes_of_type(old, new, name):
            key = (change.field, change.requester.kind, change.purpose, change.gains)
            if key not in seen:
                seen.add(key)
                yield change


def _changes_of_type(old: Bundle, new: Bundle, name: str) -> Iterator[Change]:
    documents = [bundle.types[name] for bundle in (old, new) if name in bundle.types]
    # A purpose that only one vocabulary knows sees nothing in the other; classes come from the one with more purposes.
    wider = max((old, new), key=lambda bundle: len(bundle.vocabulary.purposes))
    for requester, purpose, day in classes_of(wider, documents):
        before = _plan(old, name, requester, purpose, day)
        after = _plan(new, name, requester, purpose, day)
        fields = {**(before.fields if before else {}), **(after.fields if after else {})}
        for field in fields:
            yield from _changes_of_field(before, after, field)


def _plan(bundle: Bundle, name: str, requester: Requester, purpose: str, day: date) -> TypePlan | None:
    known = purpose in bundle.vocabulary.purposes and name in bundle.types
    return compile_type(bundle, name, requester, purpose, day) if known else None


def _changes_of_field(before: TypePlan | None, after: TypePlan | None, field: str) -> Iterator[Change]:
    sides = [_side(each, field, apart=_over(before) != _over(after)) for each in (before, after)]
    if sides[0] == sides[1]:
        return
    plan = after or before
    assert plan is not None
    conditions = [when for side in sides for _, when in side]
    for names, consents in every_row(conditions):
        shown = [next((form for form, when in side if evaluate(when, names, consents) is True), None) for side in sides]
        if shown[0] != shown[1]:
            row = {dotted.removeprefix(ROW): value for dotted, value in names.items()}
            consent = None if consents is None else bool(consents)
            yield Change(plan.type_name, field, plan.requester, plan.purpose, plan.day, row, consent, *shown)


def _side(plan: TypePlan | None, field: str, *, apart: bool) -> list[tuple[Form, Condition]]:
    """Return the forms that a field may take, most disclosing first, each with when it is shown."""
    found: FieldPlan | None = None if plan is None else plan.fields.get(field)
    if plan is None or found is None:
        return []
    visible = _visible(plan) if apart else plan.visible
    pairs = [(grant.form, disclosed_where(plan, found, [grant.when], visible)) for grant in found.grants]
    return [(form, when) for form, when in pairs if when != FALSE]


def _over(plan: TypePlan | None) -> tuple[str, ...] | None:
    """Return the fields in which a plan wants persons to be alike."""
    return None if plan is None or plan.alike is None else plan.alike.over


def _visible(plan: TypePlan) -> Condition:
    """Return which rows are visible; persons alike in some fields are another number than persons alike in others."""
    if plan.alike is None:
        return plan.candidates
    number = f"{ALIKE}({', '.join(plan.alike.over)})"
    return conjunction([plan.candidates, plan.alike.condition(number)])
