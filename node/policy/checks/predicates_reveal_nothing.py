"""R13: a null that depends on something the requester cannot see tells it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from node.policy.conditions import ROW, names_in
from node.policy.documents import Hides
from node.policy.findings import Finding, FindingCode
from node.policy.messages import message

if TYPE_CHECKING:
    from collections.abc import Iterator

    from node.policy.checks.rule import Subject
    from node.policy.documents import Prohibition, TypeDocument


def predicates_reveal_nothing(subject: Subject) -> Iterator[Finding]:
    """Warn of prohibitions that null single fields of a row because of an attribute nobody is shown."""
    for document in subject.bundle.types.values():
        for rule in document.prohibitions:
            hidden = _hidden_attributes(rule, document)
            if rule.hides is Hides.FIELDS and hidden and _takes_something(rule, document):
                attributes = ", ".join(f"`row.{name}`" for name in hidden)
                said = message(
                    "prohibition `{rule}` nulls fields where {attributes} says so: whoever sees the rest of the "
                    "row may guess why; consider `hide: row`",
                    rule=rule.id,
                    attributes=attributes,
                )
                yield Finding(rule.place, FindingCode.PREDICATE_REVEALS, said)


def _hidden_attributes(rule: Prohibition, document: TypeDocument) -> list[str]:
    """Return the row attributes of a prohibition that are not fields somebody is shown."""
    conditions = (rule.rows, rule.when, rule.unless)
    read = {name.attribute for part in conditions for name in names_in(part) if name.dotted.startswith(ROW)}
    shown = {name for grant in document.grants for name in grant.see if name not in rule.fields}
    return sorted(read - shown)


def _takes_something(rule: Prohibition, document: TypeDocument) -> bool:
    return any(name in grant.see for grant in document.grants for name in rule.fields)
