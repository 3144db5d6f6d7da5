"""Which variables of an operation may differ from run to run without another statement.

Keys of entities, the key of a citizen and a cursor are values of a statement; every other variable may change its text
(a filter's operators, `@include`, `first`), so an operation is compiled again for other values of those.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from graphql import DocumentNode, FieldNode, OperationDefinitionNode, VariableNode, Visitor, visit

_OF_A_RUN: Final = frozenset({("_entities", "representations"), ("citizen", "by"), ("*", "after")})
_DEFINED_AND_USED: Final = 2


@dataclass(frozen=True, slots=True)
class RunVariables:
    """The variables of each run: by response key of a root and argument, the variable's name."""

    names: Mapping[tuple[str, str], str]

    @classmethod
    def of(cls, document: DocumentNode, operation: OperationDefinitionNode) -> RunVariables:
        """Find them: a variable counts that stands in one place of the document only."""
        counter = _Uses()
        visit(document, counter)
        found: dict[tuple[str, str], str] = {}
        for node in operation.selection_set.selections:
            if not isinstance(node, FieldNode):
                continue
            for argument in node.arguments or ():
                name, value = argument.name.value, argument.value
                is_of_run = (node.name.value, name) in _OF_A_RUN or ("*", name) in _OF_A_RUN
                if (
                    is_of_run
                    and isinstance(value, VariableNode)
                    and counter.uses[value.name.value] == _DEFINED_AND_USED
                ):
                    found[(node.alias or node.name).value, name] = value.name.value
        return cls(found)

    def shape(self, variables: Mapping[str, Any]) -> str:
        """Return what of the variables decides the statement: two equal texts have the same one."""
        of_run = set(self.names.values())
        kept = {name: _outline(value) if name in of_run else value for name, value in variables.items()}
        return msgspec.json.encode(kept, enc_hook=str, order="deterministic").decode()


def _outline(value: Any) -> Any:
    """Keep of a value whether it is there, and of a citizen's key which key it is."""
    match value:
        case None:
            return None
        case dict():
            return sorted(value)
        case _:
            return True


class _Uses(Visitor):
    """Counts how often each variable is named."""

    def __init__(self) -> None:
        super().__init__()
        self.uses: dict[str, int] = {}

    def enter_variable(self, node: VariableNode, *_: Any) -> None:
        name = node.name.value
        self.uses[name] = self.uses.get(name, 0) + 1
