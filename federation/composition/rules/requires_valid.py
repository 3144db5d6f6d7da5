"""`@requires` selects what other subgraphs resolve."""

from __future__ import annotations

from collections.abc import Iterator

from federation.composition.errors import Finding
from federation.composition.field_set_checks import FieldSetUse
from federation.composition.model import Kind
from federation.composition.subgraph import ReadSubgraph, applied


def requires_valid(subgraph: ReadSubgraph) -> Iterator[Finding]:
    """Every `@requires` stands on a field of an object type, and what it selects is external."""
    for type_, declared in subgraph.fields():
        for requires in applied(declared.directives, "requires"):
            coordinate = f"{type_.name}.{declared.name}"
            if type_.kind is Kind.INTERFACE:
                message = f"`{coordinate}`: @requires cannot be used on fields of interfaces"
                yield subgraph.finding("REQUIRES_UNSUPPORTED_ON_INTERFACE", message, coordinate)
            use = FieldSetUse(
                subgraph, requires, coordinate, type_.name, external_leaves=True, arguments=True, abstract=True
            )
            yield from use.check()
