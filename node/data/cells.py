"""One field of one row under its policy, as SQL and as what the node must still do after projection.

    CASE WHEN <prohibited> IS NOT FALSE THEN NULL
         WHEN <first grant's rows> IS TRUE THEN <value under the first grant's form>
         … END

Grants stand most disclosing first, so the first that applies decides. A field that no row may show has no cell: its
column stands nowhere in the statement (policy R29).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import case, false, literal, null, true

from node.data.conditions import condition_sql
from node.data.dialects import Sql
from node.data.expressions import Expression
from node.data.masks import KIND_OF_SCALAR, Kind, masked
from node.data.rows import Row
from node.policy.conditions import FALSE, TRUE
from node.policy.forms import KEYED, Form
from node.policy.plans import FieldPlan, TypePlan


@dataclass(frozen=True, slots=True)
class Cell:
    """A field's value in SQL.

    `forms` are the forms that need a key, by the number that `which` gives; with none of them `which` is None.
    """

    value: Sql
    which: Sql | None
    forms: tuple[Form, ...]

    @property
    def is_plain(self) -> bool:
        """Whether the value is complete in SQL: only then can it be filtered or ordered by."""
        return not any(form.name in KEYED for form in self.forms)


def candidate_row(plan: TypePlan, row: Row) -> Sql:
    """Return whether the rules show a row: only TRUE does."""
    return true() if plan.candidates == TRUE else condition_sql(plan.candidates, row).is_(true())


def shows(decided: FieldPlan | None) -> bool:
    """Say whether some row may show the field itself."""
    if decided is None or not decided.shown:
        return False
    return decided.constant is None or (decided.constant.form is not None and decided.constant.form in _forms(decided))


def _forms(decided: FieldPlan) -> tuple[Form, ...]:
    return tuple(grant.form for grant in decided.shown)


def cell(decided: FieldPlan, value: Sql, kind: Kind, row: Row) -> Cell:
    """Return a field's value on a visible row. The plan must show the field on some row.

    Args:
        decided: the field's plan.
        value: its raw value, of the kind.
        kind: what the value is.
        row: the row that the conditions are about.
    """
    dialect, today = row.reading.dialect, row.reading.today
    forms = _forms(decided)
    shown = [masked(form, value, kind, dialect, today) for form in forms]
    keyed = any(form.name in KEYED for form in forms)
    return Cell(_first(decided, row, shown), chosen(decided, row) if keyed else None, forms)


def chosen(decided: FieldPlan, row: Row) -> Sql:
    """Return the number of the grant by which a visible row shows a field; NULL if it does not."""
    return _first(decided, row, [literal(number) for number in range(len(decided.shown))])


def _first(decided: FieldPlan, row: Row, outcomes: Sequence[Sql]) -> Sql:
    """Return the outcome of the first grant that applies to a row; one that always does ends the search."""
    prohibited = None if decided.prohibited == FALSE else condition_sql(decided.prohibited, row).is_not(false())
    conditions = [None if grant.when == TRUE else condition_sql(grant.when, row).is_(true()) for grant in decided.shown]
    branches: list[tuple[Sql, Sql]] = [] if prohibited is None else [(prohibited, null())]
    for condition, outcome in zip(conditions, outcomes, strict=True):
        if condition is None:
            return case(*branches, else_=outcome) if branches else outcome
        branches.append((condition, outcome))
    return case(*branches)


def raw_value(expression: Expression, scalar: str, row: Row) -> Sql:
    """Return a mapped value as its GraphQL type has it: text, whole number, number or Boolean; else NULL."""
    dialect = row.reading.dialect
    value = row.value(expression)
    match kind_of(scalar):
        case Kind.TEXT | Kind.DAY:
            return dialect.text(value)
        case Kind.WHOLE:
            return dialect.integer(value)
        case Kind.NUMBER:
            return dialect.number(value)
        case Kind.TRUTH:
            return value


def kind_of(scalar: str) -> Kind:
    """Return what a scalar's values are in SQL."""
    return KIND_OF_SCALAR.get(scalar, Kind.TEXT)
