"""Small cells: counts over special categories need at least ten rows (policy section 4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from node.policy.documents import DEFAULT_MIN_CELL_ART9
from node.policy.findings import Finding, FindingCode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from node.policy.checks.rule import Subject


def cells_are_large(subject: Subject) -> Iterator[Finding]:
    """Warn of counts grouped by an art. 9 field with cells below the practice for such data."""
    for document in subject.bundle.types.values():
        for grant in document.grants:
            counts = grant.aggregates
            if counts is None or counts.min_cell >= DEFAULT_MIN_CELL_ART9:
                continue
            special = [name for name in counts.over if document.fields[name].category.art9]
            if special:
                fields = ", ".join(f"`{name}`" for name in special)
                message = (
                    f"grant `{grant.id}` counts over {fields} with `min_cell: {counts.min_cell}`; "
                    f"special categories need {DEFAULT_MIN_CELL_ART9}"
                )
                yield Finding(grant.place, FindingCode.CELL_SMALL, message)
