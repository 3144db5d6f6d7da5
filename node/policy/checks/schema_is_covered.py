"""R1: every field of the schema has a category, and every governed field exists."""

from __future__ import annotations

from typing import TYPE_CHECKING

from node.policy.bundle import TYPES_FOLDER
from node.policy.errors import nearest
from node.policy.findings import Finding, FindingCode, Place
from node.policy.messages import message

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
            said = message("type `{name}` of the schema has no policy: write `types/{name}.yaml`", name=name)
            yield Finding(Place(f"{TYPES_FOLDER}{name}.yaml"), FindingCode.FIELD_UNCOVERED, said)
            continue
        for field in fields:
            if field not in types[name].fields:
                said = message(
                    "field `{name}.{field}` of the schema has no category here: it is denied to everybody",
                    name=name,
                    field=field,
                )
                yield Finding(types[name].place, FindingCode.FIELD_UNCOVERED, said)
    for name, document in types.items():
        if name not in subject.schema.types:
            said = message(
                "type `{name}` is not in the schema{nearest}", name=name, nearest=nearest(name, subject.schema.types)
            )
            yield Finding(document.place, FindingCode.TYPE_UNKNOWN, said)
            continue
        known = subject.schema.types[name]
        for field_name, field_policy in document.fields.items():
            if field_name not in known:
                said = message(
                    "field `{name}.{field}` is not in the schema{nearest}",
                    name=name,
                    field=field_name,
                    nearest=nearest(field_name, known),
                )
                yield Finding(field_policy.place, FindingCode.FIELD_UNKNOWN, said)
