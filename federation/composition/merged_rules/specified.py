"""The rules over merged subgraphs, in order."""

from __future__ import annotations

from collections.abc import Iterator

from federation.composition.errors import Finding
from federation.composition.merged import Merged
from federation.composition.merged_rules.authorisation_passed_on import authorisation_passed_on
from federation.composition.merged_rules.inaccessible_consistent import inaccessible_consistent
from federation.composition.merged_rules.interface_fields_implemented import interface_fields_implemented
from federation.composition.merged_rules.interface_keys_complete import interface_keys_complete
from federation.composition.merged_rules.queries_exist import queries_exist
from federation.composition.merged_rules.rule import MergedRule
from federation.composition.merged_rules.sensitivity_kept import sensitivity_kept
from federation.composition.merged_rules.shared_values_alike import shared_values_alike

SPECIFIED: tuple[MergedRule, ...] = (
    queries_exist,
    interface_fields_implemented,
    interface_keys_complete,
    authorisation_passed_on,
    inaccessible_consistent,
    sensitivity_kept,
    shared_values_alike,
)


def contradictions(merged: Merged) -> Iterator[Finding]:
    """Yield what all rules find."""
    for rule in SPECIFIED:
        yield from rule(merged)
