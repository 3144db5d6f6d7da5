"""Policies as Cedar, for comparison and export: one permit per grant and field, one forbid per prohibition and field.

Purposes become entities in a tree, so that `purpose in Purpose::"social-benefit"` covers descendants. Masks, laws and
retention travel as annotations. What Cedar cannot say differs: a condition that errs makes Cedar skip a forbid, where
our prohibition denies; so compare on rows without nulls.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, assert_never

from node.policy.conditions import (
    FALSE,
    ROW,
    TRUE,
    And,
    Compare,
    Condition,
    Consent,
    In,
    Literal,
    Meets,
    Name,
    Not,
    Or,
    SetLiteral,
    Unknown,
)
from node.policy.documents import Hides
from node.policy.forms import form_text
from node.policy.vocabulary import AREA, BASIS, KIND, PURPOSE, TODAY

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from node.policy.decide import Situation
    from node.policy.documents import GovernedField, Grant, Prohibition, TypeDocument
    from node.policy.vocabulary import Vocabulary

_NAMES = {
    KIND: "context.kind",
    AREA: "context.area",
    BASIS: "context.basis",
    PURPOSE: "context.purposeName",
    TODAY: "context.today",
    "consent": "context.consent",
}


def cedar_policies(document: TypeDocument) -> str:
    """Return the policies of one type."""
    return "\n".join((*_permits(document), *_forbids(document), *_crowds(document)))


def cedar_entities(vocabulary: Vocabulary, document: TypeDocument) -> list[dict[str, Any]]:
    """Return the entities of a decision: purposes as a tree, the fields of the type."""
    purposes = [
        {
            "uid": {"type": "Purpose", "id": name},
            "attrs": {},
            "parents": [{"type": "Purpose", "id": purpose.parent}] if purpose.parent else [],
        }
        for name, purpose in vocabulary.purposes.items()
    ]
    fields = [
        {"uid": {"type": "Field", "id": f"{document.name}.{name}"}, "attrs": {}, "parents": []}
        for name in document.fields
    ]
    return purposes + fields


def cedar_request(type_name: str, field: str, situation: Situation, consent: bool) -> dict[str, Any]:  # noqa: FBT001  # a fact
    """Return the question whether one field of one row is disclosed."""
    requester = situation.requester
    return {
        "principal": f'Member::"{requester.kind}"',
        "action": 'Action::"read"',
        "resource": f'Field::"{type_name}.{field}"',
        "context": {
            "kind": requester.kind,
            "area": requester.area or "",
            "basis": sorted(requester.basis),
            "purpose": {"__entity": {"type": "Purpose", "id": situation.purpose}},
            "purposeName": situation.purpose,
            "today": situation.day.isoformat(),
            "day": situation.day.toordinal(),
            "consent": consent,
            "row": _row(situation.row),
        },
    }


def _row(row: Mapping[str, object]) -> dict[str, object]:
    return {name: sorted(value) if isinstance(value, frozenset) else value for name, value in row.items()}


def _permits(document: TypeDocument) -> Iterator[str]:
    for grant in document.grants:
        for name in grant.see:
            yield _permit(document, grant, document.fields[name])


def _permit(document: TypeDocument, grant: Grant, field: GovernedField) -> str:
    conditions = [
        *_live(grant),
        *([f"context.basis.containsAny({_texts(grant.basis9)})"] if field.category.art9 else []),
        *(["context.consent"] if grant.consent else []),
        *([to_cedar(grant.rows)] if grant.rows != TRUE else []),
    ]
    annotations = {
        "id": f"{document.name}.{field.name}/{grant.id}",
        "mask": form_text(grant.see[field.name]),
        "law": grant.law,
        "retain": grant.retain,
    }
    return _statement("permit", annotations, f"{document.name}.{field.name}", conditions)


def _live(grant: Grant) -> Iterator[str]:
    yield f"{_texts(grant.kinds)}.contains(context.kind)"
    yield f"context.purpose in Purpose::{json.dumps(grant.purpose)}"
    yield f"context.day >= {grant.valid.first.toordinal()} && context.day <= {grant.valid.last.toordinal()}"
    yield f"context.basis.containsAny({_texts(grant.basis)})"


def _crowds(document: TypeDocument) -> Iterator[str]:
    """Yield what forbids every field of a row that too few persons are like; Cedar skips a `forbid` that raises."""
    for grant in document.grants:
        if grant.alike is None:
            continue
        enough = f"context.row has alike && context.row.alike >= {grant.alike.persons}"
        for name in document.fields:
            note = {"id": f"{document.name}.{name}/{grant.id}/generalise_k"}
            yield _statement("forbid", note, f"{document.name}.{name}", [*_live(grant), f"!({enough})"])


def _forbids(document: TypeDocument) -> Iterator[str]:
    for rule in document.prohibitions:
        names = document.fields if rule.hides is Hides.ROW else rule.fields
        for name in names:
            yield _forbid(document, rule, name)


def _forbid(document: TypeDocument, rule: Prohibition, name: str) -> str:
    conditions = [to_cedar(part) for part in (rule.rows, rule.when) if part != TRUE]
    if rule.unless != FALSE:
        conditions.append(f"!({to_cedar(rule.unless)})")
    annotations = {"id": f"{document.name}.{name}/{rule.id}", **({"law": rule.law} if rule.law else {})}
    return _statement("forbid", annotations, f"{document.name}.{name}", conditions)


def _statement(effect: str, annotations: Mapping[str, str], coordinate: str, conditions: Sequence[str]) -> str:
    notes = "\n".join(f"@{key}({json.dumps(value, ensure_ascii=False)})" for key, value in annotations.items())
    head = f'{effect} (principal, action == Action::"read", resource == Field::{json.dumps(coordinate)})'
    when = "\n  && ".join(f"({condition})" for condition in conditions) or "true"
    return f"{notes}\n{head}\nwhen {{\n  {when}\n}};\n"


def _texts(values: Sequence[str]) -> str:
    return f"[{', '.join(json.dumps(value, ensure_ascii=False) for value in values)}]"


def to_cedar(condition: Condition) -> str:
    """Return a condition as a Cedar expression.

    Cedar orders numbers only: a comparison of texts by order, and of `today` with a day, has no translation and raises
    `ValueError`.
    """
    match condition:
        case Literal(value):
            return json.dumps(value, ensure_ascii=False)
        case SetLiteral(members):
            return f"[{', '.join(to_cedar(member) for member in members)}]"
        case Name(dotted):
            return f"context.row.{condition.attribute}" if dotted.startswith(ROW) else _NAMES[dotted]
        case Not(operand):
            return f"!({to_cedar(operand)})"
        case And(parts):
            return " && ".join(f"({to_cedar(part)})" for part in parts)
        case Or(parts):
            return " || ".join(f"({to_cedar(part)})" for part in parts)
        case Compare(operator, left, right):
            if operator not in {"==", "!="} and "str" in {_type(left), _type(right)}:
                raise ValueError("Cedar does not order texts")
            return f"({to_cedar(left)}) {operator} ({to_cedar(right)})"
        case In(element, collection):
            return f"({to_cedar(collection)}).contains({to_cedar(element)})"
        case Meets(left, right):
            return f"({to_cedar(left)}).containsAny({to_cedar(right)})"
        case Consent():
            return "context.consent"
        case Unknown():
            raise ValueError("Cedar has no unknown")
        case _:
            assert_never(condition)


def _type(condition: Condition) -> str:
    match condition:
        case Literal(str()):
            return "str"
        case Name(_, type_):
            return str(type_)
        case _:
            return ""
