"""Field sets: the selections that stand as text in `@key`, `@requires` and `@provides`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from graphql import FieldNode, GraphQLError, InlineFragmentNode, OperationDefinitionNode, parse
from typing_extensions import override

from federation.composition.model import literal

if TYPE_CHECKING:
    from graphql import SelectionSetNode

_NAMES = re.compile(r"[\s,]*[_A-Za-z][_0-9A-Za-z]*(?:[\s,]+[_A-Za-z][_0-9A-Za-z]*)*[\s,]*")
_SPLIT = re.compile(r"[\s,]+")


class FieldSetError(ValueError):
    """The text is not a selection set of fields and inline fragments."""


@dataclass(frozen=True, slots=True)
class Selected:
    """One field of a field set; `arguments` are (name, printed value), `directives` the names of those applied."""

    name: str
    selections: FieldSet = ()
    arguments: tuple[tuple[str, str], ...] = ()
    directives: tuple[str, ...] = ()
    alias: str | None = None

    @override
    def __str__(self) -> str:
        arguments = f"({', '.join(f'{name}: {value}' for name, value in self.arguments)})" if self.arguments else ""
        alias = f"{self.alias}: " if self.alias else ""
        inner = f" {{ {print_field_set(self.selections)} }}" if self.selections else ""
        return f"{alias}{self.name}{arguments}{inner}"


@dataclass(frozen=True, slots=True)
class Fragment:
    """An inline fragment of a field set; `on` is None for one without a type condition."""

    on: str | None
    selections: FieldSet
    directives: tuple[str, ...] = ()

    @override
    def __str__(self) -> str:
        condition = f" on {self.on}" if self.on else ""
        return f"...{condition} {{ {print_field_set(self.selections)} }}"


FieldSet = tuple[Selected | Fragment, ...]


def print_field_set(selections: FieldSet) -> str:
    """Print a field set without the outermost braces."""
    return " ".join(map(str, selections))


@lru_cache(maxsize=16384)
def parse_field_set(text: str) -> FieldSet:
    """Read a field set, with or without outermost braces.

    Raises:
        FieldSetError: it does not parse, or holds something else than fields and inline fragments.
    """
    if _NAMES.fullmatch(text):
        return tuple(Selected(name) for name in _SPLIT.split(text) if name)
    braced = text if text.lstrip().startswith("{") else f"{{{text}}}"
    try:
        document = parse(braced, no_location=True)
    except GraphQLError as error:
        raise FieldSetError(error.message) from error
    if len(document.definitions) != 1 or not isinstance(operation := document.definitions[0], OperationDefinitionNode):
        raise FieldSetError("expected one selection set")
    return _selections(operation.selection_set)


def _selections(node: SelectionSetNode | None) -> FieldSet:
    if node is None:
        return ()
    found: list[Selected | Fragment] = []
    for selection in node.selections:
        directives = tuple(item.name.value for item in selection.directives or ())
        match selection:
            case FieldNode():
                found.append(
                    Selected(
                        selection.name.value,
                        _selections(selection.selection_set),
                        tuple((item.name.value, literal(item.value)) for item in selection.arguments or ()),
                        directives,
                        selection.alias.value if selection.alias else None,
                    )
                )
            case InlineFragmentNode():
                condition = selection.type_condition.name.value if selection.type_condition else None
                found.append(Fragment(condition, _selections(selection.selection_set), directives))
            case _:
                raise FieldSetError("a field set cannot spread named fragments")
    return tuple(found)
