"""Every check of a complete bundle, in the order in which they are reported."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from node.policy.checks.cells_are_large import cells_are_large
from node.policy.checks.combinations_are_kept_apart import combinations_are_kept_apart
from node.policy.checks.computed_fields_show_no_more import computed_fields_show_no_more
from node.policy.checks.crowds_can_be_counted import crowds_can_be_counted
from node.policy.checks.fields_are_nullable import fields_are_nullable
from node.policy.checks.forms_are_comparable import forms_are_comparable
from node.policy.checks.masks_fit_types import masks_fit_types
from node.policy.checks.predicates_reveal_nothing import predicates_reveal_nothing
from node.policy.checks.rule import Rule, Subject
from node.policy.checks.schema_is_covered import schema_is_covered
from node.policy.checks.special_categories_have_a_basis import special_categories_have_a_basis

if TYPE_CHECKING:
    from node.policy.findings import Finding

SPECIFIED: Final[tuple[Rule, ...]] = (
    schema_is_covered,
    fields_are_nullable,
    masks_fit_types,
    forms_are_comparable,
    computed_fields_show_no_more,
    special_categories_have_a_basis,
    cells_are_large,
    crowds_can_be_counted,
    predicates_reveal_nothing,
    combinations_are_kept_apart,
)


def check(subject: Subject) -> tuple[Finding, ...]:
    """Return what every check finds, in the order of files and lines."""
    return tuple(sorted(finding for rule in SPECIFIED for finding in rule(subject)))
