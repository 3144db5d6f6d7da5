"""From a bundle to the plan of one type for one requester, purpose and day (policy sections 3 and 5)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from federation.contract.errors import PurposeError
from node.policy.conditions import FALSE, TRUE, Condition, Consent
from node.policy.documents import Aggregates, Alike, Hides
from node.policy.forms import discloses_at_least, most_disclosing_first
from node.policy.plans import (
    Cause,
    Decision,
    FieldPlan,
    ResidualGrant,
    ResidualProhibition,
    TypePlan,
)
from node.policy.residuals import conjunction, disjunction, negate, residual, unless_false, when_true
from node.policy.vocabulary import AREA, BASIS, KIND, PURPOSE, TODAY, unknown_purpose

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date

    from node.policy.bundle import Bundle
    from node.policy.documents import GovernedField, Grant, Prohibition, TypeDocument
    from node.policy.requesters import Requester
    from node.policy.vocabulary import Vocabulary

_CACHED_PLANS: Final = 10_000


def compile_type(bundle: Bundle, type_name: str, requester: Requester, purpose: str, day: date) -> TypePlan:
    """Drop what is not live, fold what is known, and keep per field what depends on the row.

    A type without a document has an empty plan: nothing of it is visible (R1).

    Args:
        bundle: the policy in force.
        type_name: a GraphQL type.
        requester: verified attributes; its bases are those that the agreement records for `purpose`.
        purpose: the one purpose that the request states.
        day: the date in Europe/Rome (R7).

    Raises:
        PurposeError: the purpose is not in the vocabulary (R4).
    """
    if purpose not in bundle.vocabulary.purposes:
        raise PurposeError(unknown_purpose(purpose, bundle.vocabulary.purposes))
    document = bundle.types.get(type_name)
    if document is None:
        return _nothing(bundle, type_name, requester, purpose, day)
    known = known_names(requester, purpose, day)
    live = _residual_grants(document, bundle.vocabulary, known, requester, purpose, day)
    forbidden = _residual_prohibitions(document, known, purpose)
    hiding = tuple(rule for prohibition, rule in forbidden if prohibition.hides is Hides.ROW)
    candidates = conjunction([disjunction(when for _, when in live), *(negate(rule.when) for rule in hiding)])
    if len({when for _, when in live}) == 1:
        # On a visible row the only condition under which anything is granted holds: it need not be asked again.
        live = [(grant, TRUE) for grant, _ in live]
    return TypePlan(
        type_name=type_name,
        version=document.version,
        bundle_digest=bundle.digest,
        requester=requester,
        purpose=purpose,
        day=day,
        candidates=candidates,
        alike=crowd(grant for grant in document.grants if is_live(grant, bundle.vocabulary, requester, purpose, day)),
        hiding=hiding,
        fields=_fields(document, live, forbidden, requester),
        exact_lookups=frozenset(name for name, field in document.fields.items() if live and field.exact_lookup),
        aggregates=_aggregates([grant for grant, _ in live]),
    )


def known_names(requester: Requester, purpose: str, day: date) -> dict[str, object]:
    """Return the values of the names that are known before a row is read."""
    return {
        KIND: requester.kind,
        AREA: requester.area,
        BASIS: requester.basis,
        PURPOSE: purpose,
        TODAY: day.isoformat(),
    }


def is_live(grant: Grant, vocabulary: Vocabulary, requester: Requester, purpose: str, day: date) -> bool:
    """Say whether a grant is for this requester and purpose, valid on this day, on a basis the agreement holds."""
    return (
        requester.kind in grant.kinds
        and vocabulary.covers(grant.purpose, purpose)
        and grant.valid.holds(day)
        and not requester.basis.isdisjoint(grant.basis)
    )


def reaches(grant: Grant, field: GovernedField, requester: Requester) -> bool:
    """Say whether a live grant names a field and, for an art. 9 category, has the basis that it needs besides (R6)."""
    return field.name in grant.see and (not field.category.art9 or not requester.basis.isdisjoint(grant.basis9))


def _residual_grants(
    document: TypeDocument,
    vocabulary: Vocabulary,
    known: Mapping[str, object],
    requester: Requester,
    purpose: str,
    day: date,
) -> list[tuple[Grant, Condition]]:
    """Return the live grants in the order of their ids, so that the order of rules has no meaning (R2)."""
    live: list[tuple[Grant, Condition]] = []
    for grant in sorted(document.grants, key=lambda grant: grant.id):
        if is_live(grant, vocabulary, requester, purpose, day):
            when = when_true(_grant_condition(grant, known, purpose))
            if when != FALSE:
                live.append((grant, when))
    return live


def _grant_condition(grant: Grant, known: Mapping[str, object], purpose: str) -> Condition:
    """Consent counts for the purpose that the grant names; without one, the name `consent` means the request's."""
    consent = Consent(purpose if grant.consent is None else grant.consent)
    rows = residual(grant.rows, known, consent)
    return rows if grant.consent is None else conjunction([rows, consent])


