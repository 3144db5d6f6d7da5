"""Proofs by exhaustion: what can never happen, and which rules never matter (policy section 8).

Requesters, purposes, sets of legal bases, days, territories, consents and rows are unbounded, but a policy can only
tell finitely many of them apart (see `worlds`). Every class is tried; what holds for all of them holds.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import chain, combinations, product
from typing import TYPE_CHECKING, Final

from node.policy.closures import Consents
from node.policy.compile import compile_type, known_names
from node.policy.conditions import (
    FALSE,
    ROW,
    Condition,
    Consent,
    Value,
    children,
    evaluate,
)
from node.policy.forms import Form, discloses_at_least
from node.policy.matrix import areas, conditions_of
from node.policy.messages import message
from node.policy.requesters import Requester
from node.policy.residuals import conjunction, disjunction, negate, residual
from node.policy.worlds import (
    TooManySituationsError,
    boundary_days,
    days_in,
    distinguishable_values,
    literals_in,
    situations,
)

if TYPE_CHECKING:
    from node.policy.bundle import Bundle
    from node.policy.documents import Grant, TypeDocument
    from node.policy.invariants import Invariant
    from node.policy.plans import FieldPlan, TypePlan

MAX_BASES: Final = 10
"""Legal bases that the rules of one kind and purpose may name together."""


@dataclass(frozen=True, slots=True)
class Counterexample:
    """A situation in which something happens that must not."""

    requester: Requester
    purpose: str
    day: date
    row: Mapping[str, Value | None]
    consent: bool | None
    field: str
    form: Form
    rule: str


@dataclass(frozen=True, slots=True)
class Proof:
    """What came of one invariant on one type."""

    invariant: Invariant
    counterexample: Counterexample | None
    classes: int

    @property
    def holds(self) -> bool:
        """Whether no situation breaks the invariant."""
        return self.counterexample is None


@dataclass(frozen=True, slots=True)
class IdleRule:
    """A grant that shows nothing that others do not, or a prohibition that takes nothing away."""

    type_name: str
    rule: str


def prove(bundle: Bundle) -> tuple[Proof, ...]:
    """Try every invariant on every class of situations; the first counterexample of each is kept.

    Raises:
        TooManySituationsError: a condition or a grant compares with more values than can be tried.
    """
    return tuple(
        proof
        for name, document in sorted(bundle.types.items())
        for proof in _prove_type(bundle, document, [one for one in bundle.invariants if one.type_name == name])
    )


def _prove_type(bundle: Bundle, document: TypeDocument, invariants: Sequence[Invariant]) -> Iterator[Proof]:
    if not invariants:
        return
    broken: dict[str, Counterexample] = {}
    tried = 0
    for plan in plans_of_every_class(bundle, document, [one.when for one in invariants]):
        tried += 1
        for invariant in invariants:
            if invariant.id not in broken:
                found = _violation(plan, invariant)
                if found is not None:
                    broken[invariant.id] = found
    for invariant in invariants:
        yield Proof(invariant, broken.get(invariant.id), tried)


def plans_of_every_class(bundle: Bundle, document: TypeDocument, asked: Sequence[Condition] = ()) -> Iterator[TypePlan]:
    """Yield the plan of every class of requesters, purposes and days that a type and the conditions asked tell apart.

    Classes that see nothing are left out.
    """
    for requester, purpose, day in classes_of(bundle, [document], asked):
        plan = compile_type(bundle, document.name, requester, purpose, day)
        if plan.anything:
            yield plan


def classes_of(
    bundle: Bundle, documents: Sequence[TypeDocument], asked: Sequence[Condition] = ()
) -> Iterator[tuple[Requester, str, date]]:
    """Yield one requester, purpose and day of every class that versions of a type and the conditions asked tell apart.

    Kinds and purposes without any grant are left out: they see nothing.
    """
    conditions = [*(part for document in documents for part in conditions_of(document)), *asked]
    granted = [grant for document in documents for grant in document.grants]
    territories = areas(conditions)
    for kind, purpose in product(sorted(bundle.vocabulary.kinds), sorted(bundle.vocabulary.purposes)):
        relevant = [one for one in granted if kind in one.kinds and bundle.vocabulary.covers(one.purpose, purpose)]
        if relevant:
            days = boundary_days(chain(days_in(conditions), *((one.valid.first, one.valid.last) for one in relevant)))
            for basis, day, area in product(list(_basis_sets(bundle, relevant, conditions)), days, territories):
                yield Requester(kind, basis, area), purpose, day


def _basis_sets(bundle: Bundle, grants: Iterable[Grant], conditions: Iterable[Condition]) -> Iterator[frozenset[str]]:
    """Yield the sets of legal bases that the rules tell apart: those of all bases that any of them names."""
    named = {basis for grant in grants for basis in (*grant.basis, *grant.basis9)}
    written = {literal.value for condition in conditions for literal in literals_in(condition)}
    named |= {basis for basis in bundle.vocabulary.legal_bases if basis in written}
    if len(named) > MAX_BASES:
        raise TooManySituationsError(
            message("more than {most_bases} legal bases for one kind and purpose", most_bases=MAX_BASES)
        )
    ordered = sorted(named)
    for size in range(len(ordered) + 1):
        for chosen in combinations(ordered, size):
            yield frozenset(chosen)


def _violation(plan: TypePlan, invariant: Invariant) -> Counterexample | None:
    when = residual(invariant.when, known_names(plan.requester, plan.purpose, plan.day), Consent(plan.purpose))
    if when == FALSE:
        return None
    for name in invariant.fields:
        field = plan.fields[name]
        grants = [grant for grant in field.grants if invariant.forbids(grant.form)]
        disclosed = disclosed_where(plan, field, [grant.when for grant in grants])
        for names, consents in every_row([disclosed, when]) if disclosed != FALSE else ():
            if evaluate(disclosed, names, consents) is True and evaluate(when, names, consents) is not False:
                grant = next(one for one in grants if evaluate(one.when, names, consents) is True)
                row = {dotted.removeprefix(ROW): value for dotted, value in names.items()}
                consent = None if consents is None else bool(consents)
                return Counterexample(plan.requester, plan.purpose, plan.day, row, consent, name, grant.form, grant.id)
    return None


def disclosed_where(
    plan: TypePlan, field: FieldPlan, whens: Iterable[Condition], visible: Condition | None = None
) -> Condition:
    """Return when something of a field is disclosed: the row visible, a grant applying, nothing forbidding. IS TRUE."""
    return conjunction([plan.visible if visible is None else visible, disjunction(whens), negate(field.prohibited)])


def _reads_consent(condition: Condition) -> bool:
    return isinstance(condition, Consent) or any(_reads_consent(part) for part in children(condition))


def _consents(consent: bool | None, conditions: Sequence[Condition]) -> Consents:  # noqa: FBT001  # a truth
    if consent is None:
        return None
    return frozenset(_consent_purposes(conditions)) if consent else frozenset()


def _consent_purposes(conditions: Iterable[Condition]) -> Iterator[str]:
    for condition in conditions:
        if isinstance(condition, Consent):
            yield condition.purpose
        yield from _consent_purposes(children(condition))


def idle_rules(bundle: Bundle) -> Iterator[IdleRule]:
    """Yield the rules without which every decision would be the same; no errors, but the officer should know."""
    for name, document in sorted(bundle.types.items()):
        matter: set[str] = set()
        for plan in plans_of_every_class(bundle, document):
            matter |= {rule.id for rule in plan.hiding}
            for field in plan.fields.values():
                matter |= _mattering(plan, field, matter)
        for rule in [*(grant.id for grant in document.grants), *(one.id for one in document.prohibitions)]:
            if rule not in matter:
                yield IdleRule(name, rule)


def _mattering(plan: TypePlan, field: FieldPlan, known: set[str]) -> set[str]:
    """Return the rules without which some row of this plan would be decided otherwise."""
    matter: set[str] = set()
    for grant in field.grants:
        if grant.id not in known:
            shown = disclosed_where(plan, field, [grant.when])
            others = [one.when for one in field.grants if one is not grant and discloses_at_least(one.form, grant.form)]
            if _shows_something(shown, disjunction(others)):
                matter.add(grant.id)
    for rule in field.prohibitions:
        if rule.id not in known:
            granted = conjunction([plan.visible, disjunction(grant.when for grant in field.grants)])
            spared = disjunction(one.when for one in field.prohibitions if one is not rule)
            if _denies_something(granted, spared, rule.when):
                matter.add(rule.id)
    return matter


def _shows_something(shown: Condition, others: Condition) -> bool:
    """Say whether a grant shows a field on some row on which no other grant shows as much."""
    conditions = [shown, others]
    return shown != FALSE and any(
        evaluate(shown, names, consents) is True and evaluate(others, names, consents) is not True
        for names, consents in every_row(conditions)
    )


def _denies_something(granted: Condition, spared: Condition, when: Condition) -> bool:
    """Say whether a prohibition takes a field away on some row on which no other prohibition does."""
    conditions = [granted, spared, when]
    return FALSE not in (granted, when) and any(
        evaluate(granted, names, consents) is True
        and evaluate(spared, names, consents) is False
        and evaluate(when, names, consents) is not False
        for names, consents in every_row(conditions)
    )


def every_row(conditions: Sequence[Condition]) -> Iterator[tuple[dict[str, Value | None], Consents]]:
    consents: tuple[bool | None, ...] = (True, False, None) if any(map(_reads_consent, conditions)) else (False,)
    for names in situations(distinguishable_values(conditions, {})):
        for consent in consents:
            yield names, _consents(consent, conditions)
