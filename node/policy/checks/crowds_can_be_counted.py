"""`generalise_k`: who is alike can be told, of rows that can be asked for one by one (policy section 4)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from node.policy.findings import Finding, FindingCode
from node.policy.forms import KEYED, PREDICATES
from node.policy.messages import message

if TYPE_CHECKING:
    from collections.abc import Iterator

    from node.policy.checks.rule import Subject
    from node.policy.documents import Grant, TypeDocument
    from node.policy.schema_view import SchemaView

_APART: Final = KEYED | PREDICATES
"""Forms that give everybody a value of her own, or none at all."""


def crowds_can_be_counted(subject: Subject) -> Iterator[Finding]:
    """Refuse quasi-identifiers that are not shown, or shown so that nobody is like anybody else."""
    for document in subject.bundle.types.values():
        for grant in document.grants:
            for problem in _problems(document, grant, subject.schema):
                said = message("grant `{grant}` says `generalise_k`, but {problem}", grant=grant.id, problem=problem)
                yield Finding(grant.place, FindingCode.CROWD_UNCOUNTABLE, said)


def _problems(document: TypeDocument, grant: Grant, schema: SchemaView | None) -> Iterator[str]:
    if grant.alike is None:
        return
    if schema is not None and document.name in schema.types.keys() - schema.keyed:
        # Its rows are there only within others, and which of them a requester reaches depends on those.
        yield message("`{type}` has no key in the schema: protect the type that leads to it", type=document.name)
    shapes = {} if schema is None else schema.types.get(document.name, {})
    for name in grant.alike.over:
        form, shape = grant.see.get(name), shapes.get(name)
        if form is None:
            yield message("does not show `{name}`: leave it out of `quasi_identifiers`", name=name)
        elif form.name in _APART:
            yield message(
                "as `{form}` nobody's `{name}` is like another's: choose a coarser form, or leave it out",
                form=form.name,
                name=name,
            )
        elif shape is not None and schema is not None and (shape.is_list or shape.type_name in schema.types):
            yield message("`{name}` is no single value: leave it out of `quasi_identifiers`", name=name)
