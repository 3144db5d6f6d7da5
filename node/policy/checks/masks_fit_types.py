"""R17, R19: a mask's output validates against the GraphQL type of its field, and no mask is of a list."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from node.policy.findings import Finding, FindingCode
from node.policy.forms import FormName, form_text
from node.policy.messages import message

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from node.policy.checks.rule import Subject
    from node.policy.schema_view import FieldShape

_TEXT: Final = frozenset({"String"})
_IDENTIFIER: Final = frozenset({"String", "ID"})
_DATE: Final = frozenset({"String", "PartialDate"})
_NUMBER: Final = frozenset({"Int", "Float", "Decimal", "Banded"})

FITTING: Final[Mapping[FormName, frozenset[str]]] = {
    FormName.AGE_OVER: frozenset({"String", "PartialDate", "Date"}),
    FormName.REDACT: _TEXT,
    FormName.PARTIAL: _TEXT,
    FormName.EMAIL: frozenset({"String", "Email"}),
    FormName.YEAR: _DATE,
    FormName.MONTH: _DATE,
    FormName.AGE_BAND: _DATE,
    FormName.DATE_SHIFT: frozenset({"String", "PartialDate", "Date"}),
    FormName.BAND: frozenset({"String", "Banded"}),
    FormName.ROUND: _NUMBER,
    FormName.TOP_CODE: _NUMBER,
    FormName.TRUNCATE: _TEXT,
    FormName.HASH: _IDENTIFIER,
    FormName.PSEUDONYM: _IDENTIFIER,
    FormName.TOKEN: _IDENTIFIER,
}
"""The GraphQL types that admit what a form gives, or ask about; `clear` and `verify` fit every scalar."""


def masks_fit_types(subject: Subject) -> Iterator[Finding]:
    """A mask stands only on a scalar that admits its output; objects are shown clear or not at all."""
    if subject.schema is None:
        return
    for name, document in subject.bundle.types.items():
        shapes = subject.schema.types.get(name, {})
        for grant in document.grants:
            for field_name, form in grant.see.items():
                shape = shapes.get(field_name)
                problem = None if shape is None else _problem(form.name, shape, subject.schema.types)
                if problem:
                    said = message(
                        "form `{form}` of `{name}.{field}` in grant `{grant}` {problem}",
                        form=form_text(form),
                        name=name,
                        field=field_name,
                        grant=grant.id,
                        problem=problem,
                    )
                    yield Finding(grant.place, FindingCode.FORM_TYPE_MISMATCH, said)


def _problem(form: FormName, shape: FieldShape, types: Mapping[str, object]) -> str | None:
    if form is FormName.CLEAR:
        return None
    if shape.type_name in types:
        return message("does not fit an object: `{type}` has a policy of its own; write `clear`", type=shape.type_name)
    if shape.is_list:
        # R17: a masked list would tell its length; no mask declares that, so the list is one cell.
        return message("does not fit a list: a list is shown clear or not at all")
    if form is FormName.VERIFY:
        return None
    if shape.type_name not in FITTING[form]:
        fitting = ", ".join(f"`{type_name}`" for type_name in sorted(FITTING[form]))
        return message("does not fit its type `{type}`; it fits {fitting}", type=shape.type_name, fitting=fitting)
    return None
