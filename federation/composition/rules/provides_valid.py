"""`@provides` selects what the subgraph resolves only here."""

from __future__ import annotations

from collections.abc import Iterator

from federation.composition.errors import Finding
from federation.composition.field_set_checks import FieldSetUse
from federation.composition.model import Kind, named
from federation.composition.subgraph import ReadSubgraph, applied

_COMPOSITE = frozenset({Kind.OBJECT, Kind.INTERFACE, Kind.UNION})


def provides_valid(subgraph: ReadSubgraph) -> Iterator[Finding]:
    """Every `@provides` stands on a field with fields of its own, and what it selects is external."""
    for type_, declared in subgraph.fields():
        for provides in applied(declared.directives, "provides"):
            coordinate = f"{type_.name}.{declared.name}"
            if (type_.name, declared.name) in subgraph.external:
                message = f"`{coordinate}` cannot have both @provides and @external: who provides below it resolves it"
                yield subgraph.finding("EXTERNAL_COLLISION_WITH_ANOTHER_DIRECTIVE", message, coordinate)
                continue
            target = subgraph.types.get(named(declared.type))
            if target is None or target.kind not in _COMPOSITE:
                message = f"`{coordinate}` has @provides, but `{declared.type}` has no fields that could be provided"
                yield subgraph.finding("PROVIDES_ON_NON_OBJECT_FIELD", message, coordinate)
                continue
            if type_.kind is Kind.INTERFACE:
                message = f"`{coordinate}`: @provides cannot be used on fields of interfaces"
                yield subgraph.finding("PROVIDES_UNSUPPORTED_ON_INTERFACE", message, coordinate)
            use = FieldSetUse(
                subgraph, provides, coordinate, target.name, external_leaves=True, arguments=False, abstract=True
            )
            yield from use.check()