def _residual_prohibitions(
    document: TypeDocument, known: Mapping[str, object], purpose: str
) -> list[tuple[Prohibition, ResidualProhibition]]:
    forbidden: list[tuple[Prohibition, ResidualProhibition]] = []
    consent = Consent(purpose)
    for rule in sorted(document.prohibitions, key=lambda rule: rule.id):
        parts = (
            residual(rule.rows, known, consent),
            residual(rule.when, known, consent),
            negate(residual(rule.unless, known, consent)),
        )
        when = unless_false(conjunction(parts))
        if when != FALSE:
            forbidden.append((rule, ResidualProhibition(rule.id, when, rule.law)))
    return forbidden


def _fields(
    document: TypeDocument,
    live: Sequence[tuple[Grant, Condition]],
    forbidden: Sequence[tuple[Prohibition, ResidualProhibition]],
    requester: Requester,
) -> dict[str, FieldPlan]:
    granted: dict[str, list[ResidualGrant]] = {name: [] for name in document.fields}
    for grant, when in live:
        ordinary = tuple(basis for basis in grant.basis if basis in requester.basis)
        special = tuple(basis for basis in grant.basis9 if basis in requester.basis)
        for name, form in grant.see.items():
            field = document.fields[name]
            if reaches(grant, field, requester):
                basis = ordinary + special if field.category.art9 else ordinary
                granted[name].append(
                    ResidualGrant(grant.id, form, when, grant.law, basis, grant.consent, grant.retain, grant.valid.last)
                )
    return {name: _field(field, granted[name], forbidden) for name, field in document.fields.items()}


def _field(
    field: GovernedField,
    granted: Sequence[ResidualGrant],
    forbidden: Iterable[tuple[Prohibition, ResidualProhibition]],
) -> FieldPlan:
    ordered = [granted[index] for index in most_disclosing_first([grant.form for grant in granted])]
    grants = tuple(_without_shadowed(ordered))
    prohibitions = tuple(
        rule
        for prohibition, rule in forbidden
        if prohibition.hides is Hides.FIELDS and field.name in prohibition.fields
    )
    prohibited = disjunction(rule.when for rule in prohibitions)
    return FieldPlan(field, grants, prohibitions, prohibited, _constant(grants, prohibitions, prohibited))


def _without_shadowed(ordered: Sequence[ResidualGrant]) -> Iterable[ResidualGrant]:
    """Drop grants that can never decide, because one before them always applies and shows as much."""
    always: list[ResidualGrant] = []
    for grant in ordered:
        if not any(discloses_at_least(earlier.form, grant.form) for earlier in always):
            yield grant
            if grant.when == TRUE:
                always.append(grant)


def _constant(
    grants: Sequence[ResidualGrant], prohibitions: Sequence[ResidualProhibition], prohibited: Condition
) -> Decision | None:
    if not grants:
        return Decision(None, Cause.NO_GRANT)
    if prohibited == TRUE:
        return Decision(None, Cause.PROHIBITED, next(rule.id for rule in prohibitions if rule.when == TRUE))
    if prohibited == FALSE and grants[0].when == TRUE:
        return Decision(grants[0].form, Cause.GRANTED, grants[0].id)
    return None


def _aggregates(live: Sequence[Grant]) -> Aggregates | None:
    """Of several grants that allow counts, the larger cell, the narrower grouping, the stronger protection hold."""
    allowed = [grant.aggregates for grant in live if grant.aggregates is not None]
    if not allowed:
        return None
    epsilons = [one.epsilon for one in allowed if one.epsilon is not None]
    return Aggregates(
        min_cell=max(one.min_cell for one in allowed),
        over=tuple(name for name in allowed[0].over if all(name in one.over for one in allowed)),
        epsilon=min(epsilons, default=None),
    )


def crowd(live: Iterable[Grant]) -> Alike | None:
    """Of several live grants with `generalise_k` the largest number holds, over all that any of them names."""
    demanded = [grant.alike for grant in live if grant.alike]
    if not demanded:
        return None
    return Alike(max(one.persons for one in demanded), tuple(sorted({name for one in demanded for name in one.over})))


def _nothing(bundle: Bundle, type_name: str, requester: Requester, purpose: str, day: date) -> TypePlan:
    return TypePlan(
        type_name=type_name,
        version=0,
        bundle_digest=bundle.digest,
        requester=requester,
        purpose=purpose,
        day=day,
        candidates=FALSE,
        alike=None,
        hiding=(),
        fields={},
        exact_lookups=frozenset(),
        aggregates=None,
    )


class PlanCache:
    """The plans of one bundle, by type, requester, purpose and day (R35).

    * A cache belongs to one bundle, so the bundle's digest is part of every key.
    * Consent is never in a plan's constants, so a withdrawal needs no invalidation (R8).
    * A full cache is emptied: plans cost a fraction of a millisecond, and yesterday's are never asked for again.
    """

    def __init__(self, bundle: Bundle) -> None:
        """Begin empty."""
        self.bundle: Final = bundle
        self._plans: dict[tuple[str, Requester, str, date], TypePlan] = {}

    def plan(self, type_name: str, requester: Requester, purpose: str, day: date) -> TypePlan:
        """Return the plan, compiled at the first call.

        Raises:
            PurposeError: the purpose is not in the vocabulary (R4).
        """
        key = (type_name, requester, purpose, day)
        found = self._plans.get(key)
        if found is None:
            if len(self._plans) >= _CACHED_PLANS:
                self._plans.clear()
            found = self._plans[key] = compile_type(self.bundle, type_name, requester, purpose, day)
        return found
