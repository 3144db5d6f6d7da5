"""R31: a field computed from others shows no more than they do, unless the policy declassifies it by name, with a law.

Held per rule, so that it holds for every requester and row: a grant that shows the field shows every input in a form at
least as disclosing, and a prohibition that takes an input away takes the field away as well.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from node.policy.documents import Hides
from node.policy.findings import Finding, FindingCode
from node.policy.forms import discloses_at_least, form_text, meet
from node.policy.messages import message

if TYPE_CHECKING:
    from collections.abc import Iterator

    from node.policy.checks.rule import Subject
    from node.policy.documents import GovernedField, TypeDocument


def computed_fields_show_no_more(subject: Subject) -> Iterator[Finding]:
    """Refuse rules by which a computed field would tell more than its inputs."""
    for document in subject.bundle.types.values():
        for field in document.fields.values():
            if field.computed_from and field.declassified is None:
                yield from _grants(document, field)
                yield from _prohibitions(document, field)


def _grants(document: TypeDocument, field: GovernedField) -> Iterator[Finding]:
    for grant in document.grants:
        shown = grant.see.get(field.name)
        most = meet(grant.see.get(name) for name in field.computed_from)
        if shown is not None and (most is None or not discloses_at_least(most, shown)):
            inputs = ", ".join(f"`{name}: {form_text(grant.see.get(name))}`" for name in field.computed_from)
            said = message(
                "grant `{grant}` shows `{name}: {shown}`, which is computed from {inputs}; show no more than "
                "its inputs, or say `declassified: {{law: …}}` at the field",
                grant=grant.id,
                name=field.name,
                shown=form_text(shown),
                inputs=inputs,
            )
            yield Finding(grant.place, FindingCode.COMPUTED_SHOWS_MORE, said)


def _prohibitions(document: TypeDocument, field: GovernedField) -> Iterator[Finding]:
    for rule in document.prohibitions:
        taken = sorted(set(rule.fields) & set(field.computed_from))
        if rule.hides is Hides.FIELDS and taken and field.name not in rule.fields:
            said = message(
                "prohibition `{rule}` denies `{taken}` but not `{name}`, which is computed from it; name "
                "both, or say `declassified: {{law: …}}` at the field",
                rule=rule.id,
                taken=taken[0],
                name=field.name,
            )
            yield Finding(rule.place, FindingCode.COMPUTED_SHOWS_MORE, said)
