"""Invariants: what must never happen over every requester, purpose, basis, day, consent and row (policy section 1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from node.policy.conditions import TRUE, Condition
from node.policy.findings import Place
from node.policy.forms import Form, discloses_at_least, write_form
from node.policy.messages import message
from node.policy.reader import Reader, branch, entry, items, leaf, leaves, text_of
from node.policy.schemas import INVARIANTS
from node.policy.shape import check_shape
from node.policy.yaml_tree import Branch

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from node.policy.documents import TypeDocument
    from node.policy.vocabulary import Vocabulary
    from node.policy.yaml_tree import Tree

BEYOND: Final = "beyond"
"""`form: {beyond: verify}`: whatever shows something else than a form, or more."""


@dataclass(frozen=True, slots=True)
class Invariant:
    """An invariant as it applies to one type: in none of `fields` may what it forbids be disclosed where `when` holds.

    `form` None means any disclosure. `beyond` makes the form a ceiling. An unknown `when` counts as true.
    """

    id: str
    type_name: str
    fields: tuple[str, ...]
    form: Form | None
    when: Condition
    place: Place
    beyond: bool = False

    def forbids(self, form: Form) -> bool:
        """Say whether a form is forbidden: one that shows as much or, under a ceiling, one that shows anything else."""
        if self.form is None:
            return True
        return not discloses_at_least(self.form, form) if self.beyond else discloses_at_least(form, self.form)

    def written(self) -> object:
        """Return the form as a document says it."""
        if self.form is None:
            return "any"
        return {BEYOND: write_form(self.form)} if self.beyond else write_form(self.form)


def read_invariants(
    tree: Tree, types: Mapping[str, TypeDocument], vocabulary: Vocabulary, reader: Reader
) -> tuple[Invariant, ...]:
    """Read invariants.yaml, one value per invariant and type it applies to; what is wrong is reported."""
    reader.findings.extend(check_shape(tree, INVARIANTS))
    seen: dict[str, Place] = {}
    invariants: list[Invariant] = []
    for found in items(tree):
        reader.unique(seen, leaf(found, "id"), message("invariant"))
        seen.setdefault(text_of(leaf(found, "id")), found.place)
        invariants.extend(_invariant(found, types, vocabulary, reader))
    return tuple(invariants)


def _invariant(
    found: Tree, types: Mapping[str, TypeDocument], vocabulary: Vocabulary, reader: Reader
) -> Iterable[Invariant]:
    never = branch(found, "never")
    written = entry(never, "form")
    beyond = isinstance(written, Branch) and set(written.entries) == {BEYOND}
    form_tree = entry(written, BEYOND) if beyond else written
    form = None if form_tree is None or text_of(leaf(never, "form")) == "any" else reader.form(form_tree)
    selected = {name: _selected(never, document) for name, document in types.items()}
    _report_unknown_fields(never, types, vocabulary, reader)
    for name, fields in sorted(selected.items()):
        if fields:
            when = reader.condition(entry(never, "when"), vocabulary.scope(types[name].of_a_row))
            yield Invariant(
                id=text_of(leaf(found, "id")),
                type_name=name,
                fields=fields,
                form=form,
                when=TRUE if when is None else when,
                place=found.place,
                beyond=beyond,
            )


def _selected(never: Branch | None, document: TypeDocument) -> tuple[str, ...]:
    fields = entry(never, "fields")
    if not isinstance(fields, Branch):
        named = {text_of(name) for name in leaves(fields)}
        return tuple(name for name in document.fields if name in named)
    category = text_of(leaf(fields, "category"))
    return tuple(
        name
        for name, field in document.fields.items()
        if "all" in fields.entries
        or ("art9" in fields.entries and field.category.art9)
        or field.category.name == category
    )


def _report_unknown_fields(
    never: Branch | None, types: Mapping[str, TypeDocument], vocabulary: Vocabulary, reader: Reader
) -> None:
    known = {name for document in types.values() for name in document.fields}
    reader.all_declared(entry(never, "fields"), message("field"), known)
    reader.declared(leaf(entry(never, "fields"), "category"), message("category"), vocabulary.categories)
