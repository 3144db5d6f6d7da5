"""Fields kept apart: a grant that shows all of a combination promises what is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

from node.policy.findings import Finding, FindingCode
from node.policy.messages import message

if TYPE_CHECKING:
    from collections.abc import Iterator

    from node.policy.checks.rule import Subject


def combinations_are_kept_apart(subject: Subject) -> Iterator[Finding]:
    """Warn of a grant that names every field of a combination."""
    for document in subject.bundle.types.values():
        for combination in document.never_together:
            for grant in document.grants:
                if grant.see.keys() >= set(combination.fields) and any(map(combination.is_for, grant.kinds)):
                    fields = ", ".join(f"`{name}`" for name in combination.fields)
                    said = message(
                        "grant `{grant}` shows {fields}, which `{combination}` never gives together; whoever asks for "
                        "the last of them is refused: leave one out of the grant",
                        grant=grant.id,
                        fields=fields,
                        combination=combination.id,
                    )
                    yield Finding(grant.place, FindingCode.COMBINATION_GRANTED, said)
