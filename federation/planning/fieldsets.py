"""Field sets: the selections inside `@key`, `@requires` and `@provides`, flattened to fields with type conditions."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from graphql import FieldNode, GraphQLError, InlineFragmentNode, OperationDefinitionNode, parse
from typing_extensions import override

from federation.planning.errors import PlanningError
from federation.planning.operation import TYPENAME, printed_arguments

if TYPE_CHECKING:
    from collections.abc import Iterator

    from graphql import ArgumentNode, SelectionSetNode


@dataclass(frozen=True, slots=True)
class SetField:
    """One field of a field set. `conditions` are the type conditions around it, all of which must hold."""

    name: str
    arguments: tuple[ArgumentNode, ...]
    conditions: tuple[str, ...]
    children: FieldSet

    @override
    def __str__(self) -> str:
        text = f"{self.name}{printed_arguments(self.arguments)}"
        if self.children:
            text = f"{text} {{ {printed(self.children)} }}"
        for condition in reversed(self.conditions):
            text = f"... on {condition} {{ {text} }}"
        return text


FieldSet = tuple[SetField, ...]

NOTHING: FieldSet = ()


@lru_cache(maxsize=4096)
def parse_field_set(text: str) -> FieldSet:
    """Read a field set; `__typename` in it is dropped, since a representation has it anyway.

    Raises:
        PlanningError: the text is not a selection set of fields and inline fragments.
    """
    try:
        document = parse(f"{{{text}}}", no_location=True)
    except GraphQLError as error:
        raise PlanningError(f"field set `{text}` does not parse: {error.message}") from error
    (definition,) = document.definitions
    assert isinstance(definition, OperationDefinitionNode)
    return tuple(_fields(definition.selection_set, ()))


def parse_selection(text: str) -> FieldSet:
    """Read what `@fromContext` selects: a field set, in braces unless it is fragments only. Raises as above."""
    bare = text.strip()
    return parse_field_set(bare[1:-1] if bare.startswith("{") and bare.endswith("}") else bare)


def printed(fields: FieldSet) -> str:
    """Print a field set on one line."""
    return " ".join(str(found) for found in fields)


def _fields(selections: SelectionSetNode, conditions: tuple[str, ...]) -> Iterator[SetField]:
    for node in selections.selections:
        match node:
            case FieldNode():
                if node.name.value == TYPENAME:
                    continue
                children = tuple(_fields(node.selection_set, ())) if node.selection_set else NOTHING
                yield SetField(node.name.value, tuple(node.arguments or ()), conditions, children)
            case InlineFragmentNode():
                inner = (node.type_condition.name.value,) if node.type_condition else ()
                yield from _fields(node.selection_set, conditions + inner)
            case _:
                raise PlanningError("a field set holds fields and inline fragments only")
