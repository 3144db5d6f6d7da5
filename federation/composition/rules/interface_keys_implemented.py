"""Who implements an interface with keys has these keys."""

from __future__ import annotations

from collections.abc import Iterator

from federation.composition.errors import Finding
from federation.composition.fieldset import FieldSet, FieldSetError, parse_field_set
from federation.composition.model import Applied, Kind
from federation.composition.subgraph import ReadSubgraph, applied


def interface_keys_implemented(subgraph: ReadSubgraph) -> Iterator[Finding]:
    """Every key of an interface is one of each type that implements it, and resolvable there when it is on it."""
    for interface in subgraph.types.values():
        if interface.kind is not Kind.INTERFACE:
            continue
        for key in applied(interface.directives, "key"):
            for name in subgraph.implementations.get(interface.name, ()):
                if not any(_same(key, other) for other in applied(subgraph.types[name].directives, "key")):
                    message = (
                        f"interface `{interface.name}` has the key `{key.text('fields')}`, which `{name}` does not have"
                        " although it implements the interface"
                    )
                    yield subgraph.finding("INTERFACE_KEY_NOT_ON_IMPLEMENTATION", message, interface.name, name)


def _same(key: Applied, other: Applied) -> bool:
    """Whether a type has a key as its interface does: where the interface can be looked up by it, so can the type."""
    asked, given = (item.flag("resolvable", default=True) for item in (key, other))
    return _selected(key) == _selected(other) and (given or not asked)


def _selected(key: Applied) -> frozenset[object]:
    try:
        return _unordered(parse_field_set(key.text("fields") or ""))
    except FieldSetError:
        return frozenset({key.text("fields")})


def _unordered(selections: FieldSet) -> frozenset[object]:
    return frozenset(
        (getattr(item, "name", None), getattr(item, "on", None), _unordered(item.selections)) for item in selections
    )
