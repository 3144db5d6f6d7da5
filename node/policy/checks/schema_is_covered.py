"""R1: every field of the schema has a category, and every governed field exists."""

from __future__ import annotations

from typing import TYPE_CHECKING

from node.policy.bundle import TYPES_FOLDER
from node.policy.errors import nearest
from node.policy.findings import Finding, FindingCode, Place

if TYPE_CHECKING:
    from collections.abc import Iterator

    from node.policy.checks.rule import Subject


def schema_is_covered(subject: Subject) -> Iterator[Finding]:
    """A field absent from `fields` fails here and is denied at run time; a field unknown to the schema is a mistake."""
    if subject.schema is None:
        return
    types = subject.bundle.types
    for name, fields in subject.schema.types.items():
        if name not in types:
            message = f"type `{name}` of the schema has no policy: write `types/{name}.yaml`"
            yield Finding(Place(f"{TYPES_FOLDER}{name}.yaml"), FindingCode.FIELD_UNCOVERED, message)
            continue
        for field in fields:
            if field not in types[name].fields:
                message = f"field `{name}.{field}` of the schema has no category here: it is denied to everybody"
                yield Finding(types[name].place, FindingCode.FIELD_UNCOVERED, message)
    for name, document in types.items():
        if name not in subject.schema.types:
            message = f"type `{name}` is not in the schema{nearest(name, subject.schema.types)}"
            yield Finding(document.place, FindingCode.TYPE_UNKNOWN, message)
            continue
        known = subject.schema.types[name]
        for field_name, field_policy in document.fields.items():
            if field_name not in known:
                message = f"field `{name}.{field_name}` is not in the schema{nearest(field_name, known)}"
                yield Finding(field_policy.place, FindingCode.FIELD_UNKNOWN, message)
