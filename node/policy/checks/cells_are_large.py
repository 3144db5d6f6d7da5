"""Small cells: counts over special categories need at least ten rows (policy section 4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from node.policy.documents import DEFAULT_MIN_CELL_ART9
from node.policy.findings import Finding, FindingCode
from node.policy.messages import message

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
                said = message(
                    "grant `{grant}` counts over {fields} with `min_cell: {min_cell}`; special categories need {least}",
                    grant=grant.id,
                    fields=fields,
                    min_cell=counts.min_cell,
                    least=DEFAULT_MIN_CELL_ART9,
                )
                yield Finding(grant.place, FindingCode.CELL_SMALL, said)
