"""What a member adds to the shared vocabulary: types of its own, and fields of types that are there.

The vocabulary is the federation's and stays as it is. An addition has a name of its own, or says the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from graphql import (
    FieldDefinitionNode,
    ObjectTypeDefinitionNode,
    ObjectTypeExtensionNode,
    ScalarTypeDefinitionNode,
    TypeDefinitionNode,
    print_ast,
)

from federation.contract.coverage import is_plumbing
from federation.contract.governed import asks_about
from node.data.written import MappingError
from node.subgraph.pruning import object_type

_RESERVED: Final = ("Where", "OrderBy", "Dimension")
"""Endings of types that are about the fields of another, beside those of `is_plumbing`."""


@dataclass(frozen=True, slots=True)
class Additions:
    """Definitions of a member's own; `wrong` makes an error that names where they were declared."""

    types: tuple[TypeDefinitionNode, ...]
    fields: tuple[ObjectTypeExtensionNode, ...]
    wrong: Callable[[str], MappingError]

    def to(self, vocabulary: Mapping[str, TypeDefinitionNode]) -> dict[str, TypeDefinitionNode]:
        """Return a vocabulary's definitions with the additions.

        Raises:
            MappingError: a name is taken by something else, or means something to a node.
        """
        found = dict(vocabulary)
        for declared in self.types:
            known = vocabulary.get(declared.name.value)
            if known is None:
                self._check_name(declared)
                found[declared.name.value] = declared
            elif not isinstance(declared, ScalarTypeDefinitionNode) and print_ast(known) != print_ast(declared):
                raise self.wrong(f"declares `{declared.name.value}`, which the vocabulary declares otherwise")
        for extension in self.fields:
            extended = found.get(extension.name.value)
            if isinstance(extended, ObjectTypeDefinitionNode):
                found[extension.name.value] = self._with_fields(extended, extension)
        return found

    def _check_name(self, declared: TypeDefinitionNode) -> None:
        name = declared.name.value
        if is_plumbing(name) or name.endswith(_RESERVED) or name.startswith("_"):
            raise self.wrong(f"declares `{name}`, and names with such an ending or beginning are a node's own")
        if isinstance(declared, ObjectTypeDefinitionNode):
            for field in declared.fields or ():
                self._check_field(name, field)

    def _check_field(self, type_name: str, field: FieldDefinitionNode) -> None:
        if asks_about(field.name.value) is not None or field.name.value.startswith("_"):
            raise self.wrong(f"declares `{type_name}.{field.name.value}`, and such names are a node's own")

    def _with_fields(
        self, declared: ObjectTypeDefinitionNode, extension: ObjectTypeExtensionNode
    ) -> ObjectTypeDefinitionNode:
        fields = list(declared.fields or ())
        known = {field.name.value: field for field in fields}
        for field in extension.fields or ():
            same = known.get(field.name.value)
            if same is None:
                self._check_field(declared.name.value, field)
                fields.append(field)
            elif print_ast(same.type) != print_ast(field.type):
                at = f"`{declared.name.value}.{field.name.value}`"
                ours, theirs = print_ast(field.type), print_ast(same.type)
                raise self.wrong(f"gives {at} the type `{ours}`, and the vocabulary says `{theirs}`")
        return object_type(declared, tuple(fields), tuple(declared.directives or ()))
