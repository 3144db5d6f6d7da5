"""`@context` and `@fromContext`: values that a field takes from an object above it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from federation.composition.fieldset import FieldSet, FieldSetError, Fragment, parse_field_set
from federation.composition.model import Field, InputValue, Type
from federation.composition.subgraph import Coordinate, ReadSubgraph, applied, first

_REFERENCE = re.compile(r"\s*\$\s*([_A-Za-z][_0-9A-Za-z]*)?\s*(.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class ContextUse:
    """One argument that is filled from a context; `context` is None when the text names none."""

    type_: Type
    field: Field
    argument: InputValue
    text: str
    context: str | None
    selection: str

    @property
    def coordinate(self) -> str:
        """The argument's coordinate."""
        return f"{self.type_.name}.{self.field.name}({self.argument.name}:)"

    def selections(self, type_name: str) -> FieldSet:
        """Return what is read from an object of a type: the selection's fragment on it, or the whole selection.

        Raises:
            FieldSetError: the selection does not parse.
        """
        parsed = parse_field_set(self.selection)
        fragments = [item for item in parsed if isinstance(item, Fragment) and item.on is not None]
        if not fragments:
            return parsed
        return tuple(part for item in fragments if item.on == type_name for part in item.selections)


def context_uses(subgraph: ReadSubgraph) -> Iterator[ContextUse]:
    """Yield every `@fromContext`."""
    if "@" not in subgraph.subgraph.sdl or "ontext" not in subgraph.subgraph.sdl:
        return
    for type_, declared in subgraph.fields():
        for argument in declared.arguments.values():
            found = first(argument.directives, "fromContext")
            if found is not None:
                text = found.text("field") or ""
                matched = _REFERENCE.fullmatch(text)
                context, selection = (matched[1], matched[2].strip()) if matched else (None, "")
                yield ContextUse(type_, declared, argument, text, context, selection)


def contexts(subgraph: ReadSubgraph) -> dict[str, tuple[str, ...]]:
    """Return the types on which each context is set."""
    found: dict[str, list[str]] = {}
    for type_ in subgraph.types.values():
        for context in applied(type_.directives, "context"):
            found.setdefault(context.text("name") or "", []).append(type_.name)
    return {name: tuple(types) for name, types in found.items()}


def context_targets(subgraph: ReadSubgraph) -> frozenset[Coordinate]:
    """Return the fields that some `@fromContext` reads."""
    found: set[Coordinate] = set()
    set_on = contexts(subgraph)
    for use in context_uses(subgraph):
        for type_name in set_on.get(use.context or "", ()):
            for name in (type_name, *subgraph.implementations.get(type_name, ())):
                try:
                    found.update(subgraph.selected(name, use.selections(name)))
                except FieldSetError:
                    continue
    return frozenset(found)
