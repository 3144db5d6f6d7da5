"""R14: every governed field may be null, so that a denial never nulls its parent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from node.policy.findings import Finding, FindingCode
from node.policy.messages import message

if TYPE_CHECKING:
    from collections.abc import Iterator

    from node.policy.checks.rule import Subject


def fields_are_nullable(subject: Subject) -> Iterator[Finding]:
    """A field that the schema declares non-null cannot be denied."""
    if subject.schema is None:
        return
    for name, document in subject.bundle.types.items():
        for field_name, shape in subject.schema.types.get(name, {}).items():
            if field_name in document.fields and not shape.nullable:
                said = message(
                    "field `{name}.{field}` is non-null in the schema: a denial would null its parent",
                    name=name,
                    field=field_name,
                )
                yield Finding(document.fields[field_name].place, FindingCode.FIELD_NOT_NULLABLE, said)
