"""Keys select fields that can identify an entity."""

from __future__ import annotations

from collections.abc import Iterator

from federation.composition.errors import Finding
from federation.composition.field_set_checks import FieldSetUse
from federation.composition.model import Kind
from federation.composition.subgraph import ReadSubgraph, applied

_ON_INTERFACES_SINCE = (2, 3)


def keys_valid(subgraph: ReadSubgraph) -> Iterator[Finding]:
    """Every `@key` selects fields of the type that exist, take no arguments and are not abstract."""
    for type_ in subgraph.types.values():
        for key in applied(type_.directives, "key"):
            if type_.kind is Kind.INTERFACE and subgraph.version < _ON_INTERFACES_SINCE:
                message = f"`{type_.name}` is an interface, which can have keys only since federation 2.3"
                yield subgraph.finding("KEY_UNSUPPORTED_ON_INTERFACE", message, type_.name)
            use = FieldSetUse(
                subgraph, key, type_.name, type_.name, external_leaves=False, arguments=False, abstract=False
            )
            yield from use.check()
