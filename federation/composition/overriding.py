"""`@override`: which subgraphs no longer resolve a field, because another one took it from them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from federation.composition.context import context_targets
from federation.composition.merged import Merged
from federation.composition.model import Applied, Field, Kind, Type
from federation.composition.subgraph import ReadSubgraph, external, first, has

Declared = tuple[ReadSubgraph, Type, Field]

_LABEL = re.compile(r"[a-zA-Z][a-zA-Z0-9_\-:./]*")
_PERCENT = re.compile(r"percent\((?:\d{1,2}(?:\.\d{1,8})?|100)\)")


@dataclass(slots=True)
class Overrides:
    """What became of a field, by subgraph: `used` still needs it in a key or the like, `unused` does not.

    `labels` holds the condition under which an override applies, for the subgraph that takes and the one it takes from.
    """

    used: set[str] = field(default_factory=set)
    unused: set[str] = field(default_factory=set)
    labels: dict[str, str] = field(default_factory=dict)

    def taken(self, subgraph: str) -> bool:
        """Whether another subgraph took the field from this one."""
        return subgraph in self.used or subgraph in self.unused


def find_overrides(merged: Merged, coordinate: str, declared: Sequence[Declared]) -> Overrides:
    """Return who took the field from whom; what is wrong with an override is noted as an error."""
    found = Overrides()
    overriding = {
        subgraph.name: override
        for subgraph, _, item in declared
        if (override := first(item.directives, "override")) is not None
    }
    if not overriding:
        return found
    by_name = {place[0].name: place for place in declared}
    for name, override in overriding.items():
        _override(merged, coordinate, by_name, name, override, overriding, found)
    return found


def _override(
    merged: Merged,
    coordinate: str,
    by_name: Mapping[str, Declared],
    name: str,
    override: Applied,
    overriding: Mapping[str, Applied],
    found: Overrides,
) -> None:
    """Check one `@override`, and note what it does."""
    taker, type_, _ = by_name[name]
    source = override.text("from") or ""
    if type_.kind is Kind.INTERFACE:
        message = f"@override cannot be on `{coordinate}` in `{name}`, a field of an interface"
        merged.error("OVERRIDE_ON_INTERFACE", message, coordinate, [taker])
    elif source == name:
        message = f"`{coordinate}` cannot be overridden from `{name}` in `{name}` itself"
        merged.error("OVERRIDE_FROM_SELF_ERROR", message, coordinate, [taker])
    elif source not in {other.name for other in merged.subgraphs}:
        message = f"`{coordinate}` is overridden from `{source}`, which is no subgraph"
        merged.hint("FROM_SUBGRAPH_DOES_NOT_EXIST", message, coordinate, [taker])
    elif source in overriding:
        message = f"`{coordinate}` is overridden in `{name}` and also in `{source}`, from which it is taken"
        merged.error("OVERRIDE_SOURCE_HAS_OVERRIDE", message, coordinate, [taker])
    elif (collision := _collision(coordinate, by_name, name, source)) is not None:
        merged.error("OVERRIDE_COLLISION_WITH_ANOTHER_DIRECTIVE", collision, coordinate, [taker])
    elif source not in by_name:
        message = f"`{coordinate}` is overridden from `{source}`, which no longer has it: @override can be removed"
        merged.hint("OVERRIDE_DIRECTIVE_CAN_BE_REMOVED", message, coordinate, [taker])
    else:
        _take(merged, coordinate, by_name, name, source, override.text("label"), found)


def _collision(coordinate: str, by_name: Mapping[str, Declared], name: str, source: str) -> str | None:
    """Say which other directive does not go together with the override."""
    if external(by_name[name][2]):
        return f"@override cannot be on `{coordinate}` in `{name}`, where it is @external"
    if has(by_name[name][1].directives, "interfaceObject"):
        return f"@override cannot be on `{coordinate}` in `{name}`, a field of an @interfaceObject"
    if source not in by_name:
        return None
    if has(by_name[source][1].directives, "interfaceObject"):
        return f"`{coordinate}` cannot be overridden from `{source}`, where it is a field of an @interfaceObject"
    for directive in ("requires", "provides"):
        if has(by_name[source][2].directives, directive):
            return f"`{coordinate}` cannot be overridden from `{source}`, where it has @{directive}"
    return None


def _take(
    merged: Merged,
    coordinate: str,
    by_name: Mapping[str, Declared],
    name: str,
    source: str,
    label: str | None,
    found: Overrides,
) -> None:
    giver, type_, item = by_name[source]
    if label is not None and not _LABEL.fullmatch(label) and not _PERCENT.fullmatch(label):
        message = (
            f"@override label `{label}` on `{coordinate}` in `{name}` must begin with a letter and hold letters, digits"
            " and `_-:./`, or be `percent(x)` with x from 0 to 100"
        )
        merged.error("OVERRIDE_LABEL_INVALID", message, coordinate, [by_name[name][0]])
    if (type_.name, item.name) in giver.external:
        message = f"`{coordinate}` is overridden from `{source}`, where it is external: @override can be removed"
        merged.hint("OVERRIDE_DIRECTIVE_CAN_BE_REMOVED", message, coordinate, [giver])
    elif _used(giver, type_, item):
        found.used.add(source)
    else:
        found.unused.add(source)
        if label is None:
            message = f"`{coordinate}` is overridden: `{source}` may remove it"
            merged.hint("OVERRIDDEN_FIELD_CAN_BE_REMOVED", message, coordinate, [giver])
    if label is not None:
        found.labels[name] = found.labels[source] = label
        message = f"the move of `{coordinate}` from `{source}` to `{name}` is in progress"
        merged.hint("OVERRIDE_MIGRATION_IN_PROGRESS", message, coordinate, [giver])


def _used(subgraph: ReadSubgraph, type_: Type, item: Field) -> bool:
    """Whether the subgraph itself still needs the field."""
    coordinate = (type_.name, item.name)
    if any(coordinate in found for found in (subgraph.key_fields, subgraph.required, subgraph.provided)):
        return True
    interfaces = (subgraph.types.get(name) for name in type_.interfaces)
    if any(interface is not None and item.name in interface.fields for interface in interfaces):
        return True
    return coordinate in context_targets(subgraph)
