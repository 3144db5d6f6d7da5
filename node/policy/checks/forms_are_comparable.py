"""R10: two grants that may apply to one cell give comparable forms."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

from node.policy.findings import Finding, FindingCode
from node.policy.forms import comparable, form_text
from node.policy.messages import message
from node.policy.overlap import may_apply_together

if TYPE_CHECKING:
    from collections.abc import Iterator

    from node.policy.checks.rule import Subject


def forms_are_comparable(subject: Subject) -> Iterator[Finding]:
    """Two grants with incomparable forms for one field are an error, unless they provably never apply together."""
    for document in subject.bundle.types.values():
        for one, other in combinations(document.grants, 2):
            clashing = [
                name for name in one.see if name in other.see and not comparable(one.see[name], other.see[name])
            ]
            if clashing and may_apply_together(one, other, subject.bundle.vocabulary):
                for name in clashing:
                    said = message(
                        "grants `{grant}` and `{other}` may both apply and give `{name}` forms that cannot be "
                        "compared: `{form}` and `{other_form}`; choose one form, or rows that exclude each other",
                        grant=one.id,
                        other=other.id,
                        name=name,
                        form=form_text(one.see[name]),
                        other_form=form_text(other.see[name]),
                    )
                    yield Finding(other.place, FindingCode.FORMS_INCOMPARABLE, said)
