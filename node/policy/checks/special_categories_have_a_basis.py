"""R6: a grant of an art. 9 field without `basis9` gives nothing at run time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from node.policy.findings import Finding, FindingCode
from node.policy.messages import message

if TYPE_CHECKING:
    from collections.abc import Iterator

    from node.policy.checks.rule import Subject


def special_categories_have_a_basis(subject: Subject) -> Iterator[Finding]:
    """Warn of fields of special categories that a grant lists without a basis of art. 9(2)."""
    for document in subject.bundle.types.values():
        for grant in document.grants:
            special = [name for name in grant.see if document.fields[name].category.art9]
            if special and not grant.basis9:
                fields = ", ".join(f"`{name}`" for name in special)
                said = message(
                    "grant `{grant}` has no `basis9`, so it never shows {fields} (GDPR art. 9)",
                    grant=grant.id,
                    fields=fields,
                )
                yield Finding(grant.place, FindingCode.ART9_BASIS_MISSING, said)
