"""Why a field is decided as it is: every rule that concerns it, and the clause on which each one fails (R39).

Rule ids, laws and names of clauses are told, values of a row never.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from federation.contract.errors import PurposeError
from node.policy.compile import compile_type, known_names
from node.policy.conditions import FALSE, TRUE, Condition, Consent, to_text
from node.policy.decide import Decider, supposing_a_crowd
from node.policy.documents import Hides
from node.policy.residuals import conjunction, negate, residual, unless_false, when_true
from node.policy.vocabulary import unknown_purpose

if TYPE_CHECKING:
    from datetime import date

    from node.policy.bundle import Bundle
    from node.policy.closures import Consents, Row
    from node.policy.documents import GovernedField, Grant, Prohibition, TypeDocument
    from node.policy.forms import Form
    from node.policy.plans import Decision, TypePlan
    from node.policy.requesters import Requester


class Clause(StrEnum):
    """The clauses of a grant, in the order in which they are looked at."""

    KIND = "to.kind"
    PURPOSE = "purpose"
    VALID = "valid"
    BASIS = "basis"
    BASIS9 = "basis9"
    ROWS = "rows"
    CONSENT = "consent"


@dataclass(frozen=True, slots=True)
class GrantVerdict:
    """A grant that names the field: the clauses on which it fails whatever the row, and what it asks of the row."""

    id: str
    form: Form
    law: str
    retain: str
    failing: tuple[Clause, ...]
    asks: str | None


@dataclass(frozen=True, slots=True)
class ProhibitionVerdict:
    """A prohibition that concerns the field: where it denies, as text; None if it never does for this requester."""

    id: str
    law: str | None
    hides_row: bool
    denies_where: str | None


@dataclass(frozen=True, slots=True)
class Explanation:
    """Everything that decides one field for one requester, purpose and day.

    `decision` is constant, or that of the row asked about; None means that it depends on the row.
    """

    coordinate: str
    category: str
    decision: Decision | None
    row_visible_where: str
    grants: tuple[GrantVerdict, ...]
    prohibitions: tuple[ProhibitionVerdict, ...]


@dataclass(frozen=True, slots=True)
class Question:
    """Who asks for what, when."""

    requester: Requester
    purpose: str
    day: date


def explain(
    bundle: Bundle, document: TypeDocument, field: GovernedField, question: Question, row: tuple[Row, Consents] | None
) -> Explanation:
    """Explain one field.

    Args:
        bundle: the policy.
        document: the type's policy.
        field: one of its fields.
        question: who asks for what, when.
        row: a row and the consents of its subject, or None to ask about all rows.

    Raises:
        PurposeError: the purpose is not in the vocabulary (R4).
    """
    if question.purpose not in bundle.vocabulary.purposes:
        raise PurposeError(unknown_purpose(question.purpose, bundle.vocabulary.purposes))
    plan = compile_type(bundle, document.name, question.requester, question.purpose, question.day)
    known = known_names(question.requester, question.purpose, question.day)
    return Explanation(
        coordinate=f"{document.name}.{field.name}",
        category=field.category.name,
        decision=_decision(plan, field, row),
        row_visible_where=to_text(plan.visible),
        grants=tuple(
            _grant(grant, field, bundle, question, known) for grant in document.grants if field.name in grant.see
        ),
        prohibitions=tuple(
            _prohibition(rule, known, question.purpose) for rule in document.prohibitions if rule.takes(field.name)
        ),
    )


def _decision(plan: TypePlan, field: GovernedField, row: tuple[Row, Consents] | None) -> Decision | None:
    if row is not None:
        attributes, consents = row
        return Decider(plan).decide(supposing_a_crowd(attributes, plan), consents).fields[field.name]
    constant = plan.fields[field.name].constant
    return constant if constant is None or constant.form is None or plan.every_row else None


def _grant(
    grant: Grant, field: GovernedField, bundle: Bundle, question: Question, known: dict[str, object]
) -> GrantVerdict:
    consent = Consent(grant.consent or question.purpose)
    rows = when_true(residual(grant.rows, known, consent))
    asked = rows if grant.consent is None else conjunction([rows, consent])
    return GrantVerdict(
        id=grant.id,
        form=grant.see[field.name],
        law=grant.law,
        retain=grant.retain,
        failing=tuple(_failing(grant, field, bundle, question, rows)),
        asks=None if asked in (TRUE, FALSE) else to_text(asked),
    )


def _failing(grant: Grant, field: GovernedField, bundle: Bundle, question: Question, rows: Condition) -> list[Clause]:
    requester = question.requester
    holds = {
        Clause.KIND: requester.kind in grant.kinds,
        Clause.PURPOSE: bundle.vocabulary.covers(grant.purpose, question.purpose),
        Clause.VALID: grant.valid.holds(question.day),
        Clause.BASIS: not requester.basis.isdisjoint(grant.basis),
        Clause.BASIS9: not field.category.art9 or not requester.basis.isdisjoint(grant.basis9),
        Clause.ROWS: rows != FALSE,
    }
    return [clause for clause, held in holds.items() if not held]


def _prohibition(rule: Prohibition, known: dict[str, object], purpose: str) -> ProhibitionVerdict:
    consent = Consent(purpose)
    when = unless_false(
        conjunction(
            [
                residual(rule.rows, known, consent),
                residual(rule.when, known, consent),
                negate(residual(rule.unless, known, consent)),
            ]
        )
    )
    return ProhibitionVerdict(rule.id, rule.law, rule.hides is Hides.ROW, None if when == FALSE else to_text(when))
