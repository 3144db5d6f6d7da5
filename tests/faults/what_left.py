"""What left in an answer, read beside the operation that asked for it, without the product's own readers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    FieldNode,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    get_named_type,
    parse,
    print_schema,
)

from federation.contract.decisions import CLEAR, FieldDecision
from federation.contract.governed import MATCHES, governed_fields
from federation.contract.identifiers import INTERNAL_PREFIX

SHAPES = {
    "year": r"\d{4}",
    "month": r"\d{4}(-\d\d)?",
    "age_band": r"\d{1,2}-\d{1,2}|100\+",
    "band": r"[\[(][\d.-]*,[\d.-]*\)",
    "email": r".?\*{3}@.?\*{3}",
    "truncate": r"\w{1,5}",
    "hash": r"[\w.-]{16,}",
    "pseudonym": r"[\w.-]{16,}",
    "token": r"[\w.-]{16,}",
}
"""What texts look like in a form; other forms keep the looks of the value."""
_TELLING = ("age_band", "band", "email")
"""No clear text looks like these."""


def fits(decision: FieldDecision, value: object) -> bool:
    """Say whether a value may be what a decision says of it; where the row decides, a coarser form may be."""
    if not isinstance(value, str) or decision.conditional:
        return True
    if decision.form == CLEAR:
        return not any(re.fullmatch(SHAPES[name], value) for name in _TELLING)
    return decision.form not in SHAPES or re.fullmatch(SHAPES[decision.form], value) is not None


def objects(data: Any) -> int:
    """Count the objects of an answer, without the answer itself."""
    if isinstance(data, list):
        return sum(isinstance(each, dict) + objects(each) for each in data)
    if isinstance(data, dict):
        return sum(isinstance(each, dict) + objects(each) for each in data.values())
    return 0


@dataclass(frozen=True, slots=True)
class Left:
    """A value that left: its coordinate, whether it is a key for the gateway only, and the value (objects are None)."""

    coordinate: str
    key: bool
    value: object


class Reader:
    """Reads operations without fragments, and answers to them, on one schema."""

    def __init__(self, schema: GraphQLSchema) -> None:
        """Keep the schema and the coordinates that must have a policy."""
        self.schema = schema
        self.governed = governed_fields(print_schema(schema))

    def values(self, query: str, data: Any) -> Iterator[Left]:
        """Yield every governed field that is not null in an answer."""
        selections, root = self._operation(query)
        yield from self._object(selections, root, data or {})

    def _object(self, selections: SelectionSetNode, type_name: str, data: Mapping[str, Any]) -> Iterator[Left]:
        for node in selections.selections:
            if isinstance(node, InlineFragmentNode):
                condition = node.type_condition.name.value if node.type_condition else type_name
                yield from self._object(node.selection_set, condition, data)
            elif isinstance(node, FieldNode):
                yield from self._field(node, type_name, data)

    def _field(self, node: FieldNode, type_name: str, data: Mapping[str, Any]) -> Iterator[Left]:
        name = node.name.value
        key = node.alias.value if node.alias else name
        found = data.get(key)
        if found is None or name == "__typename":
            return
        if name == "_entities":
            for entity in filter(None, found):
                yield from self._object(_required(node), "", entity)
            return
        owner = self.schema.type_map[type_name]
        assert isinstance(owner, GraphQLObjectType)
        coordinate = f"{type_name}.{name.removesuffix(MATCHES)}"
        internal = key.startswith(INTERNAL_PREFIX)
        below = get_named_type(owner.fields[name].type).name
        for value in found if isinstance(found, list) else [found]:
            if coordinate in self.governed:
                yield Left(coordinate, internal, None if isinstance(value, dict) else value)
            if isinstance(value, dict):
                yield from self._object(_required(node), below, value)

    def asked(self, query: str) -> frozenset[str]:
        """Return every governed coordinate that an operation selects."""
        return frozenset(self._selected(*self._operation(query))) & self.governed

    def _operation(self, query: str) -> tuple[SelectionSetNode, str]:
        (operation,) = parse(query).definitions
        assert isinstance(operation, OperationDefinitionNode)
        root = self.schema.get_root_type(operation.operation)
        assert root is not None
        return operation.selection_set, root.name

    def _selected(self, selections: SelectionSetNode, type_name: str) -> Iterator[str]:
        for node in selections.selections:
            if isinstance(node, InlineFragmentNode):
                condition = node.type_condition.name.value if node.type_condition else type_name
                yield from self._selected(node.selection_set, condition)
            elif isinstance(node, FieldNode) and not node.name.value.startswith("__"):
                name = node.name.value
                if name == "_entities":
                    yield from self._selected(_required(node), "")
                    continue
                yield f"{type_name}.{name.removesuffix(MATCHES)}"
                if node.selection_set is not None:
                    owner = self.schema.type_map[type_name]
                    assert isinstance(owner, GraphQLObjectType)
                    yield from self._selected(node.selection_set, get_named_type(owner.fields[name].type).name)


def _required(node: FieldNode) -> SelectionSetNode:
    assert node.selection_set is not None
    return node.selection_set
