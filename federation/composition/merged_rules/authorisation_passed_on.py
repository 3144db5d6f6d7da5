"""What a field requires of others it must be allowed to see."""

from __future__ import annotations

from collections.abc import Iterator

from federation.composition.claims import CLAIMS, NOTHING, Alternatives, both, claimed
from federation.composition.context import context_uses, contexts
from federation.composition.errors import Finding
from federation.composition.fieldset import FieldSet, FieldSetError, Fragment, parse_field_set
from federation.composition.merged import Merged
from federation.composition.model import Applied, Kind, named
from federation.composition.subgraph import ReadSubgraph, applied


def authorisation_passed_on(merged: Merged) -> Iterator[Finding]:
    """A field that gets protected data through `@requires` or a context is protected at least as much itself."""
    if not any(name in link.directives for link in merged.links for name in CLAIMS):
        return
    for subgraph in merged.subgraphs:
        for type_name, field_name, asked in _asked(merged, subgraph):
            own = _of_field(merged, type_name, field_name)
            if not all(_implied(own, needed) for needed in asked):
                coordinate = f"{type_name}.{field_name}"
                message = f"`{coordinate}` reads protected fields and is not protected as they are"
                yield subgraph.finding("MISSING_TRANSITIVE_AUTH_REQUIREMENTS", message, coordinate)


def _asked(merged: Merged, subgraph: ReadSubgraph) -> Iterator[tuple[str, str, list[Alternatives]]]:
    """Yield every field that reads others, with what each of these asks for."""
    for type_, declared in subgraph.fields():
        for requires in applied(declared.directives, "requires"):
            try:
                selections = parse_field_set(requires.text("fields") or "")
            except FieldSetError:
                continue
            yield type_.name, declared.name, list(_needs(merged, type_.name, selections))
    set_on = contexts(subgraph)
    for use in context_uses(subgraph):
        needs = [
            needed
            for name in set_on.get(use.context or "", ())
            for needed in _needs(merged, name, use.selections(name))
        ]
        yield use.type_.name, use.field.name, needs


def _needs(merged: Merged, type_name: str, selections: FieldSet) -> Iterator[Alternatives]:
    for selection in selections:
        if isinstance(selection, Fragment):
            inner = selection.on or type_name
            yield _of_type(merged, inner)
            yield from _needs(merged, inner, selection.selections)
            continue
        type_ = merged.types.get(type_name)
        if type_ is None:
            continue
        names = [type_name]
        if type_.kind is Kind.INTERFACE:
            names += sorted(merged.lattice.below.get(type_name, ()))
        for name in names:
            found = merged.types[name].fields.get(selection.name) if name in merged.types else None
            if found is not None:
                yield _claims(found.directives, merged)
        declared = type_.fields.get(selection.name)
        if declared is not None:
            below = named(declared.type)
            yield _of_type(merged, below)
            yield from _needs(merged, below, selection.selections)


def _of_type(merged: Merged, name: str) -> Alternatives:
    type_ = merged.types.get(name)
    return _claims(type_.directives, merged) if type_ is not None else NOTHING


def _of_field(merged: Merged, type_name: str, field_name: str) -> Alternatives:
    type_ = merged.types[type_name]
    declared = type_.fields.get(field_name)
    own = _claims(declared.directives, merged) if declared is not None else NOTHING
    return both(own, _claims(type_.directives, merged))


def _claims(directives: tuple[Applied, ...], merged: Merged) -> Alternatives:
    """Return what directives ask for, as alternatives of which one must hold whole."""
    asked = NOTHING
    for item in directives:
        for name in CLAIMS:
            if merged.kept.get(name) == item.name:
                asked = both(asked, claimed(item, name))
    return asked


def _implied(own: Alternatives, needed: Alternatives) -> bool:
    """Whether whoever fulfils one alternative of `own` fulfils one of `needed`."""
    return all(any(other <= one for other in needed) for one in own)
