"""The decision for one row, twice: read straight from section 3 of the specification, and run from a plan.

`decide` is the readable oracle: it evaluates every whole condition. `Decider` runs the closures of a plan's residuals.
Generated tests keep the two equal, and both equal to the node's SQL.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from node.policy.closures import Consents, Row, Test, compile_test
from node.policy.compile import crowd, is_live, known_names, reaches
from node.policy.conditions import ALIKE, CONSENT, ROW, Condition, evaluate
from node.policy.documents import Grant, Hides, Prohibition
from node.policy.forms import most_disclosing_first
from node.policy.plans import Cause, Decision, FieldPlan, TypePlan

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    from node.policy.bundle import Bundle
    from node.policy.documents import GovernedField, TypeDocument
    from node.policy.requesters import Requester


@dataclass(frozen=True, slots=True)
class RowDecision:
    """Whether a row is visible, and the decision for each of its fields; all are denied on a hidden row."""

    visible: bool
    fields: Mapping[str, Decision]

    def form_names(self) -> dict[str, str]:
        """Return the names of the forms of the fields that are not denied, as a test suite lists them."""
        return {name: str(found.form.name) for name, found in self.fields.items() if found.form is not None}


@dataclass(frozen=True, slots=True)
class Situation:
    """Who asks, for what, when, about which row: everything a decision depends on.

    With `generalise_k`, how many persons are alike is an attribute of the row, and unknown where it is missing.
    """

    requester: Requester
    purpose: str
    day: date
    row: Row
    consents: Consents = frozenset()


def decide(bundle: Bundle, type_name: str, situation: Situation) -> RowDecision:
    """Decide every field of a row as section 3 says it, without compiling anything.

    > A field is visible in form F for a row iff some live grant […] whose row predicate is TRUE gives F, the most
    > disclosing form among such grants, and no prohibition is TRUE or unknown for it. Everything else is denied.
    """
    document = bundle.types.get(type_name)
    if document is None:
        return RowDecision(visible=False, fields={})
    live = [grant for grant in document.grants if _is_live(grant, bundle, situation)]
    applying = [grant for grant in live if _applies(grant, situation)]
    denying = [rule for rule in document.prohibitions if _denies(rule, situation)]
    if not applying or any(rule.hides is Hides.ROW for rule in denying) or not _in_a_crowd(live, situation):
        return _hidden(document)
    return RowDecision(
        visible=True,
        fields={name: _decide_field(field, applying, denying, situation) for name, field in document.fields.items()},
    )


def _hidden(document: TypeDocument) -> RowDecision:
    return RowDecision(visible=False, fields=dict.fromkeys(document.fields, Decision(None, Cause.ROW_HIDDEN)))


def _is_live(grant: Grant, bundle: Bundle, situation: Situation) -> bool:
    return is_live(grant, bundle.vocabulary, situation.requester, situation.purpose, situation.day)


def _in_a_crowd(live: list[Grant], situation: Situation) -> bool:
    """With `generalise_k` in a live grant, enough persons must be alike, and known to be."""
    demanded = crowd(live)
    return demanded is None or _truth(demanded.condition(), situation, None) is True


def _applies(grant: Grant, situation: Situation) -> bool:
    """A live grant applies where its rows are TRUE, and its consent, if it names one, is TRUE."""
    consent = _consent(situation, grant.consent or situation.purpose)
    rows = _truth(grant.rows, situation, consent)
    return rows is True and (grant.consent is None or consent is True)


def _denies(rule: Prohibition, situation: Situation) -> bool:
    """A prohibition denies where `rows && when && !unless` is TRUE or unknown."""
    consent = _consent(situation, situation.purpose)
    rows, when, unless = (_truth(part, situation, consent) for part in (rule.rows, rule.when, rule.unless))
    return rows is not False and when is not False and unless is not True


def _decide_field(
    field: GovernedField, applying: list[Grant], denying: list[Prohibition], situation: Situation
) -> Decision:
    prohibiting = sorted(rule.id for rule in denying if rule.hides is Hides.FIELDS and field.name in rule.fields)
    granting = sorted(
        (grant for grant in applying if reaches(grant, field, situation.requester)), key=lambda grant: grant.id
    )
    if prohibiting:
        return Decision(None, Cause.PROHIBITED, prohibiting[0])
    if not granting:
        return Decision(None, Cause.NO_GRANT)
    best = granting[most_disclosing_first([grant.see[field.name] for grant in granting])[0]]
    return Decision(best.see[field.name], Cause.GRANTED, best.id)


def _truth(condition: Condition, situation: Situation, consent: bool | None) -> object:  # noqa: FBT001  # a truth
    names = {
        **known_names(situation.requester, situation.purpose, situation.day),
        **{f"{ROW}{name}": value for name, value in situation.row.items()},
        CONSENT: consent,
    }
    return evaluate(condition, names)


def _consent(situation: Situation, purpose: str) -> bool | None:
    return None if situation.consents is None else purpose in situation.consents


def supposing_a_crowd(row: Row, plan: TypePlan) -> Row:
    """Return a row as one of as many alike as a plan asks for, unless it says how many they are."""
    name = ALIKE.removeprefix(ROW)
    return row if plan.alike is None or name in row else {**row, name: plan.alike.persons}


class Decider:
    """A plan ready to decide rows: a constant field costs nothing, any other a few closures."""

    def __init__(self, plan: TypePlan) -> None:
        """Compile the residuals of a plan."""
        self._visible = compile_test(plan.visible)
        self._fields = {name: field_test(field) for name, field in plan.fields.items()}
        self._hidden = RowDecision(visible=False, fields=dict.fromkeys(plan.fields, Decision(None, Cause.ROW_HIDDEN)))

    def decide(self, row: Row, consents: Consents = frozenset()) -> RowDecision:
        """Decide every field of one row."""
        if self._visible(row, consents) is not True:
            return self._hidden
        return RowDecision(visible=True, fields={name: test(row, consents) for name, test in self._fields.items()})


def field_test(plan: FieldPlan) -> Callable[[Row, Consents], Decision]:
    """Return the decision of one field on visible rows as a closure."""
    if plan.constant is not None:
        constant = plan.constant
        return lambda _row, _consents: constant
    prohibitions = tuple(
        (compile_test(rule.when), Decision(None, Cause.PROHIBITED, rule.id)) for rule in plan.prohibitions
    )
    grants = tuple((compile_test(grant.when), Decision(grant.form, Cause.GRANTED, grant.id)) for grant in plan.grants)
    nothing = Decision(None, Cause.NOT_THIS_ROW)
    return _row_dependent(prohibitions, grants, nothing)


def _row_dependent(
    prohibitions: tuple[tuple[Test, Decision], ...], grants: tuple[tuple[Test, Decision], ...], nothing: Decision
) -> Callable[[Row, Consents], Decision]:
    def decision(row: Row, consents: Consents) -> Decision:
        for test, denial in prohibitions:
            if test(row, consents) is not False:
                return denial
        for test, disclosure in grants:
            if test(row, consents) is True:
                return disclosure
        return nothing

    return decision
